"""Where things lie in a run file, and with which row types: the one place that names its groups, tables and limits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..records import HERALD_DTYPE
from .tagcodec import GAP_DTYPE

SCHEMA = 1
TAIL = "tail"
COMMIT = "tail/commit"
CONFIG_KEYS = ("station_yaml", "experiment_yaml", "resolved_json")


def text(n_bytes: int) -> np.dtype[Any]:
    """A UTF-8 column of fixed size: variable-length text cannot be read while a file is being written."""
    column: np.dtype[Any] = h5py.string_dtype("utf-8", n_bytes)
    return column


BLOCK_DTYPE = np.dtype(
    [
        ("row_start", np.int64),
        ("row_stop", np.int64),
        ("t_start_ps", np.int64),
        ("t_stop_ps", np.int64),
        ("overflow", np.bool_),
        ("missed", np.int64),
        ("checksum", np.uint64),
    ]
)
SETTING_DTYPE = np.dtype(
    [
        ("index", np.int64),
        ("name", text(128)),
        ("t_start_ps", np.int64),
        ("t_stop_ps", np.int64),
        ("parameters", text(16384)),
    ]
)
READING_DTYPE = np.dtype([("t_ps", np.int64), ("name", text(128)), ("value", np.float64), ("unit", text(16))])
VALIDITY_DTYPE = np.dtype([("t_ps", np.int64), ("source", text(64)), ("valid", np.bool_), ("reason", text(256))])
LOG_DTYPE = np.dtype([("t_ps", np.int64), ("level", text(16)), ("text", text(1024))])


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One append-only dataset: where, rows of what, how many rows in a compressed chunk, whether we pack it ourselves."""

    path: str
    dtype: np.dtype[Any]
    chunk: int
    packs: bool = False


_TABLES = (
    StreamSpec("heralds", HERALD_DTYPE, 4096),
    StreamSpec("settings", SETTING_DTYPE, 16),
    StreamSpec("readings", READING_DTYPE, 1024),
    StreamSpec("validity", VALIDITY_DTYPE, 256),
    StreamSpec("log", LOG_DTYPE, 128),
)


def tag_streams(source: str) -> dict[str, StreamSpec]:
    """The four streams of one tagger."""
    return {
        name: StreamSpec(f"tags/{source}/{name}", np.dtype(dtype), chunk, packs)
        for name, dtype, chunk, packs in (
            ("t_ps", np.uint32, 131072, True),
            ("channel", np.uint8, 131072, True),
            ("gaps", GAP_DTYPE, 4096, False),
            ("blocks", BLOCK_DTYPE, 2048, False),
        )
    }


def all_streams(sources: Iterable[str]) -> tuple[StreamSpec, ...]:
    """Every stream of a run, in the order of its commit record."""
    return tuple(spec for source in sources for spec in tag_streams(source).values()) + _TABLES


def filters() -> dict[str, Any]:
    """Creation arguments of every finished dataset: bitshuffle-LZ4, then fletcher32 over what is on disk."""
    return {"fletcher32": True, **hdf5plugin.Bitshuffle(cname="lz4")}


def check_sources(sources: Mapping[str, Mapping[int, str]]) -> None:
    """Raises UsageError unless names can be group names and channel numbers fit a uint8."""
    for source, channels in sources.items():
        if not source or "/" in source or source in {".", ".."} or len(source.encode()) > 64:
            raise UsageError(f"source name {source!r} is not allowed: 1 to 64 bytes, no '/'")
        for number in channels:
            if not 0 <= number <= 255:
                raise UsageError(f"channel {number} of source {source!r} is outside 0..255")


def channels_to_json(channels: Mapping[int, str]) -> str:
    """``{"1": "name"}``: the form of the attribute ``channels`` of a source."""
    return json.dumps({str(k): v for k, v in sorted(channels.items())})


def channels_from_json(text_: str) -> dict[int, str]:
    """Inverse of ``channels_to_json``."""
    return {int(k): str(v) for k, v in json.loads(text_).items()}


def decode_texts(rows: NDArray[Any]) -> NDArray[Any]:
    """The same table with its UTF-8 columns as ``str`` columns, as wide as their longest text."""
    columns = {
        name: np.strings.decode(rows[name], "utf-8") if rows.dtype[name].kind == "S" else rows[name]
        for name in rows.dtype.names or ()
    }
    decoded = np.empty(len(rows), [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        decoded[name] = column
    return decoded


def encode_text(value: str, dtype: np.dtype[Any], column: str) -> bytes:
    """UTF-8 bytes that fit the text column ``column`` of ``dtype``; UsageError if they do not."""
    assert dtype.fields is not None
    room = dtype.fields[column][0].itemsize
    raw = value.encode()
    if len(raw) > room:
        raise UsageError(f"{column} takes {len(raw)} bytes as UTF-8 but its column holds {room}; shorten it")
    if "\0" in value:
        raise UsageError(f"{column} contains a NUL character")
    return raw
