"""g2(0) of continuous light: the dip of a correlation histogram, or its bunching peak, with the detectors' jitter taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .count_fit import CountFit, CountProblem, Parameter, fit_counts
from .emg import emg_cdf
from .errors import UsageError
from .photons import poisson_ratio
from .records import CorrelationHistogram, Estimate, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class AntibunchingFit:
    """``g2(t) = 1 - (1 - g0) exp(-|t| / tau)``, blurred by Gaussian jitter.

    Attributes:
        g2_zero: g0 with the jitter removed.
        correlation_time: tau, s.
        raw_g2_zero: counts of the two bins at lag 0 against the outer half of the histogram, nothing removed.
        fit: the underlying fit.
    """

    g2_zero: Estimate
    correlation_time: Estimate
    raw_g2_zero: Estimate
    fit: CountFit


def fit_antibunching(
    histogram: CorrelationHistogram, jitter_sigma_ps: float = 0.0, confidence: float = 0.95
) -> AntibunchingFit:
    """Fits the correlation of two detectors on continuous light with Poisson likelihood; the plateau is free.

    Args:
        histogram: delays removed, so that simultaneous photons lie at lag 0; a few correlation times to each side.
        jitter_sigma_ps: rms of the difference of the two detectors' delays, ps.

    Raises:
        UsageError: fewer than 8 bins or 10 counts, or a range that does not hold lag 0.
    """
    counts = histogram.counts.astype(float)
    edges = np.append(histogram.lag_ps, histogram.lag_ps[-1] + histogram.bin_ps).astype(float)
    if len(counts) < 8 or counts.sum() < 10 or not edges[0] < 0 < edges[-1]:
        raise UsageError(
            f"a g2 fit needs 8 bins and 10 counts around lag 0, got {len(counts)} bins, {counts.sum():.0f} counts"
        )
    level, span = float(counts.mean()), float(edges[-1])

    def expected(values: FloatArray) -> FloatArray:
        g2_zero, tau, plateau = values
        mean: FloatArray = plateau * (1 - (1 - g2_zero) * _blurred(edges, tau, jitter_sigma_ps))
        return mean

    parameters = (
        Parameter("g2_zero", 0.5, 0.3, 0.0),
        Parameter("tau", span / 20, span / 20, histogram.bin_ps / 10, 10 * span),
        Parameter("plateau", level, level, 0.0),
    )
    starts = [np.array([g, tau, level]) for g in (0.1, 0.5, 1.5) for tau in np.geomspace(2 * histogram.bin_ps, span, 8)]
    fit = fit_counts(CountProblem(counts, expected, parameters), starts)
    tau = fit.estimate("tau", "ps", confidence)
    return AntibunchingFit(
        g2_zero=fit.estimate("g2_zero", "", confidence, "antibunching fit, jitter removed, profile likelihood"),
        correlation_time=Estimate(
            tau.value * 1e-12, tau.lower * 1e-12, tau.upper * 1e-12, confidence, tau.std * 1e-12, tau.n, tau.method, "s"
        ),
        raw_g2_zero=_raw(histogram, confidence),
        fit=fit,
    )


def _blurred(edges: FloatArray, tau: float, sigma: float) -> FloatArray:
    """Mean of ``exp(-|t|/tau)``, convolved with a Gaussian, over each bin (B,); ``edges`` (B + 1,)."""
    width = max(sigma, 1e-3 * float(edges[1] - edges[0]))
    # A two-sided exponential is half a late and half an early EMG;
    late, early = emg_cdf(edges, 0.0, width, tau), 1 - emg_cdf(-edges, 0.0, width, tau)
    mean: FloatArray = tau * np.diff(late + early) / np.diff(edges)
    return mean


def _raw(histogram: CorrelationHistogram, confidence: float) -> Estimate:
    middle = histogram.lag_ps + histogram.bin_ps / 2
    centre = np.abs(middle) < histogram.bin_ps
    outer = np.abs(middle) > np.max(np.abs(middle)) / 2
    share = float(np.sum(outer) / np.sum(centre))
    counts = histogram.counts
    return poisson_ratio(int(counts[centre].sum()), int(counts[outer].sum()), share, confidence, "raw g2(0), two bins")
