"""What a run file says about its run before the first click."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ..analysis.files.provenance import collect
from ..analysis.files.runfile import RunWriter
from ..instruments.interfaces import Node
from ..instruments.monitored import MonitorSection
from ..instruments.station import LoadedStation
from .budget import Budget
from .calibrations import book_of, describe_states
from .experiments.base import Experiment, Plan


def new_run_id(experiment: str, created: datetime) -> str:
    """Sortable and unique to the microsecond: ``20261121T113000123456-heralded_entanglement``."""
    return f"{created:%Y%m%dT%H%M%S%f}-{experiment}"


def create_file(
    path: Path,
    run_id: str,
    lab: LoadedStation,
    experiment: Experiment[Any, Any],
    plan: Plan,
    budget: Budget,
    monitors: Mapping[str, MonitorSection],
    operator: str,
) -> RunWriter:
    """A new run file with config, provenance and everything needed to analyse the run, or go on with it, later."""
    config = experiment.config.model_dump(mode="json")
    resolved = {
        "experiment": experiment.name,
        "config": config,
        "nodes": {name: describe_node(node) for name, node in lab.nodes.items()},
        "held": {name: plain_value(value) for name, value in lab.held.items()},
        "settings": [s.name for s in plan.settings],
        "budget": budget.as_dict(),
        "monitors": {name: monitor.model_dump(mode="json") for name, monitor in monitors.items()},
        "instruments": {
            name: {"type": section.type, "simulated": lab.is_simulated(name)}
            for name, section in lab.file.instruments.items()
        },
        "calibrations": describe_states(book_of(lab, path.parent)),
        "station": str(lab.path),
        "seed": getattr(lab.world, "seed", None),
    }
    writer = RunWriter.create(
        path,
        run_id=run_id,
        experiment=experiment.name,
        simulated=lab.simulated,
        operator=operator,
        sources={source: {c.number: c.name for c in lab.nodes[source].channels} for source in plan.sources},
        config={
            "station_yaml": lab.text,
            "experiment_yaml": json.dumps({experiment.name: config}, indent=1),
            "resolved_json": json.dumps(resolved),
        },
        provenance=collect(),
    )
    for name, found in resolved["calibrations"].items():
        if found["state"] != "fresh":
            writer.append_log(0, "WARNING", f"calibration {name} is {found['state']}: {found['reason']}")
    return writer


def describe_node(node: Node) -> dict[str, Any]:
    """Plain dict of a node; ``Node`` is rebuilt from it when a file is analysed."""
    return {
        "instruments": node.instruments,
        "channels": [[c.number, c.name, c.delay_ps, c.detector] for c in node.channels],
        "photon_delay_ps": node.photon_delay_ps,
    }


def plain_value(value: Any) -> bool | int | float | str | None:
    """What JSON can hold of a parameter's value."""
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def dotted_name(parameter: Any) -> str:
    """``instrument[.submodule].parameter``, whatever role or name it was found by."""
    return ".".join((*parameter.instrument.name_parts, parameter.name))
