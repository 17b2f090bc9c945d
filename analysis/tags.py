"""Streams of clicks made from others: one channel, merged taggers, delays taken off, only the valid stretches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from .errors import UsageError
from .records import Int64Array, TimeTags, ValidityMask
from .times import RANGE_LIMIT_PS, as_times_ps

T = TypeVar("T")

_SHARING = threading.Lock()
#: Under this name those who have found the times in order share them.
IN_ORDER = "in order"


def share(tags: TimeTags, what: Any, work: Callable[[], T]) -> T:
    """``work()``, done once for all who ask for the same ``what`` of the same object: live analyses share their blocks.

    The others wait meanwhile. What comes back lives as long as ``tags`` and is not to be changed.
    """
    with _SHARING:
        if what not in tags.derived:
            tags.derived[what] = work()
        found: T = tags.derived[what]
        return found


def share_order(tags: TimeTags) -> None:
    """Tells all who ask for ``IN_ORDER`` that the times have been found in order."""
    share(tags, IN_ORDER, lambda: tags.t_ps)


def select_shared(tags: TimeTags, channel: int) -> Int64Array:
    """As ``select``, worked out once for all streams that are fed the same block; not to be changed."""
    return share(tags, ("on", channel), lambda: select(tags, channel))


def select(tags: TimeTags, channel: int) -> Int64Array:
    """Times of the clicks on one channel, int64 (M,): ``tags.on(channel)``, compiled."""
    from .kernels.shifting import select_channel

    times = np.empty(len(tags), np.int64)
    kept = select_channel(tags.t_ps, tags.channel, channel, times)
    return times[:kept]


def merge(*streams: TimeTags) -> TimeTags:
    """All clicks of several streams on one time axis, in order; at equal times in the order of the arguments.

    Raises:
        UsageError: a stream is not sorted.
    """
    for k, stream in enumerate(streams):
        as_times_ps(stream.t_ps, f"t_ps of stream {k}")
    t = np.concatenate([s.t_ps for s in streams]) if streams else np.empty(0, np.int64)
    channel = np.concatenate([s.channel for s in streams]) if streams else np.empty(0, np.uint8)
    return _sorted(t, channel)


def delay(tags: TimeTags, delays_ps: Mapping[int, int]) -> TimeTags:
    """The clicks with ``delays_ps[channel]`` added to the times of each channel named; clicks at equal times keep their order.

    Raises:
        UsageError: unsorted tags, a channel outside 0…255 or a delay beyond ±2^60 ps.
    """
    from .kernels.shifting import shift_channels

    as_times_ps(tags.t_ps, "tags.t_ps")
    delay_of = np.zeros(256, np.int64)
    for channel, value in delays_ps.items():
        if not 0 <= channel <= 255 or abs(value) > RANGE_LIMIT_PS:
            raise UsageError(
                f"a delay needs a channel in 0…255 and at most ±2^60 ps, got {value} ps on channel {channel}"
            )
        delay_of[channel] = value
    shifted, channels = np.empty_like(tags.t_ps), np.empty_like(tags.channel)
    written = shift_channels(tags.t_ps, tags.channel, delay_of, 8 * len(tags), shifted, channels)
    if written == len(tags):
        return TimeTags(shifted, channels)
    # Many clicks overtake one another: sort.
    return _sorted(tags.t_ps + delay_of[tags.channel], tags.channel)


def gate(tags: TimeTags, valid: ValidityMask) -> TimeTags:
    """The clicks inside the valid stretches; their live time is ``valid.live_time_ps()``.

    Raises:
        UsageError: unsorted tags.
    """
    as_times_ps(tags.t_ps, "tags.t_ps")
    edges = np.searchsorted(tags.t_ps, np.stack(valid.edges_ps(), axis=1))
    return TimeTags.concatenate([TimeTags(tags.t_ps[a:b], tags.channel[a:b]) for a, b in edges])


def _sorted(t: Int64Array, channel: np.ndarray) -> TimeTags:
    order = np.argsort(t, kind="stable")
    return TimeTags(t[order], channel[order])
