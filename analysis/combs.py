"""Atomic frequency combs: finesse and optical depth from an absorption scan, and the efficiency they promise.

    transmitted = incident · exp[-(d0 + d · comb(f))],   finesse = spacing / tooth width

Efficiency of the echo in forward direction (Afzelius, PRA 79, 052329, 2009; Bonarota, PRA 81, 033803, 2010):
Gaussian teeth ``dt = (d/F) sqrt(pi/(4 ln 2))``, ``eta = dt² e^-dt e^-d0 exp(-7.12/F²)``; square teeth ``dt = d/F`` with the
dephasing ``sinc²(pi/F)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .count_fit import CountFit, CountProblem, Parameter, fit_counts, reparametrised
from .errors import UsageError
from .lines import gaussian
from .records import Estimate, FloatArray

Teeth = Literal["gauss", "square"]


@dataclass(frozen=True, slots=True, eq=False)
class CombFit:
    """A fitted comb of Gaussian teeth.

    Attributes:
        spacing_hz: Delta; the echo comes at 1/Delta.
        finesse: Delta over the teeth's full width at half maximum.
        optical_depth: d of the teeth above the floor; floor_depth: d0 of what was not burned away.
        efficiency: forward echo efficiency the comb promises.
        fit: the underlying fit.
    """

    spacing_hz: Estimate
    finesse: Estimate
    optical_depth: Estimate
    floor_depth: Estimate
    efficiency: Estimate
    fit: CountFit


def echo_efficiency(optical_depth: float, finesse: float, floor_depth: float = 0.0, teeth: Teeth = "gauss") -> float:
    """Forward AFC efficiency for given comb parameters (at most 54 %).

    Raises:
        UsageError: negative depths, a finesse below 1, unknown teeth.
    """
    if optical_depth < 0 or floor_depth < 0 or finesse < 1:
        raise UsageError(f"need depths >= 0 and finesse >= 1, got {optical_depth:g}, {floor_depth:g}, {finesse:g}")
    if teeth not in ("gauss", "square"):
        raise UsageError(f"unknown teeth {teeth!r}; choose gauss or square")
    depth, dephasing = optical_depth / finesse, float(np.sinc(1 / finesse)) ** 2
    if teeth == "gauss":
        depth *= math.sqrt(math.pi / (4 * math.log(2)))
        dephasing = math.exp(-7.12 / finesse**2)
    return depth**2 * math.exp(-depth - floor_depth) * dephasing


def best_finesse(optical_depth: float) -> float:
    """Finesse of square teeth with the highest efficiency, ``pi / arctan(2 pi / d)`` (Bonarota 2010)."""
    return math.pi / math.atan2(2 * math.pi, optical_depth)


def fit_comb(
    frequency_hz: ArrayLike,
    counts: ArrayLike,
    incident_counts: ArrayLike,
    spacing_hz: float,
    confidence: float = 0.95,
) -> CombFit:
    """Fits the transmission through a comb of known rough spacing with Poisson likelihood.

    Args:
        frequency_hz: float64 (K,), Hz; counts: int (K,), transmitted.
        incident_counts: float64 (K,), counts expected without absorption (a reference scan).
        spacing_hz: planned spacing, within 20 %.

    Raises:
        UsageError: unequal lengths, negative counts, no incident light, or a scan of less than two teeth.
    """
    f, k, incident = (np.asarray(a, float) for a in (frequency_hz, counts, incident_counts))
    if not f.shape == k.shape == incident.shape or f.ndim != 1 or np.any(k < 0) or np.any(incident <= 0):
        raise UsageError(
            "frequency, counts and incident counts must be equally long, counts not negative, light positive"
        )
    if len(f) < 6 or np.ptp(f) < 2 * spacing_hz:
        raise UsageError(
            f"a comb needs a scan over two teeth ({2 * spacing_hz:g} Hz), got {np.ptp(f) if len(f) else 0:g} Hz"
        )
    middle = float(f.mean())

    def expected(values: FloatArray) -> FloatArray:
        spacing, place, finesse, depth, floor = values
        offset = f - middle - place * spacing
        mean: FloatArray = incident * np.exp(-(floor + depth * _teeth(offset, spacing, finesse)))
        return mean

    parameters = (
        Parameter("spacing", spacing_hz, 0.02 * spacing_hz, 0.8 * spacing_hz, 1.2 * spacing_hz),
        Parameter("place", 0.0, 0.1, -1.5, 1.5),
        Parameter("finesse", 3.0, 1.0, 1.0, 1e3),
        Parameter("depth", 2.0, 1.0, 0.0, 50.0),
        Parameter("floor", 0.3, 0.3, 0.0, 50.0),
    )
    starts = [
        np.array([spacing_hz * stretch, place, finesse, depth, 0.3])
        for stretch in np.linspace(0.9, 1.1, 9)
        for place in np.arange(-0.5, 0.5, 0.125)
        for finesse in (1.5, 3.0, 8.0)
        for depth in (0.5, 2.0)
    ]
    fit = fit_counts(CountProblem(k, expected, parameters), starts)
    method = "Gaussian teeth, Poisson likelihood, profile interval"
    return CombFit(
        spacing_hz=fit.estimate("spacing", "Hz", confidence, method),
        finesse=fit.estimate("finesse", "", confidence, method),
        optical_depth=fit.estimate("depth", "", confidence, method),
        floor_depth=fit.estimate("floor", "", confidence, method),
        efficiency=_efficiency(fit, confidence),
        fit=fit,
    )


def _teeth(offset_hz: FloatArray, spacing_hz: float, finesse: float) -> FloatArray:
    """Sum of Gaussian teeth at every multiple of the spacing; five neighbours are enough down to a finesse of 1."""
    nearest = offset_hz - spacing_hz * np.rint(offset_hz / spacing_hz)
    teeth: FloatArray = np.sum([gaussian(nearest - n * spacing_hz, spacing_hz / finesse) for n in range(-2, 3)], axis=0)
    return teeth


def _efficiency(fit: CountFit, confidence: float) -> Estimate:
    """Promised efficiency with an interval: it takes the floor's place among the parameters, ``eta ~ e^-d0``."""
    native = fit.problem
    _, _, finesse, depth, floor = (float(v) for v in fit.values)
    best = echo_efficiency(depth, finesse, floor)

    def expected(values: FloatArray) -> FloatArray:
        ceiling = echo_efficiency(float(values[3]), float(values[2]))
        moved = values.copy()
        moved[4] = math.log(max(ceiling, 1e-300) / max(float(values[4]), 1e-300))
        return native.model(moved)

    parameters = (*native.parameters[:4], Parameter("efficiency", best, max(best, 1e-3), 0.0, 1.0))
    problem = CountProblem(native.observed, expected, parameters)
    seen = reparametrised(fit, problem, np.array([*fit.values[:4], best]))
    return seen.estimate("efficiency", "", confidence, "forward AFC efficiency from finesse and depths")
