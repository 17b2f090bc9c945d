"""One block of clicks, one offset: the maximum-likelihood place of the peak near where the clock is expected."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .clock_estimate import Score, fit_polynomial, score_of
from .clock_follow import Pairs, pairs_near
from .clock_kalman import ClockState
from .clock_response import Peak, Response
from .records import FloatArray, Int64Array

WINDOW_STDS = 6.0
#: Nats a block's peak must stand above its background to count as seen; chance in 50 places gives 1e-3.
SEEN_NATS = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class BlockFit:
    """Peak of one block: offset from the prediction and its error in ps, pairs in the peak, and all pairs looked at."""

    shift_ps: float
    std_ps: float
    pairs: float
    near: Pairs


def measure_block(
    t_a: Int64Array, t_b: Int64Array, lo_ps: int, hi_ps: int, expected: ClockState, peak: Peak
) -> BlockFit | None:
    """Offset of the clicks of A in ``[lo_ps, hi_ps]`` against the expected state at their middle; None if no peak shows.

    ``peak`` gives the response; its pairs and background are counted anew.
    """
    std = peak.response.std_ps
    reach = 4.0 * float(np.sqrt(expected.covariance[0, 0]))
    half = float(std * 2 ** np.ceil(np.log2(WINDOW_STDS + reach / std)))
    poly = expected.mean * np.array([1.0, 1.0, 0.5])
    near = pairs_near(t_a, t_b, lo_ps, hi_ps, (lo_ps + hi_ps) // 2, poly, half)
    coarse, inside, background = _fullest(near.residual_ps, half, 2.5 * std)
    if inside - background <= 0 or inside * np.log(inside / background) - (inside - background) < SEEN_NATS:
        return None
    window = WINDOW_STDS * std
    residual = near.residual_ps - coarse
    residual = residual[np.abs(residual) < window]
    floor = background / (2.5 * std)
    pairs = max(len(residual) - floor * 2 * window, 1.0)
    score = _score(peak.response, _rounded(pairs), _rounded(floor), window)
    fit = fit_polynomial(np.zeros(len(residual)), residual, score, 0)
    # The table is for rounded counts; information is as good as linear in them.
    rounding = (_rounded(pairs) + _rounded(floor) * 2 * window) / len(residual)
    std_ps = float(np.sqrt(fit.covariance[0, 0] * rounding))
    return BlockFit(coarse + float(fit.coefficients[0]), std_ps, pairs, near)


def _fullest(residual: FloatArray, half: float, width: float) -> tuple[float, float, float]:
    """Centre of the fullest box of ``width`` in ``±half``, pairs in it, and pairs chance would put there."""
    cells = max(8, int(np.ceil(2 * half / (width / 8))))
    counts, edges = np.histogram(residual, cells, (-half, half))
    boxes = np.convolve(counts, np.ones(8), "valid")
    at = int(np.argmax(boxes))
    inside = float(boxes[at])
    outside = max(len(residual) - 1.15 * inside, 0.5)
    return float(edges[at] + width / 2), inside, outside * 8 / max(cells - 8, 1)


def _rounded(count: float) -> float:
    """To a tenth of an octave, so that tables are shared between blocks."""
    return float(2 ** (np.round(10 * np.log2(max(count, 1e-9))) / 10))


@lru_cache(maxsize=256)
def _score(response: Response, pairs: float, background_per_ps: float, half_ps: float) -> Score:
    return score_of(Peak(response, 0.0, 0.0, pairs, background_per_ps), half_ps)
