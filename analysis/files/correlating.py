"""Correlation histograms of tag files of any size: block by block, many files or shares of one at a time, always the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..correlation import CorrelationStream, combine
from ..records import CorrelationHistogram, TagBlock
from .map_reduce import map_reduce
from .runreader import open_run
from .tagfile import HDF5_SUFFIXES, is_run_file, split_spec, stream_tags

#: Clicks a share of a run file has at least: less is not worth a process.
SMALLEST_SHARE = 20_000_000


@dataclass(frozen=True, slots=True)
class Share:
    """Part of the work on one tag file: the pairs whose later click lies in the blocks ``[first, stop)``; all by default."""

    spec: str
    first: int = 0
    stop: int | None = None


def correlate_files(
    specs: Sequence[str | Path],
    channel_a: int,
    channel_b: int,
    *,
    bin_ps: int,
    range_ps: int,
    jobs: int = 1,
    scheduler: str | None = None,
) -> CorrelationHistogram:
    """The histogram of two channels (``correlate``; the same channel twice: ``autocorrelate``) summed over tag files.

    Every file is a stretch of time of its own: clicks of different files make no pairs. Files are read block by block, so
    that they may be larger than memory; clicks of blocks with overflow do not count. Large run files are cut into shares
    that overlap by ``range_ps``. The counts depend neither on ``jobs`` nor on where the work is done.

    Args:
        specs: tag files as ``stream_tags`` takes them.
        channel_a, channel_b: start and stop channel.
        bin_ps, range_ps: as for ``correlate``.
        jobs: processes to use.
        scheduler: address of a dask scheduler, whose workers must see the same paths; ``jobs`` then says how many shares a
            large file is cut into.

    Raises:
        UsageError, DataError: as ``stream_tags``, ``correlate`` and ``map_reduce``.
    """
    work = [share for spec in specs for share in shares_of(str(spec), jobs)]
    count = partial(correlate_share, channel_a=channel_a, channel_b=channel_b, bin_ps=bin_ps, range_ps=range_ps)
    return map_reduce(work, count, _sum, jobs, scheduler)


def shares_of(spec: str, jobs: int) -> list[Share]:
    """At most ``jobs`` shares of one file, equal in clicks; one for all formats but run files."""
    path, source = split_spec(spec)
    if jobs < 2 or path.suffix.lower() not in HDF5_SUFFIXES or not path.is_file() or not is_run_file(path):
        return [Share(spec)]
    with open_run(path) as run:
        source = run.sources[0] if source is None and len(run.sources) == 1 else source
        if source is None or source not in run.sources:
            return [Share(spec)]
        rows = run.blocks(source)["row_stop"]
    clicks = int(rows[-1]) if len(rows) else 0
    number = max(1, min(jobs, clicks // SMALLEST_SHARE))
    cuts = [0, *np.searchsorted(rows, np.arange(1, number) * clicks // number).tolist(), len(rows)]
    return [Share(spec, a, b) for a, b in pairwise(cuts) if a < b] or [Share(spec)]


def correlate_share(
    share: Share, channel_a: int, channel_b: int, *, bin_ps: int, range_ps: int
) -> CorrelationHistogram:
    """The pairs of one share, exact whatever the shares.

    A stream that begins ``range_ps`` early meets every pair whose later click lies in the share, and pairs before it, which
    are taken off again.
    """
    stream = CorrelationStream(channel_a, channel_b, bin_ps=bin_ps, range_ps=range_ps)
    before = stream.result()
    for number, block in _numbered_blocks(share, range_ps):
        if number == share.first:
            before = stream.result()
        stream.feed(block)
    return _difference(stream.result(), before)


def _numbered_blocks(share: Share, range_ps: int) -> Iterator[tuple[int, TagBlock]]:
    """The blocks of a share and those before it that lie within ``range_ps``, with their numbers."""
    if share.stop is None:
        yield from enumerate(stream_tags(share.spec).blocks)
        return
    path, source = split_spec(share.spec)
    with open_run(path) as run:
        source = source or run.sources[0]
        table = run.blocks(source)
        early_ps = int(table["t_start_ps"][share.first]) - range_ps
        first = min(share.first, int(np.searchsorted(table["t_stop_ps"], early_ps, side="right")))
        yield from enumerate(run.iter_blocks(source, first, share.stop), first)


def _sum(one: CorrelationHistogram, other: CorrelationHistogram) -> CorrelationHistogram:
    return combine((one, other))


def _difference(whole: CorrelationHistogram, part: CorrelationHistogram) -> CorrelationHistogram:
    return replace(
        whole,
        counts=whole.counts - part.counts,
        singles_a=whole.singles_a - part.singles_a,
        singles_b=whole.singles_b - part.singles_b,
        live_time_ps=whole.live_time_ps - part.live_time_ps,
    )
