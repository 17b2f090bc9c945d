"""Apply a clock model: exact integer arithmetic for the whole picoseconds, floats only for the small remainder.

``t_b = t_a + offset_ps + skew·u + drift_per_s/2·u²/1e12`` with ``u = t_a - t_ref_ps``; a later segment takes over from
its ``t_start_ps`` (on A's clock) on.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .errors import UsageError
from .records import PS_PER_S, ClockModel, FloatArray, Int64Array, TagBlock, TimeTags


def offset_at(t_a_ps: Int64Array, model: ClockModel) -> FloatArray:
    """``t_b - t_a`` at A's times ``t_a_ps`` int64 (N,): float64 (N,) ps."""
    whole, rest = _offset_parts(np.asarray(t_a_ps, np.int64), model)
    return whole + rest


def offset_std_at(t_a_ps: Int64Array, model: ClockModel) -> FloatArray:
    """Standard error of ``offset_at``, float64 (N,) ps, from the model's covariance (that of the piece in force)."""
    t = np.asarray(t_a_ps, np.int64)
    pieces, index = _pieces(model), _piece_index(t, model)
    u = (t - np.array([piece.t_ref_ps for piece in pieces], np.int64)[index]).astype(np.float64)
    basis = np.column_stack((np.ones_like(u), u, 0.5 * u * u / PS_PER_S))
    covariance = np.array([piece.covariance for piece in pieces])
    variance = np.zeros(len(t))
    for i in range(3):
        for j in range(3):
            variance += basis[:, i] * covariance[index, i, j] * basis[:, j]
    std: FloatArray = np.sqrt(variance)
    return std


def to_clock_b(t_a_ps: Int64Array, model: ClockModel) -> Int64Array:
    """A's times as B's clock would show them: int64 (N,) ps, rounded to the nearest picosecond.

    Raises:
        UsageError: ``t_a_ps`` is not an int64 array.
    """
    t = _int64(t_a_ps, "t_a_ps")
    whole, rest = _offset_parts(t, model)
    mapped: Int64Array = t + whole + np.rint(rest).astype(np.int64)
    return mapped


def to_clock_a(t_b_ps: Int64Array, model: ClockModel) -> Int64Array:
    """B's times on A's clock, the inverse of ``to_clock_b``: int64 (N,) ps.

    Raises:
        UsageError: ``t_b_ps`` is not an int64 array.
    """
    t_b = _int64(t_b_ps, "t_b_ps")
    t_a = t_b - round(model.offset_ps)
    # Each round shrinks the error by the skew, so four leave less than a picosecond for any clock (skew < 1e-3).
    for _ in range(4):
        whole, rest = _offset_parts(t_a, model)
        t_a = t_b - whole - np.rint(rest).astype(np.int64)
    return t_a


def on_clock_a(tags_b: TimeTags, model: ClockModel) -> TimeTags:
    """B's tags with their times on A's clock; the raw tags stay as they are."""
    return TimeTags(to_clock_a(tags_b.t_ps, model), tags_b.channel)


def block_on_clock_a(block_b: TagBlock, model: ClockModel) -> TagBlock:
    """A block of B with its clicks and its ends on A's clock, for the analyses that take blocks."""
    start, stop = to_clock_a(np.array([block_b.t_start_ps, block_b.t_stop_ps], np.int64), model)
    # Rounding may put the last click on the block's end; it belongs before it.
    t_ps = np.clip(to_clock_a(block_b.tags.t_ps, model), start, stop - 1)
    tags = TimeTags(t_ps, block_b.tags.channel)
    return replace(block_b, tags=tags, t_start_ps=int(start), t_stop_ps=int(stop))


def referred_to(model: ClockModel, t_ref_ps: int) -> ClockModel:
    """The same straight or curved piece written about another reference time, covariance carried along."""
    shift_ps = float(t_ref_ps - model.t_ref_ps)
    transfer = np.array(
        [[1.0, shift_ps, 0.5 * shift_ps**2 / PS_PER_S], [0.0, 1.0, shift_ps / PS_PER_S], [0.0, 0.0, 1.0]]
    )
    offset, skew, drift = transfer @ np.array([model.offset_ps, model.skew, model.drift_per_s])
    return ClockModel(
        offset_ps=float(offset),
        skew=float(skew),
        drift_per_s=float(drift),
        t_ref_ps=t_ref_ps,
        covariance=transfer @ model.covariance @ transfer.T,
        segments=model.segments,
    )


def piece_at(model: ClockModel, t_a_ps: int) -> ClockModel:
    """The single piece of a piecewise model in force at A's time ``t_a_ps``."""
    later = [piece for start, piece in model.segments if start <= t_a_ps]
    return later[-1] if later else replace(model, segments=())


def _pieces(model: ClockModel) -> list[ClockModel]:
    return [model, *(piece for _, piece in model.segments)]


def _piece_index(t: Int64Array, model: ClockModel) -> Int64Array:
    """Which of ``_pieces`` is in force at each time: int64 (N,)."""
    return np.searchsorted(np.array([start for start, _ in model.segments], np.int64), t, side="right")


def _offset_parts(t: Int64Array, model: ClockModel) -> tuple[Int64Array, FloatArray]:
    pieces, index = _pieces(model), _piece_index(t, model)
    base = np.array([round(piece.offset_ps) for piece in pieces], np.int64)
    remainder = np.array([piece.offset_ps - round(piece.offset_ps) for piece in pieces])
    u = (t - np.array([piece.t_ref_ps for piece in pieces], np.int64)[index]).astype(np.float64)
    skew, half_drift = (
        np.array(values) for values in zip(*((p.skew, 0.5 * p.drift_per_s) for p in pieces), strict=True)
    )
    return base[index], remainder[index] + u * (skew[index] + half_drift[index] * u / PS_PER_S)


def _int64(t_ps: Int64Array, name: str) -> Int64Array:
    t = np.asarray(t_ps)
    if t.dtype != np.int64:
        raise UsageError(f"{name} must be int64 picoseconds, got {t.dtype}")
    return t
