"""One door for every tag file: ``.npy .npz .csv .ptu .a1 .a2 .ttbin``, Photon-HDF5, and run files (``RUN.h5[:source]``).

``RUN.h5:a+b`` gives the clicks of several taggers on one clock, by the clock models kept in the run file (``timebase``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import h5py

from ..errors import DataError, UsageError
from ..records import TagBlock, TimeTags
from .arrays import read_csv, read_npy, read_npz, write_csv, write_npy, write_npz
from .opening import reading
from .overlay import Overlay
from .photon_hdf5 import read_photon_hdf5, write_photon_hdf5
from .ptu import read_ptu, write_ptu
from .qcrypto import read_a1, read_a2, write_a1, write_a2
from .runreader import open_run
from .runwriter import RunWriter
from .tagstream import TagStream, ordered_blocks
from .timebase import on_one_clock
from .ttbin import read_ttbin

HDF5_SUFFIXES = (".h5", ".hdf5")

READERS: Mapping[str, Callable[[Path], TagStream]] = {
    ".npy": read_npy,
    ".npz": read_npz,
    ".csv": read_csv,
    ".ptu": read_ptu,
    ".a1": read_a1,
    ".a2": read_a2,
    ".ttbin": read_ttbin,
}


@dataclass(frozen=True, slots=True)
class TagFile:
    """All clicks of a tag file, the name of their tagger, and the names of its channels where they are known."""

    tags: TimeTags
    name: str
    channel_names: Mapping[int, str] = field(default_factory=dict)


def read_tags(spec: str | Path) -> TagFile:
    """Reads all clicks of a tag file into memory.

    Args:
        spec: a path, or ``RUN.h5:source`` to choose a tagger of a run file that holds several, or ``RUN.h5:a+b`` for
            several on one clock.

    Raises:
        UsageError: unknown suffix or source, or several sources and none chosen.
        DataError: missing, truncated or corrupt; names the file and the record or row.
    """
    stream = stream_tags(spec)
    return TagFile(stream.tags(), stream.name, stream.channel_names)


def stream_tags(spec: str | Path) -> TagStream:
    """As ``read_tags``, but block by block with bounded memory."""
    path, source = split_spec(spec)
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    suffix = path.suffix.lower()
    if suffix in HDF5_SUFFIXES:
        return _stream_hdf5(path, source)
    if source is not None:
        raise UsageError(f"{path}: only run files hold named sources, so ':{source}' means nothing here")
    if suffix not in READERS:
        raise UsageError(f"{path}: suffix {suffix!r} is not known; known are {' '.join((*READERS, *HDF5_SUFFIXES))}")
    return READERS[suffix](path)


def split_spec(spec: str | Path) -> tuple[Path, str | None]:
    """``RUN.h5:source`` to path and source; a path that exists is taken whole."""
    path = Path(spec)
    head, colon, source = str(spec).rpartition(":")
    if path.exists() or not colon or Path(head).suffix.lower() not in HDF5_SUFFIXES:
        return path, None
    return Path(head), source


def is_run_file(path: Path) -> bool:
    """Whether an HDF5 file is not Photon-HDF5: everything else is left to ``open_run`` to judge."""
    try:
        with Overlay(path) as overlay, h5py.File(overlay, "r") as file:
            return "photon_data" not in file or "erbia_schema" in file.attrs
    except (OSError, RuntimeError, KeyError, ValueError):
        return True  # still being written, or damaged


def _stream_hdf5(path: Path, source: str | None) -> TagStream:
    if not is_run_file(path):
        return read_photon_hdf5(path)
    run = open_run(path)
    with reading(path, "its sources"):
        if source is None and len(run.sources) != 1:
            raise UsageError(
                f"{path}: holds the taggers {', '.join(run.sources) or '(none)'}; choose one as {path.name}:NAME"
            )
        name = run.sources[0] if source is None else source
        if "+" in name and name not in run.sources:
            tags, channel_names = on_one_clock(run, name.split("+"))
            return TagStream(name, ordered_blocks([tags], name, path), channel_names, lambda: tags)
        return TagStream(name, run.iter_blocks(name), run.channels(name), lambda: run.tags(name))


def write_run(path: Path, stream: TagStream) -> None:
    """A run file with the clicks of one tagger and nothing else."""
    config = {"station_yaml": "", "experiment_yaml": "", "resolved_json": "{}"}
    sources = {stream.name.replace("/", "|"): dict(stream.channel_names)}
    with RunWriter.create(
        path,
        run_id=path.stem,
        experiment="imported",
        simulated=False,
        operator="",
        sources=sources,
        config=config,
        provenance={},
    ) as writer:
        for block in _named(stream.blocks, next(iter(sources))):
            writer.append_tags(block)


def _named(blocks: Iterator[TagBlock], name: str) -> Iterator[TagBlock]:
    for b in blocks:
        yield TagBlock(b.tags, b.t_start_ps, b.t_stop_ps, name, b.overflow, b.missed)


WRITERS: Mapping[str, Callable[[Path, TagStream], None]] = {
    ".npy": write_npy,
    ".npz": write_npz,
    ".csv": write_csv,
    ".ptu": write_ptu,
    ".a1": write_a1,
    ".a2": write_a2,
    ".h5": write_run,
    ".hdf5": write_photon_hdf5,
}
