"""The interpreter: plays a plan on a lab, writes every fact to disk and then tells the subscribers.

The safe end state always runs and is verified: pulses stopped, emission off; what the plan had changed is put back.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from ..analysis.errors import ErbiaError
from ..analysis.files.runfile import RunWriter, open_run
from ..instruments.monitored import MonitorSection
from ..instruments.station import LoadedStation
from .budget import make_budget, raise_refused, refuse_impossible
from .budget_facts import facts_of
from .changes import ParameterChanges
from .compile import compile_sequence
from .control import RunControl
from .documents import Document, Progress, Reading, RunStop, SettingStart, Tags
from .experiments.base import Action, Experiment, Plan, Setting
from .monitors import Monitors, not_counting
from .replay import refold
from .resume import interrupted_run, reopen
from .run_file import create_file, dotted_name, new_run_id, plain_value
from .safety import check_interlocks, free_latched, make_safe, unsafe_outputs
from .taggers import Taggers, pass_time, rates_hz
from .telling import Status, Subscriber, conclude, run_start, tell_all

log = logging.getLogger(__name__)

_RESULT_PERIOD_S = 0.5
#: Working out how things stand may take this share of a run.
_RESULT_SHARE = 0.02
#: A setting longer than this can be stopped or paused in the middle, at the end of a round.
_CHECKPOINT_S = 5.0


def run_experiment(
    lab: LoadedStation,
    experiment: Experiment[Any, Any],
    *,
    out_dir: Path,
    operator: str = "",
    subscribers: Sequence[Subscriber] = (),
    control: RunControl | None = None,
    monitors: Mapping[str, MonitorSection] | None = None,
) -> Path:
    """Runs an experiment to its end and returns the path of its run file.

    ``monitors`` are added to those of the station file; a name it has already is replaced.

    Raises:
        UsageError: the plan cannot be played (nothing was switched on, no file made).
        ErbiaError: the lab failed; the file is closed with status ``failed`` and outputs are safe.
    """
    plan = experiment.build()
    budget = make_budget(experiment, facts_of(lab), out_dir)
    raise_refused(budget.lines)
    watched = {**lab.file.monitors, **(monitors or {})}
    judge = Monitors(lab, watched)
    out_dir.mkdir(parents=True, exist_ok=True)
    created = datetime.now(UTC)
    run_id = new_run_id(experiment.name, created)
    path = out_dir / f"{run_id}.h5"
    writer = create_file(path, run_id, lab, experiment, plan, budget, watched, operator)
    run = _Run(lab, experiment, plan, writer, control or RunControl(), subscribers, judge, Taggers(lab, plan.sources))
    run.state = experiment.begin()
    return _finish(run, path, created.isoformat())


def resume_run(
    lab: LoadedStation,
    path: Path,
    *,
    subscribers: Sequence[Subscriber] = (),
    control: RunControl | None = None,
) -> Path:
    """Goes on with a run that was interrupted, failed or stopped, in its own file, from the last block in it.

    Raises:
        UsageError: the run is complete, still being written, or was made with another station; nothing was switched on.
        ErbiaError: the lab failed (again); the file is closed with status ``failed`` and outputs are safe.
    """
    found = interrupted_run(lab, path)
    experiment = found.experiment
    if found.complete:
        with open_run(path) as file:
            state = refold(experiment, file)
        tell = partial(tell_all, subscribers)
        tell(run_start(lab, experiment, experiment.build(), path, found.created_utc))
        return conclude(experiment, state, path, ("done", experiment.shortfall(state)), tell)
    plan = experiment.build()
    judge = Monitors(lab, found.monitors)
    for name, value in found.held.items():
        lab.parameter(name).set(value)
    lab.held.update(found.held)
    writer, position = reopen(path, experiment)
    judge.restore(position.suspended)
    pass_time(lab, position.covered_ps)
    taggers = Taggers(lab, plan.sources, dict(position.covered_ps))
    run = _Run(lab, experiment, plan, writer, control or RunControl(), subscribers, judge, taggers)
    run.state, run.next_index = position.state, position.settings
    run.under_way, run.closing = position.under_way, position.closing
    return _finish(run, path, found.created_utc)


def _finish(run: _Run, path: Path, created_utc: str) -> Path:
    run.tell(run_start(run.lab, run.experiment, run.plan, path, created_utc))
    ended = run.play()
    return conclude(run.experiment, run.state, path, ended, run.tell)


@dataclass
class _Run:
    """The state of one run while it is played.

    Attributes:
        next_index: of the setting to be played next.
        under_way: that setting, when it had been decided from the data and was interrupted.
        closing: it had all its data when it was interrupted; it only needs its row.
    """

    lab: LoadedStation
    experiment: Experiment[Any, Any]
    plan: Plan
    writer: RunWriter
    control: RunControl
    subscribers: Sequence[Subscriber]
    monitors: Monitors
    taggers: Taggers
    state: Any = None
    next_index: int = 0
    under_way: Setting | None = None
    closing: Action = Action.CONTINUE
    started_s: float = 0.0
    told_at: float = 0.0
    told_for_s: float = 0.0
    checkpoint_at: float = 0.0
    round_at: float = 0.0
    before: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    changes: ParameterChanges = field(default_factory=ParameterChanges)

    def play(self) -> tuple[Status, str]:
        """Plays every setting and closes the file; returns status and reason."""
        self.started_s = self.lab.clock.now_s()
        status: Status = "failed"
        reason = ""
        try:
            with self._safe_at_end(), self.changes:
                self._free_detectors("before the run")
                if self.next_index == 0:
                    self.writer.snapshot("start", self._snapshot())
                status, reason = self._play_settings()
                self.writer.snapshot("end", self._snapshot())
                if self.lab.world is not None:  # before the lab is made safe: the truth of what was just played
                    self.writer.write_truth(self.lab.world.truth())
        except BaseException as error:
            status = "failed"
            self.tell(RunStop(status, f"{type(error).__name__}: {error}"))
            raise
        finally:
            self.writer.close(status)
        return status, reason

    # -- settings ----------------------------------------------------------------------------------------------------

    def _play_settings(self) -> tuple[Status, str]:
        with self.taggers.recording():
            for index, setting in self._settings():
                self._wait_while_paused()
                if self.control.stop_asked():
                    return "aborted", f"stopped ({self.control.stop_asked()}) before setting {setting.name}"
                action = self._play_setting(index, setting)
                if action is Action.CONTINUE:
                    return "aborted", f"stopped ({self.control.stop_asked()}) in setting {setting.name}"
                if action is Action.FINISH:
                    break
        return "done", self.experiment.shortfall(self.state)

    def _settings(self) -> Iterator[tuple[int, Setting]]:
        """Those of the plan not yet done, then what the experiment decides from the data."""
        yield from list(enumerate(self.plan.settings))[self.next_index :]
        index = max(self.next_index, len(self.plan.settings))
        while (setting := self.under_way or self.experiment.next_setting(self.state)) is not None:
            self.under_way = None
            refuse_impossible((setting,), facts_of(self.lab))
            yield index, setting
            index += 1

    def _play_setting(self, index: int, setting: Setting) -> Action:
        """Plays until the experiment has enough; CONTINUE when it was stopped before that."""
        covered_ps = dict(self.taggers.covered_ps)
        first_ps = covered_ps.get(self.plan.sources[0], 0)
        self._apply(setting)
        self.tell(SettingStart(index, setting.name, first_ps, dict(setting.parameters)))
        action, self.closing = self.closing, Action.CONTINUE
        while action is Action.CONTINUE:
            if not self.control.must_stop_now():
                with self._playing(index, setting):
                    action = self._read_until_checkpoint(index)
            if action is Action.CONTINUE:
                self._wait_while_paused()
                if self.control.stop_asked():
                    return action
                self._apply(setting)
        readings = {name: float(self.lab.parameter(name).get()) for name in setting.read}
        self.state = self.experiment.take_readings(self.state, index, readings)
        parameters = {name: plain_value(value) for name, value in setting.parameters.items()}
        self.writer.append_setting(
            index=index,
            name=setting.name,
            t_start_ps=first_ps,
            t_stop_ps=self.taggers.covered_ps[self.plan.sources[0]],
            parameters=json.dumps({"parameters": parameters, "t_start_ps": covered_ps, "readings": readings}),
        )
        return action

    @contextmanager
    def _playing(self, index: int, setting: Setting) -> Iterator[None]:
        """The setting's pulses play inside; what is under way when they stop belongs to the setting."""
        if setting.sequence is None:
            yield
            return
        pulser = self.lab.instrument("pulser")
        pulser.load(compile_sequence(setting.sequence, pulser.sample_ps).table)
        pulser.arm()
        pulser.start()
        try:
            yield
        finally:
            pulser.stop()
        if not self.control.must_stop_now():
            self._read_round(index)

    def _read_until_checkpoint(self, index: int) -> Action:
        self.checkpoint_at = time.monotonic()
        while True:
            action = self._read_round(index)
            if action is not Action.CONTINUE or self.control.must_stop_now():
                return action
            asked = self.control.stop_asked() or self.control.paused()
            if asked and time.monotonic() - self.checkpoint_at >= _CHECKPOINT_S:
                return action

    # -- data --------------------------------------------------------------------------------------------------------

    def _read_round(self, index: int) -> Action:
        """One block from every tagger: judged, written, told, folded in."""
        blocks = self.taggers.read_round()
        check_interlocks(self.lab)
        if self.control.take_acknowledgement():
            self.monitors.acknowledge()
        for change in self.monitors.judge(blocks):
            self.writer.append_validity(change.t_ps, change.source, change.valid, change.reason)
            self.tell(change)
        for block in blocks.values():
            self.writer.append_tags(block)
        self._make_durable()
        action = Action.CONTINUE
        for source, block in blocks.items():
            if self.subscribers:
                self.tell(Tags(block, rates_hz(block, self.lab.nodes[source])))
            counted = not_counting(block) if self.monitors.suspended(source) else block
            self.state, wanted = self.experiment.step(self.state, index, counted)
            if wanted is not Action.CONTINUE:
                action = wanted
        for table in self.experiment.herald_rows(self.state):
            self.writer.append_heralds(table)
        for text in self.changes.taken():
            self.writer.append_log(self._now_ps(), "SET", text)
        self._tell_standing(final=action is not Action.CONTINUE)
        return action

    def _make_durable(self) -> None:
        """Where rounds are slow, a round is on disk for good before it is told, not half a second after the next one."""
        now = time.monotonic()
        self.writer.flush_unless_before(now + (now - self.round_at))
        self.round_at = now

    def _now_ps(self) -> int:
        return self.taggers.covered_ps.get(self.plan.sources[0], 0)

    def _tell_standing(self, final: bool) -> None:
        now = time.monotonic()
        if not final and now - self.told_at < max(_RESULT_PERIOD_S, self.told_for_s / _RESULT_SHARE):
            return
        self._read_slow_values()
        standing = self.experiment.standing(self.state)
        spent_s = self.lab.clock.now_s() - self.started_s
        left_s = spent_s * (1 / standing.fraction - 1) if standing.fraction > 0 else None
        suspended = self.monitors.suspended(self.plan.sources[0])
        message = f"{standing.message}; suspended: {suspended}" if suspended else standing.message
        self.tell(Progress(standing.fraction, spent_s, left_s, message))
        self._tell_result()
        self.told_at = time.monotonic()
        self.told_for_s = self.told_at - now

    def _tell_result(self) -> None:
        """What the data say so far; data that cannot be analysed yet do not end the recording of those to come."""
        try:
            result = self.experiment.result(self.state)
        except Exception as error:
            log.warning("%s: no results so far: %s: %s", self.experiment.name, type(error).__name__, error)
        else:
            self.tell(result)

    def _read_slow_values(self) -> None:
        """Values marked ``monitor`` in the station file, from the instruments' caches."""
        for parameter in self.lab.monitored():
            value = parameter.get()
            if isinstance(value, int | float):
                self.writer.append_reading(self._now_ps(), parameter.full_name, float(value), parameter.unit)
                self.tell(Reading(self._now_ps(), parameter.full_name, float(value), parameter.unit))

    # -- the lab -----------------------------------------------------------------------------------------------------

    def _apply(self, setting: Setting) -> None:
        belonging = {} if setting.sequence is None else dict(setting.sequence.settings)
        for name, value in {**belonging, **setting.parameters}.items():
            parameter = self.lab.parameter(name)
            if dotted_name(parameter) in self.lab.held:
                continue
            if parameter.full_name not in self.before:
                self.before[parameter.full_name] = (parameter, parameter.get())
            parameter.set(value)

    def _wait_while_paused(self) -> None:
        if self.control.paused():
            make_safe(self.lab)
            self.control.wait_while_paused()

    @contextmanager
    def _safe_at_end(self) -> Iterator[None]:
        try:
            yield
        finally:
            make_safe(self.lab)
            self._put_back()
            self._verify_safe()
            self._free_detectors("after the run")

    def _put_back(self) -> None:
        """Parameters the plan changed get the values they had before the run; emissions stay off."""
        for parameter, value in self.before.values():
            if parameter.name != "emission":
                parameter.set(value)

    def _free_detectors(self, when: str) -> None:
        for name in free_latched(self.lab, self.plan.sources):
            self.writer.append_log(self._now_ps(), "WARNING", f"{name} was latched {when}; its bias was cycled")

    def _verify_safe(self) -> None:
        """Asks the instruments whether the lab is as it should be left, and keeps the answer in the file."""
        wrong = unsafe_outputs(self.lab)
        for parameter, value in self.before.values():
            if parameter.name != "emission" and parameter.get() != value:
                wrong.append(f"{parameter.full_name} is {parameter.cache.get()}, not {value} as before the run")
        words = "; ".join(wrong)
        self.writer.append_log(self._now_ps(), "WARNING" if wrong else "INFO", f"safe end state: {words or 'verified'}")
        if wrong:
            raise ErbiaError(f"the lab is not in its safe end state: {words}; switch off by hand")

    def _snapshot(self) -> str:
        return json.dumps(self.lab.station.snapshot(update=False), default=str)

    def tell(self, document: Document) -> None:
        tell_all(self.subscribers, document)
