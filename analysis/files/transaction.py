"""All-or-nothing changes of a closed HDF5 file.

HDF5 has no journal: a process that dies while it adds a group can leave a file that no longer opens. Here the change
is made on an overlay in memory, the pages it touched are written to ``FILE.redo``, and only then to the file itself.
Whoever opens a file with a complete ``.redo`` beside it first finishes that work. Raw data is never touched: HDF5 adds
new objects at the end and rewrites only the few pages that hold links and attributes.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import psutil

from ..errors import DataError
from .overlay import PAGE, Overlay, settle_superblock

_MAGIC = b"ERBREDO1"
_RECORD = struct.Struct("<QI")
_PATIENCE_S = 5.0


def _sync_folder(path: Path) -> None:
    if os.name == "posix":
        fd = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _write_redo(path: Path, overlay: Overlay) -> None:
    """Writes all changed pages, then the name that makes them count."""
    draft = _beside(path, ".redo.draft")
    with draft.open("r+b") as out:
        out.truncate(0)
        out.write(_MAGIC + struct.pack("<QQQ", os.getpid(), overlay.size, len(overlay.pages)))
        for index, page in sorted(overlay.pages.items()):
            out.write(_RECORD.pack(index, zlib.crc32(page)) + page)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(_beside(path, ".redo"))
    _sync_folder(path)


def _owner_alive(redo: Path) -> bool | None:
    """Whether the process that wrote the redo file lives; None if the file is gone."""
    try:
        with redo.open("rb") as pages:
            head = pages.read(16)
    except FileNotFoundError:
        return None
    return len(head) == 16 and head[:8] == _MAGIC and psutil.pid_exists(struct.unpack("<Q", head[8:])[0])


def finish_redo(path: Path) -> None:
    """Finishes the work of a dead process that left a complete ``.redo`` beside ``path``; waits for a living one.

    Raises:
        DataError: the redo file is corrupt, or its owner does not get done with it.
    """
    redo = _beside(path, ".redo")
    deadline = time.monotonic() + _PATIENCE_S
    while _owner_alive(redo):
        if time.monotonic() > deadline:
            raise DataError(f"{path}: another process is changing this file; try again when it is done")
        time.sleep(0.005)
    if redo.exists():
        _apply(path, redo)


def _apply(path: Path, redo: Path) -> None:
    """Writes the pages to their places (doing it twice does no harm), then removes the redo file."""
    with redo.open("rb") as pages, path.open("r+b") as out:
        if pages.read(8) != _MAGIC:
            raise DataError(f"{redo}: not a redo file of erbia; move it away to open {path.name} as it is")
        _, size, count = struct.unpack("<QQQ", pages.read(24))
        for _ in range(count):
            index, crc = _RECORD.unpack(pages.read(_RECORD.size))
            page = pages.read(PAGE)
            if zlib.crc32(page) != crc:
                raise DataError(f"{redo}: page {index} is corrupt; move it away to open {path.name} as it is")
            out.seek(index * PAGE)
            out.write(page)
        out.truncate(size)
        out.flush()
        os.fsync(out.fileno())
    redo.unlink()
    _sync_folder(path)


def _lock(path: Path) -> None:
    """Creates the draft as a lock that names its owner; takes over from an owner that is gone."""
    draft = _beside(path, ".redo.draft")
    if draft.exists():
        owner = draft.read_bytes()[:20]
        if owner.isdigit() and psutil.pid_exists(int(owner)) and int(owner) != os.getpid():
            raise DataError(f"{path}: process {int(owner)} is changing this file; try again when it is done")
        draft.unlink()
    with draft.open("xb") as lock:
        lock.write(b"%d" % os.getpid())


@contextmanager
def transaction(path: Path) -> Iterator[h5py.File]:
    """An ``h5py.File`` open for changes that reach ``path`` together at the end of the block, or not at all.

    Raises:
        DataError: the file is no HDF5 file erbia can change, or another process is changing it.
        OSError: no space or no permission; the file is as it was.
    """
    finish_redo(path)
    _lock(path)
    try:
        with Overlay(path) as overlay:
            settle_superblock(overlay)
            with h5py.File(overlay, "r+", libver="latest") as file:
                yield file
            _write_redo(path, overlay)
    finally:
        _beside(path, ".redo.draft").unlink(missing_ok=True)
    _apply(path, _beside(path, ".redo"))
