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
from math import ceil, log2, prod

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from .kernels.clock import bin_counts, cells_above, slope_sums
from .records import FloatArray, Int64Array

Float16Array = NDArray[np.float16]
Float32Array = NDArray[np.float32]
Complex64Array = NDArray[np.complex64]

FIRST_KAPPA = 20_000
COARSEST_BIN_PS = 50_000_000
LONGEST_SPAN_PS = 20_000_000_000_000
THRESHOLD_Z = 4.5
POINTS_PER_CANDIDATE = 500_000
STRIPE_CELLS = 2**19
CACHE_BYTES = 200_000_000
CHUNK_LAGS = 4096
CELLS_A_CHUNK = 2000


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
    def keep(self) -> int:
        """Candidates worth a closer look: as many as cost about as much as the rung itself."""
        return int(np.clip(self.work / POINTS_PER_CANDIDATE, 4, 4000))

    @property
    def work(self) -> float:
        """Points of the Fourier transforms, the measure of cost."""
        return 1.5 * self.n_blocks * (self.n_lags + self.block_bins)


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
    n_blocks = max(1, ceil(drift_bins))
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
        max_shift=n_blocks - 1,
    )


def search(t_a_ps: Int64Array, t_b_ps: Int64Array, rung: Rung) -> list[Candidate]:
    """The best cells of a rung, highest first: at most ``rung.keep``, none below ``THRESHOLD_Z``.

    Both inputs int64 (N,) sorted ps.
    """
    cells = [_lines(plane, noise, lag, rung) for plane, noise, lag in _lag_planes(t_a_ps, t_b_ps, rung)]
    found = np.concatenate(cells)
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
        for z, lag, shift in _distinct(found, rung.keep)
    ]


def _lag_planes(t_a: Int64Array, t_b: Int64Array, rung: Rung) -> Iterator[tuple[Float16Array, float, int]]:
    """Correlation of each block of A with B, stripe after stripe of lags.

    Yields a float16 (n_blocks, L) plane, overwritten by the next, the noise of the sum of its rows, and the lag index of
    its first column. Half precision is ample for counts whose noise is a few tens, and halves the memory.
    """
    stripe = min(rung.n_lags, max(2 * rung.block_bins, STRIPE_CELLS // rung.n_blocks))
    margin = rung.max_shift + 1
    n = fft.next_fast_len(rung.block_bins + stripe + 2 * margin, real=True)

    def spectrum(t_ps: Int64Array, start_ps: int, n_bins: int) -> tuple[Complex64Array, float]:
        counts, variance = _deviations(t_ps, start_ps, rung.bin_ps, n_bins)
        return fft.rfft(counts, n), variance

    @lru_cache(maxsize=max(1, CACHE_BYTES // (4 * n)))  # type: ignore[untyped-decorator]
    def block_of_a(k: int) -> tuple[Complex64Array, float]:
        transform, variance = spectrum(t_a, rung.start_ps + k * rung.block_bins * rung.bin_ps, rung.block_bins)
        return np.conj(transform), variance * rung.block_bins

    @lru_cache(maxsize=max(1, CACHE_BYTES // (4 * n)))  # type: ignore[untyped-decorator]
    def stretch_of_b(bins: int) -> tuple[Complex64Array, float]:
        return spectrum(t_b, rung.start_ps + rung.lag_min_ps + bins * rung.bin_ps, n)

    # Half precision holds 65504 at most: scale to about the noise of a row.
    per_bin = (len(t) / max(1, int(t[-1] - t[0])) * rung.bin_ps for t in (t_a, t_b))
    scale = np.float32(1 / np.sqrt(prod(per_bin) * rung.block_bins))
    # Short transforms run twice as fast several at a time.
    batch = 8 if n <= 2**18 else 1
    products = np.empty((batch, n // 2 + 1), np.complex64)
    plane = np.empty((rung.n_blocks, stripe + 2 * margin), np.float16)
    for first_lag in range(0, rung.n_lags, stripe):
        variance = 0.0
        for start in range(0, rung.n_blocks, batch):
            blocks = range(start, min(start + batch, rung.n_blocks))
            for row, k in enumerate(blocks):
                a, power_a = block_of_a(k)
                b, power_b = stretch_of_b(k * rung.block_bins + first_lag - margin)
                np.multiply(a, b, out=products[row])
                variance += power_a * power_b
            lags = fft.irfft(products[: len(blocks)], n)
            plane[blocks.start : blocks.stop] = lags[:, : plane.shape[1]] * scale
        yield plane, float(np.sqrt(variance) * scale), first_lag - margin


def _deviations(t_ps: Int64Array, start_ps: int, bin_ps: int, n_bins: int) -> tuple[Float32Array, float]:
    """Counts less their mean where the record covers, float32 (n_bins,), and their variance a covered bin.

    Without the mean there is no triangular envelope of the overlap to pose as a peak.
    """
    counts = bin_counts(t_ps, start_ps, bin_ps, n_bins)
    first = max(0, min(n_bins, int(t_ps[0] - start_ps) // bin_ps))
    stop = max(first, min(n_bins, int(t_ps[-1] - start_ps) // bin_ps + 1))
    if stop == first:
        return counts, 0.0
    counts[first:stop] -= counts[first:stop].mean()
    return counts, float(counts @ counts) / (stop - first)


def _lines(plane: Float16Array, noise: float, first_lag: int, rung: Rung) -> FloatArray:
    """Cells above threshold of one stripe: float64 (M, 3) of z, lag at mid-record in bins, shift end to end in bins."""
    out = [np.empty((0, 3))]
    rows, width = plane.shape
    padded = 2 ** ceil(log2(rows)) if rows > 1 else 1
    # Block k of the padded plane lies on the line at lag + shift·k/(padded - 1).
    stretch = rows / max(1, padded - 1)
    max_shift = min(padded - 1, ceil(rung.max_shift / stretch))
    work = np.zeros((padded, CHUNK_LAGS + rung.max_shift + 2), np.float32)
    for start in range(0, width if noise > 0 else 0, CHUNK_LAGS):
        part = plane[:, start : start + work.shape[1]]
        for sign in (1, -1) if max_shift else (1,):
            work[:rows, : part.shape[1]] = part[::sign]
            work[:rows, part.shape[1] :] = 0
            sums = slope_sums(work, max_shift)
            cells = cells_above(sums, min(CHUNK_LAGS, part.shape[1] - 1), THRESHOLD_Z * noise, CELLS_A_CHUNK)
            shift = cells[:, 0] * stretch
            middle = first_lag + start + cells[:, 1] + 0.5 * shift * (rows - 1) / rows + 0.5 * (cells[:, 2] - 1)
            out.append(np.column_stack((cells[:, 3] / noise, middle, sign * shift)))
    return np.concatenate(out)


def _distinct(cells: FloatArray, keep: int) -> list[FloatArray]:
    """The ``keep`` highest cells, leaving out neighbours of a higher one."""
    chosen: list[FloatArray] = []
    taken: set[tuple[int, int]] = set()
    for cell in cells[np.argsort(-cells[:, 0])][: 4 * keep]:
        lag, shift = round(cell[1]), round(cell[2])
        if (lag, shift) in taken:
            continue
        taken.update((lag + i, shift + j) for i in (-1, 0, 1) for j in (-2, -1, 0, 1, 2))
        chosen.append(cell)
    return chosen[:keep]
