"""SNSPD characteristics: efficiency and dark counts against bias, their plateau, and where to work.

    efficiency(I) = eta_s / 2 · [1 + erf((I - I0)/s)]
    dark rate(I)  = D_bg · efficiency(I)/eta_s + D0 exp(I / I_D)

The first dark part is stray light, the second is intrinsic. Light and dark clicks are fitted together, with Poisson
likelihood; the light measurement contains the darks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf, erfinv

from .count_fit import CountFit, CountProblem, Parameter, fit_counts, reparametrised
from .errors import UsageError
from .records import Estimate, FloatArray

#: Share of the saturated efficiency at which the plateau begins.
_PLATEAU = 0.99


@dataclass(frozen=True, slots=True, eq=False)
class DetectorFit:
    """Fitted characteristics of one detector.

    Attributes:
        saturated_efficiency: eta_s; system efficiency when the photon flux was the calibrated one.
        inflection_a, width_a: I0 and s, A.
        plateau_start_a: bias at which 99 % of the saturated efficiency is reached, A; above the measured range the
            detector does not saturate.
        stray_rate_hz: D_bg, Hz.
        top_a: highest bias of the sweep, A.
        fit: the underlying fit, over the light rows and then the dark rows.
    """

    saturated_efficiency: Estimate
    inflection_a: Estimate
    width_a: Estimate
    plateau_start_a: Estimate
    stray_rate_hz: Estimate
    top_a: float
    fit: CountFit

    def efficiency(self, bias_a: ArrayLike) -> FloatArray:
        """Fitted efficiency at the given bias (M,) A."""
        return _efficiency(np.asarray(bias_a, float), *self.fit.values[:3])

    def dark_rate_hz(self, bias_a: ArrayLike) -> FloatArray:
        """Fitted dark rate at the given bias (M,) A, Hz."""
        return _dark_rate(np.asarray(bias_a, float), self.fit.values, self.top_a)


@dataclass(frozen=True, slots=True)
class WorkingPoint:
    """A bias with what to expect there."""

    bias_a: float
    efficiency: float
    dark_rate_hz: float


def fit_detector(
    bias_a: ArrayLike,
    light_counts: ArrayLike,
    dark_counts: ArrayLike,
    light_time_s: ArrayLike,
    dark_time_s: ArrayLike,
    photon_rate_hz: float,
    confidence: float = 0.95,
) -> DetectorFit:
    """Fits efficiency and dark counts of a bias sweep.

    Args:
        bias_a: float64 (K,), A.
        light_counts, dark_counts: int (K,), clicks with the calibrated light on and off.
        light_time_s, dark_time_s: live time of each row, s, (K,) or one for all; dead time already taken off.
        photon_rate_hz: photons at the detector's input, 1/s.

    Raises:
        UsageError: unequal lengths, negative counts, no live time or flux, fewer than 4 bias values.
    """
    bias = np.asarray(bias_a, float)
    light, dark = np.asarray(light_counts, float), np.asarray(dark_counts, float)
    t_light, t_dark = (np.broadcast_to(np.asarray(t, float), bias.shape) for t in (light_time_s, dark_time_s))
    if not bias.shape == light.shape == dark.shape or bias.ndim != 1 or len(np.unique(bias)) < 4:
        raise UsageError(f"a bias sweep needs light and dark counts at 4 bias values or more, got {bias.shape}")
    if np.any(light < 0) or np.any(dark < 0) or np.any(t_light <= 0) or np.any(t_dark <= 0) or photon_rate_hz <= 0:
        raise UsageError("counts must not be negative, live times and photon rate must be positive")

    top_a = float(bias.max())

    def expected(values: FloatArray) -> FloatArray:
        darks = _dark_rate(bias, values, top_a)
        lit = photon_rate_hz * _efficiency(bias, values[0], values[1], values[2]) + darks
        return np.concatenate([lit * t_light, darks * t_dark])

    parameters, starts = _parameters_and_starts(bias, light / t_light / photon_rate_hz, dark / t_dark)
    fit = fit_counts(CountProblem(np.concatenate([light, dark]), expected, parameters), starts)
    method = "efficiency and darks together, Poisson likelihood, profile interval"
    return DetectorFit(
        saturated_efficiency=fit.estimate("saturated", "", confidence, method),
        inflection_a=fit.estimate("inflection", "A", confidence, method),
        width_a=fit.estimate("width", "A", confidence, method),
        plateau_start_a=_seen_from_plateau(fit).estimate("plateau", "A", confidence, f"{_PLATEAU:.0%} of saturation"),
        stray_rate_hz=fit.estimate("stray", "Hz", confidence, method),
        top_a=top_a,
        fit=fit,
    )


def best_working_point(
    fit: DetectorFit, switching_current_a: float, max_dark_rate_hz: float = math.inf
) -> WorkingPoint:
    """Bias with the least noise-equivalent power ``sqrt(2 D)/eta`` below 95 % of the switching current.

    Args:
        switching_current_a: where the wire goes normal, A (above 95 % of it detectors latch).
        max_dark_rate_hz: darks that are tolerable.

    Raises:
        UsageError: no bias keeps the dark rate that low.
    """
    bias = np.linspace(0.0, 0.95 * switching_current_a, 2001)[1:]
    efficiency, darks = fit.efficiency(bias), fit.dark_rate_hz(bias)
    allowed = darks <= max_dark_rate_hz
    if not np.any(allowed & (efficiency > 0)):
        raise UsageError(f"no bias has a dark rate below {max_dark_rate_hz:g} Hz: the least is {darks.min():.3g} Hz")
    with np.errstate(divide="ignore"):
        noise = np.where(allowed, np.sqrt(2 * darks) / efficiency, np.inf)
    best = int(np.argmin(noise))
    return WorkingPoint(float(bias[best]), float(efficiency[best]), float(darks[best]))


def plateau_start_a(inflection_a: float, width_a: float) -> float:
    """Bias at which 99 % of the saturated efficiency is reached, A."""
    return inflection_a + float(erfinv(2 * _PLATEAU - 1)) * width_a


def _efficiency(bias: FloatArray, saturated: float, inflection: float, width: float) -> FloatArray:
    efficiency: FloatArray = saturated / 2 * (1 + erf((bias - inflection) / max(width, 1e-30)))
    return efficiency


def _dark_rate(bias: FloatArray, values: FloatArray, top_a: float) -> FloatArray:
    """Values: saturated, inflection, width, stray, log of the intrinsic rate at ``top_a``, its slope (1/A)."""
    _, inflection, width, stray, log_rate, slope = values
    intrinsic = np.exp(np.clip(log_rate + slope * (bias - top_a), -200.0, 60.0))
    rate: FloatArray = stray * _efficiency(bias, 1.0, inflection, width) + intrinsic
    return rate


def _parameters_and_starts(
    bias: FloatArray, efficiency: FloatArray, dark_rate: FloatArray
) -> tuple[tuple[Parameter, ...], list[FloatArray]]:
    span, top = float(np.ptp(bias)), float(bias.max())
    highest = max(float(efficiency.max()), 1e-6)
    stray = max(float(np.median(dark_rate)), 1e-3)
    log_top = math.log(max(float(dark_rate[np.argmax(bias)]), stray))
    parameters = (
        Parameter("saturated", highest, highest, 0.0),
        Parameter("inflection", top / 2, span, 0.0, 3 * top),
        Parameter("width", span / 5, span / 5, span * 1e-4, 10 * span),
        Parameter("stray", stray, stray, 0.0),
        Parameter("log_rate", log_top, 1.0, -30.0, 40.0),
        Parameter("slope", 20 / span, 10 / span, 0.0, 1e4 / span),
    )
    half = float(np.interp(0.5, np.maximum.accumulate(np.sort(efficiency)) / highest, np.sort(bias)))
    starts = [
        np.array([highest, half, width * span, stray, log_top - drop, slope / span])
        for width in (0.05, 0.2, 0.5)
        for slope in (5.0, 20.0, 60.0)
        for drop in (0.1, 3.0)
    ]
    return parameters, starts


def _seen_from_plateau(fit: CountFit) -> CountFit:
    """The same fit with the start of the plateau in the place of the inflection."""
    native = fit.problem

    def expected(values: FloatArray) -> FloatArray:
        moved = values.copy()
        moved[1] = values[1] - plateau_start_a(0.0, float(values[2]))
        return native.model(moved)

    inflection = native.parameters[1]
    start = plateau_start_a(float(fit.values[1]), float(fit.values[2]))
    parameters = list(native.parameters)
    parameters[1] = Parameter("plateau", start, inflection.scale, 0.0, 100 * inflection.upper)
    values = fit.values.copy()
    values[1] = start
    return reparametrised(fit, CountProblem(native.observed, expected, tuple(parameters)), values)
