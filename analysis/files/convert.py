"""From any tag file to any other, and what is sound of a damaged one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import DataError, UsageError
from ..records import TagBlock, TimeTags
from .runreader import Run, open_run
from .tagfile import HDF5_SUFFIXES, WRITERS, is_run_file, split_spec, stream_tags
from .tagstream import TagStream


@dataclass(frozen=True, slots=True)
class Salvage:
    """What was kept of a damaged file: clicks, blocks lost inside, and why reading ended early ("" if it did not)."""

    clicks: int
    blocks_lost: int
    reason: str


def _writer(path: Path) -> Callable[[Path, TagStream], None]:
    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise UsageError(
            f"{path}: cannot write {suffix!r}; can write {' '.join(WRITERS)} (.h5 run file, .hdf5 Photon-HDF5)"
        )
    if path.exists():
        raise UsageError(f"{path} exists already; move it away or choose another name")
    return WRITERS[suffix]


def convert(source: str | Path, target: str | Path) -> int:
    """Writes the clicks of one tag file in the format of ``target``'s suffix; returns how many.

    Raises:
        UsageError: ``target`` exists, its suffix is unknown, or its format cannot hold the clicks.
        DataError: ``source`` is not sound; nothing is left at ``target``.
    """
    target = Path(target)
    write = _writer(target)
    counted = _Counted(stream_tags(source))
    try:
        write(target, counted.stream)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return counted.clicks


def salvage(source: str | Path, target: str | Path) -> Salvage:
    """Writes what is sound of ``source``: all up to the first damage, and in a run file every sound block.

    In a run file a damaged block becomes an empty one marked as overflow, so that its time does not count as live.
    """
    target = Path(target)
    write = _writer(target)
    path, name = split_spec(source)
    if path.suffix.lower() in HDF5_SUFFIXES and is_run_file(path):
        run = open_run(path)
        name = run.sources[0] if name is None and len(run.sources) == 1 else name
        if name is None:
            raise UsageError(f"{path}: holds the taggers {', '.join(run.sources)}; choose one as {path.name}:NAME")
        stream = TagStream(name, _sound_blocks(run, name), run.channels(name))
    else:
        stream = stream_tags(source)
    reasons: list[str] = []
    counted = _Counted(replace(stream, blocks=_until_damage(stream.blocks, reasons)))
    write(target, counted.stream)
    return Salvage(counted.clicks, counted.lost, "".join(reasons))


def _until_damage(blocks: Iterator[TagBlock], reasons: list[str]) -> Iterator[TagBlock]:
    try:
        yield from blocks
    except DataError as error:
        reasons.append(str(error))


def _sound_blocks(run: Run, source: str) -> Iterator[TagBlock]:
    for index, row in enumerate(run.blocks(source)):
        try:
            yield run.block(source, index)
        except DataError:
            start, stop = int(row["t_start_ps"]), int(row["t_stop_ps"])
            yield TagBlock(TimeTags.empty(), start, stop, source, True, int(row["row_stop"] - row["row_start"]))


class _Counted:
    """Counts what passes on its way from one file to another."""

    def __init__(self, stream: TagStream) -> None:
        self.clicks = 0
        self.lost = 0
        self.stream = replace(stream, blocks=self._pass_on(stream.blocks))

    def _pass_on(self, blocks: Iterator[TagBlock]) -> Iterator[TagBlock]:
        for block in blocks:
            self.clicks += len(block.tags)
            self.lost += block.overflow and not len(block.tags)
            yield block
