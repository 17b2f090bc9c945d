"""The experiment that is set up: checked while it is typed, run, queued, kept as a preset, copied as a recipe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal

from ..sequences.engine.client import EngineClient
from ..sequences.engine.queue_values import QueueEntry, RunOrder
from ..sequences.engine.values import ExperimentInfo, FieldError
from ..sequences.presets import preset_text, presets_for, save_preset
from . import clipboard, recipes
from .bridge import EngineBridge
from .desk import Desk
from .experiment_panel import ExperimentPanel
from .log_panel import LogPanel
from .schema import nest
from .sequence_panel import SequencePanel


class ExperimentDesk(Desk):
    """Between the form and the engine. ``started`` says that a run was asked for and taken."""

    started = Signal()

    def __init__(self, bridge: EngineBridge, log: LogPanel, panel: ExperimentPanel, sequence: SequencePanel) -> None:
        super().__init__(bridge, log)
        self.panel, self.sequence = panel, sequence
        self.station = ""
        self._checks = 0
        self._last: dict[str, dict[str, Any]] = {}  # config of the last run of each experiment
        panel.run_wanted.connect(self.run)
        panel.queue_wanted.connect(self.queue)
        panel.check_wanted.connect(self._check)
        panel.preset_wanted.connect(self._use_preset)
        panel.keep_wanted.connect(self._keep_preset)
        panel.choice.currentIndexChanged.connect(self._offer)

    def show_experiments(self, experiments: list[ExperimentInfo]) -> None:
        """Offers what the engine can run."""
        self.panel.show_experiments(experiments)
        self._offer()

    def note_run(self, experiment: str, config: dict[str, Any]) -> None:
        """Remembers what ran last."""
        self._last[experiment] = config
        if experiment == self.panel.name:
            self.panel.show_previous(config)

    def run(self, experiment: str, config: dict[str, Any]) -> None:
        """Starts a run, or shows at the fields why not."""
        self.started.emit()
        self.ask(lambda c: c.start(experiment, config), lambda errors: self._show_verdict(errors, "not started"))

    def queue(self, experiment: str, config: dict[str, Any]) -> None:
        """Puts a run into the queue, or shows at the fields why not."""

        def done(answer: QueueEntry | list[FieldError]) -> None:
            if isinstance(answer, list):
                self._show_verdict(answer, "not queued")
            else:
                self.log.say(f"{experiment} queued as number {answer.id}")

        self.ask(lambda c: c.submit(RunOrder.of(experiment, config)), done)

    def copy_command(self) -> None:
        """The command line of what is set up, to the clipboard."""
        self._copy(lambda settings: recipes.command(self.panel.name, self.station, settings))

    def copy_script(self) -> None:
        """The Python of what is set up, to the clipboard."""
        self._copy(lambda settings: recipes.script(self.panel.name, self.station, settings))

    def copy_yaml(self) -> None:
        """The preset of what is set up, to the clipboard."""
        self._copy(lambda settings: preset_text(self.panel.name, nest(settings)))

    def _copy(self, recipe: Callable[[dict[str, Any]], str]) -> None:
        settings = self.panel.settings()
        if settings is not None:
            clipboard.copy_text(recipe(settings))
            self.log.say("run copied to the clipboard")

    def _offer(self) -> None:
        name = self.panel.name
        self.panel.show_previous(self._last.get(name))
        self.bridge.work(lambda: presets_for(name), self.panel.show_presets)

    def _use_preset(self, experiment: str, name: str) -> None:
        def fill(presets: dict[str, dict[str, Any]]) -> None:
            if name in presets:
                self.panel.show_config(experiment, presets[name])
                self.log.say(f"preset {name} filled in")

        self.bridge.work(lambda: presets_for(experiment), fill)

    def _keep_preset(self, experiment: str, name: str, settings: dict[str, Any]) -> None:
        def done(path: object) -> None:
            self.log.say(f"preset kept: {path}")
            self._offer()

        self.bridge.work(lambda: save_preset(experiment, name, settings), done, self.log.say)

    def _check(self, experiment: str, config: dict[str, Any]) -> None:
        def judge(client: EngineClient) -> tuple[list[FieldError], dict[str, Any] | None]:
            errors = client.validate(experiment, config)
            return errors, None if errors else client.plan(experiment, config)

        self._checks += 1
        number = self._checks

        def show(answer: tuple[list[FieldError], dict[str, Any] | None]) -> None:
            if number != self._checks:
                return  # the form has changed since; answers may overtake each other
            errors, plan = answer
            self.panel.show_errors(errors)
            if plan is not None:
                self.sequence.show_plan(plan)
            self.panel.budget.show_budget([] if plan is None else plan["budget"])

        self.ask(judge, show)

    def _show_verdict(self, errors: list[FieldError], outcome: str) -> None:
        self.panel.show_errors(errors)
        for error in errors:
            self.log.say(f"{outcome}: " + ": ".join(part for part in (error.field, error.message) if part))
