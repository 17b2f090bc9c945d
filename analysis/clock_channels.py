"""Delays between the detectors of each node, learned from the pairs of every channel combination."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .clock_model import to_clock_b
from .errors import UsageError
from .kernels.clock import find_pairs
from .records import ClockModel, FloatArray, TimeTags


@dataclass(frozen=True, slots=True, eq=False)
class ChannelDelays:
    """Delay of each channel in ps, relative to the mean of its node: subtract from the channel's clicks.

    Attributes:
        channel_a, delay_a_ps, std_a_ps: A's channels uint8 (K,), delays and standard errors float64 (K,).
        channel_b, delay_b_ps, std_b_ps: the same for B.
    """

    channel_a: np.ndarray
    delay_a_ps: FloatArray
    std_a_ps: FloatArray
    channel_b: np.ndarray
    delay_b_ps: FloatArray
    std_b_ps: FloatArray


def channel_delays(tags_a: TimeTags, tags_b: TimeTags, model: ClockModel, response_std_ps: float) -> ChannelDelays:
    """Delays that bring the correlation peaks of all channel pairs together, from a model of the clocks.

    ``response_std_ps`` is the width of the peak with all channels together.

    Raises:
        UsageError: too few pairs to tell the channels apart.
    """
    window = 6.0 * response_std_ps
    on_b = to_clock_b(tags_a.t_ps, model)
    order = np.argsort(on_b, kind="stable")
    ia, ib, residual = find_pairs(on_b[order], tags_b.t_ps, 0, 0, np.zeros(3), window)
    first, second = tags_a.channel[order][ia], tags_b.channel[ib]
    channel_a, channel_b = np.unique(first), np.unique(second)
    if len(residual) < 20 * max(len(channel_a), len(channel_b), 1):
        raise UsageError(
            f"{len(residual)} pairs are too few to tell {len(channel_a)} and {len(channel_b)} channels apart"
        )
    cells = [
        (i, j, *_peak(residual[(first == a) & (second == b)], window))
        for i, a in enumerate(channel_a)
        for j, b in enumerate(channel_b)
        if np.count_nonzero((first == a) & (second == b)) >= 20
    ]
    delay, std = _least_squares(cells, len(channel_a), len(channel_b))
    k = len(channel_a)
    return ChannelDelays(channel_a, delay[:k], std[:k], channel_b, delay[k:], std[k:])


def corrected(tags: TimeTags, channel: np.ndarray, delay_ps: FloatArray) -> TimeTags:
    """Tags with each channel's delay taken off, in order of time again."""
    t = tags.t_ps.copy()
    for c, delay in zip(channel, delay_ps, strict=True):
        t[tags.channel == c] -= round(float(delay))
    order = np.argsort(t, kind="stable")
    return TimeTags(t[order], tags.channel[order])


def _peak(residual: FloatArray, window: float) -> tuple[float, float]:
    """Robust centre (background-aware, biweight-like trimming about the fullest place) and its standard error."""
    counts, edges = np.histogram(residual, 48, (-window, window))
    smooth = np.convolve(counts, np.ones(8), "same")
    centre = 0.5 * (edges[int(np.argmax(smooth))] + edges[int(np.argmax(smooth)) + 1])
    half = window / 2
    for _ in range(8):
        inside = residual[np.abs(residual - centre) < half]
        centre = float(inside.mean()) if len(inside) else centre
        half = max(3.0 * float(inside.std()), window / 24) if len(inside) > 2 else half
    return centre, float(inside.std() / np.sqrt(max(len(inside), 1)))


def _least_squares(cells: list[tuple[int, int, float, float]], n_a: int, n_b: int) -> tuple[FloatArray, FloatArray]:
    """Solve ``offset_ij = common + delay_b_j - delay_a_i`` with each node's delays summing to zero."""
    rows, values, weights = [], [], []
    for i, j, offset, std in cells:
        row = np.zeros(n_a + n_b + 1)
        row[i], row[n_a + j], row[-1] = -1, 1, 1
        rows.append(row)
        values.append(offset)
        weights.append(1 / max(std, 0.1))
    for part in (slice(0, n_a), slice(n_a, n_a + n_b)):
        row = np.zeros(n_a + n_b + 1)
        row[part] = 1
        rows.append(row)
        values.append(0.0)
        weights.append(1e3)
    design = np.array(rows) * np.array(weights)[:, None]
    covariance = np.linalg.pinv(design.T @ design)
    solution = covariance @ design.T @ (np.array(values) * np.array(weights))
    std = np.sqrt(np.diag(covariance))
    return solution[:-1], std[:-1]
