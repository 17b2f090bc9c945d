"""Sparse sampling of attempts: only those in which something happens cost anything."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from ...analysis.records import FloatArray, Int64Array
from .attempt_model import AttemptModel
from .program import Program
from .timeline import Position, lay_out

_BATCH = 16384
#: Chances below this are taken as never.
_NEVER = 1e-15


def clicked_attempts(
    rng: Generator, cumulative: FloatArray, draws: int, longest_gap: int
) -> tuple[Int64Array, Int64Array, int]:
    """Numbers of the next attempts with a click, their patterns, and how many attempts were played in all.

    ``cumulative`` float64 (M,): distribution function of the patterns, pattern 0 being no click. A gap longer than
    ``longest_gap`` is cut into null attempts (pattern 0), which changes nothing: the process has no memory.
    """
    none = cumulative[0]
    uniform = rng.random(draws)
    gaps = _gaps(rng, float(cumulative[-1] - none), draws)
    reached = gaps <= longest_gap
    index = np.cumsum(np.clip(gaps, 1, longest_gap).astype(np.int64)) - 1
    patterns = np.searchsorted(cumulative, none + uniform * (cumulative[-1] - none), side="right")
    patterns = np.where(reached, np.minimum(patterns, len(cumulative) - 1), 0)
    return index, patterns, int(index[-1]) + 1


def pattern_counts(model: AttemptModel, rng: Generator, attempts: int) -> tuple[Int64Array, int]:
    """How often each pattern came in ``attempts`` attempts or a few more: int64 (M,), and the number played."""
    cumulative = np.cumsum(model.probability)
    counts, played = np.zeros(len(cumulative), np.int64), 0
    while played < attempts:
        _, patterns, more = clicked_attempts(rng, cumulative, _BATCH, 2**40)
        counts += np.bincount(patterns, minlength=len(counts))
        played += more
    counts[0] = played - counts[1:].sum()
    return counts, played


def herald_times(
    program: Program, model: AttemptModel, rng: Generator, duration_ps: int
) -> tuple[Int64Array, Int64Array]:
    """Decisions (int64 ps) and outcomes (±1) of all heralds in ``duration_ps`` of playing, nothing else drawn."""
    chance = model.herald_probability
    times, outcomes = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    position = Position(0)
    plus = float(model.probability[model.outcome == 1].sum()) / chance if chance > _NEVER else 0.0
    while chance > _NEVER and position.burst_start_ps < duration_ps:
        index = np.cumsum(_gaps(rng, chance, _BATCH).astype(np.int64)) - 1
        runs, position = lay_out(program, position, index, int(index[-1]) + 1, model.hold_ps)
        times.append(runs.origin_ps[1:] - model.hold_ps + model.decision_ps)
        outcomes.append(np.where(rng.random(_BATCH) < plus, 1, -1))
    t_ps = np.concatenate(times)
    within = t_ps < duration_ps
    return t_ps[within], np.concatenate(outcomes)[within]


def _gaps(rng: Generator, chance: float, n: int) -> FloatArray:
    """Attempts up to and including the next success: geometric, by inversion; float64 (n,)."""
    if chance >= 1:
        return np.ones(n)
    if chance <= _NEVER:
        return np.full(n, np.inf)
    gaps: FloatArray = np.maximum(np.ceil(np.log1p(-rng.random(n)) / np.log1p(-chance)), 1.0)
    return gaps
