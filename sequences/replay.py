"""The analysis of a run from its file alone: the same fold over the same blocks as live, so the same numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from ..analysis.errors import DataError
from ..analysis.files.runfile import Run
from ..analysis.records import TagBlock
from ..instruments.interfaces import Channel, Node
from .documents import Result
from .experiments import find_experiment
from .experiments.base import Experiment, fold


def analyze(run: Run) -> Result:
    """What the experiment says about the recorded tags. Writes nothing.

    Raises:
        DataError: the file does not say which experiment it holds.
        UsageError: that experiment is not installed.
    """
    experiment = experiment_of(run)
    return experiment.result(fold(experiment, rounds(run)))


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
