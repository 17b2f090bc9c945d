"""Cavity resonances: reflection or transmission dips with the asymmetry that stray light gives them.

    counts = exposure · level · |1 - a e^{i phi} / (1 + i e)|²,   e = 2 (f - f0) / kappa

``phi = 0`` is a plain Lorentzian dip (Gorodetsky and Ilchenko, JOSA B 16, 147, 1999); a phase makes it a Fano line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .count_fit import CountFit, CountProblem, Parameter, fit_counts
from .lines import scan_rows
from .records import Estimate, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class CavityFit:
    """A fitted resonance.

    Attributes:
        center_hz, linewidth_hz: f0 and kappa (full width at half maximum of the field's power response), Hz.
        amplitude, phase_rad: a and phi of the interfering field.
        level: counts per unit exposure far from resonance.
        quality_factor: f0/kappa; only where the frequency axis is absolute.
        fit: the underlying fit.
    """

    center_hz: Estimate
    linewidth_hz: Estimate
    amplitude: Estimate
    phase_rad: Estimate
    level: Estimate
    fit: CountFit

    @property
    def quality_factor(self) -> Estimate:
        """``f0/kappa`` with the interval of the linewidth turned round."""
        center, kappa = self.center_hz.value, self.linewidth_hz
        value, upper, lower = (
            center / width if width > 0 else np.inf for width in (kappa.value, kappa.lower, kappa.upper)
        )
        return Estimate(value, lower, upper, kappa.confidence, value * kappa.std / kappa.value, kappa.n, "f0/kappa")


def fit_cavity(
    frequency_hz: ArrayLike, counts: ArrayLike, exposure: ArrayLike | None = None, confidence: float = 0.95
) -> CavityFit:
    """Fits one resonance with Poisson likelihood; arguments and errors as for ``lines.fit_line``."""
    f, k, weight = scan_rows(frequency_hz, counts, exposure)
    # Frequencies from the middle of the scan keep full precision at optical frequencies.
    middle, span = float(f.mean()), float(np.ptp(f))
    offset, step = f - middle, span / len(f)
    outside = max(float(np.median(k / weight)), 1 / float(weight.sum()))

    def expected(values: FloatArray) -> FloatArray:
        center, kappa, amplitude, phase, level = values
        field = 1 - amplitude * np.exp(1j * phase) / (1 + 2j * (offset - center) / max(float(kappa), 1e-3 * step))
        mean: FloatArray = weight * level * np.abs(field) ** 2
        return mean

    parameters = (
        Parameter("center", 0.0, span / 10, -span, span),
        Parameter("linewidth", span / 10, span / 10, 0.0, 10 * span),
        Parameter("amplitude", 0.5, 0.3, 0.0, 3.0),
        Parameter("phase", 0.0, 0.5, -2 * np.pi, 2 * np.pi),
        Parameter("level", outside, outside, 0.0),
    )
    starts = [
        np.array([center, kappa, amplitude, phase, outside])
        for center in np.linspace(-span / 2, span / 2, 41)
        for kappa in np.geomspace(2 * step, span, 7)
        for amplitude in (0.2, 0.8)
        for phase in (-1.5, 0.0, 1.5, 3.1)
    ]
    fit = fit_counts(CountProblem(k, expected, parameters), starts)
    method = "cavity line, Poisson likelihood, profile interval"
    place = fit.estimate("center", "Hz", confidence, method)
    center = Estimate(
        place.value + middle, place.lower + middle, place.upper + middle, confidence, place.std, place.n, method, "Hz"
    )
    return CavityFit(
        center_hz=center,
        linewidth_hz=fit.estimate("linewidth", "Hz", confidence, method),
        amplitude=fit.estimate("amplitude", "", confidence, method),
        phase_rad=fit.estimate("phase", "rad", confidence, method),
        level=fit.estimate("level", "", confidence, method),
        fit=fit,
    )
