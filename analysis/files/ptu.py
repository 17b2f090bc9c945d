"""PicoQuant ``.ptu``: T2 and T3 records of PicoHarp, HydraHarp 1 and 2, TimeHarp 260 and MultiHarp, read and written.

A click of a T3 file lies at ``nsync * sync period + dtime * resolution``, rounded to the picosecond; both come from the
header. Files have no checksum: damage shows as an impossible record, a step back in time, or a wrong length.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError, UsageError
from ..records import PS_PER_S, Int64Array, TimeTags
from .ptu_header import HeaderValue, header_bytes, read_header
from .ptu_records import KINDS, MARKER, REASONS, SOUND, Decoder, RecordKind, UInt32Array, encode
from .tagstream import Grid, TagStream, ordered_blocks

_BATCH = 1 << 17


@dataclass(frozen=True, slots=True)
class PtuFile:
    """An opened file: its header, and where its records lie."""

    path: Path
    header: dict[str, HeaderValue]
    kind: RecordKind
    grid: Grid
    offset: int
    records: int
    truncated: str = ""

    def _batches(self) -> Iterator[UInt32Array]:
        buffer = np.empty(_BATCH, "<u4")
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.offset)
            while got := file.readinto(buffer.data):
                yield buffer[: got // 4]

    def _refuse(self, record: int, state: int) -> DataError:
        return DataError(f"{self.path}: record {record}: {REASONS[state]} ({self.kind.name}); the file is corrupt")

    def _check_length(self) -> None:
        if self.truncated:
            raise DataError(self.truncated)

    def pieces(self) -> Iterator[TimeTags]:
        """Clicks batch by batch; DataError at the first record that is unsound or missing, after all that is sound."""
        decoder, record = Decoder(self.kind), 0
        late = TimeTags.empty()
        for words in self._batches():
            ticks, channel = np.empty(len(words), np.int64), np.empty(len(words), np.uint8)
            dtime = np.empty(len(words) if self.kind.mode == 3 else 0, np.uint16)
            k, done, state = decoder.decode(words, ticks, channel, dtime)
            tags = TimeTags(self.grid.times(ticks[:k], dtime[:k]), channel[:k])
            if self.kind.mode == 3:
                tags, late = _sorted(late, tags, int(self.grid.times(ticks[k - 1 : k], dtime[:0])[0]) if k else None)
            yield tags
            record += done
            if state != SOUND:
                yield late
                raise self._refuse(record, state)
        yield late
        self._check_length()

    def load(self) -> TimeTags:
        """All clicks at once, decoded straight into their place; DataError if any record is unsound or missing."""
        self._check_length()
        if self.kind.mode == 3:
            return TimeTags.concatenate(self.pieces())
        decoder, record, filled = Decoder(self.kind), 0, 0
        ticks, channel = np.empty(self.records, np.int64), np.empty(self.records, np.uint8)
        for words in self._batches():
            k, done, state = decoder.decode(words, ticks[filled:], channel[filled:], np.empty(0, np.uint16))
            filled, record = filled + k, record + done
            if state != SOUND:
                raise self._refuse(record, state)
        return TimeTags(self.grid.times(ticks[:filled], np.empty(0, np.uint16)), channel[:filled])


def _sorted(late: TimeTags, tags: TimeTags, sync_ps: int | None) -> tuple[TimeTags, TimeTags]:
    """Clicks of T3 in order of time, and those at or after the last sync, which later ones may still precede."""
    both = TimeTags.concatenate([late, tags])
    order = np.argsort(both.t_ps, kind="stable")
    both = TimeTags(both.t_ps[order], both.channel[order])
    if sync_ps is None:
        return TimeTags.empty(), both
    cut = int(np.searchsorted(both.t_ps, sync_ps))
    return TimeTags(both.t_ps[:cut], both.channel[:cut]), TimeTags(both.t_ps[cut:], both.channel[cut:])


def _seconds_to_ps(header: dict[str, HeaderValue], name: str, path: Path) -> float:
    value = header.get(name)
    if not isinstance(value, float) or not 0 < value < 1:
        raise DataError(f"{path}: header tag {name} must be a time in seconds between 0 and 1, but is {value!r}")
    ps = value * PS_PER_S
    return float(round(ps)) if abs(ps - round(ps)) < 1e-6 * ps else ps


def open_ptu(path: Path) -> PtuFile:
    """Reads the header.

    Raises:
        DataError: no PTU file, a corrupt header, or an unknown kind of record.
    """
    try:
        with path.open("rb") as file:
            header, offset = read_header(file, path), file.tell()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    code = header.get("TTResultFormat_TTTRRecType")
    if not isinstance(code, int) or code not in KINDS:
        known = ", ".join(kind.name for kind in KINDS.values())
        raise DataError(f"{path}: kind of record {code!r} is not known; known are {known}")
    kind = KINDS[code]
    rest = os.path.getsize(path) - offset
    expected = header.get("TTResult_NumberOfRecords")
    truncated = ""
    if rest % 4 or (isinstance(expected, int) and expected != rest // 4):
        truncated = f"{path}: truncated at record {rest // 4}: the header says {expected!r} records of 4 bytes, {rest} bytes are there"
    tick_ps = _seconds_to_ps(header, "MeasDesc_GlobalResolution", path)
    dtime_ps = _seconds_to_ps(header, "MeasDesc_Resolution", path) if kind.mode == 3 else 0.0
    return PtuFile(path, header, kind, Grid(tick_ps, dtime_ps), offset, rest // 4, truncated)


def read_ptu(path: Path) -> TagStream:
    """Clicks of a PTU file; the name of the tagger is what the header calls it."""
    file = open_ptu(path)
    name = file.header.get("HW_Type")
    names = {MARKER + m: f"marker {m}" for m in range(1, 16)} | {0: "sync"}
    source = name if isinstance(name, str) and name else path.stem
    return TagStream(source, ordered_blocks(file.pieces(), source, path), names, file.load)


def write_ptu(path: Path, stream: TagStream, kind: RecordKind = KINDS[0x01010204], grid: Grid | None = None) -> None:
    """Writes clicks so that reading gives the same times back, to the picosecond.

    Args:
        path: where to.
        stream: the clicks; channel 0 is the sync input (T2 only), 1 to 63 the inputs (PicoHarp: 1 to 4), 241 to 255 markers.
        kind: kind of record, HydraHarp 2 T2 by default.
        grid: time of a tick, and in T3 the sync period and resolution; default 1 ps (T2) or 1 ps in 32 768 ps (T3).

    Raises:
        UsageError: a click does not fit the kind of record or lies off the grid; nothing is left at ``path``.
    """
    if grid is None:
        grid = Grid(1.0) if kind.mode == 2 else Grid(float(1 << kind.dtime_bits), 1.0)
    try:
        with path.open("wb") as file:
            header = _header(kind, grid)
            file.write(header_bytes(header | {"TTResult_NumberOfRecords": 0}))
            base = records = 0
            for block in stream.blocks:
                words, base = encode(kind, *_on_grid(block.tags, kind, grid, path), base)
                file.write(words.astype("<u4").tobytes())
                records += len(words)
            file.seek(0)
            file.write(header_bytes(header | {"TTResult_NumberOfRecords": records}))
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _header(kind: RecordKind, grid: Grid) -> dict[str, HeaderValue]:
    return {
        "File_GUID": "{00000000-0000-0000-0000-000000000000}",
        "CreatorSW_Name": "erbia",
        "CreatorSW_Version": "1",
        "Measurement_Mode": int(kind.mode),
        "Measurement_SubMode": 0,
        "TTResultFormat_TTTRRecType": kind.code,
        "TTResultFormat_BitsPerRecord": 32,
        "MeasDesc_BinningFactor": 1,
        "MeasDesc_Resolution": (grid.dtime_ps or grid.tick_ps) / PS_PER_S,
        "MeasDesc_GlobalResolution": grid.tick_ps / PS_PER_S,
        "HW_Type": kind.name,
    }


def _on_grid(tags: TimeTags, kind: RecordKind, grid: Grid, path: Path) -> tuple[Int64Array, np.ndarray, Int64Array]:
    """Ticks, channels and dtimes that read back as exactly these clicks."""
    last_input = 4 if kind.family == "pico" else 63
    first_input = 0 if kind.mode == 2 else 1
    number = tags.channel
    fits = (number >= first_input) & (number <= last_input)
    if not (kind.family == "pico" and kind.mode == 2):
        fits |= number > MARKER
    fits &= tags.t_ps >= 0
    ticks = (tags.t_ps / grid.tick_ps).astype(np.int64) if grid.tick_ps % 1.0 else tags.t_ps // int(grid.tick_ps)
    dtime = np.zeros(len(ticks), np.int64)
    if kind.mode == 3:
        since = tags.t_ps - grid.times(ticks, np.empty(0, np.uint16))
        dtime = np.rint(since / grid.dtime_ps).astype(np.int64)
    fits &= (dtime >= 0) & (dtime < 1 << max(kind.dtime_bits, 1)) & ((number <= MARKER) | (dtime == 0))
    back = grid.times(ticks, np.clip(dtime, 0, 65535).astype(np.uint16) if kind.mode == 3 else np.empty(0, np.uint16))
    fits &= back == tags.t_ps
    if not fits.all():
        k = int(np.argmin(fits))
        raise UsageError(
            f"{path}: click at {tags.t_ps[k]} ps on channel {number[k]} does not fit {kind.name} with {grid}:"
            f" channels {first_input} to {last_input}, times from 0 on its grid"
        )
    return ticks, number, dtime
