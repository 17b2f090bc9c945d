"""Stops a recording while there is still room to end it cleanly: HDF5 dies on a full disk, so it must never meet one."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from ..errors import ErbiaError


class DiskFull(ErbiaError):
    """The disk is nearly full; everything acknowledged so far is safe in the file."""


@dataclass(frozen=True, slots=True)
class Reserve:
    """What must stay free: a share of the disk, room for some seconds of recording at its mean rate, and a floor."""

    share: float = 0.02
    seconds: float = 600.0
    floor_bytes: int = 16 << 20


class FreeSpaceWatch:
    """Compares free space with the reserve; the rate is that at which the file grew so far, once ``settle_s`` have passed."""

    settle_s = 5.0

    def __init__(self, path: Path, reserve: Reserve) -> None:
        self._path = path
        self._folder = str(path.parent)
        self._reserve = reserve
        self._started = time.monotonic()
        self._size_before = path.stat().st_size if path.exists() else 0

    def admit(self, n_bytes: int) -> None:
        """Says that at most ``n_bytes`` are about to be written.

        Raises:
            DiskFull: writing them would eat into the reserve.
        """
        disk = shutil.disk_usage(self._folder)
        elapsed = time.monotonic() - self._started
        rate = (os.path.getsize(self._path) - self._size_before) / elapsed if elapsed > self.settle_s else 0.0
        keep = max(disk.total * self._reserve.share, rate * self._reserve.seconds, self._reserve.floor_bytes)
        if disk.free - n_bytes < keep:
            raise DiskFull(
                f"{self._folder} has {disk.free / 1e6:.0f} MB left and {keep / 1e6:.0f} MB must stay free"
                f" ({self._reserve.share:.0%} of the disk or {self._reserve.seconds / 60:.0f} min of recording);"
                f" {self._path.name} stops here, make room and start a new run"
            )
