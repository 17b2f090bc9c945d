"""An HDF5 file seen through changed pages in memory, with the superblock a killed or living writer left set right.

A file open for writing says so in its superblock, and may state too early an end of file there. Both are put right in
memory only (superblock version 2 or 3: flags at byte 11, end of file at 28, Jenkins lookup3 checksum at 44), so that
HDF5 reads the file as it lies, and places new objects behind everything that is there. Reading this way also keeps
HDF5 from sharing the state of a writer in the same process, which it does for two plain handles of one file.
"""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

from ..errors import DataError

PAGE = 1 << 16
SIGNATURE = b"\x89HDF\r\n\x1a\n"


class Overlay(io.RawIOBase):
    """A file seen through changed pages kept in memory; the file itself is only read."""

    def __init__(self, path: Path) -> None:
        self._base = path.open("rb", buffering=0)
        self._base_size = path.stat().st_size
        self.size = self._base_size
        self.pages: dict[int, bytearray] = {}
        self._at = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin: int = (0, self._at, self.size)[whence]
        self._at = origin + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def truncate(self, size: int | None = None) -> int:
        self.size = self._at if size is None else size
        return self.size

    def _page(self, index: int) -> bytes | bytearray:
        if index in self.pages:
            return self.pages[index]
        self._base.seek(index * PAGE)
        return self._base.read(PAGE).ljust(PAGE, b"\0")

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        out = memoryview(buffer).cast("B")
        n = max(0, min(len(out), self.size - self._at))
        done = self._read_unchanged(out[:n])
        while done < n:
            index, start = divmod(self._at, PAGE)
            piece = self._page(index)[start : start + n - done]
            out[done : done + len(piece)] = piece
            done += len(piece)
            self._at += len(piece)
        return n

    def _read_unchanged(self, out: memoryview) -> int:
        """The fast way, for stretches without a changed page; how much of ``out`` it filled."""
        first, last = self._at // PAGE, (self._at + len(out)) // PAGE
        if any(index in self.pages for index in range(first, last + 1)):
            return 0
        self._base.seek(self._at)
        done = 0
        while done < len(out) and (got := self._base.readinto(out[done:])):
            done += got
        self._at += done
        return done

    def write(self, data: memoryview) -> int:  # type: ignore[override]
        raw = memoryview(data).cast("B")
        done = 0
        while done < len(raw):
            index, start = divmod(self._at, PAGE)
            if index not in self.pages:
                self.pages[index] = bytearray(self._page(index))
            piece = raw[done : done + PAGE - start]
            self.pages[index][start : start + len(piece)] = piece
            done += len(piece)
            self._at += len(piece)
        self.size = max(self.size, self._at)
        return done

    def close(self) -> None:
        if not self.closed:
            self._base.close()
        super().close()


def _rot(x: int, k: int) -> int:
    return ((x << k) | (x >> (32 - k))) & 0xFFFF_FFFF


def lookup3(data: bytes) -> int:
    """Bob Jenkins' lookup3 ``hashlittle`` with initial value 0: the checksum of HDF5 metadata."""
    mask = 0xFFFF_FFFF
    a = b = c = (0xDEADBEEF + len(data)) & mask
    if not data:
        return c
    padded = data.ljust(-(-len(data) // 12) * 12, b"\0")
    words = struct.unpack(f"<{len(padded) // 4}I", padded)
    for i in range(0, len(words) - 3, 3):
        a, b, c = (a + words[i]) & mask, (b + words[i + 1]) & mask, (c + words[i + 2]) & mask
        for k in (4, 6, 8, 16, 19, 4):
            a = (a - c) & mask ^ _rot(c, k)
            c = (c + b) & mask
            a, b, c = b, c, a
    a, b, c = (a + words[-3]) & mask, (b + words[-2]) & mask, (c + words[-1]) & mask
    for k in (14, 11, 25, 16, 4, 14, 24):
        c = ((c ^ b) - _rot(b, k)) & mask
        a, b, c = b, c, a
    return int(b)


def settle_superblock(overlay: Overlay) -> None:
    """Clears the open-for-writing flags; if they were set, moves the end of file behind all that is there.

    Raises:
        DataError: no superblock of version 2 or 3, its checksum does not hold, or a closed file is too short.
    """
    overlay.seek(0)
    block = bytearray(48)
    overlay.readinto(memoryview(block))
    if block[:8] != SIGNATURE or block[8] not in (2, 3) or block[9:11] != b"\x08\x08":
        raise DataError("not a run file of erbia: no HDF5 superblock of version 2 or 3 at the start of the file")
    if struct.unpack_from("<I", block, 44)[0] != lookup3(bytes(block[:44])):
        raise DataError("the HDF5 superblock is corrupt (its checksum does not hold)")
    end = struct.unpack_from("<Q", block, 28)[0]
    if block[11]:
        end = max(end, overlay.size)
        overlay.truncate(end)
    elif end > overlay.size:
        raise DataError(f"the file is truncated: {overlay.size} bytes are left of {end}")
    block[11] = 0
    struct.pack_into("<Q", block, 28, end)
    struct.pack_into("<I", block, 44, lookup3(bytes(block[:44])))
    overlay.seek(0)
    overlay.write(memoryview(block))
