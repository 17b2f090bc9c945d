"""Emission lifetime from arrival times, with the instrument's timing response in the model.

Expected counts are ``events · (response (x) exponential decay) + background``, integrated exactly over each bin. The response is
a fitted one (Gaussian with tail) or a measured histogram. Poisson likelihood, profile intervals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.signal import fftconvolve

from .count_fit import CountFit, CountProblem, Parameter, fit_counts
from .emg import emg_cdf
from .errors import UsageError
from .jitter_budget import Response
from .records import CorrelationHistogram, Estimate, FloatArray

#: Share of the events in each bin (B,), for a lifetime and a delay in ps.
_Shares = Callable[[float, float], FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class LifetimeFit:
    """A fitted single-exponential emission.

    Attributes:
        lifetime: s.
        delay_ps: when the emission starts: on the lag axis, or after the measured response, ps.
        fit: the underlying fit; ``fit.expected()`` are the fitted counts, ``fit.residuals()`` their residuals.
    """

    lifetime: Estimate
    delay_ps: Estimate
    fit: CountFit


def fit_lifetime(
    decay: CorrelationHistogram, response: Response | CorrelationHistogram | None = None, confidence: float = 0.95
) -> LifetimeFit:
    """Lifetime from a histogram of arrival times after the excitation pulse.

    Args:
        decay: the arrival times; bins much shorter than the lifetime.
        response: timing response of laser, detector and tagger, as cumulants or as a histogram measured with the same
            bins (its background taken off); None: negligible.

    Raises:
        UsageError: fewer than 8 bins or 10 counts, or a response with other bins or without counts.
    """
    counts = decay.counts.astype(float)
    if len(counts) < 8 or counts.sum() < 10:
        raise UsageError(f"a lifetime needs 8 bins and 10 counts, got {len(counts)} bins and {counts.sum():.0f} counts")
    if isinstance(response, CorrelationHistogram):
        shares, onset = _measured_response(decay, response)
    else:
        shares, onset = _fitted_response(decay, response or Response(0.0))
    bin_ps, range_ps = float(decay.bin_ps), float(decay.bin_ps * len(counts))

    def expected(values: FloatArray) -> FloatArray:
        events, background, delay, lifetime = values
        mean: FloatArray = events * shares(max(float(lifetime), 1e-3 * bin_ps), float(delay)) + background
        return mean

    total = float(counts.sum())
    parameters = (
        Parameter("events", total, total, 0.0),
        Parameter("background", 1.0, 1.0, 0.0),
        Parameter("delay", onset, bin_ps, onset - range_ps, onset + range_ps),
        Parameter("lifetime", range_ps / 10, range_ps / 10, 0.0, 1e3 * range_ps),
    )
    background = float(np.percentile(counts, 10)) + 0.01
    starts = [
        np.array([max(total - background * len(counts), 1.0), background, onset + shift, lifetime])
        for shift in np.linspace(-0.1, 0.05, 16) * range_ps
        for lifetime in np.geomspace(bin_ps, range_ps, 12)
    ]
    fit = fit_counts(CountProblem(counts, expected, parameters), starts)
    ps = fit.estimate("lifetime", "ps", confidence)
    method = "decay convolved with the timing response, profile likelihood"
    lifetime = Estimate(
        ps.value * 1e-12, ps.lower * 1e-12, ps.upper * 1e-12, confidence, ps.std * 1e-12, ps.n, method, "s"
    )
    return LifetimeFit(lifetime, fit.estimate("delay", "ps", confidence, method), fit)


def _fitted_response(decay: CorrelationHistogram, response: Response) -> tuple[_Shares, float]:
    """A Gaussian followed by two exponentials, tail and lifetime: their distributions combine in closed form."""
    edges = np.append(decay.lag_ps, decay.lag_ps[-1] + decay.bin_ps).astype(float)
    sigma, tail = max(response.sigma_ps, 1e-3 * decay.bin_ps), response.tau_ps

    def shares(lifetime: float, delay: float) -> FloatArray:
        slow = lifetime if abs(lifetime - tail) > 1e-4 * tail else lifetime * (1 + 2e-4)
        cdf = slow * emg_cdf(edges, delay, sigma, slow)
        if tail > 0:
            cdf = cdf - tail * emg_cdf(edges, delay, sigma, tail)
        inside: FloatArray = np.maximum(np.diff(cdf / (slow - tail)), 0.0)
        return inside

    return shares, float(decay.lag_ps[np.argmax(decay.counts)])


def _measured_response(decay: CorrelationHistogram, response: CorrelationHistogram) -> tuple[_Shares, float]:
    """Each bin of the response spreads evenly over its width and decays from there."""
    kernel = np.asarray(response.counts, float)
    if response.bin_ps != decay.bin_ps or kernel.sum() <= 0 or np.any(kernel < 0):
        raise UsageError(
            f"the response must have counts in bins of {decay.bin_ps} ps like the decay, "
            f"got {kernel.sum():.0f} counts in bins of {response.bin_ps} ps"
        )
    kernel = kernel / kernel.sum()
    steps = np.arange(-len(kernel), len(decay.counts) + 1) * float(decay.bin_ps)
    base = float(decay.lag_ps[0] - response.lag_ps[0])

    def shares(lifetime: float, delay: float) -> FloatArray:
        # Second difference of the integral of the distribution: exact for a start spread evenly over one bin.
        after = np.maximum(base + steps - delay, 0.0)
        integral = after + lifetime * np.expm1(-after / lifetime)
        between = np.diff(integral, 2) / decay.bin_ps
        inside: FloatArray = np.maximum(fftconvolve(between, kernel, mode="valid"), 0.0)
        return inside

    onset = decay.lag_ps[np.argmax(decay.counts)] - response.lag_ps[np.argmax(response.counts)]
    return shares, float(onset)
