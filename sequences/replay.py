"""The analysis of a run from its file alone: the same fold over the same blocks as live, so the same numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from ..analysis.errors import DataError, UsageError
from ..analysis.files.runfile import Run
from ..analysis.records import PS_PER_S, Estimate, TagBlock
from ..analysis.windows import WindowScan, scan_windows
from ..instruments.interfaces import Channel, Node
from .documents import Result
from .experiments import find_experiment
from .experiments.base import Experiment
from .experiments.config import make_config, nested


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
    state, ended = experiment.begin(), 0
    readings = [json.loads(text).get("readings", {}) for text in run.settings()["parameters"]]
    for setting, block in rounds(run):
        for k in range(ended, setting):
            state = experiment.take_readings(state, k, readings[k])
        ended = max(ended, setting)
        state, _ = experiment.step(state, setting, block)
    for k in range(ended, len(readings)):
        state = experiment.take_readings(state, k, readings[k])
    return state


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
    """Blocks in the order they were folded in live: one of every source a round, with the index of their setting."""
    sources = experiment_of(run).build().sources
    stops_ps = run.settings()["t_stop_ps"]
    for blocks in zip(*(run.iter_blocks(source) for source in sources), strict=False):
        setting = int((stops_ps <= blocks[0].t_start_ps).sum())
        for block in blocks:
            yield setting, block


def _node(name: str, plain: dict[str, Any]) -> Node:
    channels = tuple(Channel(*fields) for fields in plain["channels"])
    return Node(name, plain["instruments"], channels, plain["photon_delay_ps"])
