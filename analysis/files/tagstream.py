"""A tag file of any format as a stream of blocks with bounded memory, checked record by record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..records import Int64Array, TagBlock, TimeTags

#: Records read at a time.
BATCH = 1 << 20


@dataclass(frozen=True, slots=True)
class TagStream:
    """What a tag file holds: the name of its tagger, its clicks, and the names of its channels.

    ``blocks`` gives the clicks piece by piece and can be taken once; ``load`` is there where a format has a faster way
    to give all of them at once than joining the blocks.
    """

    name: str
    blocks: Iterator[TagBlock]
    channel_names: Mapping[int, str] = field(default_factory=dict)
    load: Callable[[], TimeTags] | None = None

    def tags(self) -> TimeTags:
        """All clicks, in memory. DataError where the file is not sound."""
        return self.load() if self.load else TimeTags.concatenate(block.tags for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Grid:
    """Time in picoseconds of a file's ticks, and of the finer count since the tick where there is one."""

    tick_ps: float
    dtime_ps: float = 0.0

    def times(self, ticks: Int64Array, dtime: NDArray[np.uint16]) -> Int64Array:
        """int64 (N,) ps. The whole part of the tick is exact; only its fraction passes through floats."""
        whole, fraction = int(self.tick_ps), self.tick_ps % 1.0
        t_ps = ticks if whole == 1 else ticks * whole
        if fraction or len(dtime):
            t_ps = t_ps + np.rint(ticks * fraction + dtime * self.dtime_ps).astype(np.int64)
        return t_ps


@numba.njit(nogil=True, cache=True)
def _first_backward(t_ps):  # type: ignore[no-untyped-def]  # pragma: no cover
    steps = 0
    for i in range(1, len(t_ps)):
        steps += t_ps[i] < t_ps[i - 1]
    if not steps:
        return -1
    for i in range(1, len(t_ps)):
        if t_ps[i] < t_ps[i - 1]:
            return i
    return -1


def first_backward(t_ps: Int64Array) -> int:
    """Index of the first time in int64 (N,) that lies before the one before it; -1 if none does."""
    return int(_first_backward(t_ps))


def _part(tags: TimeTags, start: int, stop: int | None = None) -> TimeTags:
    return TimeTags(tags.t_ps[start:stop], tags.channel[start:stop])


def _in_order(parts: Iterable[TimeTags], path: Path) -> Iterator[TimeTags]:
    """The same pieces, up to the first click that steps backwards."""
    record, last = 0, None
    for part in parts:
        if not len(part):
            continue
        bad = 0 if last is not None and part.t_ps[0] < last else first_backward(part.t_ps)
        if bad >= 0:
            yield _part(part, 0, bad)
            previous = part.t_ps[bad - 1] if bad else last
            raise DataError(
                f"{path}: record {record + bad}: click at {part.t_ps[bad]} ps lies before the one before it"
                f" ({previous} ps); times must not step backwards"
            )
        yield part
        record, last = record + len(part), int(part.t_ps[-1])


def ordered_blocks(parts: Iterable[TimeTags], source: str, path: Path) -> Iterator[TagBlock]:
    """Turns consecutive pieces of a file into blocks that follow one another without gap.

    Clicks at the very last time of a piece wait for the next one, so that equal times stay in one block.

    Raises:
        DataError: a click lies before the one before it; names file and record. What is sound before it comes first.
    """
    t_start_ps: int | None = None

    def block(tags: TimeTags) -> TagBlock:
        nonlocal t_start_ps
        start, stop = int(tags.t_ps[0]) if t_start_ps is None else t_start_ps, int(tags.t_ps[-1]) + 1
        t_start_ps = stop
        return TagBlock(tags, start, stop, source)

    waiting, failure = TimeTags.empty(), None
    pieces = _in_order(parts, path)
    while True:
        try:
            part = next(pieces)
        except StopIteration:
            break
        except DataError as error:
            failure = error
            break
        head = int(np.searchsorted(part.t_ps, waiting.t_ps[-1], side="right")) if len(waiting) else 0
        waiting = TimeTags.concatenate([waiting, _part(part, 0, head)])
        rest = _part(part, head)
        if len(rest):
            tail = int(np.searchsorted(rest.t_ps, rest.t_ps[-1], side="left"))
            yield from (block(tags) for tags in (waiting, _part(rest, 0, tail)) if len(tags))
            waiting = _part(rest, tail)
    if len(waiting):
        yield block(waiting)
    if failure is not None:
        raise failure
