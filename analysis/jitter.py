"""Timing jitter from a histogram of delays: full width at half maximum, and the exponentially modified Gaussian behind it.

The interpolated FWHM is read off the smoothed histogram; sigma, tau, centre and the fitted FWHM come from a Poisson
likelihood of an exponentially modified Gaussian (``emg``) integrated over each bin, on a constant background: the usual
response of superconducting detectors (its tail: Sidorova, PRB 98, 134504, 2018). The tail is on the late side, so the
detector belongs on the stop side of the correlation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .count_fit import CountFit, CountProblem, Parameter, fit_counts, reparametrised
from .emg import emg_cdf, emg_fwhm
from .errors import UsageError
from .records import CorrelationHistogram, Estimate, FloatArray, Int64Array
from .width import full_width, peak_region

#: The fit looks this many times the shortest half (0.57 FWHM of a Gaussian) before and after the peak.
_BEFORE, _AFTER = 8, 14
#: Bins the shortest half shall have: more only cost time.
_RESOLUTION = 12


@dataclass(frozen=True, slots=True, eq=False)
class JitterFit:
    """Timing response of one peak; every Estimate in ps.

    Attributes:
        fwhm_ps: full width at half maximum of the fitted response.
        interpolated_fwhm_ps: the same without a model, from the smoothed histogram.
        sigma_ps, tau_ps: Gaussian width and exponential tail.
        rms_ps: standard deviation ``sqrt(sigma² + tau²)`` of the response.
        center_ps: mean delay of the response.
        lag_ps: int64 (B,), left edges of the bins that were fitted.
        counts: int64 (B,), counts in them.
        bin_ps: their width.
        fit: the underlying fit, with deviance and p-value.
    """

    fwhm_ps: Estimate
    interpolated_fwhm_ps: Estimate
    sigma_ps: Estimate
    tau_ps: Estimate
    rms_ps: Estimate
    center_ps: Estimate
    lag_ps: Int64Array
    counts: Int64Array
    bin_ps: int
    fit: CountFit

    def width_at(self, fraction: float, confidence: float = 0.95) -> Estimate:
        """Model-free full width at a fraction of the peak height, ps: 1/e and 1/10 show the tail.

        Raises:
            UsageError: the peak does not fall so far inside the histogram.
        """
        return full_width(self.counts, self.bin_ps, fraction, confidence)

    def expected_counts(self) -> FloatArray:
        """The fitted counts in each bin, float64 (B,)."""
        return self.fit.expected()


def fit_jitter(delays: Int64Array | CorrelationHistogram, confidence: float = 0.95) -> JitterFit:
    """Fits the one peak in a correlation histogram, or in single delays (int64 (N,) ps).

    Intervals are profile-likelihood ones; that of the interpolated FWHM propagates counting noise.

    Raises:
        UsageError: fewer than 10 counts, or no peak above the background.
    """
    histogram = delays if isinstance(delays, CorrelationHistogram) else _histogram(delays)
    peak = _around_peak(histogram)
    fit = peak.fit()
    rms, skew = fit.value("rms"), fit.value("skew")
    sigma, tau = _from_moments(rms, skew)
    how = "EMG, Poisson likelihood, profile interval"

    def estimate(coordinates: _Coordinates, first: float, second: float) -> Estimate:
        values = np.array([*fit.values[:3], first, second])
        seen = reparametrised(fit, peak.problem(coordinates, first, second, rms), values)
        return seen.estimate(coordinates.names[0], "ps", confidence, how)

    return JitterFit(
        fwhm_ps=estimate(_BY_FWHM, emg_fwhm(sigma, tau), skew),
        interpolated_fwhm_ps=full_width(peak.counts, peak.bin_ps, 0.5, confidence),
        sigma_ps=estimate(_BY_SIGMA, sigma, tau**2),
        tau_ps=estimate(_BY_TAU, tau, sigma),
        rms_ps=estimate(_BY_MOMENTS, rms, skew),
        center_ps=fit.estimate("center", "ps", confidence, how),
        lag_ps=peak.lag_ps,
        counts=peak.counts,
        bin_ps=peak.bin_ps,
        fit=fit,
    )


@dataclass(frozen=True, slots=True)
class _Coordinates:
    """Two numbers that fix sigma and tau; chosen so that the likelihood is smooth down to a vanishing tail."""

    names: tuple[str, str]
    to_sigma_tau: Callable[[float, float], tuple[float, float]]
    second_power: int = 0  #: the second coordinate is in ps to this power
    upper: float = math.inf  #: bound of the second


def _from_moments(rms: float, skew: float) -> tuple[float, float]:
    """Sigma and tau from the standard deviation and half the skewness, ``(tau/rms)³``."""
    share = skew ** (1 / 3)
    return rms * math.sqrt(max(1 - share**2, 0.0)), rms * share


def _from_fwhm(fwhm: float, skew: float) -> tuple[float, float]:
    sigma, tau = _from_moments(1.0, skew)
    scale = fwhm / emg_fwhm(sigma, tau)
    return scale * sigma, scale * tau


_MOST_SKEW = 0.999
_BY_MOMENTS = _Coordinates(("rms", "skew"), _from_moments, upper=_MOST_SKEW)
_BY_FWHM = _Coordinates(("fwhm", "skew"), _from_fwhm, upper=_MOST_SKEW)
_BY_SIGMA = _Coordinates(("sigma", "tau_squared"), lambda sigma, squared: (sigma, math.sqrt(squared)), second_power=2)
_BY_TAU = _Coordinates(("tau", "sigma"), lambda tau, sigma: (sigma, tau), second_power=1)


def _histogram(delays_ps: Int64Array) -> CorrelationHistogram:
    """Delays as a histogram around their peak, with bins fine enough for it."""
    delays = np.asarray(delays_ps)
    if delays.ndim != 1 or delays.dtype != np.int64 or len(delays) < 10:
        raise UsageError(
            f"jitter needs at least 10 delays as a 1-d int64 array in ps, got {delays.dtype} {delays.shape}"
        )
    start, stop = _range(delays)
    while True:
        bin_ps = max(1, (stop - start) // 2000)
        bins = max(8, -(-(stop - start) // bin_ps))
        inside = delays[(delays >= start) & (delays < start + bins * bin_ps)]
        counts = np.bincount((inside - start) // bin_ps, minlength=bins).astype(np.int64)
        first, length = peak_region(counts)
        if bin_ps == 1 or length >= _RESOLUTION:
            lag_ps = start + bin_ps * np.arange(bins, dtype=np.int64)
            return CorrelationHistogram(lag_ps, counts, bin_ps, len(inside), len(inside), 0)
        start, stop = start + (first - _BEFORE * length) * bin_ps, start + (first + _AFTER * length) * bin_ps


def _range(delays: Int64Array) -> tuple[int, int]:
    """Range of the delays, with empty margins where they are evidently all one peak and show no background of their own."""
    start, stop = int(delays.min()), int(delays.max()) + 1
    eighth = (stop - start) // 8
    outside = np.count_nonzero((delays < start + eighth) | (delays >= stop - eighth))
    margin = max(stop - start, 20) if outside < len(delays) / 8 else 0
    return start - margin, stop + margin


def _around_peak(histogram: CorrelationHistogram) -> _Peak:
    """The bins around the peak, merged until the peak has about ``_RESOLUTION`` of them."""
    counts, bin_ps = histogram.counts, histogram.bin_ps
    if counts.sum() < 10:
        raise UsageError(f"{counts.sum()} counts are too few for a jitter: record at least 10")
    first, length = peak_region(counts)
    start = max(first - max(_BEFORE * length, 20), 0)
    stop = min(first + max(_AFTER * length, 20), len(counts))
    merge = max(round(length / _RESOLUTION), 1)
    rows = (stop - start) // merge
    merged = counts[start : start + rows * merge].reshape(rows, merge).sum(axis=1)
    return _Peak(histogram.lag_ps[start : start + rows * merge : merge], merged, bin_ps * merge)


@dataclass(frozen=True, slots=True, eq=False)
class _Peak:
    """The histogram to be explained, and the model of it in any coordinates of the shape."""

    lag_ps: Int64Array
    counts: Int64Array
    bin_ps: int

    def problem(self, coordinates: _Coordinates, first: float, second: float, rms_ps: float) -> CountProblem:
        """Parameters: events, background a bin, center (ps) and the two coordinates, which start at the given values."""
        # Times from the first edge keep full precision far from zero lag.
        edges: FloatArray = np.arange(len(self.counts) + 1, dtype=np.float64) * self.bin_ps
        origin, total = float(self.lag_ps[0]), float(self.counts.sum())
        region, length = peak_region(self.counts)
        middle = origin + (region + length / 2) * self.bin_ps

        def expected(values: FloatArray) -> FloatArray:
            events, background, center = values[:3]
            sigma, tau = coordinates.to_sigma_tau(float(values[3]), float(values[4]))
            sigma = max(sigma, 0.01 * self.bin_ps)
            mean: FloatArray = events * np.diff(emg_cdf(edges, center - origin - tau, sigma, tau)) + background
            return mean

        parameters = (
            Parameter("events", total, total, 0.0),
            Parameter("background", 0.1, 1.0, 0.0),
            Parameter("center", middle, length * self.bin_ps),
            Parameter(coordinates.names[0], first, rms_ps, 0.0),
            Parameter(coordinates.names[1], second, rms_ps**coordinates.second_power, 0.0, coordinates.upper),
        )
        return CountProblem(self.counts.astype(float), expected, parameters)

    def fit(self) -> CountFit:
        """Most likely response, in the coordinates ``_BY_MOMENTS``."""
        _, length = peak_region(self.counts)
        fwhm = length * self.bin_ps / 0.57
        problem = self.problem(_BY_MOMENTS, 0.45 * fwhm, 0.1, 0.45 * fwhm)
        middle = problem.parameters[2].start
        background = float(np.percentile(self.counts, 25)) + 0.01
        events = max(float(self.counts.sum()) - background * len(self.counts), 1.0)
        starts = [
            np.array([events, background, middle + shift * fwhm, rms * fwhm, skew])
            for shift in (-0.1, 0.0, 0.2, 0.5)
            for rms, skew in ((0.42, 1e-3), (0.45, 0.1), (0.6, 0.5), (0.9, 0.9))
        ]
        return fit_counts(problem, starts)
