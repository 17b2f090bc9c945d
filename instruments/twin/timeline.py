"""Attempt numbers and lab time: bursts of attempts, cut short by heralds.

A run is a stretch of bursts between two heralds; its n-th attempt starts at a time given by arithmetic alone, so failed
attempts need not be stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...analysis.records import Int64Array
from .program import Program


@dataclass(frozen=True, slots=True)
class Position:
    """Where playing stands: the present burst began at ``burst_start_ps``, ``attempt`` of it is next."""

    burst_start_ps: int
    attempt: int = 0
    bursts_done: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Consecutive runs: burst origin, first attempt in the burst, attempts played (int64 (R,)), and bursts begun before."""

    origin_ps: Int64Array
    first: Int64Array
    attempts: Int64Array
    bursts_before: Int64Array


def attempt_start(program: Program, origin_ps: Int64Array | int, index: Int64Array) -> Int64Array:
    """Lab time at which attempt ``index`` (counted from the burst at ``origin_ps``) begins: int64 ps."""
    burst, within = np.divmod(index, program.attempts_per_burst)
    start: Int64Array = (
        origin_ps + burst * program.burst_ps + program.header.length_ps + within * program.attempt.length_ps
    )
    return start


def lay_out(
    program: Program, position: Position, heralds: Int64Array, attempts: int, hold_ps: int
) -> tuple[Runs, Position]:
    """Runs of the next ``attempts`` attempts of which those numbered ``heralds`` (int64 (H,), rising) end their burst.

    ``hold_ps``: from the start of a heralded attempt to the next burst. Returns the runs and where playing stands after.
    """
    ends = np.append(heralds + 1, attempts)
    begins = np.concatenate([[0], ends[:-1]])
    first = np.zeros(len(begins), np.int64)
    first[0] = position.attempt
    played = ends - begins
    last_start = attempt_start(program, np.zeros(1, np.int64), first + played - 1)
    origins = position.burst_start_ps + np.concatenate([[0], np.cumsum(last_start[:-1] + hold_ps)])
    bursts = -(-(first + played) // program.attempts_per_burst)
    before = position.bursts_done + np.concatenate([[0], np.cumsum(bursts[:-1])])
    runs = Runs(origins, first, played, before)
    stop = int(first[-1] + played[-1])
    full = stop // program.attempts_per_burst
    after = Position(
        int(origins[-1]) + full * program.burst_ps, stop - full * program.attempts_per_burst, int(before[-1]) + full
    )
    return runs, after


def bursts_between(program: Program, runs: Runs, t_start_ps: int, t_stop_ps: int) -> Int64Array:
    """Starts of the bursts begun in ``[t_start_ps, t_stop_ps)``: int64, in order."""
    found = [np.empty(0, np.int64)]
    for origin, first, played in _overlapping(runs, t_start_ps, t_stop_ps):
        lo = max(-(-(t_start_ps - origin) // program.burst_ps), -(-first // program.attempts_per_burst))
        hi = min(-(-(t_stop_ps - origin) // program.burst_ps), -(-(first + played) // program.attempts_per_burst))
        found.append(origin + np.arange(lo, max(lo, hi), dtype=np.int64) * program.burst_ps)
    return np.concatenate(found)


def attempts_between(program: Program, runs: Runs, t_start_ps: int, t_stop_ps: int) -> Int64Array:
    """Starts of the attempts begun in ``[t_start_ps, t_stop_ps)``: int64, in order."""
    found = [np.empty(0, np.int64)]
    for origin, first, played in _overlapping(runs, t_start_ps, t_stop_ps):
        lo, hi = _first_at(program, origin, t_start_ps), _first_at(program, origin, t_stop_ps)
        index = np.arange(max(lo, first), min(hi, first + played), dtype=np.int64)
        found.append(attempt_start(program, origin, index))
    return np.concatenate(found)


def first_attempt_at(program: Program, runs: Runs, t_ps: int) -> tuple[int, Position] | None:
    """Number (from the first run's first attempt) and position of the first attempt begun at or after ``t_ps``."""
    counted = 0
    for r, (origin, first, played) in enumerate(zip(runs.origin_ps, runs.first, runs.attempts, strict=True)):
        index = max(_first_at(program, int(origin), t_ps), int(first))
        if index < first + played:
            full, within = divmod(index, program.attempts_per_burst)
            before = int(runs.bursts_before[r]) + full
            return counted + index - int(first), Position(int(origin) + full * program.burst_ps, within, before)
        counted += int(played)
    return None


def _first_at(program: Program, origin_ps: int, t_ps: int) -> int:
    """Index of the first attempt (counted from the burst at ``origin_ps``) begun at or after ``t_ps``."""
    burst, rest = divmod(t_ps - origin_ps, program.burst_ps)
    within = max(0, -(-(rest - program.header.length_ps) // program.attempt.length_ps))
    return burst * program.attempts_per_burst + min(within, program.attempts_per_burst)


def _overlapping(runs: Runs, t_start_ps: int, t_stop_ps: int) -> Iterator[tuple[int, int, int]]:
    """Origin, first attempt and length of the runs that may reach into the stretch."""
    lo = max(int(np.searchsorted(runs.origin_ps, t_start_ps, side="right")) - 1, 0)
    some = slice(lo, int(np.searchsorted(runs.origin_ps, t_stop_ps)))
    return zip(runs.origin_ps[some].tolist(), runs.first[some].tolist(), runs.attempts[some].tolist(), strict=True)
