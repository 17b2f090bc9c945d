"""Heralds from bursts of attempts: the definition, any block boundaries, what overflow touches."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis.errors import UsageError
from erbia.analysis.heralds import HeraldRule, HeraldStream, extract_heralds
from erbia.analysis.records import HERALD_DTYPE, TagBlock, TimeTags

RULE = HeraldRule(0, 1, 2, header_ps=5, period_ps=20, attempts_per_burst=3, early_ps=(2, 8), late_ps=(10, 16))


def definition(tags, rule):
    """Burst by burst, attempt by attempt: (t, attempt, pattern) of every herald, and the attempts there were."""
    rows, attempts = [], 0
    syncs = tags.on(rule.sync_channel).tolist()
    for sync, following in zip(syncs, [*syncs[1:], None], strict=False):
        begun = rule.attempts_per_burst
        if following is not None:
            begun = min(begun, max(0, -((sync + rule.header_ps - following) // rule.period_ps)))
        for n in range(begun):
            start = sync + rule.header_ps + n * rule.period_ps
            early, late = (
                [
                    (int(t), int(c == rule.detector_b))
                    for t, c in zip(tags.t_ps, tags.channel, strict=True)
                    if c in (rule.detector_a, rule.detector_b)
                    and low <= t - start < high
                    and (not following or t < following)
                ]
                for low, high in (rule.early_ps, rule.late_ps)
            )
            if len(early) == len(late) == 1:
                rows.append((late[0][0], attempts + n, 1 << early[0][1] | 4 << late[0][1]))
                begun = n + 1
                break
        attempts += begun
    return rows, attempts


@st.composite
def runs(draw):
    """Bursts of any spacing, clicks anywhere; no click at the very instant of a sync marker."""
    syncs = np.cumsum(draw(st.lists(st.integers(1, 90), max_size=6)), dtype=np.int64)
    clicks = sorted(set(draw(st.lists(st.integers(0, 500), max_size=40))) - set(syncs.tolist()))
    t = np.concatenate([syncs, np.array(clicks, np.int64)])
    detectors = draw(st.lists(st.integers(1, 3), min_size=len(clicks), max_size=len(clicks)))
    channel = np.concatenate([np.zeros(len(syncs)), detectors]).astype(np.uint8)
    order = np.argsort(t, kind="stable")
    return TimeTags(t[order], channel[order])


def short(rows):
    return [(int(r["t_ps"]), int(r["attempt"]), int(r["pattern"])) for r in rows]


@settings(max_examples=300, deadline=None)
@given(tags=runs())
def test_batch_is_the_definition(tags):
    rows = extract_heralds(tags, RULE)
    assert rows.dtype == HERALD_DTYPE
    assert short(rows) == definition(tags, RULE)[0]
    assert rows["valid"].all()
    same = np.isin(rows["pattern"], [5, 10])
    assert np.array_equal(rows["outcome"], np.where(same, 1, -1))


@settings(max_examples=300, deadline=None)
@given(tags=runs(), cuts=st.lists(st.integers(0, 600), max_size=12))
def test_any_block_boundaries_give_the_batch(tags, cuts):
    stream = HeraldStream(RULE)
    rows = []
    marks = sorted({0, 700, *cuts})
    for start, stop in itertools.pairwise(marks):
        rows.append(stream.feed(TagBlock(tags.between(start, stop), start, stop, "midpoint")))
    assert len(stream.finish()) == 0  # every window closed long before 700
    assert np.array_equal(np.concatenate(rows), extract_heralds(tags, RULE))
    assert stream.attempts == definition(tags, RULE)[1]


def test_finish_gives_the_herald_whose_late_window_is_open():
    tags = TimeTags(np.array([0, 8, 16], np.int64), np.array([0, 1, 1], np.uint8))
    stream = HeraldStream(RULE)
    assert len(stream.feed(TagBlock(tags, 0, 17, "midpoint"))) == 0
    assert short(stream.finish()) == [(16, 0, 5)]
    assert stream.attempts == 1


def test_pattern_counts_hold_every_attempt_with_clicks():
    starts = 5 + 20 * np.arange(3)
    t = np.concatenate([[0], starts[0] + [3], starts[1] + [3, 12, 13], starts[2] + [4, 11]])
    channel = np.array([0, 2, 1, 1, 2, 1, 2], np.uint8)
    stream = HeraldStream(RULE)
    rows = stream.feed(TagBlock(TimeTags(t, channel), 0, 200, "midpoint"))
    assert {k: int(n) for k, n in enumerate(stream.pattern_counts) if n} == {2: 1, 1 | 4 | 8: 1, 1 | 8: 1}
    assert short(rows) == [(56, 2, 9)]
    assert rows["outcome"].tolist() == [-1]


@pytest.mark.parametrize(
    ("edges", "overflowed", "expected"),
    [
        ([0, 100, 200, 300], None, [True, True, True]),
        ([0, 100, 200, 300], 1, [True, False, True]),
        ([0, 110, 200, 300], 0, [False, False, True]),
        ([0, 105, 109, 300], 1, [True, False, True]),
    ],
)
def test_overflow_invalidates_the_bursts_it_touches(edges, overflowed, expected):
    one = np.array([0, 8, 17])
    tags = TimeTags(np.concatenate([one, one + 100, one + 200]), np.tile(np.array([0, 1, 2], np.uint8), 3))
    stream = HeraldStream(RULE)
    rows = np.concatenate(
        [
            stream.feed(TagBlock(tags.between(a, b), a, b, "midpoint", overflow=k == overflowed))
            for k, (a, b) in enumerate(itertools.pairwise(edges))
        ]
    )
    assert rows["valid"].tolist() == expected
    assert stream.pattern_counts.sum() == sum(expected)


def test_a_gap_invalidates_the_burst_it_cuts():
    tags = TimeTags(np.array([0, 8, 17], np.int64), np.array([0, 1, 2], np.uint8))
    stream = HeraldStream(RULE)
    stream.feed(TagBlock(tags.between(0, 10), 0, 10, "midpoint"))
    rows = stream.feed(TagBlock(tags.between(12, 100), 12, 100, "midpoint"))
    assert rows["valid"].tolist() == [False]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"detector_a": 0}, "three different channels"),
        ({"detector_b": 256}, "three different channels in 0…255"),
        ({"period_ps": 0}, "period_ps must be"),
        ({"header_ps": -1}, "header_ps must not be negative"),
        ({"attempts_per_burst": 0}, "at least 1"),
        ({"early_ps": (2, 12)}, "must follow one another"),
        ({"late_ps": (10, 21)}, "must follow one another"),
    ],
)
def test_rules_that_make_no_sense_are_refused(change, says):
    good = {name: getattr(RULE, name) for name in RULE.__dataclass_fields__}
    with pytest.raises(UsageError, match=says):
        HeraldRule(**{**good, **change})
