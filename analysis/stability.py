"""Stability of clocks from phase data: OADEV, MDEV, TDEV, HDEV and MTIE.

Definitions: W. J. Riley and D. A. Howe, *Handbook of Frequency Stability Analysis*, NIST SP 1065 (2008), sections 5.2.4
(overlapping Allan), 5.2.5 (modified Allan), 5.2.6 (time), 5.2.9 (overlapping Hadamard) and 5.2.18 (MTIE). Missing samples
are nan: a term needs its samples (a mean at least half of them); nothing is interpolated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import UsageError
from .kernels.clock_stability import (
    doubled_extremes,
    squared_mean_differences,
    squared_mean_differences_gaps,
    squared_second_differences,
    squared_third_differences,
    widest_excursion,
)
from .records import FloatArray
from .stability_confidence import degrees_of_freedom, interval, noise_exponents


@dataclass(frozen=True, slots=True, eq=False)
class Stability:
    """Deviations against averaging time, all float64 (K,); nan where the record is too short.

    Attributes:
        tau_s: averaging times.
        oadev, mdev, hdev: overlapping Allan, modified Allan and overlapping Hadamard deviation (dimensionless).
        tdev: time deviation, s.
        mtie: maximum time interval error, s.
        alpha: int64 (K,), power-law exponent of the noise identified at each averaging time (+2 white phase … -4).
        intervals: (lower, upper) float64 (K,) of oadev, mdev, tdev and hdev at ``confidence``.
    """

    tau_s: FloatArray
    oadev: FloatArray
    mdev: FloatArray
    tdev: FloatArray
    hdev: FloatArray
    mtie: FloatArray
    alpha: np.ndarray
    intervals: dict[str, tuple[FloatArray, FloatArray]]
    confidence: float

    def as_dict(self) -> dict[str, Any]:
        """JSON-able dict with the keys of ``erbia stability``; values that do not exist are None."""
        names = ("tau_s", "oadev", "mdev", "tdev", "hdev", "mtie")
        plain: dict[str, Any] = {name: _plain(getattr(self, name)) for name in names}
        plain["alpha"] = [int(a) for a in self.alpha]
        plain["intervals"] = {k: {"lower": _plain(lo), "upper": _plain(hi)} for k, (lo, hi) in self.intervals.items()}
        plain["confidence"] = self.confidence
        return plain


def _plain(values: FloatArray) -> list[float | None]:
    return [float(v) if np.isfinite(v) else None for v in values]


def allan(
    phase_s: FloatArray, rate_hz: float, *, taus_s: Sequence[float] | None = None, confidence: float = 0.683
) -> Stability:
    """Stability of a phase record.

    Args:
        phase_s: float64 (N,), time error in seconds, evenly sampled; nan where a sample is missing.
        rate_hz: samples a second.
        taus_s: averaging times, rounded to whole samples; octaves of the sample time by default.
        confidence: of the intervals; 0.683 is one standard deviation.

    Raises:
        UsageError: fewer than 3 samples, a rate that is not positive, infinite samples, or no usable averaging time.
    """
    x = np.ascontiguousarray(phase_s, np.float64)
    m = _averaging_factors(x, rate_hz, taus_s)
    tau = m / rate_hz
    gaps = bool(np.isnan(x).any())
    means = squared_mean_differences_gaps if gaps else squared_mean_differences
    oadev = np.array([_deviation(*squared_second_differences(x, k), 2.0) for k in m]) / tau
    hdev = np.array([_deviation(*squared_third_differences(x, k), 6.0) for k in m]) / tau
    mdev = np.array([_deviation(*means(x, k), 2.0) for k in m]) / tau
    tdev = mdev * tau / np.sqrt(3.0)
    alpha = noise_exponents(x, m)
    samples = int(np.count_nonzero(~np.isnan(x)))

    def bounds(deviation: FloatArray, order: int, averaged: bool) -> tuple[FloatArray, FloatArray]:
        freedom = [
            degrees_of_freedom(int(a), order, int(k), samples, averaged=averaged) for a, k in zip(alpha, m, strict=True)
        ]
        return interval(deviation, np.array(freedom), confidence)

    intervals = {
        "oadev": bounds(oadev, 2, False),
        "mdev": bounds(mdev, 2, True),
        "tdev": bounds(tdev, 2, True),
        "hdev": bounds(hdev, 3, False),
    }
    return Stability(tau, oadev, mdev, tdev, hdev, _mtie(x, m), alpha, intervals, confidence)


def _averaging_factors(x: FloatArray, rate_hz: float, taus_s: Sequence[float] | None) -> np.ndarray:
    if x.ndim != 1 or len(x) < 3:
        raise UsageError(f"phase needs one axis and at least 3 samples, got shape {x.shape}")
    if not rate_hz > 0:
        raise UsageError(f"rate_hz={rate_hz} must be positive")
    if np.isinf(x).any():
        raise UsageError("phase holds infinite samples; mark missing ones with nan")
    longest = (len(x) - 1) // 2
    if taus_s is None:
        return 2 ** np.arange(int(np.log2(longest)) + 1)
    m = np.unique(np.rint(np.asarray(taus_s, np.float64) * rate_hz).astype(np.int64))
    m = m[(m >= 1) & (m < len(x))]
    if not len(m):
        raise UsageError(f"no averaging time within {1 / rate_hz:g}..{(len(x) - 1) / rate_hz:g} s was asked for")
    return m


def _deviation(total: float, terms: int, scale: float) -> float:
    return float(np.sqrt(total / (scale * terms))) if terms else float("nan")


def _mtie(x: FloatArray, m: np.ndarray) -> FloatArray:
    """Windows of m + 1 samples; running extremes double as the windows grow, so the cost is N·log(N)."""
    top = np.where(np.isnan(x), -np.inf, x)
    bottom = np.where(np.isnan(x), np.inf, x)
    have = 1
    out = np.empty(len(m))
    for k in np.argsort(m):
        while 2 * have <= m[k] + 1:
            top, bottom = doubled_extremes(top, bottom, have)
            have *= 2
        widest = widest_excursion(top, bottom, have, int(m[k]) + 1)
        out[k] = widest if np.isfinite(widest) else np.nan
    return out
