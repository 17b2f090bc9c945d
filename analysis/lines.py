"""Spectral lines from photon counts: excitation lines, spectral holes, frequency combs.

Poisson likelihood throughout, so lines of a few photons are fitted right; frequencies in Hz, widths full width at half maximum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import voigt_profile

from .count_fit import CountFit, CountProblem, Parameter, fit_counts, reparametrised
from .errors import UsageError
from .records import Estimate, FloatArray

Shape = Literal["lorentz", "gauss", "voigt"]

#: FWHM of a Gaussian of unit sigma.
_FWHM = 2 * math.sqrt(2 * math.log(2))


@dataclass(frozen=True, slots=True, eq=False)
class LineFit:
    """A fitted line on a flat background.

    Attributes:
        center_hz, fwhm_hz: of the whole line.
        height, background: counts per unit exposure at the centre above the background, and of the background; a hole
            has a negative height.
        lorentz_fwhm_hz, gauss_fwhm_hz: its parts, for a Voigt line; None otherwise.
        fit: the underlying fit; ``fit.expected()`` is the fitted curve.
    """

    center_hz: Estimate
    fwhm_hz: Estimate
    height: Estimate
    background: Estimate
    lorentz_fwhm_hz: Estimate | None
    gauss_fwhm_hz: Estimate | None
    fit: CountFit


def lorentzian(detuning_hz: FloatArray, fwhm_hz: float) -> FloatArray:
    """Lorentzian of unit height (N,)."""
    line: FloatArray = 1 / (1 + (2 * detuning_hz / fwhm_hz) ** 2)
    return line


def gaussian(detuning_hz: FloatArray, fwhm_hz: float) -> FloatArray:
    """Gaussian of unit height (N,)."""
    line: FloatArray = np.exp(-4 * math.log(2) * (detuning_hz / fwhm_hz) ** 2)
    return line


def voigt(detuning_hz: FloatArray, lorentz_fwhm_hz: float, gauss_fwhm_hz: float) -> FloatArray:
    """Voigt line of unit height (N,)."""
    sigma, gamma = gauss_fwhm_hz / _FWHM, lorentz_fwhm_hz / 2
    line: FloatArray = voigt_profile(detuning_hz, sigma, gamma) / voigt_profile(0.0, sigma, gamma)
    return line


def voigt_fwhm(lorentz_fwhm_hz: float, gauss_fwhm_hz: float) -> float:
    """Width of a Voigt line to 2e-4 (Olivero and Longbothum, JQSRT 17, 233, 1977)."""
    return 0.5346 * lorentz_fwhm_hz + math.sqrt(0.2166 * lorentz_fwhm_hz**2 + gauss_fwhm_hz**2)


def fit_line(
    frequency_hz: ArrayLike,
    counts: ArrayLike,
    exposure: ArrayLike | None = None,
    shape: Shape = "lorentz",
    confidence: float = 0.95,
) -> LineFit:
    """Fits one line or one hole, ``exposure · (B + h · shape)``; a hole is found by its sign.

    Args:
        frequency_hz: float64 (K,), Hz; counts: int (K,); exposure: float64 (K,), live time or shots (default 1).
        shape: lorentz, gauss or voigt.

    Raises:
        UsageError: unknown shape, unequal lengths, negative counts, fewer points than parameters.
    """
    if shape not in ("lorentz", "gauss", "voigt"):
        raise UsageError(f"unknown line shape {shape!r}; choose lorentz, gauss or voigt")
    f, k, weight = scan_rows(frequency_hz, counts, exposure)
    problem, starts = _line_problem(f, k, weight, shape)
    fit = fit_counts(problem, starts)
    method = f"{shape} line, Poisson likelihood, profile interval"
    wide = fit if shape != "voigt" else _seen_by_voigt_width(fit)
    whole = wide.estimate("fwhm", "Hz", confidence, method)
    parts: tuple[Estimate | None, Estimate | None] = (None, None)
    if shape == "voigt":
        parts = (fit.estimate("lorentz", "Hz", confidence, method), fit.estimate("gauss", "Hz", confidence, method))
    return LineFit(
        center_hz=fit.estimate("center", "Hz", confidence, method),
        fwhm_hz=whole,
        height=_height(fit, confidence),
        background=fit.estimate("background", "", confidence, method),
        lorentz_fwhm_hz=parts[0],
        gauss_fwhm_hz=parts[1],
        fit=fit,
    )


def scan_rows(
    frequency_hz: ArrayLike, counts: ArrayLike, exposure: ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """A scan as float arrays (K,): frequency, counts and exposure (1 by default), checked.

    Raises:
        UsageError: unequal lengths, fewer than 4 frequencies, negative counts, exposures that are not positive.
    """
    f, k = np.asarray(frequency_hz, float), np.asarray(counts, float)
    weight = np.ones_like(k) if exposure is None else np.asarray(exposure, float)
    if not f.shape == k.shape == weight.shape or f.ndim != 1 or len(np.unique(f)) < 4:
        raise UsageError(f"a line needs counts at 4 frequencies or more, all equally long, got {f.shape} and {k.shape}")
    if np.any(k < 0) or np.any(weight <= 0) or not np.all(np.isfinite(f)):
        raise UsageError("counts must not be negative, exposures positive, frequencies finite")
    return f, k, weight


def _line_problem(
    f: FloatArray, k: FloatArray, weight: FloatArray, shape: Shape
) -> tuple[CountProblem, list[FloatArray]]:
    """Parameters: background, peak (the level at the centre), center, then fwhm, or lorentz and gauss."""
    span, middle = float(np.ptp(f)), float(f.mean())
    level = max(float(k.sum() / weight.sum()), 1 / float(weight.sum()))
    step = float(np.min(np.diff(np.unique(f))))

    def expected(values: FloatArray) -> FloatArray:
        background, peak, center = values[:3]
        widths = [max(float(w), 1e-3 * step) for w in values[3:]]
        line = voigt(f - center, *widths) if shape == "voigt" else _SHAPES[shape](f - center, widths[0])
        mean: FloatArray = weight * (background + (peak - background) * line)
        return mean

    names = ("lorentz", "gauss") if shape == "voigt" else ("fwhm",)
    parameters = (
        Parameter("background", level, level, 0.0),
        Parameter("peak", level, level, 0.0),
        Parameter("center", middle, span / 10, float(f.min()) - span, float(f.max()) + span),
        *(Parameter(name, span / 10, span / 10, 0.0, 10 * span) for name in names),
    )
    rate = k / weight
    starts = [
        np.array([*_levels(rate, weight, gaussian(f - center, width)), center, *(width / len(names),) * len(names)])
        for center in np.linspace(f.min(), f.max(), 41)
        for width in np.geomspace(2 * step, span, 8)
    ]
    return CountProblem(k, expected, parameters), starts


_SHAPES = {"lorentz": lorentzian, "gauss": gaussian}


def _levels(rate: FloatArray, weight: FloatArray, line: FloatArray) -> list[float]:
    """Background and peak level for a known line, by weighted least squares, kept positive."""
    root = np.sqrt(weight)
    columns = np.column_stack([1 - line, line]) * root[:, None]
    levels = np.linalg.lstsq(columns, rate * root, rcond=None)[0]
    least = 0.1 * float(rate.mean()) + 1e-9
    return [max(float(x), least) for x in levels]


def _seen_by_voigt_width(fit: CountFit) -> CountFit:
    """The same Voigt fit with (whole width, share of the Lorentzian part in it) for its two widths."""
    native = fit.problem
    lorentz, gauss = float(fit.values[3]), float(fit.values[4])
    share = lorentz / (lorentz + gauss) if lorentz + gauss else 0.5
    width = voigt_fwhm(lorentz, gauss)

    def expected(values: FloatArray) -> FloatArray:
        scale = values[3] / voigt_fwhm(values[4], 1 - values[4])
        return native.model(np.array([*values[:3], scale * values[4], scale * (1 - values[4])]))

    shape = (
        Parameter("fwhm", width, width, 0.0, 20 * native.parameters[3].upper),
        Parameter("share", share, 0.3, 0.0, 1.0),
    )
    problem = CountProblem(native.observed, expected, (*native.parameters[:3], *shape))
    return reparametrised(fit, problem, np.array([*fit.values[:3], width, share]))


def _height(fit: CountFit, confidence: float) -> Estimate:
    """Peak less background, with a profile interval of its own."""
    native = fit.problem

    def expected(values: FloatArray) -> FloatArray:
        moved = values.copy()
        moved[1] = max(values[1] + values[0], 0.0)
        return native.model(moved)

    height, level = float(fit.values[1] - fit.values[0]), native.parameters[1].scale
    parameters = list(native.parameters)
    parameters[1] = Parameter("height", height, level)
    values = fit.values.copy()
    values[1] = height
    seen = reparametrised(fit, CountProblem(native.observed, expected, tuple(parameters)), values)
    return seen.estimate("height", "", confidence, "peak less background")
