"""S-Fifteen's qcrypto events: ``.a1`` (64-bit binary) and ``.a2`` (the same as 16 hexadecimal digits a line).

Bits 63..10 are the time in 1/256 ns, bit 4 marks a dummy event, bits 3..0 are the detectors that clicked, which erbia
calls channels 1 to 4; an event of several detectors becomes that many clicks. Binary files come with either 32-bit
word first, depending on an option of their writer; the order in which time runs forward, and the less far, is the right one.
erbia writes the more significant word first. Picoseconds are rounded to the nearest 1/256 ns, which reading undoes only
for times that came from such a file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, UsageError
from ..records import TimeTags
from .tagstream import BATCH, TagStream, first_backward, ordered_blocks

UInt64Array = NDArray[np.uint64]

_NAMES = {1: "detector 1", 2: "detector 2", 3: "detector 3", 4: "detector 4"}
_PROBE = 4096


def _clicks(events: UInt64Array) -> TimeTags:
    """Events to clicks: 1/256 ns to ps, rounded to nearest, in integers."""
    ticks = (events >> np.uint64(10)).astype(np.int64)
    t_ps = ticks * 3 + (ticks * 29 + 16) // 32  # 125/32 ps a tick; 29 ticks/32 stays within 63 bits
    detectors = (events[:, None] >> np.arange(4, dtype=np.uint64)) & np.uint64(1)
    detectors[(events & np.uint64(16)) != 0] = 0
    row, bit = np.nonzero(detectors)
    return TimeTags(t_ps[row], (bit + 1).astype(np.uint8))


def _high_word(path: Path) -> int:
    """Which of the two words is the more significant: time runs forward over the first events, and not far."""
    words = np.fromfile(path, "<u4", count=2 * _PROBE)
    words = words[: len(words) // 2 * 2].reshape(-1, 2).astype(np.uint64)
    spans = {}
    for high in (0, 1):
        times = ((words[:, high] << np.uint64(22)) | (words[:, 1 - high] >> np.uint64(10))).astype(np.int64)
        if len(times) and first_backward(times) < 0:
            spans[high] = int(times[-1] - times[0])
    return min(spans, key=spans.__getitem__, default=0)


def _a1_pieces(path: Path) -> Iterator[TimeTags]:
    high = _high_word(path)
    with path.open("rb") as file:
        while len(words := np.fromfile(file, "<u4", count=2 * BATCH)) >= 2:
            pairs = words[: len(words) // 2 * 2].reshape(-1, 2).astype(np.uint64)
            yield _clicks((pairs[:, high] << np.uint64(32)) | pairs[:, 1 - high])
    size = os.path.getsize(path)
    if size % 8:
        raise DataError(f"{path}: truncated at record {size // 8}: {size % 8} bytes of its 8 are there")


def _a2_pieces(path: Path) -> Iterator[TimeTags]:
    with path.open("rb") as file:
        first = 0
        while lines := file.readlines(17 * BATCH):
            events = np.zeros(len(lines), np.uint64)
            for k, line in enumerate(lines):
                digits = line.rstrip(b"\r\n")
                try:
                    if len(digits) != 16 or not digits.isalnum():
                        raise ValueError
                    events[k] = int(digits, 16)
                except ValueError:
                    yield _clicks(events[:k])
                    raise DataError(
                        f"{path}: record {first + k}: {digits[:40].decode('ascii', 'replace')!r} is not 16 hexadecimal digits"
                    ) from None
            yield _clicks(events)
            first += len(lines)


def read_a1(path: Path) -> TagStream:
    """Clicks of a binary event file; DataError where it is truncated or time steps backwards."""
    return TagStream(path.stem, ordered_blocks(_a1_pieces(path), path.stem, path), _NAMES)


def read_a2(path: Path) -> TagStream:
    """Clicks of a hexadecimal event file; DataError at the first line that is not one."""
    return TagStream(path.stem, ordered_blocks(_a2_pieces(path), path.stem, path), _NAMES)


def _events(tags: TimeTags, path: Path) -> UInt64Array:
    fits = (tags.channel >= 1) & (tags.channel <= 4) & (tags.t_ps >= 0) & (tags.t_ps < (1 << 54) * 125 // 32)
    if not fits.all():
        k = int(np.argmin(fits))
        raise UsageError(
            f"{path}: click at {tags.t_ps[k]} ps on channel {tags.channel[k]} does not fit qcrypto:"
            " channels 1 to 4, times from 0 to 2**54 / 256 ns (19 545 h)"
        )
    seconds, rest = np.divmod(tags.t_ps, 125)
    ticks = seconds * 32 + (rest * 32 + 62) // 125
    pattern = np.left_shift(1, tags.channel.astype(np.int64) - 1)
    words: NDArray[np.uint64] = ((ticks << 10) | pattern).view(np.uint64)
    return words


def write_a1(path: Path, stream: TagStream) -> None:
    """Binary events, more significant word first; UsageError for a click that does not fit."""
    with path.open("wb") as file:
        for block in stream.blocks:
            events = _events(block.tags, path)
            halves = np.stack([events >> np.uint64(32), events & np.uint64(0xFFFF_FFFF)], axis=1)
            file.write(halves.astype("<u4").tobytes())


def write_a2(path: Path, stream: TagStream) -> None:
    """Hexadecimal events, one a line; UsageError for a click that does not fit."""
    with path.open("w", encoding="ascii") as file:
        for block in stream.blocks:
            file.writelines(f"{event:016x}\n" for event in _events(block.tags, path).tolist())
