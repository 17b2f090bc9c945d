"""Going on with a run that did not end: everything needed is in its file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..analysis.errors import DataError, UsageError
from ..analysis.files.runfile import Run, RunWriter, open_run
from ..analysis.records import TagBlock, TimeTags
from ..instruments.monitored import MonitorSection
from ..instruments.station import LoadedStation
from .experiments.base import Action, Experiment, Setting
from .replay import Refold, experiment_of
from .run_file import describe_node

#: Level of the log rows that say where a run was resumed; their text is JSON with ``earlier_results``.
RESUMED = "RESUMED"


@dataclass(frozen=True, slots=True)
class Position:
    """Where an interrupted run stands.

    Attributes:
        state: the experiment's state after everything in the file.
        settings: how many have ended; the one of that index is under way or comes next.
        under_way: the setting under way, where it had been decided from the data before it.
        closing: what its data ask for already.
        covered_ps: by source, up to where there are blocks.
        suspended: by source, why its data did not count at the end.
    """

    state: Any
    settings: int
    under_way: Setting | None
    closing: Action
    covered_ps: Mapping[str, int]
    suspended: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What a run file says about how its run was made.

    Attributes:
        held: parameters that were held, with their values.
        complete: all data are in the file, only the answer is not.
    """

    experiment: Experiment[Any, Any]
    monitors: Mapping[str, MonitorSection]
    held: Mapping[str, Any]
    created_utc: str
    complete: bool


def lab_of(path: Path) -> tuple[str, int | None]:
    """Station file and seed of the lab a run was made with. Raises DataError when the file does not say."""
    with open_run(path) as run:
        resolved = json.loads(run.config["resolved_json"])
    if "station" not in resolved:
        raise DataError(f"{path}: does not say on which station it was made")
    return resolved["station"], resolved.get("seed")


def interrupted_run(lab: LoadedStation, path: Path) -> Interrupted:
    """What is to be gone on with.

    Raises:
        UsageError: the run is complete or still being written, or the lab is not the one it was made with.
        DataError: the file cannot be read.
    """
    with open_run(path) as run:
        if run.status == "running" or is_answered(run):
            raise UsageError(f"{path}: the run is {run.status}; there is nothing to resume")
        resolved = json.loads(run.config["resolved_json"])
        _refuse_another_lab(lab, run, resolved)
        monitors = {name: MonitorSection.model_validate(m) for name, m in resolved.get("monitors", {}).items()}
        return Interrupted(experiment_of(run), monitors, resolved["held"], run.created_utc, run.status == "done")


def results_of_whole(run: Run) -> Sequence[Any]:
    """The analyses kept since the run was last gone on with, oldest first."""
    resumed = [json.loads(str(row["text"])) for row in run.log() if row["level"] == RESUMED]
    return run.all_results[resumed[-1]["earlier_results"] if resumed else 0 :]


def is_answered(run: Run) -> bool:
    """Whether the run is done and its answer in the file; a process that dies in between leaves the one without the other."""
    return run.status == "done" and bool(results_of_whole(run))


def nothing_left(path: str) -> bool:
    """Whether the run of a file is answered: an engine may die after that, and before its queue knows."""
    with open_run(path) as run:
        return is_answered(run)


def _refuse_another_lab(lab: LoadedStation, run: Run, resolved: Mapping[str, Any]) -> None:
    if run.simulated != lab.simulated:
        made = "simulated" if run.simulated else "real"
        raise UsageError(f"{run.path}: made on a {made} lab; load the station it was made with")
    nodes = json.loads(json.dumps({name: describe_node(node) for name, node in lab.nodes.items()}))
    if nodes != resolved["nodes"]:
        differing = [name for name in {*nodes, *resolved["nodes"]} if nodes.get(name) != resolved["nodes"].get(name)]
        raise UsageError(f"{run.path}: made with other nodes: {', '.join(sorted(differing))} differ in {lab.path}")
    seed = getattr(lab.world, "seed", None)
    if resolved.get("seed") != seed:
        raise UsageError(f"{run.path}: simulated with seed {resolved.get('seed')}, the lab has {seed}; give that seed")


def reopen(path: Path, experiment: Experiment[Any, Any]) -> tuple[RunWriter, Position]:
    """The run's writer and where the run stands, its last round made whole.

    A block that was never written is an empty one; heralds found in blocks that were are added to the table.
    """
    writer = RunWriter.resume(path)
    try:
        with open_run(path) as run:
            blocks = {source: run.blocks(source) for source in run.sources}
        _complete_round(writer, blocks)
        with open_run(path) as run:
            again = Refold(experiment, run)
            position, earlier = _position(again, run), len(run.all_results)
        for table in again.heralds:
            writer.append_heralds(table)
        source = next(iter(blocks))
        writer.append_log(position.covered_ps.get(source, 0), RESUMED, json.dumps({"earlier_results": earlier}))
        writer.flush()
    except BaseException:
        writer.close("failed")
        raise
    return writer, position


def _complete_round(writer: RunWriter, blocks: Mapping[str, NDArray[Any]]) -> None:
    most = max(len(table) for table in blocks.values())
    ends_ps = {source: int(table["t_stop_ps"][-1]) for source, table in blocks.items() if len(table)}
    for source, table in blocks.items():
        if len(table) < most:
            at_ps = ends_ps.get(source, max(ends_ps.values()))
            writer.append_tags(TagBlock(TimeTags.empty(), at_ps, at_ps, source, False, 0))
    writer.flush()


def _position(again: Refold, run: Run) -> Position:
    tables = {source: run.blocks(source) for source in run.sources}
    declared = run.validity_rows()
    last = {source: declared[declared["source"] == source][-1:] for source in run.sources}
    return Position(
        state=again.state,
        settings=again.settings,
        under_way=again.under_way,
        closing=again.action,
        covered_ps={source: int(table["t_stop_ps"][-1]) for source, table in tables.items() if len(table)},
        suspended={s: str(rows["reason"][0]) for s, rows in last.items() if len(rows) and not rows["valid"][0]},
    )
