"""The engine's gRPC face: turns messages into calls of the supervisor and its errors into status codes."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any

import grpc

from ...analysis.errors import ErbiaError, UsageError
from . import engine_pb2 as wire
from .access import Access, CertificateAccess, TlsFiles, TokenAccess, caller
from .archive import Archive
from .queue_values import QueueState, calibration_to_wire, entry_to_wire, order_from_wire
from .rpc import OPTIONS, service_handler
from .spool import Spool
from .supervisor import Supervisor
from .values import (
    STOP_KINDS,
    FieldError,
    instrument_to_wire,
    parameter_to_wire,
    run_to_wire,
    station_to_wire,
    status_to_wire,
)

_NOTHING = wire.Nothing()
#: Room for this many slow readers of documents besides the quick calls.
_THREADS = 32


def _answers(method: Callable[..., Any]) -> Callable[..., Any]:
    """Counts the call as a sign of life and sends the program's errors as one line with a fitting code."""

    @wraps(method)
    def call(self: Service, request: Any, context: grpc.ServicerContext) -> Any:
        self.last_call_s = time.monotonic()
        try:
            return method(self, request)
        except (UsageError, json.JSONDecodeError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except ErbiaError as error:
            context.abort(grpc.StatusCode.ABORTED, str(error))

    return call


class Service:
    """Method names are those of ``engine.proto``."""

    def __init__(self, supervisor: Supervisor, spool: Spool, archive: Archive) -> None:
        self._supervisor = supervisor
        self._spool = spool
        self._archive = archive
        self._lock = threading.Lock()
        self.ended = threading.Event()
        self.last_call_s = time.monotonic()
        self.streams = 0

    @_answers
    def GetStatus(self, request: wire.Nothing) -> wire.Status:  # noqa: N802
        return status_to_wire(replace(self._supervisor.status(), role=caller.get().role))

    @_answers
    def ListExperiments(self, request: wire.Nothing) -> wire.ExperimentList:  # noqa: N802
        return wire.ExperimentList(
            experiments=[
                wire.Experiment(name=e.name, title=e.title, schema_json=json.dumps(e.schema))
                for e in self._supervisor.requests.experiments()
            ]
        )

    @_answers
    def Validate(self, request: wire.RunRequest) -> wire.Verdict:  # noqa: N802
        return _verdict(self._supervisor.requests.validate(*_run_request(request)))

    @_answers
    def Start(self, request: wire.RunRequest) -> wire.Verdict:  # noqa: N802
        return _verdict(self._supervisor.start(*_run_request(request)))

    @_answers
    def Stop(self, request: wire.StopRequest) -> wire.Nothing:  # noqa: N802
        self._supervisor.stop(STOP_KINDS[request.kind])
        return _NOTHING

    @_answers
    def Pause(self, request: wire.Nothing) -> wire.Nothing:  # noqa: N802
        self._supervisor.pause()
        return _NOTHING

    @_answers
    def Resume(self, request: wire.Nothing) -> wire.Nothing:  # noqa: N802
        self._supervisor.resume()
        return _NOTHING

    @_answers
    def AllOff(self, request: wire.Nothing) -> wire.Nothing:  # noqa: N802
        self._supervisor.all_off()
        return _NOTHING

    @_answers
    def Snapshot(self, request: wire.Nothing) -> wire.InstrumentTree:  # noqa: N802
        return station_to_wire(self._supervisor.snapshot())

    @_answers
    def SetParameter(self, request: wire.SetParameterRequest) -> wire.Parameter:  # noqa: N802
        return parameter_to_wire(self._supervisor.set_parameter(request.name, json.loads(request.value_json)))

    @_answers
    def ReadParameter(self, request: wire.ReadParameterRequest) -> wire.Parameter:  # noqa: N802
        return parameter_to_wire(self._supervisor.read_parameter(request.name))

    def Documents(  # noqa: N802
        self, request: wire.DocumentsRequest, context: grpc.ServicerContext
    ) -> Iterator[wire.Document]:
        with self._lock:
            self.streams += 1
        try:
            for document in self._spool.follow(request.since, lambda: context.is_active() and not self.ended.is_set()):
                yield wire.Document(index=document.index, utc_s=document.utc_s, json=json.dumps(document.content))
        finally:
            with self._lock:
                self.streams -= 1
            self.last_call_s = time.monotonic()

    @_answers
    def PlanRun(self, request: wire.RunRequest) -> wire.Plan:  # noqa: N802
        experiment, config, _ = _run_request(request)
        return wire.Plan(json=json.dumps(self._supervisor.requests.plan(experiment, config)))

    @_answers
    def ListRuns(self, request: wire.Nothing) -> wire.RunList:  # noqa: N802
        status = self._supervisor.status()
        active = "" if status.state == "idle" else status.run_path
        return wire.RunList(runs=[run_to_wire(run) for run in self._archive.runs(active)])

    @_answers
    def AnnotateRun(self, request: wire.RunNote) -> wire.Nothing:  # noqa: N802
        self._archive.annotate(request.run_id, request.star, request.note)
        return _NOTHING

    @_answers
    def WriteReport(self, request: wire.RunSelection) -> wire.ReportFile:  # noqa: N802
        return wire.ReportFile(path=str(self._archive.write_report(list(request.run_ids))))

    def Recorded(self, request: wire.RecordedRequest, context: grpc.ServicerContext) -> Iterator[wire.Document]:  # noqa: N802
        try:
            for index, content in enumerate(self._archive.recorded(request.run_id, request.pace)):
                if not context.is_active() or self.ended.is_set():
                    return
                yield wire.Document(index=index, utc_s=time.time(), json=json.dumps(content))
        except ErbiaError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))

    @_answers
    def Correlate(self, request: wire.CorrelateRequest) -> wire.Histogram:  # noqa: N802
        histogram = self._archive.correlate(
            request.run_id, request.source, request.channel_a, request.channel_b, request.bin_ps, request.range_ps
        )
        return wire.Histogram(lag_ps=histogram.lag_ps, counts=histogram.counts, bin_ps=histogram.bin_ps)

    @_answers
    def Submit(self, request: wire.SubmitRequest) -> wire.SubmitReply:  # noqa: N802
        order = order_from_wire(request)
        errors, entry = self._supervisor.submit(replace(order, operator=caller.get().name or order.operator))
        return wire.SubmitReply(errors=_verdict(errors).errors, entry=None if entry is None else entry_to_wire(entry))

    @_answers
    def ListQueue(self, request: wire.QueueFilter) -> wire.QueueList:  # noqa: N802
        return _queue(self._supervisor.listed(request.finished, request.batch))

    @_answers
    def MoveEntry(self, request: wire.MoveRequest) -> wire.Nothing:  # noqa: N802
        self._supervisor.queue.move(request.id, request.before)
        return _NOTHING

    @_answers
    def SetPriority(self, request: wire.PriorityRequest) -> wire.Nothing:  # noqa: N802
        self._supervisor.queue.set_priority(request.id, request.priority)
        return _NOTHING

    @_answers
    def Cancel(self, request: wire.EntrySelection) -> wire.Nothing:  # noqa: N802
        self._supervisor.cancel(request.ids, request.batch)
        return _NOTHING

    @_answers
    def Repeat(self, request: wire.EntrySelection) -> wire.QueueList:  # noqa: N802
        return _queue(self._supervisor.repeat(request.ids, request.batch))

    @_answers
    def HoldQueue(self, request: wire.HoldRequest) -> wire.Nothing:  # noqa: N802
        self._supervisor.hold_queue(request.reason)
        return _NOTHING

    @_answers
    def ReleaseQueue(self, request: wire.Nothing) -> wire.Nothing:  # noqa: N802
        self._supervisor.release_queue()
        return _NOTHING

    @_answers
    def RestartInstrument(self, request: wire.InstrumentName) -> wire.Instrument:  # noqa: N802
        return instrument_to_wire(self._supervisor.restart_instrument(request.name))

    @_answers
    def ListCalibrations(self, request: wire.Nothing) -> wire.CalibrationList:  # noqa: N802
        return wire.CalibrationList(calibrations=map(calibration_to_wire, self._supervisor.calibrations()))

    @_answers
    def Calibrate(self, request: wire.CalibrateRequest) -> wire.QueueList:  # noqa: N802
        return _queue(self._supervisor.calibrate(request.names))

    @_answers
    def Shutdown(self, request: wire.Nothing) -> wire.Nothing:  # noqa: N802
        self.ended.set()
        return _NOTHING

    def idle_s(self) -> float:
        """How long nobody was there and nothing ran or waited its turn; 0 while a reader of documents is alive."""
        if self.streams or self._supervisor.busy():
            self.last_call_s = time.monotonic()
        return time.monotonic() - self.last_call_s


@contextmanager
def serving(service: Service) -> Iterator[tuple[str, str]]:
    """Serves on a free loopback port while the context lasts; gives (address, token)."""
    token = secrets.token_urlsafe(32)
    with _served(service, TokenAccess(token), lambda server: server.add_insecure_port("127.0.0.1:0")) as port:
        yield f"127.0.0.1:{port}", token


@contextmanager
def serving_network(service: Service, address: str, tls: TlsFiles, operators: frozenset[str]) -> Iterator[str]:
    """Serves on ``host:port`` to whoever shows a certificate of the authority; gives the address with its port.

    Raises:
        UsageError: a certificate file cannot be read, or the address cannot be bound.
    """
    credentials = tls.server_credentials()

    def bind(server: grpc.Server) -> int:
        try:
            return int(server.add_secure_port(address, credentials))
        except RuntimeError as error:
            raise UsageError(f"cannot listen on {address}: {error}") from error

    with _served(service, CertificateAccess(operators), bind) as port:
        yield f"{address.rpartition(':')[0]}:{port}"


@contextmanager
def _served(service: Service, access: Access, bind: Callable[[grpc.Server], int]) -> Iterator[int]:
    pool = ThreadPoolExecutor(_THREADS)
    server = grpc.server(pool, options=OPTIONS)
    server.add_generic_rpc_handlers((service_handler(service, access),))
    port = bind(server)
    server.start()
    try:
        yield port
    finally:
        service.ended.set()
        server.stop(grace=1.0).wait()
        pool.shutdown()


def _run_request(request: wire.RunRequest) -> tuple[str, dict[str, Any], dict[str, Any]]:
    overrides = {name: json.loads(text) for name, text in request.overrides_json.items()}
    return request.experiment, json.loads(request.config_json or "{}"), overrides


def _verdict(errors: list[FieldError]) -> wire.Verdict:
    return wire.Verdict(errors=[wire.FieldError(field=e.field, message=e.message) for e in errors])


def _queue(state: QueueState) -> wire.QueueList:
    return wire.QueueList(entries=map(entry_to_wire, state.entries), held=state.held)
