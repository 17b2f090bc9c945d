"""Choose an experiment, fill in its form, run it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ..sequences.engine.values import ExperimentInfo, FieldError
from .form import ConfigForm
from .recipes import changed
from .schema import fields
from .widgets import Hinted, label, named

_PAUSE_IN_TYPING_MS = 300


class ExperimentPanel(QWidget):
    """Emits (experiment, config) to run, and to check while the user types."""

    run_wanted = Signal(str, object)
    check_wanted = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.choice = named(QComboBox(), "experiment", "What to run")
        self.run = named(QPushButton("Run"), "run", "Run with these settings (Ctrl+R)")
        self.defaults = named(QPushButton("Defaults"), "defaults", "Back to the values the experiment proposes")
        self.problem = label("", "wrong", wrap=True)
        self.problem.hide()
        self.area = QScrollArea(widgetResizable=True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.body = Hinted(self.area, "The engine is starting.\nIts experiments appear here.")
        buttons = QHBoxLayout()
        buttons.addWidget(self.defaults)
        buttons.addWidget(self.run, stretch=1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        layout.addWidget(self.choice)
        layout.addWidget(self.body, stretch=1)
        layout.addWidget(self.problem)
        layout.addLayout(buttons)
        self.form: ConfigForm | None = None
        self._experiments: dict[str, ExperimentInfo] = {}
        self._kept: dict[str, dict[str, Any]] = {}
        self._typed = QTimer(self, singleShot=True, interval=_PAUSE_IN_TYPING_MS)
        self._typed.timeout.connect(self._check)
        self.choice.currentIndexChanged.connect(self._choose)
        self.run.clicked.connect(self.request_run)
        self.defaults.clicked.connect(self._forget)

    @property
    def name(self) -> str:
        """The experiment chosen."""
        return self.choice.currentData() or ""

    def show_experiments(self, experiments: list[ExperimentInfo]) -> None:
        """Offers these; stays with the one chosen before if it is still there."""
        chosen = self.name
        self._experiments = {e.name: e for e in experiments}
        self.choice.blockSignals(True)
        self.choice.clear()
        for experiment in experiments:
            self.choice.addItem(experiment.title, experiment.name)
        self.choice.setCurrentIndex(max(0, self.choice.findData(chosen)))
        self.choice.blockSignals(False)
        self._choose()

    def offers(self, experiment: str) -> bool:
        """Whether the engine can run it."""
        return experiment in self._experiments

    def show_config(self, experiment: str, config: dict[str, Any]) -> None:
        """Chooses an experiment and fills its form."""
        self.choice.setCurrentIndex(self.choice.findData(experiment))
        if self.form is not None:
            self.form.show_config(config)
            self._check()

    def request_run(self) -> None:
        """Asks for a run with what is entered, unless a field says why not."""
        config = self._config()
        if config is not None:
            self.run_wanted.emit(self.name, config)

    def settings(self) -> dict[str, Any] | None:
        """What differs from the experiment's proposal, dotted; None when a field cannot be read."""
        config = self._config()
        return None if config is None or self.form is None else changed(self.form.fields, config)

    def show_errors(self, errors: list[FieldError]) -> None:
        """Shows the engine's verdict at the fields; what belongs to none, below."""
        homeless = self.form.complain({e.field: e.message for e in errors}) if self.form else []
        self._say("; ".join(homeless))

    def let_run(self, allowed: bool, why_not: str) -> None:
        """Frees or blocks the button, saying why."""
        self.run.setEnabled(allowed)
        self.run.setToolTip("Run with these settings (Ctrl+R)" if allowed else why_not)

    def _config(self) -> dict[str, Any] | None:
        config = self.form.config() if self.form else None
        if config is not None:
            self._kept[self.name] = config
            self._say("")
        return config

    def _check(self) -> None:
        config = self._config()
        if config is not None:
            self.check_wanted.emit(self.name, config)

    def _choose(self) -> None:
        experiment = self._experiments.get(self.name)
        self.body.show_content(experiment is not None)
        self._say("")
        if experiment is None:
            return
        self.form = ConfigForm(fields(experiment.schema))
        self.form.show_config(self._kept.get(self.name, {}))
        self.form.changed.connect(self._typed.start)
        self.area.setWidget(self.form)
        self._check()

    def _forget(self) -> None:
        self._kept.pop(self.name, None)
        self._choose()

    def _say(self, words: str) -> None:
        self.problem.setText(words)
        self.problem.setVisible(bool(words))
