"""The interpreter: plays a plan on a lab, writes every fact to disk and then tells the subscribers.

The safe end state always runs: pulses stopped, emission off; what the plan had changed is then put back.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from ..analysis.errors import ErbiaError
from ..analysis.files.provenance import collect
from ..analysis.files.runfile import RunWriter, open_run
from ..analysis.records import PS_PER_S, TagBlock
from ..instruments.interfaces import Node, PulseGenerator
from ..instruments.station import LoadedStation
from .budget import Budget, make_budget, raise_refused, refuse_impossible
from .budget_facts import facts_of
from .compile import compile_sequence
from .control import RunControl
from .documents import Document, Progress, Reading, RunStart, RunStop, SettingStart, Tags
from .experiments.base import Action, Experiment, Plan, Setting

log = logging.getLogger(__name__)

Status = Literal["done", "failed", "aborted"]
Subscriber = Callable[[Document], None]
_RESULT_PERIOD_S = 0.5
_READ_TIMEOUT_S = 10.0


def new_run_id(experiment: str, created: datetime) -> str:
    """Sortable and unique to the microsecond: ``20261121T113000123456-heralded_entanglement``."""
    return f"{created:%Y%m%dT%H%M%S%f}-{experiment}"


def run_experiment(
    lab: LoadedStation,
    experiment: Experiment[Any, Any],
    *,
    out_dir: Path,
    operator: str = "",
    subscribers: Sequence[Subscriber] = (),
    control: RunControl | None = None,
) -> Path:
    """Runs an experiment to its end and returns the path of its run file.

    Raises:
        UsageError: the plan cannot be played (nothing was switched on, no file made).
        ErbiaError: the lab failed; the file is closed with status ``failed`` and outputs are safe.
    """
    plan = experiment.build()
    budget = make_budget(experiment, facts_of(lab), out_dir)
    raise_refused(budget.lines)
    out_dir.mkdir(parents=True, exist_ok=True)
    created = datetime.now(UTC)
    run_id = new_run_id(experiment.name, created)
    path = out_dir / f"{run_id}.h5"
    writer = _create_file(path, run_id, lab, experiment, plan, budget, operator)
    run = _Run(lab, experiment, plan, writer, control or RunControl(), subscribers)
    run.tell(
        RunStart(
            run_id=run_id,
            experiment=experiment.name,
            path=str(path),
            simulated=lab.simulated,
            config=experiment.config.model_dump(mode="json"),
            sources=plan.sources,
            created_utc=created.isoformat(),
        )
    )
    status, reason = run.play()
    with open_run(path) as file:
        result = experiment.result(run.state)
        file.write_results(result.estimates, result.histograms, version("erbia"))
    run.tell(result)
    run.tell(RunStop(status, reason))
    return path


def _create_file(
    path: Path,
    run_id: str,
    lab: LoadedStation,
    experiment: Experiment[Any, Any],
    plan: Plan,
    budget: Budget,
    operator: str,
) -> RunWriter:
    config = experiment.config.model_dump(mode="json")
    resolved = {
        "experiment": experiment.name,
        "config": config,
        "nodes": {name: describe_node(node) for name, node in lab.nodes.items()},
        "held": {name: str(value) for name, value in lab.held.items()},
        "settings": [s.name for s in plan.settings],
        "budget": budget.as_dict(),
    }
    return RunWriter.create(
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


def describe_node(node: Node) -> dict[str, Any]:
    """Plain dict of a node; ``Node`` is rebuilt from it when a file is analysed."""
    return {
        "instruments": node.instruments,
        "channels": [[c.number, c.name, c.delay_ps, c.detector] for c in node.channels],
        "photon_delay_ps": node.photon_delay_ps,
    }


@dataclass
class _Run:
    """The state of one run while it is played."""

    lab: LoadedStation
    experiment: Experiment[Any, Any]
    plan: Plan
    writer: RunWriter
    control: RunControl
    subscribers: Sequence[Subscriber]
    state: Any = None
    started_s: float = 0.0
    told_at: float = 0.0
    herald_tables: int = 0
    read_to_ps: dict[str, int] = field(default_factory=dict)
    before: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def play(self) -> tuple[Status, str]:
        """Plays every setting and closes the file; returns status and reason."""
        self.state = self.experiment.begin()
        self.started_s = self.lab.clock.now_s()
        status: Status = "failed"
        reason = ""
        try:
            with self._safe_at_end():
                self.writer.snapshot("start", self._snapshot())
                status, reason = self._play_settings()
                self.writer.snapshot("end", self._snapshot())
                if self.lab.world is not None:  # before the lab is made safe: the truth of what was just played
                    self.writer.write_truth(self.lab.world.truth())
        except BaseException as error:
            self.tell(RunStop(status, f"{type(error).__name__}: {error}"))
            raise
        finally:
            self.writer.close(status)
        return status, reason

    def _play_settings(self) -> tuple[Status, str]:
        with self._recording():
            for index, setting in enumerate(self._settings()):
                self._wait_at_checkpoint()
                if self.control.stop_asked():
                    return "aborted", f"stopped ({self.control.stop_asked()}) before setting {setting.name}"
                action = self._play_setting(index, setting)
                if self.control.must_stop_now():
                    return "aborted", f"stopped ({self.control.stop_asked()}) in setting {setting.name}"
                if action is Action.FINISH:
                    break
        return "done", self.experiment.shortfall(self.state)

    def _settings(self) -> Iterator[Setting]:
        """Those of the plan, then what the experiment decides from the data."""
        yield from self.plan.settings
        while (setting := self.experiment.next_setting(self.state)) is not None:
            refuse_impossible((setting,), facts_of(self.lab))
            yield setting

    def _play_setting(self, index: int, setting: Setting) -> Action:
        settings = setting.sequence.settings if setting.sequence is not None else ()
        for name, value in {**dict(settings), **setting.parameters}.items():
            self._apply(name, value)
        t_start_ps = dict(self.read_to_ps)
        first = t_start_ps.get(self.plan.sources[0], 0)
        self.tell(SettingStart(index, setting.name, first, dict(setting.parameters)))
        pulser = self.lab.instrument("pulser") if setting.sequence is not None else None
        if pulser is not None and setting.sequence is not None:
            pulser.load(compile_sequence(setting.sequence, pulser.sample_ps).table)
            pulser.arm()
            pulser.start()
        action = Action.CONTINUE
        while action is Action.CONTINUE and not self.control.must_stop_now():
            action = self._read_round(index)
        if pulser is not None:
            pulser.stop()
            self._read_round(index)  # what was under way when the pulses stopped belongs to this setting
        readings = {name: float(self.lab.parameter(name).get()) for name in setting.read}
        self.state = self.experiment.take_readings(self.state, index, readings)
        told = {"parameters": _plain(setting.parameters), "t_start_ps": t_start_ps, "readings": readings}
        self.writer.append_setting(
            index=index,
            name=setting.name,
            t_start_ps=first,
            t_stop_ps=self.read_to_ps[self.plan.sources[0]],
            parameters=json.dumps(told),
        )
        return action

    def _read_round(self, index: int) -> Action:
        """One block from every tagger: written, told, folded in."""
        action = Action.CONTINUE
        for source in self.plan.sources:
            block = self._read(source)
            self.state, wanted = self.experiment.step(self.state, index, block)
            if wanted is not Action.CONTINUE:
                action = wanted
        rows = self.experiment.herald_rows(self.state)
        for table in rows[self.herald_tables :]:
            self.writer.append_heralds(table)
        self.herald_tables = len(rows)
        self._tell_standing(final=action is not Action.CONTINUE)
        return action

    def _read(self, source: str) -> TagBlock:
        node = self.lab.nodes[source]
        block = self.lab.instrument(node.instruments["tagger"]).read(_READ_TIMEOUT_S)
        block = TagBlock(block.tags, block.t_start_ps, block.t_stop_ps, source, block.overflow, block.missed)
        self.writer.append_tags(block)
        self.read_to_ps[source] = block.t_stop_ps
        if block.overflow:
            reason = f"tagger overflow, {block.missed} clicks missed"
            self.writer.append_validity(block.t_start_ps, source, False, reason)
            self.writer.append_validity(block.t_stop_ps, source, True, "tagger keeps up again")
        self.tell(Tags(block, _rates_hz(block, node)))
        return block

    def _tell_standing(self, final: bool) -> None:
        now = time.monotonic()
        if not final and now - self.told_at < _RESULT_PERIOD_S:
            return
        self.told_at = now
        self._read_slow_values()
        standing = self.experiment.standing(self.state)
        spent_s = self.lab.clock.now_s() - self.started_s
        left_s = spent_s * (1 / standing.fraction - 1) if standing.fraction > 0 else None
        self.tell(Progress(standing.fraction, spent_s, left_s, standing.message))
        self.tell(self.experiment.result(self.state))

    def _read_slow_values(self) -> None:
        """Values marked ``monitor`` in the station file, from the instruments' caches."""
        for parameter in self.lab.monitored():
            value = parameter.get()
            t_ps = self.read_to_ps.get(self.plan.sources[0], 0)
            if isinstance(value, int | float):
                self.writer.append_reading(t_ps, parameter.full_name, float(value), parameter.unit)
                self.tell(Reading(t_ps, parameter.full_name, float(value), parameter.unit))

    def _apply(self, name: str, value: Any) -> None:
        parameter = self.lab.parameter(name)
        if parameter.full_name in self.lab.held:
            return
        if parameter.full_name not in self.before:
            self.before[parameter.full_name] = (parameter, parameter.get())
        parameter.set(value)

    def _put_back(self) -> None:
        """Parameters the plan changed get the values they had before the run; emissions stay off."""
        for parameter, value in self.before.values():
            if parameter.name != "emission":
                parameter.set(value)

    def _wait_at_checkpoint(self) -> None:
        if self.control.paused():
            make_safe(self.lab)
            self.control.wait_while_paused()

    @contextmanager
    def _recording(self) -> Iterator[None]:
        taggers = [self.lab.instrument(self.lab.nodes[s].instruments["tagger"]) for s in self.plan.sources]
        for tagger in taggers:
            tagger.start()
        try:
            yield
        finally:
            for tagger in taggers:
                tagger.stop()

    @contextmanager
    def _safe_at_end(self) -> Iterator[None]:
        try:
            yield
        finally:
            make_safe(self.lab)
            self._put_back()

    def _snapshot(self) -> str:
        return json.dumps(self.lab.station.snapshot(update=False), default=str)

    def tell(self, document: Document) -> None:
        """Hands a document to every subscriber; one that fails is logged, never allowed to hurt the run."""
        for subscriber in self.subscribers:
            try:
                subscriber(document)
            except Exception:
                log.exception("a subscriber failed on %s", type(document).__name__)


def make_safe(lab: LoadedStation) -> None:
    """Stops the pulses and switches every emission off; goes on past an instrument that fails, then raises its error."""
    failures: list[ErbiaError] = []
    for name, component in lab.station.components.items():
        try:
            if isinstance(component, PulseGenerator):
                component.stop()
            emission = getattr(component, "parameters", {}).get("emission")
            if emission is not None:
                emission.set(False)
        except Exception as error:
            log.exception("%s could not be made safe", name)
            failures.append(error if isinstance(error, ErbiaError) else ErbiaError(f"{name}: not made safe: {error}"))
    if failures:
        raise failures[0]


def _rates_hz(block: TagBlock, node: Node) -> dict[str, float]:
    live_s = (block.t_stop_ps - block.t_start_ps) / PS_PER_S
    return {c.name: (len(block.tags.on(c.number)) / live_s if live_s > 0 else 0.0) for c in node.channels}


def _plain(values: Any) -> dict[str, Any]:
    return {
        name: value if isinstance(value, bool | int | float | str) else str(value) for name, value in values.items()
    }
