"""The engine as seen by scripts and the window: plain calls, plain values. Losing a client costs the run nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from ...analysis.errors import ErbiaError, UsageError
from ...analysis.records import Int64Array
from ..control import StopKind
from . import engine_pb2 as wire
from .access import Role, TlsFiles, observer_token
from .endpoint import SAYS, endpoint_file, read_endpoint
from .queue_values import (
    CalibrationStatus,
    QueueEntry,
    QueueState,
    RunOrder,
    calibration_from_wire,
    entry_from_wire,
    order_to_wire,
    queue_from_wire,
)
from .rpc import OPTIONS, client_methods
from .values import (
    STOP_KINDS,
    DocumentMessage,
    EngineStatus,
    ExperimentInfo,
    FieldError,
    InstrumentState,
    ParameterState,
    RunSummary,
    StationState,
    instrument_from_wire,
    parameter_from_wire,
    run_from_wire,
    station_from_wire,
    status_from_wire,
)

_CALL_S = 10.0
_START_S = 60.0
#: The first listing of a big folder looks into every file.
_LIST_S = 300.0
_NOTHING = wire.Nothing()


class EngineLost(ErbiaError):
    """The engine does not answer; the run file holds what was recorded."""


class EngineClient:
    """A connection to a running engine. Every call may raise EngineLost; refusals are UsageError."""

    def __init__(self, address: str, token: str = "", tls: TlsFiles | None = None) -> None:
        """Connects by token to an engine on this machine, or by certificate (``tls``) to one anywhere."""
        if tls is None:
            self._channel = grpc.insecure_channel(address, options=OPTIONS)
        else:
            self._channel = grpc.secure_channel(address, tls.channel_credentials(), options=OPTIONS)
        self._methods = client_methods(self._channel, token)

    @classmethod
    def connect(cls, station: str, role: Role = "operator") -> EngineClient | None:
        """The station's engine on this machine if one runs; an ``observer`` may look but not touch."""
        endpoint = read_endpoint(station)
        if endpoint is None:
            return None
        return cls(endpoint.address, endpoint.token if role == "operator" else observer_token(endpoint.token))

    @classmethod
    def connect_or_start(
        cls, station: str, seed: int | None = None, out_dir: Path = Path("runs"), pace: float | None = None
    ) -> EngineClient:
        """The station's engine, started as a process of its own when none runs.

        Args:
            station: name of a shipped station or path of a station file.
            seed: of what is simulated; None takes any engine there is, or the station file's seed.
            out_dir: folder of the run files.
            pace: lab seconds a second of a simulated lab to be watched, where the station file sets none.

        Raises:
            UsageError: it runs with another seed, or the station is wrong (the engine's own words).
            EngineLost: it did not come up in time.
        """
        client = cls.connect(station)
        if client is None:
            return cls._start_process(station, seed, out_dir, pace)
        running = client.status().seed
        if seed is not None and seed != running:
            client.close()
            raise UsageError(f"the engine of {station} runs with seed {running}, not {seed}; shut it down first")
        return client

    @classmethod
    def _start_process(cls, station: str, seed: int | None, out_dir: Path, pace: float | None) -> EngineClient:
        command = [sys.executable, "-m", f"{__package__}", "--station", station, "--out", str(out_dir)]
        if seed is not None:
            command += ["--seed", str(seed)]
        if pace is not None:
            command += ["--pace", str(pace)]
        log_file = endpoint_file(station).with_suffix(".log")
        with log_file.open("wb") as words:
            # Its own session and no pipe to us: whatever ends this client, the engine does not notice.
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                start_new_session=True,
                creationflags=_creation_flags(),
            )
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            client = cls.connect(station)
            if client is not None:
                return client
            if process.poll() is not None:
                raise UsageError(_last_words(log_file.read_text(encoding="utf-8", errors="replace")))
            time.sleep(0.02)
        process.kill()
        raise EngineLost(f"the engine of {station} did not come up within {_START_S:.0f} s; see {log_file}")

    def status(self) -> EngineStatus:
        """How the engine stands."""
        return status_from_wire(self._call("GetStatus", _NOTHING))

    def experiments(self) -> list[ExperimentInfo]:
        """What it can run."""
        reply = self._call("ListExperiments", _NOTHING)
        return [ExperimentInfo(e.name, e.title, json.loads(e.schema_json)) for e in reply.experiments]

    def validate(
        self, experiment: str, config: dict[str, Any], overrides: dict[str, Any] | None = None
    ) -> list[FieldError]:
        """What is wrong with a config, field by field."""
        return _field_errors(self._call("Validate", _run_request(experiment, config, overrides)))

    def start(
        self, experiment: str, config: dict[str, Any], overrides: dict[str, Any] | None = None
    ) -> list[FieldError]:
        """Starts a run; what is wrong, field by field, when it does not start."""
        return _field_errors(self._call("Start", _run_request(experiment, config, overrides)))

    def stop(self, kind: StopKind = "checkpoint") -> None:
        """Ends the run at its next ``checkpoint``, ``now``, or as an ``emergency``."""
        if kind not in STOP_KINDS:
            raise UsageError(f"no stop {kind!r}; there are {', '.join(STOP_KINDS)}")
        self._call("Stop", wire.StopRequest(kind=STOP_KINDS.index(kind)))  # type: ignore[arg-type]

    def pause(self) -> None:
        """Holds the run at its next checkpoint."""
        self._call("Pause", _NOTHING)

    def resume(self) -> None:
        """Lets a held run go on."""
        self._call("Resume", _NOTHING)

    def all_off(self) -> None:
        """Emergency stop and every output to its safe value."""
        self._call("AllOff", _NOTHING)

    def submit(self, order: RunOrder) -> QueueEntry | list[FieldError]:
        """Puts a run into the queue: its entry, or what is wrong, field by field."""
        reply = self._call("Submit", order_to_wire(order))
        return _field_errors(reply) or entry_from_wire(reply.entry)

    def queue(self, finished: bool = False, batch: str = "") -> QueueState:
        """What is played and what waits, in the order of play; ``finished``: also the latest that ended."""
        return queue_from_wire(self._call("ListQueue", wire.QueueFilter(finished=finished, batch=batch)))

    def move_entry(self, id_: int, before: int = 0) -> None:
        """Puts a waiting entry before another, whose priority it takes; 0: at the end."""
        self._call("MoveEntry", wire.MoveRequest(id=id_, before=before))

    def set_priority(self, id_: int, priority: int) -> None:
        """Higher is played first."""
        self._call("SetPriority", wire.PriorityRequest(id=id_, priority=priority))

    def cancel(self, *ids: int, batch: str = "") -> None:
        """Takes entries out, by number or batch; one that is being played stops at its next checkpoint."""
        self._call("Cancel", wire.EntrySelection(ids=ids, batch=batch))

    def repeat(self, *ids: int, batch: str = "") -> tuple[QueueEntry, ...]:
        """Queues the same again, at the end; gives the new entries."""
        return queue_from_wire(self._call("Repeat", wire.EntrySelection(ids=ids, batch=batch))).entries

    def hold_queue(self, reason: str) -> None:
        """Plays nothing further until released; the run under way goes on."""
        self._call("HoldQueue", wire.HoldRequest(reason=reason))

    def release_queue(self) -> None:
        """The queue goes on."""
        self._call("ReleaseQueue", _NOTHING)

    def restart_instrument(self, name: str) -> InstrumentState:
        """Closes an instrument and opens it again. UsageError while a run is under way."""
        return instrument_from_wire(self._call("RestartInstrument", wire.InstrumentName(name=name), _START_S))

    def calibrations(self) -> tuple[CalibrationStatus, ...]:
        """The station's calibrations, by level, with their last values and ages."""
        return tuple(map(calibration_from_wire, self._call("ListCalibrations", _NOTHING).calibrations))

    def calibrate(self, *names: str) -> tuple[QueueEntry, ...]:
        """Queues the named calibrations after whatever they need that is not fresh; no name: all that are not fresh."""
        return queue_from_wire(self._call("Calibrate", wire.CalibrateRequest(names=names))).entries

    def snapshot(self) -> StationState:
        """The instrument tree as last known; asks no instrument."""
        return station_from_wire(self._call("Snapshot", _NOTHING))

    def set_parameter(self, name: str, value: Any) -> ParameterState:
        """Sets ``instrument.parameter`` within its limits. UsageError when refused, with the limit."""
        request = wire.SetParameterRequest(name=name, value_json=json.dumps(value))
        return parameter_from_wire(self._call("SetParameter", request))

    def read_parameter(self, name: str) -> ParameterState:
        """Asks the instrument for the value now."""
        return parameter_from_wire(self._call("ReadParameter", wire.ReadParameterRequest(name=name)))

    def documents(self, since: int = -1) -> Iterator[DocumentMessage]:
        """All documents from an index on (-1: the latest run), then new ones as they come; ends with the engine."""
        yield from self._stream("Documents", wire.DocumentsRequest(since=since))

    def plan(self, experiment: str, config: dict[str, Any]) -> dict[str, Any]:
        """What a run would do: ``settings`` (name, parameters, sequence) and ``problems``. UsageError for a wrong config."""
        plan: dict[str, Any] = json.loads(self._call("PlanRun", _run_request(experiment, config, None)).json)
        return plan

    def runs(self) -> list[RunSummary]:
        """The run files of the engine's folder, newest first."""
        return [run_from_wire(run) for run in self._call("ListRuns", _NOTHING, _LIST_S).runs]

    def annotate(self, run_id: str, star: bool, note: str) -> None:
        """Keeps the user's words about a run."""
        self._call("AnnotateRun", wire.RunNote(run_id=run_id, star=star, note=note))

    def recorded(self, run_id: str, pace: float = 0.0) -> Iterator[DocumentMessage]:
        """A recorded run as the documents it would send, at ``pace`` lab seconds a second (0: at once)."""
        yield from self._stream("Recorded", wire.RecordedRequest(run_id=run_id, pace=pace))

    def write_report(self, *run_ids: str) -> Path:
        """Has the report page of one run, or of several compared, written beside their files; gives its path."""
        return Path(self._call("WriteReport", wire.RunSelection(run_ids=run_ids), _LIST_S).path)

    def correlate(
        self, run_id: str, source: str, channel_a: str, channel_b: str, bin_ps: int, range_ps: int
    ) -> tuple[Int64Array, Int64Array, int]:
        """(left bin edges in ps, counts, bin width in ps) of the delays between two channels of a run: int64 (B,) each."""
        request = wire.CorrelateRequest(
            run_id=run_id, source=source, channel_a=channel_a, channel_b=channel_b, bin_ps=bin_ps, range_ps=range_ps
        )
        reply = self._call("Correlate", request, _LIST_S)
        return np.array(reply.lag_ps, np.int64), np.array(reply.counts, np.int64), reply.bin_ps

    def _stream(self, method: str, request: Any) -> Iterator[DocumentMessage]:
        stream = self._methods[method](request)
        try:
            for document in stream:
                yield DocumentMessage(document.index, document.utc_s, json.loads(document.json))
        except grpc.RpcError as error:
            raise _translate(error) from error
        finally:
            stream.cancel()

    def shutdown(self) -> None:
        """Ends the engine: the run stops at its checkpoint, the lab is made safe."""
        self._call("Shutdown", _NOTHING)

    def close(self) -> None:
        """Leaves; the engine and its run go on."""
        self._channel.close()

    def _call(self, method: str, request: Any, timeout_s: float = _CALL_S) -> Any:
        try:
            return self._methods[method](request, timeout=timeout_s)
        except grpc.RpcError as error:
            raise _translate(error) from error


def _translate(error: grpc.RpcError) -> ErbiaError:
    make: Callable[[str], ErbiaError] = {
        grpc.StatusCode.INVALID_ARGUMENT: UsageError,
        grpc.StatusCode.UNAUTHENTICATED: UsageError,
        grpc.StatusCode.PERMISSION_DENIED: UsageError,
        grpc.StatusCode.ABORTED: ErbiaError,
    }.get(error.code(), EngineLost)
    return make(error.details() or error.code().name)


def _run_request(experiment: str, config: dict[str, Any], overrides: dict[str, Any] | None) -> wire.RunRequest:
    return wire.RunRequest(
        experiment=experiment,
        config_json=json.dumps(config),
        overrides_json={name: json.dumps(value) for name, value in (overrides or {}).items()},
    )


def _field_errors(verdict: wire.Verdict | wire.SubmitReply) -> list[FieldError]:
    return [FieldError(e.field, e.message) for e in verdict.errors]


def _creation_flags() -> int:
    if sys.platform == "win32":
        return subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    return 0


def _last_words(text: str) -> str:
    lines = text.strip().splitlines()
    own = [line.removeprefix(SAYS) for line in lines if line.startswith(SAYS)]
    return (own or lines or ["the engine ended without a word"])[-1]
