"""What the engine tells its clients, as plain frozen values, and their form on the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, get_args

from ..control import StopKind
from . import engine_pb2 as wire

STATES = ("idle", "running", "paused", "stopping", "pausing")
STOP_KINDS: tuple[StopKind, ...] = get_args(StopKind)


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How the engine stands.

    Attributes:
        state: ``idle``, ``running``, ``pausing`` (asked to, not yet at a checkpoint), ``paused`` or ``stopping``.
        last_error: one line, empty when the last run ended well.
        queued: entries that wait; ``queue_held``: why they do not go on, empty when they do.
        entry_id: of the queue, being played; 0: none.
        role: of the caller, ``operator`` or ``observer``.
    """

    state: str
    station: str
    simulated: bool
    experiment: str
    run_id: str
    run_path: str
    last_error: str
    next_index: int
    free_disk_bytes: int
    pid: int
    seed: int | None
    out_dir: str
    run_bytes: int
    queued: int = 0
    queue_held: str = ""
    entry_id: int = 0
    role: str = "operator"


@dataclass(frozen=True, slots=True)
class ExperimentInfo:
    """An experiment the engine can run, with the JSON schema of its config."""

    name: str
    title: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a config (dotted path; empty: the whole)."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


@dataclass(frozen=True, slots=True)
class ParameterState:
    """One parameter as last known; ``value`` None and ``read_utc_s`` None: not yet read."""

    name: str
    label: str
    unit: str
    value: Any
    read_utc_s: float | None
    settable: bool
    lower: float | None = None
    upper: float | None = None
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class InstrumentState:
    """One instrument of the station and all its parameters, those of its submodules included.

    ``failure`` is what it failed with when last asked (empty: it answers), ``answered_utc_s`` when it last answered.
    """

    name: str
    kind: str
    parameters: tuple[ParameterState, ...]
    failure: str = ""
    answered_utc_s: float | None = None


@dataclass(frozen=True, slots=True)
class StationState:
    """The instrument tree at ``now_utc_s`` of the engine's clock."""

    instruments: tuple[InstrumentState, ...]
    now_utc_s: float


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run file as the index knows it; ``results`` are estimates by name, as plain dicts."""

    run_id: str
    path: str
    experiment: str
    status: str
    created_utc: str
    simulated: bool
    size_bytes: int
    star: bool
    note: str
    results: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class DocumentMessage:
    """A document of the run or a line of the engine's log, as it was spooled."""

    index: int
    utc_s: float
    content: dict[str, Any]


def status_to_wire(status: EngineStatus) -> wire.Status:
    """How the engine stands, as it travels."""
    return wire.Status(
        state=STATES.index(status.state),  # type: ignore[arg-type]
        station=status.station,
        simulated=status.simulated,
        experiment=status.experiment,
        run_id=status.run_id,
        run_path=status.run_path,
        last_error=status.last_error,
        next_index=status.next_index,
        free_disk_bytes=status.free_disk_bytes,
        pid=status.pid,
        seed=status.seed,
        out_dir=status.out_dir,
        run_bytes=status.run_bytes,
        queued=status.queued,
        queue_held=status.queue_held,
        entry_id=status.entry_id,
        role=status.role,
    )


def status_from_wire(message: wire.Status) -> EngineStatus:
    """The inverse of ``status_to_wire``."""
    return EngineStatus(
        state=STATES[message.state],
        station=message.station,
        simulated=message.simulated,
        experiment=message.experiment,
        run_id=message.run_id,
        run_path=message.run_path,
        last_error=message.last_error,
        next_index=message.next_index,
        free_disk_bytes=message.free_disk_bytes,
        pid=message.pid,
        seed=message.seed if message.HasField("seed") else None,
        out_dir=message.out_dir,
        run_bytes=message.run_bytes,
        queued=message.queued,
        queue_held=message.queue_held,
        entry_id=message.entry_id,
        role=message.role,
    )


def parameter_to_wire(parameter: ParameterState) -> wire.Parameter:
    """A parameter as it travels."""
    return wire.Parameter(
        name=parameter.name,
        label=parameter.label,
        unit=parameter.unit,
        value_json=json.dumps(parameter.value),
        read_utc_s=parameter.read_utc_s,
        settable=parameter.settable,
        lower=parameter.lower,
        upper=parameter.upper,
        choices_json=[json.dumps(choice) for choice in parameter.choices],
    )


def parameter_from_wire(message: wire.Parameter) -> ParameterState:
    """The inverse of ``parameter_to_wire``."""
    return ParameterState(
        name=message.name,
        label=message.label,
        unit=message.unit,
        value=json.loads(message.value_json),
        read_utc_s=message.read_utc_s if message.HasField("read_utc_s") else None,
        settable=message.settable,
        lower=message.lower if message.HasField("lower") else None,
        upper=message.upper if message.HasField("upper") else None,
        choices=tuple(json.loads(choice) for choice in message.choices_json),
    )


def run_to_wire(run: RunSummary) -> wire.RunSummary:
    """A run's entry as it travels."""
    return wire.RunSummary(
        run_id=run.run_id,
        path=run.path,
        experiment=run.experiment,
        status=run.status,
        created_utc=run.created_utc,
        simulated=run.simulated,
        size_bytes=run.size_bytes,
        star=run.star,
        note=run.note,
        results_json=json.dumps(run.results),
    )


def run_from_wire(message: wire.RunSummary) -> RunSummary:
    """The inverse of ``run_to_wire``."""
    return RunSummary(
        run_id=message.run_id,
        path=message.path,
        experiment=message.experiment,
        status=message.status,
        created_utc=message.created_utc,
        simulated=message.simulated,
        size_bytes=message.size_bytes,
        star=message.star,
        note=message.note,
        results=json.loads(message.results_json),
    )


def instrument_to_wire(instrument: InstrumentState) -> wire.Instrument:
    """An instrument as it travels."""
    return wire.Instrument(
        name=instrument.name,
        kind=instrument.kind,
        parameters=[parameter_to_wire(p) for p in instrument.parameters],
        failure=instrument.failure,
        answered_utc_s=instrument.answered_utc_s,
    )


def instrument_from_wire(message: wire.Instrument) -> InstrumentState:
    """The inverse of ``instrument_to_wire``."""
    return InstrumentState(
        message.name,
        message.kind,
        tuple(parameter_from_wire(p) for p in message.parameters),
        message.failure,
        message.answered_utc_s if message.HasField("answered_utc_s") else None,
    )


def station_to_wire(station: StationState) -> wire.InstrumentTree:
    """The instrument tree as it travels."""
    return wire.InstrumentTree(
        instruments=[instrument_to_wire(i) for i in station.instruments], now_utc_s=station.now_utc_s
    )


def station_from_wire(message: wire.InstrumentTree) -> StationState:
    """The inverse of ``station_to_wire``."""
    return StationState(tuple(instrument_from_wire(i) for i in message.instruments), message.now_utc_s)
