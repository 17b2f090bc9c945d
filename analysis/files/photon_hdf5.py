"""Photon-HDF5 (photon-hdf5.org, format 0.5): ``/photon_data`` with timestamps, detectors and their unit.

A click lies at ``timestamps * timestamps_unit`` (plus ``nanotimes * tcspc_unit`` where there are any), rounded to the
picosecond. Written files hold the clicks of one tagger in units of 1 ps, with the groups the format asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..errors import DataError
from ..records import PS_PER_S, TimeTags
from .opening import reading
from .tagstream import BATCH, Grid, TagStream, ordered_blocks

_CHUNK = 1 << 16


def _unit_ps(group: h5py.Group, path: str) -> float:
    ps = float(np.asarray(group[path][()]).item()) * PS_PER_S
    if not 0 < ps < PS_PER_S:
        raise DataError(f"{path} must be a time between 0 and 1 s, but is {ps / PS_PER_S} s")
    return float(round(ps)) if abs(ps - round(ps)) < 1e-6 * ps else ps


def _array(group: h5py.Group, name: str, length: int) -> h5py.Dataset:
    dataset = group[name]
    if dataset.shape != (length,) or dataset.dtype.kind not in "iu":
        raise DataError(f"{dataset.name} must hold {length} integers, but is {dataset.dtype} of shape {dataset.shape}")
    return dataset


def _pieces(path: Path) -> Iterator[TimeTags]:
    with reading(path, "the clicks"), h5py.File(path, "r") as file:
        data = file["photon_data"]
        stamps = data["timestamps"]
        if stamps.ndim != 1 or stamps.dtype.kind not in "iu":
            raise DataError(f"{stamps.name} must be a list of integers, but is {stamps.dtype} of shape {stamps.shape}")
        n = len(stamps)
        detectors = _array(data, "detectors", n) if "detectors" in data else None
        nanotimes = _array(data, "nanotimes", n) if "nanotimes" in data else None
        fine = _unit_ps(data, "nanotimes_specs/tcspc_unit") if nanotimes is not None else 0.0
        grid = Grid(_unit_ps(data, "timestamps_specs/timestamps_unit"), fine)
        for a in range(0, n, BATCH):
            b = min(a + BATCH, n)
            ticks = stamps[a:b].astype(np.int64)
            since = nanotimes[a:b].astype(np.uint16) if nanotimes is not None else np.empty(0, np.uint16)
            channel = detectors[a:b] if detectors is not None else np.zeros(b - a, np.uint8)
            bad = np.flatnonzero((channel < 0) | (channel > 255) | (np.abs(ticks) > (1 << 62) / grid.tick_ps))
            stop = int(bad[0]) if len(bad) else b - a
            yield TimeTags(grid.times(ticks[:stop], since[:stop]), channel[:stop].astype(np.uint8))
            if len(bad):
                raise DataError(
                    f"record {a + stop}: timestamp {ticks[stop]} on detector {channel[stop]} does not fit 64-bit ps and channels 0..255"
                )


def read_photon_hdf5(path: Path) -> TagStream:
    """Clicks of a Photon-HDF5 file with one measurement spot; the detectors' numbers are the channels."""
    with reading(path, "its layout"), h5py.File(path, "r") as file:
        data: Any = file["photon_data"]
        _ = data["timestamps"], data["timestamps_specs/timestamps_unit"]
    return TagStream(path.stem, ordered_blocks(_pieces(path), path.stem, path))


def write_photon_hdf5(path: Path, stream: TagStream) -> None:
    """Writes the clicks with unit 1 ps; gzip and shuffle, so that every HDF5 reader opens it."""
    filters = {"compression": "gzip", "compression_opts": 1, "shuffle": True, "fletcher32": True}
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        data = file.create_group("photon_data")
        stamps = data.create_dataset("timestamps", (0,), np.int64, maxshape=(None,), chunks=(_CHUNK,), **filters)
        detectors = data.create_dataset("detectors", (0,), np.uint8, maxshape=(None,), chunks=(_CHUNK,), **filters)
        first = last = None
        for block in stream.blocks:
            n = len(stamps)
            for dataset, values in ((stamps, block.tags.t_ps), (detectors, block.tags.channel)):
                dataset.resize((n + len(values),))
                dataset[n:] = values
            first = block.t_start_ps if first is None else first
            last = block.t_stop_ps
        duration_s = 0.0 if first is None or last is None else (last - first) / PS_PER_S
        _describe(file, duration_s, np.unique(detectors[:]))


def _describe(file: h5py.File, duration_s: float, detectors: np.ndarray) -> None:
    """The metadata Photon-HDF5 asks for."""
    values: dict[str, Any] = {
        "acquisition_duration": duration_s,
        "description": "Time tags written by erbia",
        "photon_data/timestamps_specs/timestamps_unit": 1.0 / PS_PER_S,
        "setup/num_pixels": max(1, len(detectors)),
        "setup/num_spots": 1,
        "setup/num_spectral_ch": 1,
        "setup/num_polarization_ch": 1,
        "setup/num_split_ch": max(1, len(detectors)),
        "setup/modulated_excitation": False,
        "setup/excitation_alternated": np.array([False]),
        "setup/lifetime": False,
        "setup/excitation_cw": np.array([True]),
        "setup/detectors/id": detectors,
        "identity/format_name": "Photon-HDF5",
        "identity/format_version": "0.5",
        "identity/format_url": "http://photon-hdf5.org/",
        "identity/software": "erbia",
    }
    for name, value in values.items():
        file[name] = np.bytes_(value) if isinstance(value, str) else value
    file.attrs["format_name"] = np.bytes_("Photon-HDF5")
    file.attrs["format_version"] = np.bytes_("0.5")
