"""One run file from the files of its nodes: same run ID, every tagger's raw ticks, and how their clocks relate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clock_model import to_clock_a
from ..clock_sync import DEFAULT_MAX_WORK, SyncResult, synchronize
from ..errors import DataError, UsageError
from ..records import ClockModel
from .layout import CONFIG_KEYS
from .runreader import Run, open_run
from .runwriter import RunWriter
from .timebase import write_timebase


@dataclass(frozen=True, slots=True)
class Merged:
    """What was merged.

    Attributes:
        path: the new run file.
        reference: the tagger whose clock is the common one.
        clocks: model of every other tagger's clock.
        sources: every tagger in the file.
    """

    path: Path
    reference: str
    clocks: Mapping[str, ClockModel]
    sources: tuple[str, ...]


def files_of_run(folder: str | Path, run_id: str) -> tuple[Path, ...]:
    """The run files in ``folder`` that carry ``run_id``, by name; files that cannot be read are passed over.

    Raises:
        DataError: fewer than two.
    """
    found = []
    for path in sorted(Path(folder).glob("*.h5")):
        try:
            with open_run(path) as run:
                if run.run_id == run_id:
                    found.append(path)
        except DataError:
            continue
    if len(found) < 2:
        raise DataError(f"{folder}: {len(found)} files of run {run_id!r}; a merge needs those of two nodes or more")
    return tuple(found)


def taggers_of(paths: Sequence[str | Path]) -> tuple[str, ...]:
    """Names of all taggers as the merged file will have them; the first is the reference."""
    with ExitStack() as stack:
        return tuple(_taggers(_opened(paths, stack)))


def compare_clocks(
    paths: Sequence[str | Path],
    max_offset_s: float = 8.0,
    max_ppm: float = 150.0,
    max_work: float = DEFAULT_MAX_WORK,
) -> dict[str, SyncResult]:
    """Synchronises every tagger of the node files with the first one, by the photon pairs they share."""
    with ExitStack() as stack:
        taggers = _taggers(_opened(paths, stack))
        (_, (first, own)), *others = taggers.items()
        t_a_ps = first.tags(own).t_ps
        return {
            name: synchronize(
                t_a_ps, run.tags(source).t_ps, max_offset_s=max_offset_s, max_ppm=max_ppm, max_work=max_work
            )
            for name, (run, source) in others
        }


def merge_nodes(
    paths: Sequence[str | Path], target: str | Path, clocks: Mapping[str, ClockModel], method: str
) -> Merged:
    """Writes one run file with the clicks of all nodes, unchanged, and the models of their clocks.

    The first tagger of the first file is the reference. Heralds and settings are those of the one file that has them, as
    they stand on its clock; readings and log of all files are put on the reference's clock.

    Args:
        paths: run files of one run, one a node; taggers of the same name are called ``FILE.tagger``.
        clocks: for every tagger but the reference the model that maps the reference's clock to its own
            (``compare_clocks``, or ``ClockModel(0.0)`` where nodes share a clock).
        method: how the models were found, kept with them.

    Raises:
        UsageError: different run IDs, a clock missing or too many, several files with heralds, or ``target`` exists.
    """
    target = Path(target)
    with ExitStack() as stack:
        runs = _opened(paths, stack)
        taggers = _taggers(runs)
        reference, *others = taggers
        if set(clocks) != set(others):
            raise UsageError(
                f"merge needs a clock model for each of {', '.join(others) or 'no tagger'}, got {', '.join(clocks) or 'none'}"
            )
        try:
            _write(runs, taggers, target, clocks)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    with open_run(target) as run:
        write_timebase(run, reference, clocks, method)
    return Merged(target, reference, dict(clocks), tuple(taggers))


def _opened(paths: Sequence[str | Path], stack: ExitStack) -> list[Run]:
    if len(paths) < 2:
        raise UsageError("merge needs the run files of two or more nodes")
    runs = [stack.enter_context(open_run(path)) for path in paths]
    for run in runs[1:]:
        if run.run_id != runs[0].run_id:
            raise UsageError(
                f"{run.path} is run {run.run_id}, {runs[0].path} is run {runs[0].run_id}: only files of one run are merged"
            )
    return runs


def _taggers(runs: list[Run]) -> dict[str, tuple[Run, str]]:
    """Name in the merged file -> where the tagger is now; FILE.tagger where a name comes twice."""
    every = [source for run in runs for source in run.sources]
    found: dict[str, tuple[Run, str]] = {}
    for run in runs:
        for source in run.sources:
            name = source if every.count(source) == 1 else f"{run.path.stem}.{source}"
            if name in found:
                raise UsageError(f"{run.path}: tagger {name!r} comes twice; give the node files different names")
            found[name] = (run, source)
    if len(found) < 2:
        raise UsageError(f"{', '.join(str(run.path) for run in runs)}: fewer than two taggers in all; nothing to merge")
    return found


def _write(
    runs: list[Run], taggers: Mapping[str, tuple[Run, str]], target: Path, clocks: Mapping[str, ClockModel]
) -> None:
    first = runs[0]
    triggered = [run for run in runs if len(run.heralds()) or len(run.settings())]
    if len(triggered) > 1:
        raise UsageError(
            f"{triggered[0].path} and {triggered[1].path} both hold heralds or settings; one run has one list"
        )
    with RunWriter.create(
        target,
        run_id=first.run_id,
        experiment=first.experiment,
        simulated=any(run.simulated for run in runs),
        operator=first.operator,
        sources={name: run.channels(source) for name, (run, source) in taggers.items()},
        config={key: first.config[key] for key in CONFIG_KEYS},
        provenance={**first.provenance, "merged_from": "\n".join(str(run.path) for run in runs)},
        truth={name: value for run in runs for name, value in run.truth().items()},
    ) as writer:
        for name, (run, source) in taggers.items():
            for block in run.iter_blocks(source):
                writer.append_tags(replace(block, source=name))
            for row in run.validity_rows():
                if row["source"] == source:
                    writer.append_validity(int(row["t_ps"]), name, bool(row["valid"]), str(row["reason"]))
        for run in triggered:
            writer.append_heralds(run.heralds())
            for row in run.settings():
                writer.append_setting(*row.tolist())
        clock_of = {id(run): clocks.get(name) for name, (run, _) in reversed(list(taggers.items()))}
        for row in _on_reference([(run.readings(), clock_of.get(id(run))) for run in runs]):
            writer.append_reading(*row)
        for row in _on_reference([(run.log(), clock_of.get(id(run))) for run in runs]):
            writer.append_log(*row)


def _on_reference(tables: list[tuple[NDArray[np.void], ClockModel | None]]) -> list[tuple[Any, ...]]:
    """Rows of tables that begin with ``t_ps``, each on its own clock, in order of the reference's time."""
    rows = []
    for table, model in tables:
        t_ps = table["t_ps"] if model is None else to_clock_a(np.ascontiguousarray(table["t_ps"]), model)
        rows += [(int(t), *row.tolist()[1:]) for t, row in zip(t_ps, table, strict=True)]
    return sorted(rows, key=lambda row: row[0])
