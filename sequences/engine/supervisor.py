"""Owns the lab: plays one run after another in its own thread, steers it, and knows how things stand. No protocol in here."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...analysis.errors import ErbiaError, UsageError
from ...analysis.files.runfile import Run
from ...instruments.errors import InstrumentError
from ..calibrations import CalibrationBook, book_of
from ..control import RunControl, StopKind
from ..documents import Document, RunStart, RunStop
from ..resume import nothing_left
from ..safety import check_interlocks
from .condense import Condenser
from .health import HealthBook
from .parameters import (
    check_setting,
    describe_instrument,
    describe_parameter,
    describe_station,
    find_parameter,
)
from .queue import RunQueue
from .queue_values import CalibrationStatus, QueueEntry, QueueState, RunOrder
from .requests import Requests
from .spool import Spool
from .values import EngineStatus, FieldError, InstrumentState, ParameterState, StationState

if TYPE_CHECKING:
    from ..lab import Lab

log = logging.getLogger(__name__)
#: Calibrations go before whatever waits.
_CALIBRATION_PRIORITY = 1000


@dataclass
class _Job:
    """One run that is played now; ``entry_id`` 0: not from the queue."""

    order: RunOrder
    entry_id: int = 0
    control: RunControl = field(default_factory=RunControl)
    start: RunStart | None = None
    stop: RunStop | None = None


class Supervisor:
    """One lab, one run at a time. Every method may be called from any thread."""

    def __init__(
        self, lab: Lab, station: str, seed: int | None, experiments: Mapping[str, Any], spool: Spool, out_dir: Path
    ) -> None:
        self._lab, self._station, self._seed = lab, station, seed
        self._spool, self._out_dir = spool, out_dir
        self.requests = Requests(lab, experiments, out_dir)
        self.health = HealthBook()
        self.queue = RunQueue(out_dir / f".erbia-queue-{Path(station).stem}.sqlite")
        self._changed = threading.Condition()
        self._state = "idle"
        self._job: _Job | None = None
        self._last = _Job(RunOrder(""))
        self._last_error = ""
        self._closing = False
        self._tripped = ""
        self._thread = threading.Thread(target=self._work, name="run", daemon=True)
        self._thread.start()

    # -- how things stand --------------------------------------------------------------------------------------------

    def status(self) -> EngineStatus:
        """How the engine stands now."""
        job = self._job or self._last
        waits = self._state == "paused" and not job.control.waiting()
        return EngineStatus(
            state="pausing" if waits else self._state,
            station=self._station,
            simulated=self._lab.simulated,
            experiment=job.order.experiment,
            run_id=job.start.run_id if job.start else "",
            run_path=job.start.path if job.start else "",
            last_error=self._last_error,
            next_index=len(self._spool),
            free_disk_bytes=shutil.disk_usage(self._out_dir).free,
            pid=os.getpid(),
            seed=self._seed,
            out_dir=str(self._out_dir),
            run_bytes=_size(job.start.path) if job.start else 0,
            queued=self.queue.waiting(),
            queue_held=self.queue.held(),
            entry_id=self._job.entry_id if self._job else 0,
        )

    def busy(self) -> bool:
        """Whether a run is played or waits for its turn or time."""
        return self._state != "idle" or bool(self.queue.waiting() and not self.queue.held())

    # -- one run -----------------------------------------------------------------------------------------------------

    def start(self, experiment: str, config: dict[str, Any], overrides: dict[str, Any]) -> list[FieldError]:
        """Starts a run at once, or says why not."""
        order = RunOrder.of(experiment, config, overrides)
        errors = self.requests.validate(experiment, config, overrides)
        if errors:
            return errors
        with self._changed:
            if self._state != "idle":
                playing = (self._job or self._last).order.experiment
                return [FieldError("", f"the engine is {self._state} with {playing}; stop that run first")]
            self._begin(_Job(order))
        return []

    def stop(self, kind: StopKind) -> None:
        """Asks the run to stop: ``checkpoint``, ``now`` or ``emergency``. Without a run nothing happens."""
        with self._changed:
            if self._job is not None:
                self._state = "stopping"
                self._job.control.request(kind)

    def pause(self) -> None:
        """Holds the run at its next checkpoint."""
        with self._changed:
            if self._job is not None and self._state == "running":
                self._state = "paused"
                self._job.control.pause()

    def resume(self) -> None:
        """Lets a held run go on; in a running one, acknowledges monitors that have latched."""
        with self._changed:
            if self._job is not None and self._state in ("paused", "running"):
                self._state = "running"
                self._job.control.resume()

    def all_off(self) -> None:
        """Emergency stop, then every output to its safe value at once, without waiting for the run to notice."""
        log.warning("ALL OFF: emergency stop, outputs to their safe values")
        self.hold_queue("all off")
        self.stop("emergency")
        self._lab.make_safe()

    # -- the queue ---------------------------------------------------------------------------------------------------

    def submit(self, order: RunOrder) -> tuple[list[FieldError], QueueEntry | None]:
        """Puts a run into the queue; what is wrong with it, field by field, when it is not taken."""
        errors = [] if order.resume_path else self.requests.validate(order.experiment, order.config, order.overrides)
        errors += self.requests.validate_monitors(order.monitors)
        if errors:
            return errors, None
        (entry,) = self.queue.submit(order)
        self._wake()
        return [], entry

    def listed(self, finished: bool, batch: str) -> QueueState:
        """The queue in the order of play."""
        return QueueState(tuple(self.queue.entries(finished, batch)), self.queue.held())

    def cancel(self, ids: Sequence[int], batch: str) -> None:
        """Takes entries out; one that is being played is stopped at its next checkpoint."""
        playing = self.queue.cancel(ids, batch)
        if self._job is not None and self._job.entry_id in playing:
            self.stop("checkpoint")

    def repeat(self, ids: Sequence[int], batch: str) -> QueueState:
        """Queues the same again."""
        entries = self.queue.repeat(ids, batch)
        self._wake()
        return QueueState(tuple(entries), self.queue.held())

    def hold_queue(self, reason: str) -> None:
        """Plays nothing further from the queue until released; the run under way goes on."""
        self.queue.hold(reason)
        log.warning("queue held: %s", reason or "by hand")

    def release_queue(self) -> None:
        """The queue goes on."""
        self.queue.release()
        self._wake()

    # -- calibrations ------------------------------------------------------------------------------------------------

    def calibrations(self) -> list[CalibrationStatus]:
        """How they stand, lowest level first."""
        book = self._book()
        return [_calibration_status(book, name) for name in book.names()]

    def calibrate(self, names: Sequence[str]) -> QueueState:
        """Queues the named calibrations after what they need that is not fresh; no name: all that are not fresh."""
        book = self._book()
        orders = [
            RunOrder.of(s.experiment, s.config, priority=_CALIBRATION_PRIORITY, calibration=name)
            for name in book.due(names)
            for s in (book.section(name),)
        ]
        entries = self.queue.submit(*orders)
        self._wake()
        return QueueState(tuple(entries), self.queue.held())

    def _book(self) -> CalibrationBook:
        return book_of(self._lab.loaded, self._out_dir)

    def _keep_calibration(self, name: str, run: Run) -> None:
        book = self._book()
        estimate = book.keep(name, run.results, str(run.path))
        target = book.section(name).sets
        if target is not None:
            self.set_parameter(target, estimate.value)

    # -- instruments -------------------------------------------------------------------------------------------------

    def snapshot(self) -> StationState:
        """All parameters as last known."""
        return describe_station(self._lab.station, self.health)

    def set_parameter(self, name: str, value: Any) -> ParameterState:
        """Sets within the limits and returns the parameter as it then is. Raises UsageError when refused."""
        parameter = find_parameter(self._lab.station, name)
        check_setting(name, parameter, value)
        before = describe_parameter(name, parameter).value
        parameter.set(value)
        log.info("%s: %s → %s", name, before, value)
        return describe_parameter(name, parameter)

    def read_parameter(self, name: str) -> ParameterState:
        """Asks the instrument for the value now."""
        parameter = find_parameter(self._lab.station, name)
        parameter.get()
        return describe_parameter(name, parameter)

    def restart_instrument(self, name: str) -> InstrumentState:
        """Closes an instrument and opens it again, the others untouched.

        Raises:
            UsageError: no such instrument, or a run is under way.
            InstrumentError: it does not come back.
        """
        with self._changed:
            if self._state != "idle":
                raise UsageError(f"{name} cannot be restarted while the engine is {self._state}; stop the run first")
            try:
                instrument = self._lab.restart_instrument(name)
            except InstrumentError as error:
                self.health.failed(name, str(error))
                raise
        self.health.answered(name)
        log.info("%s restarted", name)
        return describe_instrument(instrument, self.health.of(name))

    def guard(self) -> None:
        """Between runs: a tripped interlock makes the lab safe and holds the queue (in a run, the runner looks)."""
        if self._state != "idle":
            return
        try:
            check_interlocks(self._lab.loaded)
            self._tripped = ""
        except ErbiaError as error:
            if not self._tripped:
                log.error("%s", error)
                self.hold_queue(str(error))
                self._lab.make_safe()
            self._tripped = str(error)

    # -- playing -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Ends the run at its next checkpoint (one from the queue goes on next time), makes the lab safe, lets it go."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self.stop("checkpoint")
        self._thread.join()
        self.queue.close()
        self._lab.close()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _begin(self, job: _Job) -> None:
        self._job, self._state, self._last_error = job, "running", ""
        self._changed.notify_all()

    def _work(self) -> None:
        while (job := self._next_job()) is not None:
            self._play(job)

    def _next_job(self) -> _Job | None:
        """Waits for a run to play; None when the engine closes."""
        with self._changed:
            while self._job is None and not self._closing:
                entry = self.queue.next()
                if entry is not None:
                    self.queue.started(entry.id)
                    self._begin(_Job(entry.order, entry.id))
                else:
                    self._changed.wait(self.queue.next_due_in_s())
            return self._job

    def _play(self, job: _Job) -> None:
        condenser = Condenser(self._spool.append)
        failure: Exception | None = None
        try:
            for name, value in job.order.overrides.items():
                self._lab.hold(name, value)
            subscribers = (lambda document: self._note(job, document), condenser)
            if job.order.resume_path and nothing_left(job.order.resume_path):
                job.stop = RunStop("done")
            elif job.order.resume_path:
                self._lab.resume(job.order.resume_path, subscribers=subscribers, control=job.control)
            else:
                run = self._lab.run(
                    job.order.experiment,
                    out_dir=self._out_dir,
                    operator=job.order.operator,
                    subscribers=subscribers,
                    control=job.control,
                    monitors=job.order.monitors,
                    **job.order.config,
                )
                if job.order.calibration:
                    self._keep_calibration(job.order.calibration, run)
        except ErbiaError as error:
            failure = error
            log.error("%s: %s", job.order.experiment, error)
        except Exception as error:
            failure = error
            log.exception("%s failed", job.order.experiment)
        finally:
            self._lab.loaded.held.clear()
            condenser.flush()
            self._end(job, failure)

    def _end(self, job: _Job, failure: Exception | None) -> None:
        if failure is None:
            words = ""
        else:
            words = str(failure) if isinstance(failure, ErbiaError) else f"{type(failure).__name__}: {failure}"
            self._spool.append({"type": "RunFailed", "experiment": job.order.experiment, "reason": words})
        if isinstance(failure, InstrumentError):
            self.health.failed(failure.instrument, words)
        if job.entry_id:
            self._settle(job, failure, words)
        with self._changed:
            self._state, self._last_error, self._last, self._job = "idle", words, job, None

    def _settle(self, job: _Job, failure: Exception | None, words: str) -> None:
        """What becomes of the entry: a lab that failed holds the queue, or everything behind would fail in turn."""
        stop = job.stop or RunStop("failed", words)
        if failure is None and self._closing and stop.status == "aborted":
            self.queue.interrupted(job.entry_id)
            return
        self.queue.ended(job.entry_id, "failed" if failure else stop.status, words or stop.reason)
        if failure is not None and not isinstance(failure, UsageError):
            self.hold_queue(f"entry {job.entry_id} ({job.order.experiment}) failed: {words}")

    def _note(self, job: _Job, document: Document) -> None:
        if isinstance(document, RunStart):
            job.start = document
            if job.entry_id:
                self.queue.recording(job.entry_id, document.path)
        elif isinstance(document, RunStop):
            job.stop = document
            if document.reason:
                log.info("run %s: %s", document.status, document.reason)


def _calibration_status(book: CalibrationBook, name: str) -> CalibrationStatus:
    section, taken, (state, reason) = book.section(name), book.taken(name), book.state(name)
    known = taken.estimate is not None
    return CalibrationStatus(
        name=name,
        level=section.level,
        needs=section.needs,
        experiment=section.experiment,
        figure=section.figure,
        state=state,
        reason=reason,
        estimate=taken.estimate.as_dict() if taken.estimate is not None else None,
        taken_utc_s=taken.taken_utc_s if known else None,
        expires_after_s=section.expires_after_s,
        run_path=taken.run_path,
    )


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
