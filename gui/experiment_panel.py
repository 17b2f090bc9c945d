"""Choose an experiment, fill in its form, run it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QPushButton, QScrollArea, QSplitter, QVBoxLayout, QWidget

from ..sequences.engine.values import ExperimentInfo, FieldError
from .budget_table import BudgetTable
from .form import ConfigForm
from .queue_times import differences
from .recipes import changed
from .schema import fields, nest
from .widgets import Hinted, label, named

_PAUSE_IN_TYPING_MS = 300
_DIFFERENCES = 3  # spelt out; all are in the tool tip


class ExperimentPanel(QWidget):
    """Emits (experiment, config) to run, and to check while the user types."""

    run_wanted = Signal(str, object)
    check_wanted = Signal(str, object)
    queue_wanted = Signal(str, object)
    preset_wanted = Signal(str, str)  # experiment, name of the preset
    keep_wanted = Signal(str, str, object)  # experiment, name, what differs from the proposal, nested

    def __init__(self) -> None:
        super().__init__()
        self.choice = named(QComboBox(), "experiment", "What to run")
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setMinimumContentsLength(12)  # a long title must not widen the dock
        self.run = named(QPushButton("Run"), "run", "Run with these settings (Ctrl+R)")
        self.queue = named(QPushButton("Queue"), "queue_run", "Play this after what is queued (Ctrl+Shift+Q)")
        self.defaults = named(QPushButton("Defaults"), "defaults", "Back to the values the experiment proposes")
        self.preset = named(QComboBox(), "preset", "Settings kept under a name; type one and press Keep")
        self.preset.setEditable(True)
        if (line := self.preset.lineEdit()) is not None:
            line.setPlaceholderText("presets")
        self.keep = named(QPushButton("Keep"), "keep", "Keep these settings as a preset (YAML) under the name typed")
        self.budget = BudgetTable()
        self.differs = label("", "muted", wrap=True)
        self.differs.hide()
        self.problem = label("", "wrong", wrap=True)
        self.problem.hide()
        self.area = QScrollArea(widgetResizable=True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.body = Hinted(self.area, "The engine is starting.\nIts experiments appear here.")
        buttons = QHBoxLayout()
        buttons.addWidget(self.defaults)
        buttons.addWidget(self.queue)
        buttons.addWidget(self.run, stretch=1)
        presets = QHBoxLayout()
        presets.addWidget(self.preset, stretch=1)
        presets.addWidget(self.keep)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        layout.addWidget(self.choice)
        layout.addLayout(presets)
        parts = QSplitter(Qt.Orientation.Vertical, childrenCollapsible=False)
        parts.addWidget(self.body)
        parts.addWidget(self.budget)
        parts.setSizes([640, 360])
        layout.addWidget(parts, stretch=1)
        layout.addWidget(self.differs)
        layout.addWidget(self.problem)
        layout.addLayout(buttons)
        self.form: ConfigForm | None = None
        self._experiments: dict[str, ExperimentInfo] = {}
        self._kept: dict[str, dict[str, Any]] = {}
        self._previous: dict[str, Any] | None = None
        self._typed = QTimer(self, singleShot=True, interval=_PAUSE_IN_TYPING_MS)
        self._typed.timeout.connect(self._check)
        self.choice.currentIndexChanged.connect(self._choose)
        self.run.clicked.connect(self.request_run)
        self.queue.clicked.connect(self.request_queue)
        self.defaults.clicked.connect(self._forget)
        self.preset.activated.connect(lambda: self.preset_wanted.emit(self.name, self.preset.currentText()))
        self.keep.clicked.connect(self._keep_preset)

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

    def request_queue(self) -> None:
        """Asks for a place in the queue, unless a field says why not."""
        config = self._config()
        if config is not None:
            self.queue_wanted.emit(self.name, config)

    def show_presets(self, presets: Iterable[str]) -> None:
        """Offers these names."""
        self.preset.clear()
        self.preset.addItems(list(presets))
        self.preset.setCurrentIndex(-1)
        self.preset.setEditText("")

    def show_previous(self, config: dict[str, Any] | None) -> None:
        """Says in what the form differs from the last run of this experiment; None when there was none."""
        self._previous = config
        self._compare()

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

    def let_queue(self, allowed: bool) -> None:
        """Frees or blocks the queue button."""
        self.queue.setEnabled(allowed)

    def _config(self) -> dict[str, Any] | None:
        config = self.form.config() if self.form else None
        if config is not None:
            self._kept[self.name] = config
            self._say("")
            self._compare()
        return config

    def _compare(self) -> None:
        now = self._kept.get(self.name)
        known = self._previous is not None and now is not None and self.form is not None
        lines = differences(self._previous or {}, now or {}, self.form.fields) if known and self.form else []
        self.differs.setVisible(known)
        self.differs.setToolTip("\n".join(lines))
        shown = "; ".join(lines[:_DIFFERENCES]) + (
            f"; and {len(lines) - _DIFFERENCES} more" if lines[_DIFFERENCES:] else ""
        )
        self.differs.setText(f"differs from the last run: {shown}" if lines else "as the last run")

    def _keep_preset(self) -> None:
        settings, name = self.settings(), self.preset.currentText().strip()
        if settings is not None:
            self.keep_wanted.emit(self.name, name, nest(settings))

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
