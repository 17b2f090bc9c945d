"""The coincidence kernel against its definition."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis.kernels.patterns import NO_SLOT, accumulate_coincidences

SLOTS = 3


def definition(t, channel, slot_of, window_ps):
    pairs, patterns = np.zeros((SLOTS, SLOTS), int), np.zeros((SLOTS, 1 << SLOTS), int)
    slot = [int(slot_of[c]) for c in channel]
    for i in range(len(t)):
        near = range(i + 1, np.searchsorted(t, t[i] + window_ps))
        for j in near:
            for p, q, lag in ((i, j, int(t[j] - t[i])), (j, i, int(t[i] - t[j]))):
                if slot[p] < slot[q] < SLOTS and -window_ps <= 2 * lag < window_ps:
                    pairs[slot[p], slot[q]] += 1
        if len(near) and slot[i] < SLOTS:
            patterns[slot[i], sum({1 << slot[j] for j in [i, *near] if slot[j] < SLOTS})] += 1
    return pairs, patterns


def counted(t, channel, slot_of, window_ps, cut):
    pairs, patterns = np.zeros((SLOTS, SLOTS), np.int64), np.zeros((SLOTS, 1 << SLOTS), np.int64)
    for first, stop in ((0, cut), (cut, len(t))):
        accumulate_coincidences(t, channel, slot_of, window_ps, first, stop, pairs, patterns)
    return pairs, patterns


@settings(max_examples=150, deadline=None)
@given(
    gaps=st.lists(st.integers(0, 12), max_size=40),
    channels=st.lists(st.integers(0, 4), min_size=40, max_size=40),
    origin=st.sampled_from([0, -100, 2**62, -(2**62)]),
    window_ps=st.integers(1, 25),
    cut=st.integers(0, 40),
)
def test_small_streams(gaps, channels, origin, window_ps, cut):
    t = origin + np.cumsum(np.array(gaps, np.int64))
    channel = np.array(channels[: len(t)], np.uint8)
    slot_of = np.full(256, NO_SLOT, np.uint8)
    slot_of[[3, 1, 2]] = np.arange(SLOTS)
    found = counted(t, channel, slot_of, window_ps, min(cut, len(t)))
    for a, b in zip(found, definition(t, channel, slot_of, window_ps), strict=True):
        assert np.array_equal(a, b)


def test_many_blocks():
    rng = np.random.default_rng(3)
    t = np.sort(rng.integers(0, 200_000, 9000))
    channel = rng.integers(0, SLOTS, 9000).astype(np.uint8)
    slot_of = np.arange(256, dtype=np.uint8)
    found = counted(t, channel, slot_of, 30, 4097)
    for a, b in zip(found, definition(t, channel, slot_of, 30), strict=True):
        assert np.array_equal(a, b)
