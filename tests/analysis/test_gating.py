"""Counts in gates after markers: the definition, streamed the same, and what overflow touches."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis.errors import UsageError
from erbia.analysis.gating import GateStream, gate_counts
from erbia.analysis.records import TagBlock, TimeTags


@st.composite
def streams(draw):
    times = sorted(draw(st.lists(st.integers(0, 80), max_size=40)))
    channel = draw(st.lists(st.integers(0, 2), min_size=len(times), max_size=len(times)))
    origin = draw(st.sampled_from([0, 2**62, -(2**62)]))
    return TimeTags(np.array(times, np.int64) + origin, np.array(channel, np.uint8)), origin


gates = st.tuples(st.integers(-20, 20), st.integers(1, 20)).map(lambda g: (g[0], g[0] + g[1]))


@settings(deadline=None)
@given(stream=streams(), gate=gates)
def test_batch_is_the_definition(stream, gate):
    tags, _ = stream
    markers, counts = gate_counts(tags, 0, 1, *gate)
    assert np.array_equal(markers, tags.on(0))
    expected = [sum(m + gate[0] <= t < m + gate[1] for t in tags.on(1).tolist()) for m in markers.tolist()]
    assert counts.tolist() == expected


@settings(max_examples=300, deadline=None)
@given(
    stream=streams(),
    gate=gates,
    cuts=st.lists(st.integers(0, 81), max_size=8),
    lost=st.sets(st.integers(0, 8), max_size=2),
)
def test_stream_equals_batch_and_marks_what_overflow_touches(stream, gate, cuts, lost):
    tags, origin = stream
    fed = GateStream(0, 1, *gate)
    marks = [origin + e for e in sorted({0, 81, *cuts})]
    spans = list(itertools.pairwise(marks))
    rows = [fed.feed(TagBlock(tags.between(a, b), a, b, "t", k in lost)) for k, (a, b) in enumerate(spans)]
    markers, counts, valid = (np.concatenate(column) for column in zip(*rows, fed.finish(), strict=True))
    expected = gate_counts(tags, 0, 1, *gate)
    assert np.array_equal(markers, expected[0])
    assert np.array_equal(counts, expected[1])
    dead = [spans[k] for k in lost if k < len(spans)]
    for marker, good in zip(markers.tolist(), valid.tolist(), strict=True):
        first, stop = marker + min(gate[0], 0), marker + max(gate[1], 1)
        assert good == all(stop <= a or first >= b for a, b in dead)


def test_a_gap_inside_the_gate_is_not_valid():
    fed = GateStream(0, 1, 0, 100)
    tags = TimeTags(np.array([5, 50], np.int64), np.array([0, 1], np.uint8))
    fed.feed(TagBlock(tags.between(0, 10), 0, 10, "t"))
    _, counts, valid = fed.feed(TagBlock(tags.between(20, 200), 20, 200, "t"))
    assert (counts.tolist(), valid.tolist()) == ([1], [False])


def test_an_empty_gate_is_refused():
    with pytest.raises(UsageError, match="must stop after it starts"):
        gate_counts(TimeTags.empty(), 0, 1, 5, 5)
