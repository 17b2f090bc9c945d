"""Thinning loses no count, keeps the order of what matters and bounds the flow."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from erbia.analysis.records import PS_PER_S, TagBlock, TimeTags
from erbia.sequences.documents import Progress, RunStop, SettingStart, Tags
from erbia.sequences.engine.condense import Condenser, add_tags


def block(start_s: int, clicks: int, source: str = "alice", missed: int = 0) -> Tags:
    """One second of evenly spaced clicks."""
    start = start_s * PS_PER_S
    times = start + np.arange(clicks, dtype=np.int64) * (PS_PER_S // max(clicks, 1))
    tags = TimeTags(times, np.zeros(clicks, np.uint8))
    return Tags(TagBlock(tags, start, start + PS_PER_S, source, missed != 0, missed), {"A": float(clicks)})


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def run(documents: list[Any], step_s: float) -> list[dict[str, Any]]:
    clock, sent = Clock(), list[dict[str, Any]]()
    condenser = Condenser(sent.append, clock)
    for document in documents:
        condenser(document)
        clock.now += step_s
    condenser.flush()
    return sent


def test_fast_blocks_are_added_up_without_loss() -> None:
    sent = run([block(k, 3) for k in range(1000)], step_s=0.001)
    assert sum(m["n"] for m in sent) == 3000
    assert 15 <= len(sent) <= 25, "one second of wall time at most once each 50 ms"
    assert sent[0]["t_start_ps"] == 0
    assert all(a["t_stop_ps"] == b["t_start_ps"] for a, b in pairwise(sent))


def test_slow_blocks_pass_one_by_one() -> None:
    assert len(run([block(k, 3) for k in range(10)], step_s=1.0)) == 10


def test_sources_stay_apart() -> None:
    sent = run([block(k, 1, source) for k in range(50) for source in ("alice", "bob")], step_s=0.001)
    for source in ("alice", "bob"):
        assert sum(m["n"] for m in sent if m["source"] == source) == 50


def test_rates_are_weighted_by_time_and_flags_are_kept() -> None:
    two = run([block(0, 10), block(1, 20), block(2, 60, missed=-1)], step_s=0.0)
    assert two[1]["rates_hz"] == {"A": 40.0}
    assert two[1]["overflow"]
    assert two[1]["missed"] == -1


def test_a_marker_never_overtakes_the_counts_before_it() -> None:
    sent = run([block(0, 1), block(1, 1), SettingStart(1, "XX", 0), block(2, 1), RunStop("done")], step_s=0.0)
    assert [m["type"] for m in sent] == ["Tags", "Tags", "SettingStart", "Tags", "RunStop"]


def test_of_progress_the_latest_stands() -> None:
    sent = run([Progress(k / 100, 0.0, None) for k in range(101)], step_s=0.001)
    assert sent[-1]["fraction"] == 1.0
    assert len(sent) <= 4


def test_adding_missed_numbers() -> None:
    first = {"t_start_ps": 0, "t_stop_ps": 1, "rates_hz": {}, "n": 1, "overflow": True, "missed": 5}
    assert add_tags(first, first)["missed"] == 10
