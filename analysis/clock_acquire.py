"""Where is the correlation peak? A search over offset and skew with no prior, cheap first, at ever finer resolution.

A rung of the ladder takes ``span_ps`` of A's record in bins of ``bin_ps``. The number that matters is
``kappa = span / bin``: a peak of p pairs a second among singles s_A, s_B stands ``p·sqrt(kappa / (s_A s_B))`` sigma
high, and the work grows as kappa². Within a rung the record is cut into blocks so short that the largest skew moves the
peak by one bin; each block is correlated by FFT, and the blocks are summed along all slopes at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log2

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from .kernels.clock import bin_counts, cells_above, slope_sums
from .records import FloatArray, Int64Array

Float32Array = NDArray[np.float32]

FIRST_KAPPA = 20_000
COARSEST_BIN_PS = 50_000_000
LONGEST_SPAN_PS = 20_000_000_000_000
THRESHOLD_Z = 4.5
KEEP = 200
_CACHE_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Rung:
    """One resolution of the search: ``n_blocks`` blocks of ``block_bins`` bins of ``bin_ps``, centred in A's record."""

    start_ps: int
    bin_ps: int
    block_bins: int
    n_blocks: int
    lag_min_ps: int
    n_lags: int
    max_shift: int

    @property
    def span_ps(self) -> int:
        """Length of A's record that is used."""
        return self.bin_ps * self.block_bins * self.n_blocks

    @property
    def work(self) -> float:
        """Points of the Fourier transforms, the measure of cost."""
        return 2.0 * self.n_blocks * (self.n_lags + self.block_bins)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A cell that stands out: offset ``lag_ps`` at ``t_mid_ps`` and ``skew``, good to ``bin_ps`` and ``bin_ps/span_ps``."""

    z: float
    lag_ps: float
    skew: float
    t_mid_ps: int
    bin_ps: int
    span_ps: int


def ladder(t_a_ps: Int64Array, lag_range_ps: tuple[int, int], max_skew: float, max_work: float) -> Iterator[Rung]:
    """Rungs from coarse to fine (kappa doubles) until one would cost more than ``max_work`` transform points."""
    record_ps = int(t_a_ps[-1] - t_a_ps[0])
    kappa = FIRST_KAPPA
    while True:
        span = min(record_ps, LONGEST_SPAN_PS, kappa * COARSEST_BIN_PS)
        rung = _rung(t_a_ps, span, max(1000, span // kappa), lag_range_ps, max_skew)
        if rung.work > max_work or kappa > span / 1000:
            return
        yield rung
        kappa *= 2


def _rung(t_a_ps: Int64Array, span_ps: int, bin_ps: int, lag_range_ps: tuple[int, int], max_skew: float) -> Rung:
    drift_bins = span_ps * max_skew / bin_ps
    n_blocks = 2 ** max(0, ceil(log2(max(drift_bins, 1.0))))
    block_bins = max(1, span_ps // (bin_ps * n_blocks))
    middle = (int(t_a_ps[0]) + int(t_a_ps[-1])) // 2
    lo, hi = lag_range_ps
    return Rung(
        start_ps=middle - bin_ps * block_bins * n_blocks // 2,
        bin_ps=bin_ps,
        block_bins=block_bins,
        n_blocks=n_blocks,
        lag_min_ps=lo,
        n_lags=max(1, -(-(hi - lo) // bin_ps)),
        max_shift=min(n_blocks - 1, ceil(drift_bins)),
    )


def search(t_a_ps: Int64Array, t_b_ps: Int64Array, rung: Rung) -> list[Candidate]:
    """The best cells of a rung, highest first: at most ``KEEP``, none below ``THRESHOLD_Z``.

    Both inputs int64 (N,) sorted ps.
    """
    stripe = min(rung.n_lags, max(rung.block_bins, 8192))
    margin = rung.max_shift + 1
    n = fft.next_fast_len(rung.block_bins + stripe + 2 * margin, real=True)
    cached = max(1, _CACHE_BYTES // (4 * n))

    def deviations(t_ps: Int64Array, start_ps: int, length: int) -> FloatArray:
        counts = bin_counts(t_ps, start_ps, rung.bin_ps, length)
        lo = np.clip((t_ps[0] - start_ps) // rung.bin_ps, 0, length)
        hi = np.clip((t_ps[-1] - start_ps) // rung.bin_ps + 1, lo, length)
        counts[lo:hi] -= counts[lo:hi].mean() if hi > lo else 0
        return counts

    @lru_cache(maxsize=cached)  # type: ignore[untyped-decorator]
    def spectrum_a(k: int) -> tuple[FloatArray, float]:
        x = deviations(t_a_ps, rung.start_ps + k * rung.block_bins * rung.bin_ps, rung.block_bins)
        return np.conj(fft.rfft(x, n)), float(x @ x)

    @lru_cache(maxsize=cached)  # type: ignore[untyped-decorator]
    def spectrum_b(bins_from_start: int) -> tuple[FloatArray, float]:
        start = rung.start_ps + rung.lag_min_ps + bins_from_start * rung.bin_ps
        x = deviations(t_b_ps, start, n)
        return fft.rfft(x), float(x @ x) / n

    found: list[FloatArray] = []
    plane = np.empty((rung.n_blocks, stripe + 2 * margin), np.float32)
    for first_lag in range(0, rung.n_lags, stripe):
        variance = 0.0
        for k in range(rung.n_blocks):
            a, power_a = spectrum_a(k)
            b, power_b = spectrum_b(k * rung.block_bins + first_lag - margin)
            plane[k] = fft.irfft(a * b, n)[: plane.shape[1]]
            variance += power_a * power_b
        if variance > 0:
            plane *= np.float32(1 / np.sqrt(variance))
            found.extend(_best_cells(plane, rung, first_lag - margin))
    best = np.concatenate(found) if found else np.empty((0, 3))
    best = best[np.argsort(-best[:, 0])][:KEEP]
    middle = rung.start_ps + rung.span_ps // 2
    return [
        Candidate(
            z=float(z),
            lag_ps=float(rung.lag_min_ps + lag * rung.bin_ps),
            skew=float(shift * rung.bin_ps / rung.span_ps),
            t_mid_ps=middle,
            bin_ps=rung.bin_ps,
            span_ps=rung.span_ps,
        )
        for z, lag, shift in best
    ]


def _best_cells(plane: Float32Array, rung: Rung, first_lag: int) -> Iterator[FloatArray]:
    """(z, lag at mid-record in bins, shift end to end in bins) of the cells above threshold, both signs of the slope."""
    rising = plane
    falling = np.ascontiguousarray(plane[::-1])
    for sign, oriented in ((1, rising), (-1, falling)):
        sums = slope_sums(oriented, rung.max_shift)
        cells = cells_above(sums, plane.shape[1] - 1, THRESHOLD_Z, 20_000)
        if len(cells):
            shift = cells[:, 0]
            mid = first_lag + cells[:, 1] + 0.5 * shift + 0.5 * (cells[:, 2] - 1)
            # A block's peak moves with the slope within the block too: shift counts block centres, (K-1)/K of the span.
            whole = sign * shift * rung.n_blocks / max(1, rung.n_blocks - 1)
            keep = np.argsort(-cells[:, 3])[:KEEP]
            yield np.column_stack((cells[:, 3], mid, whole))[keep]
