"""The header of PicoQuant's unified files (``.ptu``): 16 bytes of magic and version, then 48-byte tags.

Format: PicoQuant, "Unified TTTR file format" (public demo code and manuals): a tag is ``ident[32], index int32,
type uint32, value 8 bytes``; texts and arrays follow their tag with the length given in the value.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from ..errors import DataError

HeaderValue = int | float | bool | str | bytes | None

_MAGIC = b"PQTTTR\0\0"
_VERSION = b"1.0.00\0\0"
_TAG = struct.Struct("<32siI8s")

_EMPTY, _BOOL, _INT, _BITS, _COLOR = 0xFFFF0008, 0x00000008, 0x10000008, 0x11000008, 0x12000008
_FLOAT, _TIME = 0x20000008, 0x21000008
_FLOATS, _ANSI, _WIDE, _BLOB = 0x2001FFFF, 0x4001FFFF, 0x4002FFFF, 0xFFFFFFFF

#: No header of a real instrument comes near these; a longer one is a corrupt one.
_MAX_TAGS, _MAX_TEXT = 10_000, 1 << 24


def _decode(kind: int, raw: bytes, file: BinaryIO) -> HeaderValue:
    if kind == _EMPTY:
        return None
    if kind == _BOOL:
        return bool(struct.unpack("<q", raw)[0])
    if kind in (_INT, _BITS, _COLOR):
        return int(struct.unpack("<q", raw)[0])
    if kind in (_FLOAT, _TIME):
        return float(struct.unpack("<d", raw)[0])
    length = struct.unpack("<q", raw)[0]
    if kind not in (_FLOATS, _ANSI, _WIDE, _BLOB) or not 0 <= length <= _MAX_TEXT:
        raise ValueError(f"type {kind:#010x} with length {length}")
    body = file.read(length)
    if len(body) != length:
        raise ValueError("the file ends inside it")
    if kind == _ANSI:
        return body.rstrip(b"\0").decode("latin-1")
    if kind == _WIDE:
        return body.decode("utf-16-le", errors="replace").rstrip("\0")
    return body


def read_header(file: BinaryIO, path: Path) -> dict[str, HeaderValue]:
    """Reads up to the first record. Indexed tags are called ``Name(3)``.

    Raises:
        DataError: no PTU file, or a corrupt header; names the tag.
    """
    if file.read(8) != _MAGIC or len(file.read(8)) != 8:
        raise DataError(f"{path}: not a PTU file (it does not begin with PQTTTR)")
    header: dict[str, HeaderValue] = {}
    for number in range(_MAX_TAGS):
        raw = file.read(_TAG.size)
        if len(raw) != _TAG.size:
            raise DataError(f"{path}: the header is truncated at tag {number}")
        ident, index, kind, value = _TAG.unpack(raw)
        name = ident.split(b"\0")[0].decode("latin-1")
        if name == "Header_End":
            return header
        try:
            header[name if index < 0 else f"{name}({index})"] = _decode(kind, value, file)
        except ValueError as error:
            raise DataError(f"{path}: header tag {number} ({name!r}) is corrupt: {error}") from error
    raise DataError(f"{path}: the header has more than {_MAX_TAGS} tags; it is corrupt")


def _encode(name: str, value: HeaderValue) -> Iterator[bytes]:
    def tag(kind: int, raw: bytes) -> bytes:
        return _TAG.pack(name.encode("latin-1"), -1, kind, raw)

    if isinstance(value, bool):
        yield tag(_BOOL, struct.pack("<q", value))
    elif isinstance(value, int):
        yield tag(_INT, struct.pack("<q", value))
    elif isinstance(value, float):
        yield tag(_FLOAT, struct.pack("<d", value))
    elif isinstance(value, str):
        body = value.encode("latin-1", errors="replace") + b"\0"
        body = body.ljust(-(-len(body) // 8) * 8, b"\0")
        yield tag(_ANSI, struct.pack("<q", len(body)))
        yield body
    else:
        yield tag(_EMPTY, bytes(8))


def header_bytes(values: Mapping[str, HeaderValue]) -> bytes:
    """The header that says ``values``, its end mark included."""
    parts = [_MAGIC, _VERSION]
    for name, value in values.items():
        parts.extend(_encode(name, value))
    parts.extend(_encode("Header_End", None))
    return b"".join(parts)
