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
from .endpoint import SAYS, endpoint_file, read_endpoint
from .rpc import OPTIONS, client_methods
from .values import (
    STOP_KINDS,
    DocumentMessage,
    EngineStatus,
    ExperimentInfo,
    FieldError,
    ParameterState,
    RunSummary,
    StationState,
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

    def __init__(self, address: str, token: str) -> None:
        self._channel = grpc.insecure_channel(address, options=OPTIONS)
        self._methods = client_methods(self._channel, token)

    @classmethod
    def connect(cls, station: str) -> EngineClient | None:
        """The station's engine if one runs."""
        endpoint = read_endpoint(station)
        return None if endpoint is None else cls(endpoint.address, endpoint.token)

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
        grpc.StatusCode.ABORTED: ErbiaError,
    }.get(error.code(), EngineLost)
    return make(error.details() or error.code().name)


def _run_request(experiment: str, config: dict[str, Any], overrides: dict[str, Any] | None) -> wire.RunRequest:
    return wire.RunRequest(
        experiment=experiment,
        config_json=json.dumps(config),
        overrides_json={name: json.dumps(value) for name, value in (overrides or {}).items()},
    )


def _field_errors(verdict: wire.Verdict) -> list[FieldError]:
    return [FieldError(e.field, e.message) for e in verdict.errors]


def _creation_flags() -> int:
    if sys.platform == "win32":
        return subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    return 0


def _last_words(text: str) -> str:
    lines = text.strip().splitlines()
    own = [line.removeprefix(SAYS) for line in lines if line.startswith(SAYS)]
    return (own or lines or ["the engine ended without a word"])[-1]
