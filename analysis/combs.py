"""Atomic frequency combs: finesse and optical depth from an absorption scan, and the efficiency they promise.

    transmitted = incident · exp[-(d0 + d · comb(f))],   finesse = spacing / tooth width

Efficiency of the echo in forward direction (Afzelius, PRA 79, 052329, 2009; Bonarota, PRA 81, 033803, 2010):
Gaussian teeth ``dt = (d/F) sqrt(pi/(4 ln 2))``, ``eta = dt² e^-dt e^-d0 exp(-7.12/F²)``; square teeth ``dt = d/F`` with the
dephasing ``sinc²(pi/F)``. In general ``eta = d1² exp(-mean depth)`` with d1 the first Fourier coefficient of the depth.

Burnt teeth are what pairs of burn pulses leave when burning, at a rate ``1 + cos(2 pi f/spacing)``, and filling are in balance:
``comb = 1/(1 + S(1 + cos)/2)``, brought to run from 0 to 1. A homogeneous line, which is Lorentzian, leaves that shape as it is.
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

Teeth = Literal["gauss", "square", "burnt"]


_NAMES = {"gauss": "Gaussian", "burnt": "burnt"}
#: A barely burnt comb is a cosine, half of the turn above its middle.
_LEAST_BURNT_FINESSE = 2.0 + 1e-6
_SPECTRUM_POINTS = 7


@dataclass(frozen=True, slots=True, eq=False)
class CombFit:
    """A fitted comb.

    Attributes:
        spacing_hz: Delta; the echo comes at 1/Delta.
        finesse: Delta over the teeth's full width half way from floor to peak; at least 2 for burnt teeth.
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
    if teeth not in ("gauss", "square", "burnt"):
        raise UsageError(f"unknown teeth {teeth!r}; choose gauss, square or burnt")
    if teeth == "burnt":
        mean, first = _burnt_harmonics(finesse)
        return (optical_depth * first) ** 2 * math.exp(-optical_depth * mean - floor_depth)
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
    *,
    teeth: Literal["gauss", "burnt"] = "gauss",
    probe_fwhm_hz: float = 0.0,
    stray_counts: float = 0.0,
    reference_counts: float = math.inf,
) -> CombFit:
    """Fits the transmission through a comb of known rough spacing with Poisson likelihood.

    Args:
        frequency_hz: float64 (K,), Hz; counts: int (K,), transmitted.
        incident_counts: float64 (K,), counts expected without absorption (a reference scan).
        spacing_hz: planned spacing, within 20 %.
        probe_fwhm_hz: width of the probe's (Gaussian) power spectrum, over which the transmission is averaged.
        stray_counts: of the counts at each frequency, those that are no probe light.
        reference_counts: counts behind ``incident_counts``, all from one reference; inf: they are exact.

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
    middle, known = float(f.mean()), math.isinf(reference_counts)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_SPECTRUM_POINTS if probe_fwhm_hz else 1)
    seen = f[:, None] + nodes * probe_fwhm_hz / math.sqrt(8 * math.log(2))
    shape = _burnt_teeth if teeth == "burnt" else _teeth

    def expected(values: FloatArray) -> FloatArray:
        spacing, place, finesse, depth, floor = values[:5]
        offset = seen - middle - place * spacing
        passed = np.exp(-(floor + depth * shape(offset, spacing, finesse))) @ weights / weights.sum()
        light = 1.0 if known else values[5]
        mean: FloatArray = light * incident * passed + stray_counts
        return mean if known else np.append(mean, light * reference_counts)

    parameters = (
        Parameter("spacing", spacing_hz, 0.02 * spacing_hz, 0.8 * spacing_hz, 1.2 * spacing_hz),
        Parameter("place", 0.0, 0.1, -1.5, 1.5),
        Parameter("finesse", 3.0, 1.0, _LEAST_BURNT_FINESSE if teeth == "burnt" else 1.0, 1e3),
        Parameter("depth", 2.0, 1.0, 0.0, 50.0),
        Parameter("floor", 0.3, 0.3, 0.0, 50.0),
        *(() if known else (Parameter("light", 1.0, 0.1, 0.1, 10.0),)),
    )
    starts = [
        np.array([spacing_hz * stretch, place, finesse, depth, 0.3, *(() if known else (1.0,))])
        for stretch in np.linspace(0.9, 1.1, 9)
        for place in np.arange(-0.5, 0.5, 0.125)
        for finesse in (1.5, 3.0, 8.0)
        for depth in (0.5, 2.0)
    ]
    fit = fit_counts(CountProblem(k if known else np.append(k, reference_counts), expected, parameters), starts)
    method = f"{_NAMES[teeth]} teeth, Poisson likelihood, profile interval"
    return CombFit(
        spacing_hz=fit.estimate("spacing", "Hz", confidence, method),
        finesse=fit.estimate("finesse", "", confidence, method),
        optical_depth=fit.estimate("depth", "", confidence, method),
        floor_depth=fit.estimate("floor", "", confidence, method),
        efficiency=_efficiency(fit, confidence, teeth),
        fit=fit,
    )


def _burnt_teeth(offset_hz: FloatArray, spacing_hz: float, finesse: float) -> FloatArray:
    """Burnt teeth at every multiple of the spacing, 1 at their tops and 0 half way between."""
    burning = _burning(finesse)
    lowest = 1 / (1 + burning)
    comb: FloatArray = 1 / (1 + burning * (1 - np.cos(2 * np.pi * offset_hz / spacing_hz)) / 2)
    return (comb - lowest) / (1 - lowest)


def _burning(finesse: float) -> float:
    """S of burnt teeth: half way from floor to peak ``cos = S/(2 + S)``, a ``1/finesse`` part of the turn wide."""
    half = math.cos(math.pi / max(finesse, _LEAST_BURNT_FINESSE))
    return 2 * half / (1 - half)


def _burnt_harmonics(finesse: float) -> tuple[float, float]:
    """Mean and first Fourier coefficient of burnt teeth, ``<comb>`` and ``<comb cos>``."""
    s = _burning(finesse)
    lowest, root = 1 / (1 + s), math.sqrt(1 + s)
    mean, first = 1 / root, (2 / s) * ((1 + s / 2) / root - 1)
    return (mean - lowest) / (1 - lowest), first / (1 - lowest)


def _teeth(offset_hz: FloatArray, spacing_hz: float, finesse: float) -> FloatArray:
    """Sum of Gaussian teeth at every multiple of the spacing; five neighbours are enough down to a finesse of 1."""
    nearest = offset_hz - spacing_hz * np.rint(offset_hz / spacing_hz)
    teeth: FloatArray = np.sum([gaussian(nearest - n * spacing_hz, spacing_hz / finesse) for n in range(-2, 3)], axis=0)
    return teeth


def _efficiency(fit: CountFit, confidence: float, teeth: Teeth) -> Estimate:
    """Promised efficiency with an interval: it takes the floor's place among the parameters, ``eta ~ e^-d0``."""
    native = fit.problem
    finesse, depth, floor = (float(v) for v in fit.values[2:5])
    best = echo_efficiency(depth, finesse, floor, teeth)

    def expected(values: FloatArray) -> FloatArray:
        ceiling = echo_efficiency(float(values[3]), float(values[2]), teeth=teeth)
        moved = values.copy()
        moved[4] = math.log(max(ceiling, 1e-300) / max(float(values[4]), 1e-300))
        return native.model(moved)

    efficiency = Parameter("efficiency", best, max(best, 1e-3), 0.0, 1.0)
    parameters = (*native.parameters[:4], efficiency, *native.parameters[5:])
    problem = CountProblem(native.observed, expected, parameters)
    seen = reparametrised(fit, problem, np.array([*fit.values[:4], best, *fit.values[5:]]))
    return seen.estimate("efficiency", "", confidence, "forward AFC efficiency from finesse and depths")
