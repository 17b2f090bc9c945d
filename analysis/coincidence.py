"""Coincidences: two-fold pairs, n-fold groups and every pattern of up to 16 channels in one pass.

Two-fold: a pair with ``-w/2 <= t_b - t_a - delay < w/2``; every pair counts. n-fold (n > 2): anchored at its earliest
click, spans less than ``w``, counted once per anchor. Clicks at equal times stand in the order of the stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from .errors import UsageError
from .records import CoincidenceCounts, Int64Array, TagBlock, TimeTags, UInt8Array
from .streaming import LiveTime
from .times import as_times_ps, check_positive_ps, span_ps

MAX_CHANNELS = 16
Pattern = tuple[int, ...]


def count_pairs(t_a_ps: ArrayLike, t_b_ps: ArrayLike, *, window_ps: int, delay_ps: int = 0) -> int:
    """Number of pairs with ``-w/2 <= t_b - t_a - delay < w/2``, exact for odd windows too.

    Args:
        t_a_ps, t_b_ps: sorted integer times in ps, (N,) and (M,).
        window_ps: full width of the window, ps.
        delay_ps: lag of the middle of the window, ps.

    Raises:
        UsageError: float or unsorted times, a window that is not positive.
    """
    return _pairs(
        as_times_ps(t_a_ps, "t_a_ps"),
        as_times_ps(t_b_ps, "t_b_ps"),
        check_positive_ps(window_ps, "window_ps"),
        delay_ps,
    )


def count_coincidences(
    tags: TimeTags,
    channels: Sequence[int],
    window_ps: int,
    delays_ps: Sequence[int] | None = None,
    *,
    live_time_ps: int | None = None,
) -> CoincidenceCounts:
    """Coincidences of every combination of two or more of ``channels``.

    A combination counts whether or not other channels fired too. Its number does not depend on which others were asked for.

    Args:
        tags: clicks of one tagger.
        channels: 2 to 16 different channels.
        window_ps: full width of the two-fold window, largest span of an n-fold, ps.
        delays_ps: delay of each of ``channels``, taken off its times; none by default.
        live_time_ps: time the tagger was live; by default the span of ``tags``.

    Returns:
        CoincidenceCounts, patterns in rising number of channels. Accidentals are what independent Poisson channels of
        the same rates give: ``n_a n_b w / T`` for pairs, ``sum_c n_c prod_{i != c} (1 - exp(-n_i w / T))`` for n-folds.

    Raises:
        UsageError: a repeated channel, too few or too many, delays that do not match, unsorted tags, a bad window.
    """
    as_times_ps(tags.t_ps, "tags.t_ps")
    stream = CoincidenceStream(channels, window_ps, delays_ps)
    stream.add(tags)
    return stream.counts_over(span_ps(tags.t_ps) if live_time_ps is None else live_time_ps)


class CoincidenceStream:
    """Incremental ``count_coincidences`` over the blocks of one tagger.

    Keeps the clicks that can still take part: those of the last window and the spread of the delays. Clicks of blocks
    with overflow do not count.
    """

    def __init__(self, channels: Sequence[int], window_ps: int, delays_ps: Sequence[int] | None = None) -> None:
        self.channels = _checked_channels(channels)
        self.window_ps = check_positive_ps(window_ps, "window_ps")
        self.delays_ps = _checked_delays(self.channels, delays_ps)
        self.live_time = LiveTime()
        self._singles = np.zeros(len(self.channels), np.int64)
        self._pairs = _PairCounter(len(self.channels), self.window_ps)
        self._groups = _GroupCounter(len(self.channels), self.window_ps)

    def feed(self, block: TagBlock) -> None:
        """Adds a block. Raises UsageError when it does not follow the last one."""
        self.add(self.live_time.feed(block))
        complete_ps = block.t_stop_ps - max(self.delays_ps)
        self._pairs.forget(complete_ps)
        self._groups.settle(complete_ps)

    def result(self) -> CoincidenceCounts:
        """The coincidences of everything fed so far."""
        return self.counts_over(self.live_time.live_time_ps)

    def add(self, tags: TimeTags) -> None:
        """Adds clicks that follow those added before."""
        by_slot = [tags.on(c) - delay for c, delay in zip(self.channels, self.delays_ps, strict=True)]
        self._singles += [len(t) for t in by_slot]
        self._pairs.add(by_slot)
        if len(self.channels) > 2:
            self._groups.add(*_corrected(tags, self.channels, self.delays_ps))

    def counts_over(self, live_time_ps: int) -> CoincidenceCounts:
        """The coincidences so far, with accidentals for ``live_time_ps``."""
        slots = range(len(self.channels))
        counts: dict[Pattern, int] = {}
        accidentals: dict[Pattern, float] = {}
        for size in range(2, len(self.channels) + 1):
            for group in combinations(slots, size):
                pattern = self._pattern(group)
                counts[pattern] = 0
                accidentals[pattern] = _accidentals(self._singles[list(group)], self.window_ps, live_time_ps)
        found = [*self._pairs.counts.items(), *self._groups.counts().items()]
        counts.update((self._pattern(group), count) for group, count in found)
        return CoincidenceCounts(counts, accidentals, self.window_ps, int(live_time_ps))

    def _pattern(self, group: tuple[int, ...]) -> Pattern:
        return tuple(sorted(self.channels[slot] for slot in group))


class _PairCounter:
    """Two-fold counts of every two slots, from sorted corrected times."""

    def __init__(self, slots: int, window_ps: int) -> None:
        self.window_ps = window_ps
        self.counts = dict.fromkeys(combinations(range(slots), 2), 0)
        self._tails = [np.empty(0, np.int64)] * slots

    def add(self, by_slot: list[Int64Array]) -> None:
        for a, b in self.counts:
            for t_a, t_b in ((by_slot[a], by_slot[b]), (self._tails[a], by_slot[b]), (by_slot[a], self._tails[b])):
                self.counts[a, b] += _pairs(t_a, t_b, self.window_ps, 0)
        self._tails = [np.concatenate(parts) for parts in zip(self._tails, by_slot, strict=True)]

    def forget(self, complete_ps: int) -> None:
        """Drops what no click at or after ``complete_ps`` can pair with."""
        self._tails = [t[np.searchsorted(t, complete_ps - self.window_ps) :].copy() for t in self._tails]


class _GroupCounter:
    """Anchored counts of every pattern of slots."""

    def __init__(self, slots: int, window_ps: int) -> None:
        self.window_ps = window_ps
        self._counts = np.zeros((slots, 1 << slots), np.int64)
        self._t, self._slot = np.empty(0, np.int64), np.empty(0, np.uint8)

    def add(self, t: Int64Array, slot: UInt8Array) -> None:
        t, slot = np.concatenate([self._t, t]), np.concatenate([self._slot, slot])
        order = np.argsort(t, kind="stable")
        self._t, self._slot = t[order], slot[order]

    def settle(self, complete_ps: int) -> None:
        """Counts and drops the anchors whose window ends by ``complete_ps``."""
        done = int(np.searchsorted(self._t, complete_ps - self.window_ps, side="right"))
        self._accumulate(done, self._counts)
        self._t, self._slot = self._t[done:].copy(), self._slot[done:].copy()

    def counts(self) -> dict[tuple[int, ...], int]:
        """Group of three or more slots → count, whether or not other slots fired too."""
        seen = self._counts.copy()
        self._accumulate(len(self._t), seen)
        slots = len(seen)
        for bit in range(slots):  # sum over supersets, one slot at a time
            split = seen.reshape(slots, -1, 2, 1 << bit)
            split[:, :, 0] += split[:, :, 1]
        groups = {}
        for size in range(3, slots + 1):
            for group in combinations(range(slots), size):
                groups[group] = int(seen[list(group), sum(1 << slot for slot in group)].sum())
        return groups

    def _accumulate(self, anchors: int, counts: Int64Array) -> None:
        from .kernels.patterns import accumulate_patterns

        accumulate_patterns(self._t, self._slot, self.window_ps, anchors, counts)


def _pairs(t_a: Int64Array, t_b: Int64Array, window_ps: int, delay_ps: int) -> int:
    low, high = delay_ps - window_ps // 2, delay_ps + (window_ps + 1) // 2
    if not len(t_a) or not len(t_b):
        return 0
    from .kernels.pairs import count_between

    return count_between(t_a, t_b, low, high)


def _corrected(tags: TimeTags, channels: tuple[int, ...], delays_ps: tuple[int, ...]) -> tuple[Int64Array, UInt8Array]:
    """The clicks on ``channels``, less their delays, in the order of the stream; slot in place of the channel."""
    slot_of = np.full(256, 255, np.uint8)
    delay_of = np.zeros(256, np.int64)
    slot_of[list(channels)] = np.arange(len(channels))
    delay_of[list(channels)] = delays_ps
    slot = slot_of[tags.channel]
    kept = slot != 255
    return (tags.t_ps - delay_of[tags.channel])[kept], slot[kept]


def _accidentals(singles: Int64Array, window_ps: int, live_time_ps: int) -> float:
    """Expected coincidences of independent Poisson channels; nan with no live time."""
    if live_time_ps <= 0:
        return float("nan")
    if len(singles) == 2:
        return float(singles[0]) * float(singles[1]) * window_ps / live_time_ps
    fires = -np.expm1(-singles * (window_ps / live_time_ps))
    return float(sum(n * np.prod(np.delete(fires, k)) for k, n in enumerate(singles)))


def _checked_channels(channels: Sequence[int]) -> tuple[int, ...]:
    checked = tuple(int(c) for c in channels)
    if not 2 <= len(checked) <= MAX_CHANNELS or len(set(checked)) != len(checked):
        raise UsageError(f"channels must be 2 to {MAX_CHANNELS} different channels, got {list(checked)}")
    if not all(0 <= c <= 255 for c in checked):
        raise UsageError(f"channels must lie between 0 and 255, got {list(checked)}")
    return checked


def _checked_delays(channels: tuple[int, ...], delays_ps: Sequence[int] | None) -> tuple[int, ...]:
    delays = (0,) * len(channels) if delays_ps is None else tuple(int(d) for d in delays_ps)
    if len(delays) != len(channels):
        raise UsageError(f"delays_ps must name a delay for each of the {len(channels)} channels, got {len(delays)}")
    return delays
