"""A curve through points with errors: what one fits by eye at the bench, done by weighted least squares.

For numbers that go into a result use the likelihood fits of counts (``lines``, ``storage_time``, ``jitter``); this is the
quick look at any scan or histogram.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import curve_fit

from .errors import UsageError
from .records import Estimate, FloatArray

_LN16 = 4 * np.log(2)
_PERIODS = 200

Shape = Callable[..., FloatArray]
Guess = Callable[[FloatArray, FloatArray], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Model:
    """``shape(x, *parameters)``; ``powers`` are the parameters' units as powers of (x unit, y unit)."""

    shape: Shape
    parameters: tuple[str, ...]
    powers: tuple[tuple[int, int], ...]
    guess: Guess


@dataclass(frozen=True, slots=True, eq=False)
class PointFit:
    """A fitted model.

    Attributes:
        parameters: by name, in the units of the points.
        curve_x, curve: float64 (M,), the fitted curve over the range of the points.
        fitted: float64 (K,), the curve at the points; residuals: float64 (K,), in standard errors.
        chi2_per_freedom: about 1 when the model and the errors are right.
    """

    parameters: dict[str, Estimate]
    curve_x: FloatArray
    curve: FloatArray
    fitted: FloatArray
    residuals: FloatArray
    chi2_per_freedom: float


def _line(x: FloatArray, offset: float, slope: float) -> FloatArray:
    return offset + slope * x


def _gaussian(x: FloatArray, center: float, fwhm: float, height: float, background: float) -> FloatArray:
    bell: FloatArray = background + height * np.exp(-_LN16 * ((x - center) / fwhm) ** 2)
    return bell


def _lorentzian(x: FloatArray, center: float, fwhm: float, height: float, background: float) -> FloatArray:
    return background + height / (1 + (2 * (x - center) / fwhm) ** 2)


def _two_sided(x: FloatArray, center: float, time: float, height: float, background: float) -> FloatArray:
    fallen: FloatArray = background + height * np.exp(-np.abs(x - center) / abs(time))
    return fallen


def _decay(x: FloatArray, time: float, height: float, background: float) -> FloatArray:
    return background + height * np.exp(-x / time)


def _fringe(x: FloatArray, mean: float, amplitude: float, period: float, phase: float) -> FloatArray:
    return mean + amplitude * np.cos(2 * np.pi * x / period + phase)


def _guess_peak(x: FloatArray, y: FloatArray) -> tuple[float, ...]:
    """A peak, or a dip where the lowest point lies farther from the median than the highest."""
    background = float(np.median(y))
    at = int(np.argmax(np.abs(y - background)))
    height = float(y[at] - background)
    inside = np.abs(y - background) > abs(height) / 2
    share: float = max(int(np.count_nonzero(inside)), 2) / len(x)
    width = float(np.max(x) - np.min(x)) * share
    return float(x[at]), width, height, background


def _guess_decay(x: FloatArray, y: FloatArray) -> tuple[float, ...]:
    tail = max(1, len(y) // 5)
    background = float(np.mean(y[-tail:]))
    return float(np.ptp(x)) / 3, float(y[0]) - background, background


def _guess_fringe(x: FloatArray, y: FloatArray) -> tuple[float, ...]:
    """The period whose sine explains most: the highest line of a least-squares periodogram."""
    mean, span = float(np.mean(y)), float(np.max(x) - np.min(x))
    frequency = np.linspace(0.3, max(1.0, len(x) / 2), _PERIODS) / span
    waves = np.exp(-2j * np.pi * frequency[:, None] * x) @ (y - mean)
    best = int(np.argmax(np.abs(waves)))
    return mean, 2 * float(np.abs(waves[best])) / len(x), 1 / float(frequency[best]), float(np.angle(waves[best]))


_PEAK = (("center", "fwhm", "height", "background"), ((1, 0), (1, 0), (0, 1), (0, 1)))
MODELS: dict[str, Model] = {
    "line": Model(
        _line, ("offset", "slope"), ((0, 1), (-1, 1)), lambda x, y: (float(np.mean(y)), 0.0)
    ),
    "gaussian": Model(_gaussian, *_PEAK, _guess_peak),
    "lorentzian": Model(_lorentzian, *_PEAK, _guess_peak),
    "two-sided exponential": Model(_two_sided, ("center", "time", *_PEAK[0][2:]), _PEAK[1], _guess_peak),
    "decay": Model(_decay, ("time", "height", "background"), ((1, 0), (0, 1), (0, 1)), _guess_decay),
    "fringe": Model(
        _fringe, ("mean", "amplitude", "period", "phase"), ((0, 1), (0, 1), (1, 0), (0, 0)), _guess_fringe
    ),
}  # fmt: skip


def fit_points(
    x: ArrayLike, y: ArrayLike, std: ArrayLike, model: str, *, confidence: float = 0.95, curve_points: int = 400
) -> PointFit:
    """Fits one of ``MODELS`` to points (K,) with standard errors (K,); intervals are from the covariance of the fit.

    A point whose ``std`` is not positive is given the median of the others; points that are not finite are left out.

    Raises:
        UsageError: unknown model, fewer points than parameters + 1, or no fit found.
    """
    chosen = MODELS.get(model)
    if chosen is None:
        raise UsageError(f"no model {model!r}; choose one of {', '.join(MODELS)}")
    x, y, std = (np.asarray(values, np.float64) for values in (x, y, std))
    known = np.isfinite(x) & np.isfinite(y)
    x, y, sigma = x[known], y[known], _positive(std[known])
    needed = len(chosen.parameters) + 1
    if len(np.unique(x)) < needed:
        raise UsageError(f"a {model} fit needs {needed} points at different places, got {len(np.unique(x))}")
    # A line of 2 MHz at 195 THz would drown in the rounding of its place: a peak is fitted around the middle of the points.
    origin = (float(x.min()) + float(x.max())) / 2 if "center" in chosen.parameters else 0.0
    x = x - origin
    found, covariance = _least_squares(chosen, x, y, sigma, model)
    deviations = np.sqrt(np.diag(covariance))
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    shift = np.array([origin if name == "center" else 0.0 for name in chosen.parameters])
    method = f"{model}, weighted least squares"
    parameters = {
        name: Estimate(float(v), float(v - z * s), float(v + z * s), confidence, float(s), len(x), method)
        for name, v, s in zip(chosen.parameters, found + shift, deviations, strict=True)
    }
    fitted = chosen.shape(x, *found)
    residuals = (y - fitted) / sigma
    curve_x = np.linspace(float(x.min()), float(x.max()), curve_points)
    chi2 = float(np.sum(residuals**2) / (len(x) - len(found)))
    return PointFit(parameters, curve_x + origin, chosen.shape(curve_x, *found), fitted, residuals, chi2)


def _positive(std: FloatArray) -> FloatArray:
    good = np.isfinite(std) & (std > 0)
    return np.where(good, std, np.median(std[good]) if good.any() else 1.0)


def _least_squares(
    model: Model, x: FloatArray, y: FloatArray, sigma: FloatArray, name: str
) -> tuple[FloatArray, FloatArray]:
    """Best parameters and their covariance, worked out on axes of unit size so that ps and Hz fit alike."""
    scale_x, scale_y = float(np.max(np.abs(x))) or 1.0, float(np.max(np.abs(y))) or 1.0
    units = np.array([scale_x**a * scale_y**b for a, b in model.powers])
    start = np.array(model.guess(x / scale_x, y / scale_y))
    try:
        found, covariance = curve_fit(
            model.shape, x / scale_x, y / scale_y, p0=start, sigma=sigma / scale_y, absolute_sigma=True, maxfev=4000
        )
    except RuntimeError as error:
        raise UsageError(f"no {name} fit found: choose another model or range") from error
    if not np.all(np.isfinite(covariance)):
        raise UsageError(f"the points do not fix a {name}: choose another model or range")
    for at, parameter in enumerate(model.parameters):
        if parameter in ("fwhm", "time"):
            found[at] = abs(found[at]) if model.shape is not _decay else found[at]
    return found * units, covariance * np.outer(units, units)
