"""Bursts, heralds and attempt numbers against playing them one by one."""

from __future__ import annotations

import numpy as np
import pytest

from erbia.instruments.twin.program import HeraldRule, Program, Pulse, Section
from erbia.instruments.twin.timeline import (
    Position,
    attempt_start,
    attempts_between,
    bursts_between,
    first_attempt_at,
    lay_out,
)

PROGRAM = Program(Section(7), Section(10, (Pulse("sync", 1, 2, 1, 0, 1),)), 4, HeraldRule((0, 1), (2, 3), 1))
HOLD = 33


def play(position: Position, heralds: set[int], attempts: int) -> tuple[list[int], list[int], int]:
    """Starts of bursts and attempts, one by one, and the start of the next burst or of the present one."""
    bursts, starts = [], []
    burst, within = position.burst_start_ps, position.attempt
    if within == 0:
        bursts.append(burst)
    for n in range(attempts):
        starts.append(burst + 7 + within * 10)
        within += 1
        if n in heralds:
            burst, within = starts[-1] + HOLD, 0
        elif within == 4:
            burst, within = burst + 47, 0
        if within == 0 and n + 1 < attempts:
            bursts.append(burst)
    return bursts, starts, burst


@pytest.mark.parametrize("heralds", [[], [0], [5], [2, 3, 9], [3, 7, 11], [11]])
@pytest.mark.parametrize("first", [0, 2])
def test_equals_playing_one_by_one(heralds, first):
    position = Position(1000, first)
    bursts, starts, burst = play(position, set(heralds), 12)
    runs, after = lay_out(PROGRAM, position, np.array(heralds, np.int64), 12, HOLD)
    found_bursts = bursts_between(PROGRAM, runs, 0, 10**6)
    found_starts = attempts_between(PROGRAM, runs, 0, 10**6)
    assert found_starts.tolist() == starts
    assert found_bursts.tolist() == bursts
    assert after.burst_start_ps == burst


def test_cut_anywhere_finds_the_next_attempt():
    heralds = np.array([2, 3, 9], np.int64)
    runs, _ = lay_out(PROGRAM, Position(1000), heralds, 12, HOLD)
    starts = attempts_between(PROGRAM, runs, 0, 10**6)
    for t in range(990, int(starts[-1]) + 1):
        found = first_attempt_at(PROGRAM, runs, t)
        assert found is not None
        number, position = found
        expected = int(np.searchsorted(starts, t))
        assert number == expected
        assert attempt_start(PROGRAM, position.burst_start_ps, np.array([position.attempt]))[0] == starts[expected]
    assert first_attempt_at(PROGRAM, runs, int(starts[-1]) + 1) is None


def test_stretches_add_up():
    runs, _ = lay_out(PROGRAM, Position(0), np.array([2, 9], np.int64), 40, HOLD)
    for between in (bursts_between, attempts_between):
        whole = between(PROGRAM, runs, 0, 600)
        parts = [between(PROGRAM, runs, t, t + 13) for t in range(0, 598, 13)]
        assert np.concatenate(parts).tolist() == [t for t in whole.tolist() if t < 598]
