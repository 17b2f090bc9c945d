"""What the queue and the calibrations tell the clients, as plain frozen values, and their form on the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import engine_pb2 as wire

WAITING, PLAYING = "queued", "running"
#: States of an entry.
ENTRY_STATES = (WAITING, PLAYING, "done", "failed", "aborted", "cancelled")


@dataclass(frozen=True, slots=True)
class RunOrder:
    """A run as somebody asked for it.

    Attributes:
        config_json, overrides_json: objects as JSON text (``config`` and ``overrides`` give them as dicts, ``of`` takes them so).
        priority: higher first.
        due_utc_s: not before this time; None: as soon as its turn comes.
        repeats: how often it is played.
        batch: name it can be cancelled or repeated by, together with others.
        resume_path: run file to go on with; empty: a new run.
        calibration: the calibration its figure becomes the value of; empty: none.
        monitors_json: monitors by name, added to those of the station, as JSON text (``monitors`` gives a dict).
    """

    experiment: str
    config_json: str = "{}"
    overrides_json: str = "{}"
    priority: int = 0
    due_utc_s: float | None = None
    repeats: int = 1
    batch: str = ""
    operator: str = ""
    resume_path: str = ""
    calibration: str = ""
    monitors_json: str = "{}"

    @classmethod
    def of(
        cls,
        experiment: str,
        config: Mapping[str, Any],
        overrides: Mapping[str, Any] | None = None,
        monitors: Mapping[str, Any] | None = None,
        **how: Any,
    ) -> RunOrder:
        """An order from plain dicts; ``how`` are the other attributes from ``priority`` on."""
        texts = json.dumps(config), json.dumps(overrides or {})
        return cls(experiment, *texts, monitors_json=json.dumps(monitors or {}), **how)

    @property
    def config(self) -> dict[str, Any]:
        """Field -> value."""
        return _object(self.config_json)

    @property
    def monitors(self) -> dict[str, Any]:
        """What must be so for the data to count, by name."""
        return _object(self.monitors_json)

    @property
    def overrides(self) -> dict[str, Any]:
        """``instrument.parameter`` -> value, set before the run."""
        return _object(self.overrides_json)


def _object(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """An order in the queue and what became of it. ``run_path`` is its last run file."""

    id: int
    order: RunOrder
    state: str
    played: int
    submitted_utc_s: float
    started_utc_s: float | None = None
    ended_utc_s: float | None = None
    run_path: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class QueueState:
    """Entries in the order of play; ``held``: why nothing further is played, empty when the queue goes on."""

    entries: tuple[QueueEntry, ...]
    held: str


def order_to_wire(order: RunOrder) -> wire.SubmitRequest:
    """An order as it travels."""
    return wire.SubmitRequest(
        run=wire.RunRequest(
            experiment=order.experiment,
            config_json=order.config_json,
            overrides_json={name: json.dumps(value) for name, value in order.overrides.items()},
            monitors_json=order.monitors_json,
        ),
        priority=order.priority,
        due_utc_s=order.due_utc_s,
        repeats=order.repeats,
        batch=order.batch,
        operator=order.operator,
        resume_path=order.resume_path,
    )


def order_from_wire(message: wire.SubmitRequest) -> RunOrder:
    """The inverse of ``order_to_wire``."""
    return RunOrder(
        experiment=message.run.experiment,
        config_json=message.run.config_json or "{}",
        overrides_json=json.dumps({name: json.loads(text) for name, text in message.run.overrides_json.items()}),
        priority=message.priority,
        due_utc_s=message.due_utc_s if message.HasField("due_utc_s") else None,
        repeats=max(1, message.repeats),
        batch=message.batch,
        operator=message.operator,
        resume_path=message.resume_path,
        monitors_json=message.run.monitors_json or "{}",
    )


def entry_to_wire(entry: QueueEntry) -> wire.QueueEntry:
    """An entry as it travels."""
    order = entry.order
    return wire.QueueEntry(
        id=entry.id,
        experiment=order.experiment,
        config_json=order.config_json,
        overrides_json=order.overrides_json,
        priority=order.priority,
        due_utc_s=order.due_utc_s,
        repeats=order.repeats,
        played=entry.played,
        batch=order.batch,
        operator=order.operator,
        state=entry.state,
        submitted_utc_s=entry.submitted_utc_s,
        started_utc_s=entry.started_utc_s,
        ended_utc_s=entry.ended_utc_s,
        run_path=entry.run_path,
        reason=entry.reason,
        resume_path=order.resume_path,
        calibration=order.calibration,
        monitors_json=order.monitors_json,
    )


def entry_from_wire(message: wire.QueueEntry) -> QueueEntry:
    """The inverse of ``entry_to_wire``."""
    order = RunOrder(
        message.experiment,
        message.config_json,
        message.overrides_json,
        message.priority,
        message.due_utc_s if message.HasField("due_utc_s") else None,
        message.repeats,
        message.batch,
        message.operator,
        message.resume_path,
        message.calibration,
        message.monitors_json,
    )
    return QueueEntry(
        message.id,
        order,
        message.state,
        message.played,
        message.submitted_utc_s,
        message.started_utc_s if message.HasField("started_utc_s") else None,
        message.ended_utc_s if message.HasField("ended_utc_s") else None,
        message.run_path,
        message.reason,
    )


def queue_from_wire(message: wire.QueueList) -> QueueState:
    """The queue as a client gets it."""
    return QueueState(tuple(map(entry_from_wire, message.entries)), message.held)


@dataclass(frozen=True, slots=True)
class CalibrationStatus:
    """One calibration of the station as it stands.

    Attributes:
        state: ``fresh``, ``expired``, ``failed``, ``stale`` (what it needs is not fresh) or ``never``.
        estimate: the last value as a plain dict (value, lower, upper, …, unit); None before the first.
        taken_utc_s: when, and ``run_path`` by which run.
    """

    name: str
    level: int
    needs: tuple[str, ...]
    experiment: str
    figure: str
    state: str
    reason: str
    estimate: dict[str, Any] | None
    taken_utc_s: float | None
    expires_after_s: float
    run_path: str


def calibration_to_wire(status: CalibrationStatus) -> wire.Calibration:
    """A calibration as it travels."""
    return wire.Calibration(
        name=status.name,
        level=status.level,
        needs=status.needs,
        experiment=status.experiment,
        figure=status.figure,
        state=status.state,
        reason=status.reason,
        estimate_json="" if status.estimate is None else json.dumps(status.estimate),
        taken_utc_s=status.taken_utc_s,
        expires_after_s=status.expires_after_s,
        run_path=status.run_path,
    )


def calibration_from_wire(message: wire.Calibration) -> CalibrationStatus:
    """The inverse of ``calibration_to_wire``."""
    return CalibrationStatus(
        name=message.name,
        level=message.level,
        needs=tuple(message.needs),
        experiment=message.experiment,
        figure=message.figure,
        state=message.state,
        reason=message.reason,
        estimate=json.loads(message.estimate_json) if message.estimate_json else None,
        taken_utc_s=message.taken_utc_s if message.HasField("taken_utc_s") else None,
        expires_after_s=message.expires_after_s,
        run_path=message.run_path,
    )
