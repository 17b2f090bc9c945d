"""Coincidences: two-fold pairs, n-fold groups and every pattern of up to 16 channels in one pass.

Two-fold: a pair with ``-w/2 <= t_b - t_a - delay < w/2``; every pair counts. n-fold (n > 2): anchored at its earliest
click, spans less than ``w``, counted once per anchor. Clicks at equal times stand in the order of the stream.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from .errors import UsageError
from .records import CoincidenceCounts, Int64Array, TagBlock, TimeTags
from .sharing import in_shares
from .streaming import LiveTime, Recent, parts
from .tags import delay, merge, select_shared
from .times import RANGE_LIMIT_PS, as_times_ps, check_positive_ps, span_ps

MAX_CHANNELS = 16
#: Expected pairs a start from which two merges beat one and a look at the stops it finds; measured.
MANY_PAIRS_A_START = 2.0
Pattern = tuple[int, ...]


def count_pairs(t_a_ps: ArrayLike, t_b_ps: ArrayLike, *, window_ps: int, delay_ps: int = 0) -> int:
    """Number of pairs with ``-w/2 <= t_b - t_a - delay < w/2``, exact for odd windows too.

    Args:
        t_a_ps, t_b_ps: sorted integer times in ps, (N,) and (M,).
        window_ps: full width of the window, ps.
        delay_ps: lag of the middle of the window, ps.

    Raises:
        UsageError: float or unsorted times, a window that is not positive, a delay beyond ±2^60 ps.
    """
    t_a, t_b = as_times_ps(t_a_ps, "t_a_ps"), as_times_ps(t_b_ps, "t_b_ps")
    check_positive_ps(window_ps, "window_ps")
    if abs(delay_ps) > RANGE_LIMIT_PS:
        raise UsageError(f"delay_ps needs at most ±2^60 ps, got {delay_ps}")
    return _pairs_between(t_a, t_b, *_window(window_ps, delay_ps))


def count_coincidences(
    tags: TimeTags,
    channels: Sequence[int],
    window_ps: int,
    delays_ps: Sequence[int] | None = None,
    *,
    live_time_ps: int | None = None,
    threads: int = 1,
) -> CoincidenceCounts:
    """Coincidences of every combination of two or more of ``channels``.

    A combination counts whether or not other channels fired too. Its number does not depend on which others were asked for.

    Args:
        tags: clicks of one tagger.
        channels: 2 to 16 different channels.
        window_ps: full width of the two-fold window, largest span of an n-fold, ps.
        delays_ps: delay of each of ``channels``, taken off its times; none by default.
        live_time_ps: time the tagger was live; by default the span of ``tags``.
        threads: how many threads share the work; the counts do not depend on it.

    Returns:
        CoincidenceCounts, patterns in rising number of channels. Accidentals are what independent Poisson channels of
        the same rates give: ``n_a n_b w / T`` for pairs, ``sum_c n_c prod_{i != c} (1 - exp(-n_i w / T))`` for n-folds.

    Raises:
        UsageError: a repeated channel, too few or too many, delays that do not match, unsorted tags, a bad window.
    """
    as_times_ps(tags.t_ps, "tags.t_ps", threads)
    checked = _checked_channels(channels)
    corrected = _without_delays(tags, checked, _checked_delays(checked, delays_ps))
    tally = _Tally(checked, check_positive_ps(window_ps, "window_ps"))

    def share(first: int, stop: int) -> _Tally:
        mine = _Tally(checked, window_ps)
        mine.add(corrected, stop, first)
        return mine

    for mine in in_shares(share, len(corrected), threads):
        tally += mine
    return tally.counts(span_ps(tags.t_ps) if live_time_ps is None else live_time_ps)


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
        lag_ps = self.delays_ps[-1] - self.delays_ps[0]
        self._counter: _Pairs | _Groups
        if len(self.channels) == 2 and 0 < abs(lag_ps) <= RANGE_LIMIT_PS:
            self._counter = _Pairs(self.channels, self.window_ps, lag_ps)
        else:
            self._counter = _Groups(self.channels, self.window_ps, self.delays_ps)

    def feed(self, block: TagBlock) -> None:
        """Adds a block. Raises UsageError when it does not follow the last one."""
        tags, done = self.live_time.feed(block), 0
        for part in parts(tags):
            done += len(part)
            self._counter.add(part, int(tags.t_ps[done]) if done < len(tags) else block.t_stop_ps)

    def result(self) -> CoincidenceCounts:
        """The coincidences of everything fed so far."""
        return self._counter.tally().counts(self.live_time.live_time_ps)


class _Groups:
    """Incremental count of every combination: clicks wait until those their window may still take in have come."""

    def __init__(self, channels: tuple[int, ...], window_ps: int, delays_ps: tuple[int, ...]) -> None:
        self._channels, self._window_ps, self._delays_ps = channels, window_ps, delays_ps
        self._tally = _Tally(channels, window_ps)
        self._waiting = TimeTags.empty()

    def add(self, tags: TimeTags, next_ps: int) -> None:
        """Adds clicks, those to come being not before ``next_ps``."""
        self._waiting = _joined(self._waiting, _without_delays(tags, self._channels, self._delays_ps))
        complete_ps = next_ps - max(self._delays_ps)
        settled = int(np.searchsorted(self._waiting.t_ps, complete_ps - self._window_ps, side="right"))
        self._tally.add(self._waiting, settled)
        self._waiting = TimeTags(self._waiting.t_ps[settled:].copy(), self._waiting.channel[settled:].copy())

    def tally(self) -> _Tally:
        tally = self._tally.copy()
        tally.add(self._waiting, len(self._waiting))
        return tally


class _Pairs:
    """Incremental count of two channels: new clicks of each against the recent ones of the other.

    Delays move the window of lags by ``lag_ps``: nothing has to be put in order again, which is what delays cost otherwise.
    """

    def __init__(self, channels: tuple[int, ...], window_ps: int, lag_ps: int) -> None:
        self._channels, self._window_ps, self._lag_ps = channels, window_ps, lag_ps
        self._tally = _Tally(channels, window_ps)
        self._recent_a, self._recent_b = Recent(), Recent()

    def add(self, tags: TimeTags, next_ps: int) -> None:
        """Adds clicks, those to come being not before ``next_ps``."""
        new_a, new_b = (select_shared(tags, c) for c in self._channels)
        self._tally.singles += (len(new_a), len(new_b))
        low_ps, high_ps = _window(self._window_ps, self._lag_ps)
        for a, b in ((new_a, new_b), (self._recent_a.times_ps, new_b), (new_a, self._recent_b.times_ps)):
            self._tally.pairs[0, 1] += _pairs_between(a, b, low_ps, high_ps)
        self._recent_a.advance(new_a, next_ps - high_ps)
        self._recent_b.advance(new_b, next_ps + low_ps)

    def tally(self) -> _Tally:
        return self._tally


class _Tally:
    """Pairs [p, q] and patterns [anchor, set of slots seen] of the listed channels; slots in the order listed."""

    def __init__(self, channels: tuple[int, ...], window_ps: int) -> None:
        slots = len(channels)
        self.channels, self.window_ps = channels, window_ps
        self.singles = np.zeros(slots, np.int64)
        self.pairs = np.zeros((slots, slots), np.int64)
        self.patterns = np.zeros((slots, 1 << slots), np.int64)

    def copy(self) -> _Tally:
        other = _Tally(self.channels, self.window_ps)
        other += self
        return other

    def __iadd__(self, other: _Tally) -> _Tally:
        self.singles += other.singles
        self.pairs += other.pairs
        self.patterns += other.patterns
        return self

    def add(self, tags: TimeTags, anchors: int, first: int = 0) -> None:
        """Counts the clicks ``[first, anchors)`` as anchors; those after them can be seen only."""
        from .kernels.counting import accumulate_channels
        from .kernels.patterns import NO_SLOT, accumulate_coincidences

        slot_of = np.full(256, NO_SLOT, np.uint8)
        slot_of[list(self.channels)] = np.arange(len(self.channels))
        accumulate_coincidences(
            tags.t_ps, tags.channel, slot_of, self.window_ps, first, anchors, self.pairs, self.patterns
        )
        clicks = np.zeros(256, np.int64)
        accumulate_channels(tags.channel[first:anchors], clicks)
        self.singles += clicks[list(self.channels)]

    def counts(self, live_time_ps: int) -> CoincidenceCounts:
        seen = self.patterns.copy()
        slots = len(self.channels)
        for bit in range(slots):  # sum over supersets, one slot at a time
            split = seen.reshape(slots, -1, 2, 1 << bit)
            split[:, :, 0] += split[:, :, 1]
        member = np.arange(1 << slots) >> np.arange(slots)[:, None] & 1
        anchored = (seen * member).sum(axis=0)
        singles = self.singles.tolist()
        counts: dict[Pattern, int] = {}
        accidentals: dict[Pattern, float] = {}
        for size in range(2, slots + 1):
            for group in combinations(range(slots), size):
                pattern = tuple(sorted(self.channels[slot] for slot in group))
                slot_set = sum(1 << slot for slot in group)
                counts[pattern] = int(self.pairs[group] if size == 2 else anchored[slot_set])
                accidentals[pattern] = _accidentals([singles[slot] for slot in group], self.window_ps, live_time_ps)
        return CoincidenceCounts(counts, accidentals, self.window_ps, int(live_time_ps))


def _window(window_ps: int, lag_ps: int) -> tuple[int, int]:
    """``(low, high)``: a pair counts for ``low <= t_b - t_a < high``; exact for odd windows."""
    return lag_ps - window_ps // 2, lag_ps + (window_ps + 1) // 2


def _pairs_between(t_a: Int64Array, t_b: Int64Array, low_ps: int, high_ps: int) -> int:
    """Pairs with ``low <= t_b - t_a < high``, by the kernel that is faster for as many as a start will have."""
    from .kernels.pairs import count_below, count_between

    if not len(t_a) or not len(t_b):
        return 0
    pairs_a_start = len(t_b) * (high_ps - low_ps) / (int(t_b[-1]) - int(t_b[0]) + high_ps - low_ps)
    if pairs_a_start < MANY_PAIRS_A_START:
        return count_between(t_a, t_b, low_ps, high_ps)
    return count_below(t_a, t_b, high_ps) - count_below(t_a, t_b, low_ps)


def _without_delays(tags: TimeTags, channels: tuple[int, ...], delays_ps: tuple[int, ...]) -> TimeTags:
    if not any(delays_ps):
        return tags
    return delay(tags, {c: -d for c, d in zip(channels, delays_ps, strict=True)})


def _joined(waiting: TimeTags, new: TimeTags) -> TimeTags:
    """Both in order of time; ``new`` follows ``waiting`` at equal times."""
    if not len(waiting):
        return new
    mixed = int(np.searchsorted(new.t_ps, waiting.t_ps[-1]))
    head = merge(waiting, TimeTags(new.t_ps[:mixed], new.channel[:mixed])) if mixed else waiting
    return TimeTags.concatenate([head, TimeTags(new.t_ps[mixed:], new.channel[mixed:])])


def _accidentals(singles: list[int], window_ps: int, live_time_ps: int) -> float:
    """Expected coincidences of independent Poisson channels; nan with no live time."""
    if live_time_ps <= 0:
        return math.nan
    if len(singles) == 2:
        return singles[0] * singles[1] * window_ps / live_time_ps
    fires = [-math.expm1(-n * window_ps / live_time_ps) for n in singles]
    return sum(n * math.prod(fires[:k] + fires[k + 1 :]) for k, n in enumerate(singles))


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
    if any(abs(d) > RANGE_LIMIT_PS for d in delays):
        raise UsageError(f"a delay needs at most ±2^60 ps, got {list(delays)}")
    return delays
