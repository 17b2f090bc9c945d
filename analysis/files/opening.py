"""Opens HDF5 files in whatever state their writer left them, and turns HDF5's errors into one clear line."""

from __future__ import annotations

import atexit
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import h5py
import hdf5plugin  # noqa: F401  registers the filters h5py needs to read
import psutil

from ..errors import DataError
from . import layout
from .overlay import SIGNATURE, Overlay, settle_superblock
from .strings import read_attributes
from .transaction import finish_redo

#: A writer on another machine that has not touched its file for so long is taken for dead: it flushes each 0.5 s.
_SILENT_S = 60.0


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Any failure of HDF5 or of the content inside the block becomes a DataError that names file and place."""
    try:
        yield
    except DataError as error:
        text = str(error)
        raise error if text.startswith(str(path)) else DataError(f"{path}: {text}") from error
    except (
        OSError,
        RuntimeError,
        KeyError,
        ValueError,
        TypeError,
        UnicodeError,
        AttributeError,
        OverflowError,
    ) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: cannot read {what}: the file is truncated or corrupt ({reason[:200]})") from error


def open_hdf5(path: Path) -> h5py.File:
    """Opens for reading, whatever state the writer left the file in or has it in now.

    Raises:
        DataError: missing, not HDF5, truncated or corrupt.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    with path.open("rb") as file:
        if file.read(8) != SIGNATURE:
            raise DataError(f"{path}: not an HDF5 file (its first 8 bytes are not the HDF5 signature)")
    finish_redo(path)
    with reading(path, "the file"):
        overlay = Overlay(path)
        settle_superblock(overlay)
        file = h5py.File(overlay, "r", libver="latest")
    _open_files[id(file)] = file
    return file


#: HDF5 calls back into Python to close a file that lies in a Python object. What nobody closed must be closed before
#: the interpreter ends: afterwards that call is a crash.
_open_files: WeakValueDictionary[int, h5py.File] = WeakValueDictionary()


@atexit.register
def _close_open_files() -> None:
    for file in list(_open_files.values()):
        file.close()


def writer_alive(tail: dict[str, Any], path: Path) -> bool:
    """Whether the process that writes ``path`` still lives; elsewhere judged by when it last wrote."""
    if tail["writer_host"] != platform.node():
        return time.time() - path.stat().st_mtime < _SILENT_S
    try:
        process = psutil.Process(tail["writer_pid"])
        same = abs(process.create_time() - tail["writer_started"]) < 1.0
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def status_of(file: h5py.File, path: Path) -> str:
    """The root's ``status``, or ``interrupted`` for a run whose writer died."""
    status = str(read_attributes(file)["status"])
    if status != "running":
        return status
    if layout.TAIL in file and writer_alive(read_attributes(file[layout.TAIL]), path):
        return "running"
    return "interrupted"
