"""The analysis of a run from its file alone: the same fold over the same blocks as live, so the same numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from ..analysis.errors import DataError, UsageError
from ..analysis.files.runfile import Run
from ..analysis.records import PS_PER_S, Estimate, TagBlock
from ..analysis.windows import WindowScan, scan_windows
from ..instruments.interfaces import Channel, Node
from .documents import Result
from .experiments.base import Action, Experiment, Setting
from .experiments.config import make_config, nested
from .experiments.registry import find_experiment
from .monitors import not_counting


def analyze(run: Run, **changes: Any) -> Result:
    """What the experiment says about the recorded tags. Writes nothing.

    ``changes`` are keys of the experiment's config to analyse with, e.g. ``**{"selection.window_s": "2 us"}``; what was
    played does not change by them.

    Raises:
        DataError: the file does not say which experiment it holds.
        UsageError: that experiment is not installed, or a key or value is wrong.
    """
    experiment = experiment_of(run)
    if changes:
        config = nested(changes, experiment.config.model_dump())
        experiment = type(experiment)(make_config(experiment.Config, config, experiment.name)).on(experiment.nodes)
    return experiment.result(refold(experiment, run))


def refold(experiment: Experiment[Any, Any], run: Run) -> Any:
    """State after everything in the file, folded in as it was live: blocks, and the readings of settings that asked."""
    return Refold(experiment, run).state


class Refold:
    """A run folded in again.

    Attributes:
        state: after everything in the file.
        settings: how many have ended.
        under_way: the setting whose blocks came last, where it had been decided from the data before them.
        action: what the data of the setting under way ask for.
        heralds: the last herald tables that are not in the file yet.
    """

    def __init__(self, experiment: Experiment[Any, Any], run: Run) -> None:
        self._readings = [json.loads(text).get("readings", {}) for text in run.settings()["parameters"]]
        self._experiment, self._ended, self._written = experiment, 0, len(run.heralds())
        self.settings, self.action = len(self._readings), Action.CONTINUE
        self.under_way: Setting | None = None
        self._planned = len(experiment.build().settings)
        self.heralds: list[NDArray[Any]] = []
        self.state = experiment.begin()
        for setting, block in rounds(run):
            self._take(setting, block)
        self._end_settings(self.settings)

    def _take(self, setting: int, block: TagBlock) -> None:
        self._end_settings(setting)
        if setting == self.settings >= self._planned and self.under_way is None:
            self.under_way = self._experiment.next_setting(self.state)
        self.state, wanted = self._experiment.step(self.state, setting, block)
        if wanted is not Action.CONTINUE:
            self.action = wanted
        for table in self._experiment.herald_rows(self.state):
            new = table[max(0, self._written) :]
            self._written -= len(table)
            if len(new):
                self.heralds.append(new)

    def _end_settings(self, number: int) -> None:
        for k in range(self._ended, number):
            self.state = self._experiment.take_readings(self.state, k, self._readings[k])
            self.action = Action.CONTINUE
        self._ended = max(self._ended, number)


def scan_link_windows(run: Run, windows_ps: Sequence[int], delays_ps: Sequence[int]) -> WindowScan:
    """Fidelity, raw and corrected, of the heralds that tighter windows would have kept: one analysis a pair.

    Raises:
        UsageError: not a run of heralded entanglement, or a window that leaves that of the hardware.
    """

    def measure(window_ps: int, delay_ps: int) -> tuple[Estimate, Estimate]:
        selection = {"selection.window_s": window_ps / PS_PER_S, "selection.delay_s": delay_ps / PS_PER_S}
        estimates = analyze(run, **selection).estimates
        if "fidelity" not in estimates:
            raise UsageError(f"{run.path}: no fidelity with windows of {window_ps} ps after {delay_ps} ps")
        return estimates["fidelity_raw"], estimates["fidelity"]

    return scan_windows(measure, windows_ps, delays_ps)


def experiment_of(run: Run) -> Experiment[Any, Any]:
    """The experiment a file was made by, with its config and sites."""
    try:
        resolved = json.loads(run.config["resolved_json"])
        cls = find_experiment(resolved["experiment"])
        return cls(cls.Config.model_validate(resolved["config"])).on(
            {name: _node(name, plain) for name, plain in resolved["nodes"].items()}
        )
    except (KeyError, json.JSONDecodeError, ValidationError) as error:
        raise DataError(f"{run.path}: cannot tell how this run was made: {type(error).__name__}: {error}") from error


def rounds(run: Run) -> Iterator[tuple[int, TagBlock]]:
    """Blocks in the order they were folded in live: one of every source a round, with the index of their setting.

    A block whose time does not count comes as one that overflowed, as it did live.
    """
    sources = experiment_of(run).build().sources
    stops_ps = run.settings()["t_stop_ps"]
    declared = run.validity_rows()
    changes = {source: declared[declared["source"] == source] for source in sources}
    for blocks in zip(*(run.iter_blocks(source) for source in sources), strict=False):
        setting = int((stops_ps <= blocks[0].t_start_ps).sum())
        for block in blocks:
            yield setting, block if _counts(block, changes[block.source]) else not_counting(block)


def _counts(block: TagBlock, changes: NDArray[Any]) -> bool:
    before = int(np.searchsorted(changes["t_ps"], block.t_start_ps, side="right"))
    return before == 0 or bool(changes["valid"][before - 1])


def _node(name: str, plain: dict[str, Any]) -> Node:
    channels = tuple(Channel(*fields) for fields in plain["channels"])
    return Node(name, plain["instruments"], channels, plain["photon_delay_ps"])
