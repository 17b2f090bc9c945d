"""Counting at many points: what a scan keeps of each, whoever chose the points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...analysis.intervals import poisson_interval
from ...analysis.records import PS_PER_S, FloatArray, TagBlock


@dataclass
class Visit:
    """What was counted and read at one point; times before the point had settled do not count."""

    values: Mapping[str, float | bool]
    index: tuple[int, ...] | None = None
    counts: dict[tuple[str, int], int] = field(default_factory=dict)
    elapsed_ps: dict[str, int] = field(default_factory=dict)
    live_ps: dict[str, int] = field(default_factory=dict)
    readings: dict[str, float] = field(default_factory=dict)
    closed: bool = False

    def take(self, block: TagBlock, channels: Iterable[int], settle_ps: int) -> None:
        """Folds a block in: clicks of the channels after ``settle_ps`` of this point's time; an overflowed one only passes."""
        if self.closed:
            return
        before_ps = self.elapsed_ps.get(block.source, 0)
        self.elapsed_ps[block.source] = before_ps + block.t_stop_ps - block.t_start_ps
        start_ps = max(block.t_start_ps, block.t_start_ps + settle_ps - before_ps)
        if block.overflow or start_ps >= block.t_stop_ps:
            return
        tags = block.tags.between(start_ps, block.t_stop_ps)
        self.live_ps[block.source] = self.live_ps.get(block.source, 0) + block.t_stop_ps - start_ps
        for channel in channels:
            key = (block.source, channel)
            self.counts[key] = self.counts.get(key, 0) + len(tags.on(channel))

    def dwelt_ps(self, sources: Iterable[str]) -> int:
        """Live time of the source that has least."""
        return min(self.live_ps.get(source, 0) for source in sources)


def pooled_rate(visits: Sequence[Visit], source: str, channel: int) -> tuple[float, float, float]:
    """Rate and the ends of its exact 95 % interval over several visits of a point, Hz; nan without live time."""
    live_s = sum(v.live_ps.get(source, 0) for v in visits) / PS_PER_S
    if live_s <= 0:
        return (float("nan"),) * 3
    n = sum(v.counts.get((source, channel), 0) for v in visits)
    lower, upper = poisson_interval(n, 0.95)
    return n / live_s, float(lower) / live_s, float(upper) / live_s


def mean_reading(visits: Sequence[Visit], name: str) -> tuple[float, float, float]:
    """Mean of a reading over several visits and the extremes met; nan where nothing was read."""
    read = np.array([v.readings[name] for v in visits if name in v.readings])
    return (float(read.mean()), float(read.min()), float(read.max())) if len(read) else (float("nan"),) * 3


def columns(rows: Iterable[tuple[float, float, float]]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values, lower and upper ends as float64 (K,) each."""
    table = np.array(list(rows), np.float64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]
