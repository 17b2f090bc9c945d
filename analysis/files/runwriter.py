"""Writes a run file as the run goes: what was acknowledged by ``flush`` survives kill -9 and power loss.

The file is made complete under another name and then put in place, so it exists whole or not at all; from then on it
is only appended to (SWMR). Texts and truth are added between appends by an all-or-nothing transaction.
"""

from __future__ import annotations

import datetime
import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import h5py
import numpy as np
import psutil
from numpy.typing import NDArray

from ..errors import DataError, UsageError
from ..records import HERALD_DTYPE, TagBlock
from . import layout
from .freespace import FreeSpaceWatch, Reserve
from .layout import (
    BLOCK_DTYPE,
    CONFIG_KEYS,
    LOG_DTYPE,
    READING_DTYPE,
    SETTING_DTYPE,
    VALIDITY_DTYPE,
    channels_to_json,
    encode_text,
)
from .opening import open_hdf5, status_of
from .streams import Commits, Stream, create_streams, read_commit, seal, tail_path, unseal
from .strings import write_attributes, write_text
from .tagcodec import encode
from .transaction import transaction

FLUSH_EVERY_S = 0.5

Status = Literal["done", "failed", "aborted"]


class RunWriter:
    """The one writer of a run file. Not thread-safe: one thread owns it."""

    def __init__(self, path: Path, sources: tuple[str, ...], reserve: Reserve) -> None:
        """Takes over a file made by ``create``."""
        self.path = path
        self._file = self._open()
        committed = read_commit(self._file)
        self._streams = {s.path: Stream(self._file, s, committed[s.path]) for s in layout.all_streams(sources)}
        self._tags = {s: [self._streams[t.path] for t in layout.tag_streams(s).values()] for s in sources}
        self._fd = os.open(path, os.O_RDWR)
        self._commits = Commits(self._file, list(self._streams.values()), lambda: os.fsync(self._fd))
        self._covered = {source: _covered_ps(self._file, source) for source in sources}
        self._space = FreeSpaceWatch(path, reserve)
        self._flushed = time.monotonic()
        self._closed = False

    @classmethod
    def create(
        cls,
        path: str | Path,
        *,
        run_id: str,
        experiment: str,
        simulated: bool,
        operator: str,
        sources: Mapping[str, Mapping[int, str]],
        config: Mapping[str, str],
        provenance: Mapping[str, str],
        truth: Mapping[str, float | str] | None = None,
        reserve: Reserve | None = None,
    ) -> RunWriter:
        """Makes a new run file and opens it for appending.

        Args:
            path: must not exist yet; nothing is ever written over.
            run_id, experiment, operator: kept as attributes of the root.
            simulated: whether anything in the data comes from the twin.
            sources: tagger -> channel number -> channel name.
            config: ``station_yaml``, ``experiment_yaml``, ``resolved_json``.
            provenance: as from ``provenance.collect``.
            truth: hidden values of a twin, if known already (see ``write_truth``).
            reserve: what must stay free on the disk (default: 2 % or 10 minutes of recording).

        Raises:
            UsageError: the file exists, a name is not allowed, or a config key is missing or unknown.
        """
        path = Path(path).resolve()
        layout.check_sources(sources)
        if set(config) != set(CONFIG_KEYS):
            raise UsageError(f"config must have exactly the keys {', '.join(CONFIG_KEYS)}; got {sorted(config)}")
        if path.exists():
            raise UsageError(f"{path} exists already; a run file is never written over")
        path.parent.mkdir(parents=True, exist_ok=True)
        reserve = reserve or Reserve()
        FreeSpaceWatch(path, reserve).admit(0)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            # small metadata never across two disk pages: a power cut then leaves it old or new, not torn
            with h5py.File(draft, "w", libver="latest", fs_strategy="page", fs_page_size=1024) as file:
                write_attributes(
                    file,
                    {
                        "erbia_schema": layout.SCHEMA,
                        "run_id": run_id,
                        "experiment": experiment,
                        "status": "running",
                        "created_utc": datetime.datetime.now(datetime.UTC).isoformat(),
                        "simulated": simulated,
                        "operator": operator,
                    },
                )
                _write_texts(file.create_group("config"), config)
                _write_texts(file.create_group("provenance"), provenance)
                for group in ("snapshot", "truth", "results"):
                    file.create_group(group)
                write_attributes(file["truth"], dict(truth or {}))
                create_streams(file, layout.all_streams(sources))
                for source, channels in sources.items():
                    write_attributes(file[f"tags/{source}"], {"channels": channels_to_json(channels)})
                write_attributes(file[layout.TAIL], _writer_identity())
            _put_in_place(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        return cls(path, tuple(sources), reserve)

    @classmethod
    def resume(cls, path: str | Path, reserve: Reserve | None = None) -> RunWriter:
        """Goes on writing a run that has ended, well or not, after its last durable row.

        Raises:
            DataError: no such run file, or its writer is still alive.
        """
        path = Path(path).resolve()
        file = open_hdf5(path)
        with file:
            if status_of(file, path) == "running":
                raise DataError(f"{path}: still being written")
            sources = tuple(file["tags"])
        with transaction(path) as changed:
            seal(changed)
            unseal(changed, layout.all_streams(sources))
            write_attributes(changed[layout.TAIL], _writer_identity())
            write_attributes(changed, {"status": "running"})
        return cls(path, sources, reserve or Reserve())

    def _open(self) -> h5py.File:
        access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
        access.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
        flags = h5py.h5f.ACC_RDWR | h5py.h5f.ACC_SWMR_WRITE
        return h5py.File(h5py.h5f.open(os.fsencode(self.path), flags, fapl=access))

    # -- appending ---------------------------------------------------------------------------------------------------

    def append_tags(self, block: TagBlock) -> None:
        """Appends a block; blocks of a source follow one another in time and may leave gaps (which are not live).

        Raises:
            UsageError: unknown source, or the block starts before the one before it ended.
            DataError: clicks out of order or outside the block; nothing of the block is kept.
            DiskFull: too little space left; close the run.
        """
        source, tags = block.source, block.tags
        if source not in self._covered:
            raise UsageError(f"source {source!r} is not one of this run: {', '.join(self._covered) or 'none'}")
        covered = self._covered[source]
        if block.t_stop_ps < block.t_start_ps or (covered is not None and block.t_start_ps < covered):
            raise UsageError(
                f"block [{block.t_start_ps}, {block.t_stop_ps}) ps of {source} must follow what was written up to {covered} ps"
            )
        if len(tags) and tags.t_ps[-1] >= block.t_stop_ps:
            raise DataError(
                f"last click of {source} at {tags.t_ps[-1]} ps lies behind its block's end {block.t_stop_ps} ps"
            )
        times, channel, gaps, blocks = self._tags[source]
        words = times.room(len(tags))
        long_gaps, checksum = encode(tags.t_ps, tags.channel, block.t_start_ps, words, times.rows)
        row = np.zeros(1, BLOCK_DTYPE)
        row[0] = (
            times.rows,
            times.rows + len(tags),
            block.t_start_ps,
            block.t_stop_ps,
            block.overflow,
            block.missed,
            checksum,
        )
        self._space.admit(5 * len(tags) + long_gaps.nbytes + row.nbytes)
        times.take(len(tags))
        channel.append(tags.channel)
        gaps.append(long_gaps)
        blocks.append(row)
        self._covered[source] = block.t_stop_ps
        self._flush_when_due()

    def append_heralds(self, rows: NDArray[np.void]) -> None:
        """Appends heralds, HERALD_DTYPE (N,)."""
        if rows.dtype != HERALD_DTYPE:
            raise UsageError(f"heralds must have the type {HERALD_DTYPE}, got {rows.dtype}")
        self._append("heralds", rows)

    def append_setting(self, index: int, name: str, t_start_ps: int, t_stop_ps: int, parameters: str) -> None:
        """Appends one finished setting; ``parameters`` is JSON."""
        self._append_row("settings", SETTING_DTYPE, index, name, t_start_ps, t_stop_ps, parameters)

    def append_reading(self, t_ps: int, name: str, value: float, unit: str) -> None:
        """Appends one slow instrument value."""
        self._append_row("readings", READING_DTYPE, t_ps, name, value, unit)

    def append_validity(self, t_ps: int, source: str, valid: bool, reason: str) -> None:
        """From ``t_ps`` on the clicks of ``source`` count, or not, and why."""
        self._append_row("validity", VALIDITY_DTYPE, t_ps, source, valid, reason)

    def append_log(self, t_ps: int, level: str, text: str) -> None:
        """Appends one line of the log; a longer one than 1024 bytes is cut there."""
        cut = text.replace("\0", " ").encode()[:1024].decode(errors="ignore")
        self._append_row("log", LOG_DTYPE, t_ps, level, cut)

    def _append_row(self, path: str, dtype: np.dtype[Any], *values: int | float | str) -> None:
        assert dtype.names is not None
        row = np.zeros(1, dtype)
        for column, value in zip(dtype.names, values, strict=True):
            row[column] = encode_text(value, dtype, column) if isinstance(value, str) else value
        self._append(path, row)

    def _append(self, path: str, rows: NDArray[Any]) -> None:
        self._space.admit(rows.nbytes)
        self._streams[path].append(rows)
        self._flush_when_due()

    def _flush_when_due(self) -> None:
        self.flush_unless_before(time.monotonic())

    def flush_unless_before(self, next_s: float) -> None:
        """Flushes now if ``next_s`` (of ``time.monotonic``), when rows come again, is later than a flush would be due."""
        if next_s - self._flushed >= FLUSH_EVERY_S:
            self.flush()

    def flush(self) -> None:
        """Makes everything appended so far durable. When it returns, those rows survive kill -9 and power loss."""
        self._commits.commit()
        self._flushed = time.monotonic()

    # -- texts and the end -------------------------------------------------------------------------------------------

    def snapshot(self, which: Literal["start", "end"], json_text: str) -> None:
        """Keeps the state of the instruments as JSON under ``/snapshot``."""
        with self._changing() as file:
            write_text(file["snapshot"], which, json_text)

    def write_truth(self, truth: Mapping[str, float | str]) -> None:
        """Keeps hidden values of the twin under ``/truth``; later calls add to earlier ones."""
        with self._changing() as file:
            write_attributes(file["truth"], dict(truth))

    @contextmanager
    def _changing(self) -> Iterator[h5py.File]:
        """Lets go of the file between two appends, so that a transaction can change it."""
        self.flush()
        self._file.close()
        try:
            with transaction(self.path) as file:
                yield file
        finally:
            self._file = self._open()
            self._commits.rebind(self._file)

    def close(self, status: Status = "done") -> None:
        """Makes all durable, moves the tails into place and sets the status. Doing it twice does no harm."""
        if self._closed:
            return
        self._closed = True
        try:
            self.flush()
        finally:
            self._file.close()
            os.close(self._fd)
        with transaction(self.path) as file:
            seal(file)
            write_attributes(file, {"status": status})

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close("done" if kind is None else "failed")


def _write_texts(group: h5py.Group, texts: Mapping[str, str]) -> None:
    for name, value in texts.items():
        write_text(group, name, value)


def _covered_ps(file: h5py.File, source: str) -> int | None:
    """Up to where the blocks of ``source`` reach in a file open for writing; None before the first."""
    spec = layout.tag_streams(source)["blocks"]
    in_tail = read_commit(file)[spec.path] - len(file[spec.path])
    last = file[tail_path(spec.path)][in_tail - 1 : in_tail] if in_tail else file[spec.path][-1:]
    return int(last["t_stop_ps"][0]) if len(last) else None


def _writer_identity() -> dict[str, str | int | float]:
    me = psutil.Process()
    return {"writer_host": platform.node(), "writer_pid": me.pid, "writer_started": me.create_time()}


def _put_in_place(draft: Path, path: Path) -> None:
    """Gives the finished draft its name, never over another file."""
    fd = os.open(draft, os.O_RDWR)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    try:
        if os.name == "posix":
            os.link(draft, path)
        else:
            draft.rename(path)
    except FileExistsError as error:
        raise UsageError(f"{path} exists already; a run file is never written over") from error
