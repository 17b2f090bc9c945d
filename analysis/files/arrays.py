"""Plain tables of clicks: ``.npy`` (int64 ps), ``.npz`` (``t_ps``, ``channel``) and CSV (``t_ps,channel``)."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..records import TimeTags
from .tagstream import BATCH, TagStream, ordered_blocks


def _pieces(t_ps: np.ndarray, channel: np.ndarray | None) -> Iterator[TimeTags]:
    for start in range(0, len(t_ps), BATCH):
        times = np.array(t_ps[start : start + BATCH])
        numbers = np.zeros(len(times), np.uint8) if channel is None else np.array(channel[start : start + BATCH])
        yield TimeTags(times, numbers)


def _wrong(what: str, wanted: type, found: object, axes: int, path: Path) -> DataError:
    return DataError(
        f"{path}: {what} must be a 1-d {np.dtype(wanted)} array, but is {found} with {axes} axes; convert it before saving"
    )


def _require(array: np.ndarray, dtype: type, what: str, path: Path) -> None:
    if array.dtype != np.dtype(dtype) or array.ndim != 1:
        raise _wrong(what, dtype, array.dtype, array.ndim, path)


def _npy_pieces(path: Path, offset: int, stated: int) -> Iterator[TimeTags]:
    there = min(stated, (os.path.getsize(path) - offset) // 8)
    yield from _pieces(np.memmap(path, np.int64, "r", offset, (there,)) if there else np.empty(0, np.int64), None)
    if there < stated:
        raise DataError(f"{path}: truncated at record {there}: its header says {stated}")


def read_npy(path: Path) -> TagStream:
    """Clicks of one channel, int64 (N,) ps, as channel 0; read through a memory map.

    Raises:
        DataError: another type, or (while reading) truncated or times that step backwards.
    """
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = header(file)
            offset = file.tell()
    except Exception as error:  # numpy's header parser lets errors of every kind through
        raise DataError(f"{path}: not a sound .npy file ({' '.join(str(error).split())[:150]})") from error
    if len(shape) != 1 or dtype != np.dtype(np.int64):
        raise _wrong("the array", np.int64, dtype, len(shape), path)
    return TagStream(path.stem, ordered_blocks(_npy_pieces(path, offset, shape[0]), path.stem, path))


def read_npz(path: Path) -> TagStream:
    """Clicks as ``t_ps`` int64 (N,) and ``channel`` uint8 (N,).

    Raises:
        DataError: truncated, arrays missing or of another type, or (while reading) times that step backwards.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            missing = {"t_ps", "channel"} - set(arrays)
            if missing:
                raise DataError(
                    f"{path}: needs the arrays t_ps and channel, but {', '.join(sorted(missing))} is missing"
                )
            t_ps, channel = arrays["t_ps"], arrays["channel"]
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{path}: not a sound .npz file ({' '.join(str(error).split())[:150]})") from error
    _require(t_ps, np.int64, "t_ps", path)
    _require(channel, np.uint8, "channel", path)
    if len(t_ps) != len(channel):
        raise DataError(f"{path}: t_ps has {len(t_ps)} rows but channel has {len(channel)}")
    return TagStream(path.stem, ordered_blocks(_pieces(t_ps, channel), path.stem, path))


def _csv_pieces(path: Path) -> Iterator[TimeTags]:
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        rows = csv.reader(file)
        if next(rows, None) != ["t_ps", "channel"]:
            raise DataError(f"{path}: the first line must be 't_ps,channel'")
        times: list[int] = []
        numbers: list[int] = []
        for line, row in enumerate(rows):
            try:
                t_ps, channel = (int(value) for value in row)
                if not (-(2**63) <= t_ps < 2**63 and 0 <= channel <= 255):
                    raise ValueError
            except ValueError:
                yield _tags(times, numbers)
                raise DataError(
                    f"{path}: record {line}: {','.join(row)[:80]!r} is not 't_ps,channel' with a 64-bit time and a channel 0..255"
                ) from None
            times.append(t_ps)
            numbers.append(channel)
            if len(times) == BATCH:
                yield _tags(times, numbers)
                times, numbers = [], []
        yield _tags(times, numbers)


def _tags(times: list[int], numbers: list[int]) -> TimeTags:
    return TimeTags(np.array(times, np.int64), np.array(numbers, np.uint8))


def read_csv(path: Path) -> TagStream:
    """Clicks as lines ``t_ps,channel`` under a header of that text."""
    return TagStream(path.stem, ordered_blocks(_csv_pieces(path), path.stem, path))


def write_npy(path: Path, stream: TagStream) -> None:
    """Times only, int64 (N,); DataError if the clicks lie on more than one channel, which .npy cannot hold."""
    blocks = list(stream.blocks)
    channels = np.unique(np.concatenate([TimeTags.empty().channel, *(b.tags.channel for b in blocks)]))
    if len(channels) > 1:
        raise DataError(f"{path}: .npy holds one channel, but the clicks lie on {len(channels)}; write .npz instead")
    np.save(path, TimeTags.concatenate(b.tags for b in blocks).t_ps)


def write_npz(path: Path, stream: TagStream) -> None:
    """Arrays ``t_ps`` and ``channel``."""
    tags = TimeTags.concatenate(block.tags for block in stream.blocks)
    np.savez(path, t_ps=tags.t_ps, channel=tags.channel)


def write_csv(path: Path, stream: TagStream) -> None:
    """Lines ``t_ps,channel`` under a header of that text."""
    with path.open("w", encoding="utf-8") as file:
        file.write("t_ps,channel\n")
        for block in stream.blocks:
            file.writelines(
                f"{t},{c}\n" for t, c in zip(block.tags.t_ps.tolist(), block.tags.channel.tolist(), strict=True)
            )
