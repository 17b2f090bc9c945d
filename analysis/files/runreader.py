"""Reads a run file, whole or not: lazily, every block checked, every text checked, errors in one line."""

from __future__ import annotations

import html
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import h5py
import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, UsageError
from ..records import CorrelationHistogram, Estimate, Interval, TagBlock, TimeTags, ValidityMask
from . import layout
from .grids import Grid
from .layout import decode_texts
from .opening import reading
from .results import Results, read_results, write_results
from .runview import RunView
from .streams import seal
from .strings import read_attributes, read_text, write_attributes
from .tagcodec import Decoder
from .transaction import transaction

if TYPE_CHECKING:
    import xarray

T = TypeVar("T")

#: So many long gaps are read whole.
_FEW_GAPS = 1 << 16
#: Rows decoded at a time where memory must stay bounded.
BATCH_ROWS = 1 << 18


def open_run(path: str | Path) -> Run:
    """Opens a run file: finished, being written, or left behind by a killed writer.

    Raises:
        DataError: missing, truncated, corrupt, or not a run file; one line says which.
    """
    return Run(Path(path))


class Run(RunView):
    """A run as it stood when opened; ``refresh`` follows a run that is still being written."""

    # -- what it is --------------------------------------------------------------------------------------------------

    @property
    def run_id(self) -> str:
        return str(self._about["run_id"])

    @property
    def experiment(self) -> str:
        return str(self._about["experiment"])

    @property
    def simulated(self) -> bool:
        return bool(self._about["simulated"])

    @property
    def operator(self) -> str:
        return str(self._about["operator"])

    @property
    def created_utc(self) -> str:
        return str(self._about["created_utc"])

    def _texts(self, group: str) -> dict[str, str]:
        def read() -> dict[str, str]:
            with reading(self.path, f"/{group}"):
                return {name: read_text(self._file[group], name) for name in self._file[group]}

        return self._followed(read)

    @property
    def config(self) -> dict[str, str]:
        """``station_yaml``, ``experiment_yaml``, ``resolved_json`` as they were given."""
        return self._texts("config")

    @property
    def provenance(self) -> dict[str, str]:
        """Which code, packages, host and command made the run."""
        return self._texts("provenance")

    def snapshot(self, which: Literal["start", "end"]) -> str:
        """JSON of the instruments' state; DataError if none was kept."""
        texts = self._texts("snapshot")
        if which not in texts:
            raise DataError(f"{self.path}: no snapshot {which!r} (status {self.status})")
        return texts[which]

    def truth(self) -> dict[str, float | str]:
        """Hidden values of the twin; empty for a real lab. For tests and demonstrations only."""
        with reading(self.path, "/truth"):
            return read_attributes(self._file["truth"])

    # -- clicks ------------------------------------------------------------------------------------------------------

    def _check_source(self, source: str) -> None:
        if source not in self.sources:
            raise UsageError(f"{self.path}: no source {source!r}; it has {', '.join(self.sources) or 'none'}")

    def channels(self, source: str) -> dict[int, str]:
        """Channel number -> name."""
        self._check_source(source)
        with reading(self.path, f"/tags/{source}"):
            return layout.channels_from_json(read_attributes(self._file[f"tags/{source}"])["channels"])

    def blocks(self, source: str) -> NDArray[np.void]:
        """The block table, BLOCK_DTYPE (B,), in order of time."""
        self._check_source(source)
        return self._read(f"tags/{source}/blocks")

    def tags(self, source: str, t_start_ps: int | None = None, t_stop_ps: int | None = None) -> TimeTags:
        """The clicks with ``t_start_ps <= t < t_stop_ps``, every block they lie in verified.

        Raises:
            UsageError: no such source.
            DataError: a block is damaged; names it.
        """
        blocks = self.blocks(source)
        lo = 0 if t_start_ps is None else int(np.searchsorted(blocks["t_stop_ps"], t_start_ps, side="right"))
        hi = len(blocks) if t_stop_ps is None else int(np.searchsorted(blocks["t_start_ps"], t_stop_ps, side="left"))
        found = self._decode(source, blocks, lo, max(lo, hi))
        if t_start_ps is None and t_stop_ps is None:
            return found
        first = t_start_ps if t_start_ps is not None else np.iinfo(np.int64).min
        last = t_stop_ps if t_stop_ps is not None else np.iinfo(np.int64).max
        return found.between(first, last)

    def _decode(self, source: str, blocks: NDArray[np.void], lo: int, hi: int) -> TimeTags:
        """Clicks of blocks [lo, hi), checked against their checksums."""
        if lo >= hi:
            return TimeTags.empty()
        chosen = blocks[lo:hi]
        return self._followed(lambda: self._decode_blocks(source, chosen, lo))

    def _decode_blocks(self, source: str, chosen: NDArray[np.void], first: int) -> TimeTags:
        """Unpacks, decodes and checks chunk by chunk straight into place; ``first`` is the number of the first block."""
        start, stop = int(chosen["row_start"][0]), int(chosen["row_stop"][-1])
        tags = TimeTags(np.empty(stop - start, np.int64), np.empty(stop - start, np.uint8))
        edges, gaps = np.append(chosen["row_start"], stop), self._gaps(source, start, stop)
        decoder = Decoder(edges, chosen["t_start_ps"], chosen["checksum"], gaps)
        pieces = (self._pieces(f"tags/{source}/{name}", start, stop) for name in ("t_ps", "channel"))
        at = 0
        for words, channel in zip(*pieces, strict=True):
            part = slice(at, at + len(words))
            tags.channel[part] = channel
            bad = decoder.decode(words, channel, tags.t_ps[part])
            if bad >= 0:
                rows = f"rows {chosen['row_start'][bad]} to {chosen['row_stop'][bad]}"
                raise DataError(
                    f"{self.path}: block {first + bad} of {source} ({rows})"
                    " is damaged: its checksum does not hold; salvage the file"
                )
            at += len(words)
        return tags

    def _gaps(self, source: str, start: int, stop: int) -> NDArray[np.void]:
        """The long gaps of rows [start, stop), perhaps more; found by bisection where there are many."""
        path = f"tags/{source}/gaps"
        count = self._rows[path]
        if count <= _FEW_GAPS:
            return self._read(path)
        first, last = (
            bisect_left(range(count), row, key=lambda k: int(self._read(path, k, k + 1)["row"][0]))
            for row in (start, stop)
        )
        return self._read(path, first, last)

    def iter_blocks(self, source: str, first: int = 0, stop: int | None = None) -> Iterator[TagBlock]:
        """Blocks ``[first, stop)`` in order, all by default; holds no more than one batch of them in memory."""
        blocks = self.blocks(source)[:stop]
        lo = first
        while lo < len(blocks):
            limit = blocks["row_start"][lo] + BATCH_ROWS
            hi = max(lo + 1, int(np.searchsorted(blocks["row_stop"], limit, side="right")))
            tags = self._decode(source, blocks, lo, hi)
            row = int(blocks["row_start"][lo])
            for block in blocks[lo:hi]:
                a, b = int(block["row_start"]) - row, int(block["row_stop"]) - row
                yield _tag_block(TimeTags(tags.t_ps[a:b], tags.channel[a:b]), block, source)
            lo = hi

    def block(self, source: str, index: int) -> TagBlock:
        """One block, verified; DataError if it is damaged."""
        blocks = self.blocks(source)
        return _tag_block(self._decode(source, blocks, index, index + 1), blocks[index], source)

    def validity(self, source: str) -> ValidityMask:
        """When the clicks of ``source`` count: covered by a block without overflow, and not declared invalid."""
        blocks = self.blocks(source)
        rows = [row for row in self.validity_rows() if row["source"] == source]
        covered = _merged(blocks[~blocks["overflow"]])
        return ValidityMask(tuple(_subtract(covered, _invalid(rows))))

    def live_time_ps(self, source: str) -> int:
        """Time in which the clicks of ``source`` count, in ps."""
        return self.validity(source).live_time_ps()

    def _table(self, path: str) -> NDArray[np.void]:
        with reading(self.path, path):
            return decode_texts(self._read(path))

    # -- tables ------------------------------------------------------------------------------------------------------

    def heralds(self) -> NDArray[np.void]:
        """HERALD_DTYPE (N,)."""
        return self._read("heralds")

    def settings(self) -> NDArray[np.void]:
        """SETTING_DTYPE (N,)."""
        return self._table("settings")

    def readings(self) -> NDArray[np.void]:
        """READING_DTYPE (N,)."""
        return self._table("readings")

    def validity_rows(self) -> NDArray[np.void]:
        """VALIDITY_DTYPE (N,), as declared during the run."""
        return self._table("validity")

    def log(self) -> NDArray[np.void]:
        """LOG_DTYPE (N,)."""
        return self._table("log")

    # -- results -----------------------------------------------------------------------------------------------------

    @property
    def all_results(self) -> tuple[Results, ...]:
        """Every analysis kept in the file, oldest first."""
        with reading(self.path, "/results"):
            group = self._file["results"]
            return tuple(read_results(group[name]) for name in sorted(group, key=int))

    @property
    def results(self) -> Mapping[str, Estimate]:
        """Estimates of the newest analysis; empty before the first."""
        every = self.all_results
        return every[-1].estimates if every else {}

    def write_results(
        self,
        estimates: Mapping[str, Estimate],
        histograms: Mapping[str, CorrelationHistogram] | None = None,
        code_version: str = "",
        grids: Mapping[str, Grid] | None = None,
    ) -> int:
        """Adds ``/results/<n>`` to a run that has ended and returns n; an interrupted run is sealed on this occasion.

        ``grids`` become ``/results/<n>/scans/<name>``, which xarray opens with the engine h5netcdf.

        Raises:
            DataError: the run is still being written, or another process is changing the file.
        """
        return self.amend(
            lambda file: write_results(file["results"], estimates, histograms or {}, code_version, grids or {})
        )

    def group(self, name: str) -> h5py.Group | dict[str, Any]:
        """A group added to the file after the run, empty when there is none."""
        return self._file.get(name, {})

    def amend(self, change: Callable[[h5py.File], T]) -> T:
        """``change(file)``, all or nothing, on a run that has ended; an interrupted run is sealed on this occasion.

        Raises:
            DataError: the run is still being written, or another process is changing the file.
        """
        if self.status == "running":
            raise DataError(f"{self.path}: still being written; close the run before keeping results in it")
        self._file.close()
        try:
            with transaction(self.path) as file:
                seal(file)
                write_attributes(file, {"status": self.status})
                result = change(file)
        finally:
            self._load()
        return result

    # -- convenience -------------------------------------------------------------------------------------------------

    def to_xarray(self) -> xarray.Dataset:
        """Everything in one dataset: ``<source>_t_ps``, ``<source>_channel`` (ps), heralds, readings and results."""
        import xarray

        variables: dict[str, Any] = {}
        for source in self.sources:
            tags, dim = self.tags(source), f"{source}_click"
            variables[f"{source}_t_ps"] = (dim, tags.t_ps, {"units": "ps"})
            variables[f"{source}_channel"] = (dim, tags.channel)
        for table, rows in (("herald", self.heralds()), ("reading", self.readings())):
            for name in rows.dtype.names or ():
                variables[f"{table}_{name}"] = (table, rows[name], {"units": "ps"} if name.endswith("_ps") else {})
        results = self.results
        if results:
            variables["estimate"] = list(results)
            for name in ("value", "lower", "upper", "std"):
                variables[f"result_{name}"] = ("estimate", [getattr(e, name) for e in results.values()])
        about = {k: int(v) if isinstance(v, bool) else v for k, v in self._about.items()}
        return xarray.Dataset(variables, attrs=about | {"status": self.status})

    def _repr_html_(self) -> str:
        rows = {
            "experiment": self.experiment + (" (SIMULATED)" if self.simulated else ""),
            "status": self.status,
            "created": self.created_utc,
            "file": str(self.path),
        }
        for source in self.sources:
            blocks = self.blocks(source)
            clicks = int(blocks["row_stop"][-1]) if len(blocks) else 0
            rows[source] = f"{clicks} clicks, {self.live_time_ps(source) / 1e12:.3f} s live"
        for name, e in self.results.items():
            rows[name] = f"{e.value:.6g} [{e.lower:.6g}, {e.upper:.6g}] {e.unit} ({e.confidence:.0%})"
        cells = "".join(f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in rows.items())
        return f"<table><caption>{html.escape(self.run_id)}</caption>{cells}</table>"

    def __repr__(self) -> str:
        return (
            f"<Run {self.run_id} {self.experiment} {self.status}{' SIMULATED' if self.simulated else ''} {self.path}>"
        )

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _tag_block(tags: TimeTags, row: np.void, source: str) -> TagBlock:
    start, stop = int(row["t_start_ps"]), int(row["t_stop_ps"])
    return TagBlock(tags, start, stop, source, bool(row["overflow"]), int(row["missed"]))


def _merged(blocks: NDArray[np.void]) -> list[Interval]:
    """What blocks in order of time cover, touching ones joined."""
    blocks = blocks[blocks["t_stop_ps"] > blocks["t_start_ps"]]
    apart = np.flatnonzero(blocks["t_start_ps"][1:] != blocks["t_stop_ps"][:-1])
    starts = blocks["t_start_ps"][np.append(0, apart + 1)] if len(blocks) else []
    stops = blocks["t_stop_ps"][np.append(apart, -1)] if len(blocks) else []
    return [Interval(int(a), int(b)) for a, b in zip(starts, stops, strict=True)]


def _invalid(rows: list[np.void]) -> list[Interval]:
    """Stretches declared invalid, from rows that switch validity on and off."""
    closed, since = [], None
    for row in sorted(rows, key=lambda r: int(r["t_ps"])):
        if not row["valid"] and since is None:
            since = int(row["t_ps"])
        elif row["valid"] and since is not None:
            closed.append(Interval(since, int(row["t_ps"])))
            since = None
    if since is not None:
        closed.append(Interval(since, np.iinfo(np.int64).max))
    return closed


def _subtract(kept: list[Interval], removed: list[Interval]) -> Iterator[Interval]:
    """``kept`` without ``removed``; both sorted and disjoint."""
    for interval in kept:
        start = interval.t_start_ps
        for hole in removed:
            if hole.t_stop_ps <= start or hole.t_start_ps >= interval.t_stop_ps:
                continue
            if hole.t_start_ps > start:
                yield Interval(start, hole.t_start_ps)
            start = max(start, hole.t_stop_ps)
        if start < interval.t_stop_ps:
            yield Interval(start, interval.t_stop_ps)
