"""Swabian's ``.ttbin``, through Swabian's own reader where it is installed (extra ``swabian``)."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, UsageError
from ..records import TagBlock, TimeTags
from .tagstream import BATCH, TagStream

#: Event types of Swabian's streams: 0 is a click, 1 an error, 2 and 3 bracket an overflow, 4 counts missed events.
_CLICK, _MISSED = 0, 4


def _reader(path: Path) -> Any:
    for name in ("Swabian.TimeTagger", "TimeTagger"):
        try:
            return importlib.import_module(name).FileReader(str(path))
        except ImportError:
            continue
    raise UsageError(f"{path}: .ttbin files need Swabian's software: pip install 'erbia[swabian]', or convert it there")


def _blocks(path: Path) -> Iterator[TagBlock]:
    reader, t_start_ps, record = _reader(path), None, 0
    try:
        while reader.hasData():
            data = reader.getData(BATCH)
            times = np.asarray(data.getTimestamps(), np.int64)
            kinds = np.asarray(data.getEventTypes(), np.int64)
            channels = np.asarray(data.getChannels(), np.int64)
            missed = np.asarray(data.getMissedEvents(), np.int64)
            if not len(times):
                continue
            block = _block(path, times, kinds, channels, missed, t_start_ps, record)
            t_start_ps, record = block.t_stop_ps, record + len(times)
            yield block
    except RuntimeError as error:
        raise DataError(f"{path}: Swabian's reader refuses it at record {record}: {error}") from error


def _block(
    path: Path,
    times: np.ndarray,
    kinds: np.ndarray,
    channels: np.ndarray,
    missed: np.ndarray,
    t_start_ps: int | None,
    record: int,
) -> TagBlock:
    """One batch of events as a block; falling edges (negative channels) become 128 + their number."""
    click = kinds == _CLICK
    numbers = np.where(channels < 0, 128 - channels, channels)
    fits = ~click | ((numbers >= 0) & (numbers <= 255))
    steps = np.diff(times, prepend=times[0] if t_start_ps is None else t_start_ps - 1)
    if not fits.all() or (steps < 0).any():
        k = int(np.argmin(fits & (steps >= 0)))
        raise DataError(
            f"{path}: record {record + k}: event at {times[k]} ps on channel {channels[k]} is out of order or range"
        )
    tags = TimeTags(times[click], numbers[click].astype(np.uint8))
    start = int(times[0]) if t_start_ps is None else min(t_start_ps, int(times[0]))
    lost = int(missed[kinds == _MISSED].sum())
    return TagBlock(tags, start, int(times[-1]) + 1, path.stem, bool((~click).any()), lost)


def read_ttbin(path: Path) -> TagStream:
    """Clicks of a ``.ttbin`` file; stretches with lost events come as blocks with ``overflow``."""
    return TagStream(path.stem, _blocks(path))
