"""Append-only datasets that a killed process cannot spoil, and the commit record that says how far they count.

A compressed chunk is written once, whole, and never again. Rows that do not fill a chunk yet lie, uncompressed, in a
``tail`` dataset where appending never moves or rewrites a row that is already there. ``tail/commit`` holds, twice and
in turn, a sequence number, the rows that count in every stream, and a CRC; a reader believes the newer sound one.
Order of a flush: full chunks, sync, tails, sync, commit record, sync. Whatever the moment of death, the rows of the
last commit are in place: those in full chunks for good, the others in the tail that belongs to the next chunk.
When a run is closed the tails move into their last chunk and the group ``tail`` goes away (``seal``).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..records import Int64Array
from .bitshuffle import pack, packed_bound, unpack
from .layout import COMMIT, TAIL, StreamSpec, filters

_TAIL_CHUNK_BYTES = 16384


def tail_path(path: str) -> str:
    """Where the unfinished chunk of the stream ``path`` lies."""
    return f"{TAIL}/{path.replace('/', '|')}"


def create_streams(file: h5py.File, specs: Sequence[StreamSpec]) -> None:
    """Creates empty streams, their tails and the commit record."""
    for spec in specs:
        file.create_dataset(spec.path, (0,), spec.dtype, chunks=(spec.chunk,), maxshape=(None,), **filters())
    unseal(file, specs)


def unseal(file: h5py.File, specs: Sequence[StreamSpec]) -> None:
    """Lets sealed streams grow again: their unfinished last chunks move into tails, and all rows count."""
    counted = []
    for spec in specs:
        main = file[spec.path]
        start = len(main) // spec.chunk * spec.chunk
        last = main[start:]
        main.resize((start,))
        rows = min(spec.chunk, max(1, _TAIL_CHUNK_BYTES // spec.dtype.itemsize))
        file.create_dataset(tail_path(spec.path), (spec.chunk,), spec.dtype, chunks=(rows,))[: len(last)] = last
        counted.append(start + len(last))
    record = file.create_dataset(COMMIT, (2, len(specs) + 2), np.int64)
    record.attrs["streams"] = json.dumps([spec.path for spec in specs])
    record[:] = _commit_row(0, np.array(counted, np.int64))


def _commit_row(sequence: int, rows: Int64Array) -> Int64Array:
    body = np.concatenate([[np.int64(sequence)], rows])
    return np.append(body, np.int64(zlib.crc32(body.tobytes())))


def read_commit(file: h5py.File) -> dict[str, int]:
    """Rows that count in each stream of a file not sealed yet; empty for a sealed one.

    Raises:
        DataError: neither copy of the commit record is sound.
    """
    if COMMIT not in file:
        return {}
    record = file[COMMIT]
    sound = [row for row in record[:] if row[-1] == zlib.crc32(row[:-1].tobytes())]
    if not sound:
        raise DataError("both copies of the commit record are corrupt; salvage the file")
    newest = max(sound, key=lambda row: int(row[0]))
    return dict(zip(json.loads(record.attrs["streams"]), (int(n) for n in newest[1:-1]), strict=True))


class Stream:
    """The writing end of one stream that holds ``committed`` rows. ``rows`` counts everything appended, durable or not."""

    def __init__(self, file: h5py.File, spec: StreamSpec, committed: int) -> None:
        self.spec = spec
        self._main = file[spec.path]
        self._tail = file[tail_path(spec.path)]
        self._main_rows = len(self._main)
        # The rows of the unfinished chunk lie at [first, first + filled) of the buffer.
        self._buffer = np.zeros(spec.chunk, spec.dtype)
        self._first = 0
        self._filled = self._in_tail = committed - self._main_rows
        self._buffer[: self._filled] = self._tail[: self._filled]
        self._main_dirty = False
        self._packed = np.empty(packed_bound(self._buffer.nbytes), np.uint8) if spec.packs else None

    def rebind(self, file: h5py.File) -> None:
        """Goes on in the same file after it was closed and opened again."""
        self._main, self._tail = file[self.spec.path], file[tail_path(self.spec.path)]

    @property
    def rows(self) -> int:
        return self._main_rows + self._filled

    def append(self, rows: NDArray[Any]) -> None:
        """Takes ``rows`` (N,) of the stream's dtype; whole chunks go to the file at once."""
        self.room(len(rows))[:] = rows
        self.take(len(rows))

    def room(self, n: int) -> NDArray[Any]:
        """Where the next ``n`` rows may be put; they count once ``take`` is called."""
        start = self._first + self._filled
        if start + n > len(self._buffer):
            unfinished = self._buffer[self._first : start]
            if self._filled + n + self.spec.chunk > len(self._buffer):
                self._buffer = np.empty(self._filled + n + 2 * self.spec.chunk, self.spec.dtype)
            self._buffer[: self._filled] = unfinished
            self._first, start = 0, self._filled
        return self._buffer[start : start + n]

    def take(self, n: int) -> None:
        """Appends the rows put where ``room(n)`` said."""
        self._filled += n
        while self._filled >= self.spec.chunk:
            self._write_chunk(self._buffer[self._first : self._first + self.spec.chunk])
            self._first += self.spec.chunk
            self._filled -= self.spec.chunk
            self._in_tail = 0

    def _write_chunk(self, rows: NDArray[Any]) -> None:
        start = self._main_rows
        self._main_rows = start + self.spec.chunk
        self._main.id.set_extent((self._main_rows,))
        if self._packed is None:
            self._main[start : self._main_rows] = rows
        else:
            self._main.id.write_direct_chunk((start,), pack(rows, self._packed))
        self._main_dirty = True

    def flush_chunks(self) -> bool:
        """Hands finished chunks to the system; says whether there were any."""
        dirty, self._main_dirty = self._main_dirty, False
        if dirty:
            self._main.flush()
        return dirty

    def flush_tail(self) -> bool:
        """Hands the rows of the unfinished chunk that are new to the system; says whether there were any."""
        if self._in_tail == self._filled:
            return False
        new = slice(self._first + self._in_tail, self._first + self._filled)
        self._tail[self._in_tail : self._filled] = self._buffer[new]
        self._tail.flush()
        self._in_tail = self._filled
        return True


class Commits:
    """The writing end of the commit record."""

    def __init__(self, file: h5py.File, streams: Sequence[Stream], sync: Callable[[], None]) -> None:
        self._record = file[COMMIT]
        self._streams = streams
        self._sync = sync
        self._sequence = int(self._record[:, 0].max())
        self._committed = self._rows()

    def rebind(self, file: h5py.File) -> None:
        """Goes on in the same file after it was closed and opened again."""
        self._record = file[COMMIT]
        for stream in self._streams:
            stream.rebind(file)

    def _rows(self) -> Int64Array:
        return np.array([stream.rows for stream in self._streams], np.int64)

    def commit(self) -> None:
        """Makes everything appended so far durable; returns when it is."""
        rows = self._rows()
        if np.array_equal(rows, self._committed):
            return
        for step in (Stream.flush_chunks, Stream.flush_tail):
            moved = [step(stream) for stream in self._streams]
            if any(moved):
                self._sync()
        self._sequence += 1
        self._record[self._sequence % 2] = _commit_row(self._sequence, rows)
        self._record.flush()
        self._sync()
        self._committed = rows


class ChunkedRows:
    """The reading end of a stream's chunks, by our own unpacker where it applies; remembers the last chunk."""

    def __init__(self, dataset: h5py.Dataset, spec: StreamSpec) -> None:
        self._dataset = dataset
        self._spec = spec
        self._chunk = np.empty(spec.chunk if spec.packs else 0, spec.dtype)
        self._packed = np.empty(packed_bound(self._chunk.nbytes), np.uint8)
        self._first = -1

    def pieces(self, start: int, stop: int) -> Iterator[NDArray[Any]]:
        """Rows [start, stop), chunk by chunk; a piece is gone when the next is asked for.

        Raises:
            DataError: a chunk is damaged.
        """
        chunk = self._spec.chunk
        if not self._spec.packs:
            yield self._dataset[start:stop]
            return
        for first in range(start // chunk * chunk, stop, chunk):
            self._load(first)
            yield self._chunk[max(0, start - first) : stop - first]

    def _load(self, first: int) -> None:
        if self._first == first:
            return
        self._first = -1
        try:
            skipped, packed = self._dataset.id.read_direct_chunk((first,), out=self._packed)
            sound = not skipped and unpack(np.frombuffer(packed, np.uint8), self._chunk)
        except ValueError:  # larger than anything that was packed
            sound = False
        if not sound:
            raise DataError(f"the chunk of {self._spec.path} that begins at row {first} is damaged")
        self._first = first


def last_rows(file: h5py.File, spec: StreamSpec, committed: int) -> NDArray[Any]:
    """The committed rows of the unfinished chunk: from the chunk if it was finished since and is sound, else the tail.

    A tail is used anew only after its chunk is safe, so one of the two always holds them, even after a power cut.
    """
    start = committed // spec.chunk * spec.chunk
    rows: NDArray[Any]
    if len(file[spec.path]) > start:
        try:
            rows = file[spec.path][start:committed]
        except OSError:
            pass
        else:
            if file[spec.path].id.get_num_chunks() > start // spec.chunk:
                return rows
    rows = file[tail_path(spec.path)][: committed - start]
    return rows


def seal(file: h5py.File) -> None:
    """Moves the committed tails into their streams and removes ``tail``; ``file`` is open in a transaction."""
    for path, rows in read_commit(file).items():
        main = file[path]
        spec = StreamSpec(path, main.dtype, main.chunks[0])
        start = rows // spec.chunk * spec.chunk
        last = last_rows(file, spec, rows)
        main.resize((start,))
        main.resize((rows,))
        main[start:] = last
    if TAIL in file:
        del file[TAIL]
