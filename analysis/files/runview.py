"""One consistent view of a run file's rows, whoever is writing it meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from . import layout
from .opening import open_hdf5, reading, status_of
from .streams import ChunkedRows, last_rows, read_commit
from .strings import read_attributes

T = TypeVar("T")

_ATTEMPTS = 50


class RunView:
    """The rows of every stream as they stood when the view was taken; ``refresh`` takes a new one.

    Attributes:
        path: absolute path of the file.
        status: ``done``, ``failed``, ``aborted``, ``running`` or ``interrupted`` (its writer died).
        sources: names of the taggers.
    """

    def __init__(self, path: Path) -> None:
        """Raises DataError when the file is missing, truncated, corrupt, or not a run file."""
        self.path = path.resolve()
        self._load()

    def refresh(self) -> None:
        """Takes a new view of the file, with everything committed until now."""
        self._file.close()
        self._load()

    def _load(self) -> None:
        """Takes one consistent view; begins anew when a writer changed the file meanwhile."""
        for _ in range(_ATTEMPTS):
            before = self.path.stat() if self.path.exists() else None
            try:
                self._file = open_hdf5(self.path)
                self._view()
                if self.status != "running" or self._tails_still_belong():
                    return
            except DataError:
                if before is None or self.path.stat().st_mtime_ns == before.st_mtime_ns:
                    raise
        raise DataError(f"{self.path}: its writer is too fast to follow; open it when the run has ended")

    def _view(self) -> None:
        with reading(self.path, "its attributes"):
            if "erbia_schema" not in self._file.attrs:
                raise DataError("an HDF5 file, but not a run file of erbia (no attribute erbia_schema)")
            self._about = read_attributes(self._file)
            schema = self._about["erbia_schema"]
            if schema != layout.SCHEMA:
                raise DataError(f"written with schema {schema}, but this version reads schema {layout.SCHEMA}")
        with reading(self.path, "its tables"):
            self.status = status_of(self._file, self.path)
            self.sources = tuple(self._file["tags"]) if "tags" in self._file else ()
            self._specs = {spec.path: spec for spec in layout.all_streams(self.sources)}
            self._chunks = {path: ChunkedRows(self._file[path], spec) for path, spec in self._specs.items()}
            self._lengths = {path: len(self._file[path]) for path in self._specs}
            committed = read_commit(self._file)
            self._rows = self._lengths | committed
            self._in_chunks = self._lengths | {
                p: n // self._specs[p].chunk * self._specs[p].chunk for p, n in committed.items()
            }
            self._tails = {
                path: last_rows(self._file, self._specs[path], n)
                for path, n in committed.items()
                if n > self._in_chunks[path]
            }

    def _tails_still_belong(self) -> bool:
        """Whether no chunk was finished while the tails were read (a finished chunk lets its tail be used anew)."""
        with open_hdf5(self.path) as now:
            return all(len(now[path]) == n for path, n in self._lengths.items())

    def _followed(self, read: Callable[[], T]) -> T:
        """``read()``; once more on a fresh view if it fails while a writer is at work on the file."""
        try:
            return read()
        except DataError:
            if self.status != "running":
                raise
            self.refresh()
            return read()

    def _read(self, path: str, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Rows [start, stop) of a stream, from its chunks and its tail."""
        return self._followed(lambda: self._read_rows(path, start, self._rows[path] if stop is None else stop))

    def _read_rows(self, path: str, start: int, stop: int) -> NDArray[Any]:
        pieces = [piece.copy() for piece in self._pieces(path, start, stop)]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _pieces(self, path: str, start: int, stop: int) -> Iterator[NDArray[Any]]:
        """Rows [start, stop), at least one piece; a piece is gone when the next is asked for."""
        with reading(self.path, f"{path} rows {start} to {stop}"):
            done = self._in_chunks[path]
            if not 0 <= start <= stop <= self._rows[path]:
                raise DataError(f"{path} has {self._rows[path]} rows, but rows {start} to {stop} are asked for")
            if start < min(stop, done):
                yield from self._chunks[path].pieces(start, min(stop, done))
            if stop > done or start == stop:
                tail = self._tails.get(path, np.empty(0, self._specs[path].dtype))
                yield tail[max(0, start - done) : max(0, stop - done)]
