"""Kernel: the state machine that finds heralds in bursts of attempts."""

from __future__ import annotations

import numpy as np

from ..records import BoolArray, Int64Array, UInt8Array
from .jit import kernel

# What the machine remembers between blocks: one int64 array, indexed by these.
BURST_START, BURST, ATTEMPTS_BEFORE, ATTEMPT, EARLY, LATE, PATTERN, LATE_T, CLEAN, STATE_SIZE = range(10)
NO_BURST, RUNNING, CUT = range(3)
# The rule: one int64 array, indexed by these.
SYNC, DETECTOR_A, DETECTOR_B, HEADER, PERIOD, PER_BURST, EARLY_START, EARLY_STOP, LATE_START, LATE_STOP = range(10)


@kernel
def attempts_at(rule: Int64Array, state: Int64Array, t_ps: int) -> int:
    """Attempts begun before ``t_ps``; a burst cut by a herald ends with its herald attempt."""
    if state[BURST] == NO_BURST:
        return int(state[ATTEMPTS_BEFORE])
    if state[BURST] == CUT:
        return int(state[ATTEMPTS_BEFORE] + state[ATTEMPT] + 1)
    begun = -((state[BURST_START] + rule[HEADER] - t_ps) // rule[PERIOD])
    return int(state[ATTEMPTS_BEFORE] + min(max(begun, 0), rule[PER_BURST]))


@kernel
def close_attempt(
    state: Int64Array,
    pattern_counts: Int64Array,
    rows: int,
    t_out: Int64Array,
    attempt_out: Int64Array,
    pattern_out: UInt8Array,
    valid_out: BoolArray,
) -> int:
    """Judges the attempt with clicks that is open, if any; returns the number of rows written so far."""
    if state[BURST] != RUNNING or state[ATTEMPT] < 0:
        return rows
    if state[CLEAN]:
        pattern_counts[state[PATTERN]] += 1
    if state[EARLY] == 1 and state[LATE] == 1:
        t_out[rows] = state[LATE_T]
        attempt_out[rows] = state[ATTEMPTS_BEFORE] + state[ATTEMPT]
        pattern_out[rows] = state[PATTERN]
        valid_out[rows] = state[CLEAN] != 0
        state[BURST] = CUT
        return rows + 1
    state[ATTEMPT] = -1
    return rows


@kernel
def find_heralds(
    t: Int64Array,
    channel: UInt8Array,
    t_stop_ps: int,
    clean: bool,
    rule: Int64Array,
    state: Int64Array,
    pattern_counts: Int64Array,
    t_out: Int64Array,
    attempt_out: Int64Array,
    pattern_out: UInt8Array,
    valid_out: BoolArray,
) -> int:
    """Feeds the clicks before ``t_stop_ps`` to the machine; returns the number of heralds written to the ``_out`` arrays.

    The ``_out`` arrays need one row more than there are sync clicks. ``clean`` says whether the block lost no click.
    """
    sync, detector_a, detector_b = np.uint8(rule[SYNC]), np.uint8(rule[DETECTOR_A]), np.uint8(rule[DETECTOR_B])
    header, period = rule[HEADER], np.uint64(rule[PERIOD])
    rows = 0
    for i in range(len(t)):
        c = channel[i]
        if c == sync:
            rows = close_attempt(state, pattern_counts, rows, t_out, attempt_out, pattern_out, valid_out)
            state[ATTEMPTS_BEFORE] = attempts_at(rule, state, t[i])
            state[BURST_START] = t[i]
            state[BURST] = RUNNING
            state[ATTEMPT] = -1
            state[CLEAN] = clean
            continue
        if state[BURST] != RUNNING or (c != detector_a and c != detector_b):
            continue
        since = t[i] - state[BURST_START] - header
        if since < 0:
            continue
        attempt = np.int64(np.uint64(since) // period)  # unsigned: no floor to correct
        if attempt != state[ATTEMPT]:
            rows = close_attempt(state, pattern_counts, rows, t_out, attempt_out, pattern_out, valid_out)
        if state[BURST] != RUNNING or attempt >= rule[PER_BURST]:
            continue
        phase = since - attempt * rule[PERIOD]
        early = rule[EARLY_START] <= phase < rule[EARLY_STOP]
        late = rule[LATE_START] <= phase < rule[LATE_STOP]
        if not early and not late:
            continue
        if state[ATTEMPT] < 0:
            state[ATTEMPT] = attempt
            state[EARLY] = state[LATE] = state[PATTERN] = 0
        state[EARLY] += early
        state[LATE] += late
        state[PATTERN] |= (4 if late else 1) << (1 if c == detector_b else 0)
        if late:
            state[LATE_T] = t[i]
    if state[BURST] == RUNNING and state[ATTEMPT] >= 0:
        attempt_start = state[BURST_START] + rule[HEADER] + state[ATTEMPT] * rule[PERIOD]
        if attempt_start + max(rule[EARLY_STOP], rule[LATE_STOP]) <= t_stop_ps:
            rows = close_attempt(state, pattern_counts, rows, t_out, attempt_out, pattern_out, valid_out)
    return rows
