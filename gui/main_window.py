"""The window: where each panel stands, and which signal goes where. Nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings, Qt
from PySide6.QtGui import QAction, QCloseEvent
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QMainWindow,
    QProgressBar,
    QSizePolicy,
    QSplitter,
    QTabWidget,
    QToolBar,
)

from ..sequences.engine.client import EngineClient
from ..sequences.engine.values import DocumentMessage, EngineStatus, ExperimentInfo, FieldError, ParameterState
from . import clipboard, recipes
from .actions import RUN, SAFETY, add_menu, add_to_bar
from .bridge import EngineBridge
from .correlation_panel import CorrelationPanel
from .curve_panel import CurvePanel
from .docks import Docks
from .experiment_panel import ExperimentPanel
from .heralds_panel import HeraldsPanel
from .instrument_panel import InstrumentPanel
from .log_panel import LogPanel, progress_text
from .plots import Plot
from .rates_panel import BigRates, RateStrip
from .results_panel import ResultsPanel
from .runs_panel import RunsPanel
from .sequence_panel import SequencePanel
from .status_line import StatusLine
from .tags_panel import TagsPanel
from .theme import THEMES, paint_application
from .view_models import RunView
from .widgets import label, named

_LAYOUT_VERSION = 2
_SMALLEST_PT, _LARGEST_PT = 7, 20


class MainWindow(QMainWindow):
    """One stable window on one station. Closing it, or killing it, leaves the engine and its run alone.

    ``live`` is the run of the engine; ``view`` is what is shown, the live run or a recorded one.
    """

    def __init__(self, stations: list[str], settings: QSettings) -> None:
        super().__init__()
        self.setWindowTitle("erbia")
        self.settings = settings
        self.bridge = EngineBridge(self)
        self.live = self.view = RunView()
        self.instruments = InstrumentPanel()
        self.experiment = ExperimentPanel()
        self.correlations = CorrelationPanel()
        self.results = ResultsPanel()
        self.heralds = HeraldsPanel()
        self.tags = TagsPanel()
        self.rates = RateStrip()
        self.curve = CurvePanel()
        self.big = BigRates()
        self.sequence = SequencePanel()
        self.runs = RunsPanel()
        self.log = LogPanel()
        self.line = StatusLine()
        self.setStatusBar(self.line)
        self._shown = (self.rates, self.big, self.correlations, self.results, self.heralds, self.tags, self.curve)
        self._painted = (*self._shown[:1], *self._shown[2:], self.instruments, self.sequence, self.runs)
        self._fresh = True
        self._undo: list[tuple[str, Any]] = []
        self._seed: int | None = None
        self._lay_out()
        self._make_tool_bar(stations)
        self._connect_engine()
        self._connect_user()
        self._set_font(int(str(settings.value("font_pt", QApplication.font().pointSize()))))
        self.set_theme(str(settings.value("theme", "dark")))
        self._restore_layout()

    # --- how it looks -----------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        overview = QSplitter(Qt.Orientation.Vertical)
        overview.addWidget(self.correlations)
        overview.addWidget(self.results)
        overview.setSizes([600, 400])
        self.tabs = QTabWidget(documentMode=True)
        for title, panel in (
            ("Overview", overview),
            ("Heralds", self.heralds),
            ("Correlations", self.tags),
            ("Fit", self.curve),
            ("Rates", self.big),
            ("Sequence", self.sequence),
            ("Runs", self.runs),
        ):
            self.tabs.addTab(panel, title)
        self.setCentralWidget(self.tabs)
        self.docks = Docks(
            self, instruments=self.instruments, experiment=self.experiment, rates=self.rates, log=self.log
        )
        self.resize(1366, 740)
        self.docks.reset()

    def _make_tool_bar(self, stations: list[str]) -> None:
        bar = self.tool_bar = named(QToolBar("Run"), "tool_bar")
        bar.setMovable(False)
        self.addToolBar(bar)
        self.menu_button, self.actions_by_name = add_menu(self, bar)
        self.station = named(QComboBox(), "station", "The station whose lab this window shows")
        self.station.addItems(stations)
        bar.addWidget(self.station)
        self.badge = label("SIMULATED", "badge")
        self.badge.setToolTip("Some or all instruments of this station are simulated")
        self._badge_action = bar.addWidget(self.badge)
        self._badge_action.setVisible(False)
        self.run_action, self.pause_action, self.stop_action, self.stop_now_action = (
            add_to_bar(bar, command) for command in RUN
        )
        self._let_run(False)
        self._let_stop(False)
        self.progress = QProgressBar(minimum=0, maximum=1000)
        self.progress.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(self.progress)
        self.all_off_action = add_to_bar(bar, SAFETY)

    def set_theme(self, name: str) -> None:
        """``dark`` or ``light``."""
        theme = THEMES.get(name, THEMES["dark"])
        self.settings.setValue("theme", theme.name)
        paint_application(theme)
        for panel in self._painted:
            panel.paint(theme)
        self._refresh()

    def _set_font(self, points: int) -> None:
        font = QApplication.font()
        font.setPointSize(min(_LARGEST_PT, max(_SMALLEST_PT, points)))
        self.settings.setValue("font_pt", font.pointSize())
        QApplication.setFont(font)

    def _restore_layout(self) -> None:
        state = self.settings.value("layout")
        if isinstance(state, QByteArray):
            self.restoreState(state, _LAYOUT_VERSION)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Keeps the layout and leaves the engine to itself."""
        self.settings.setValue("layout", self.saveState(_LAYOUT_VERSION))
        self.bridge.close()
        super().closeEvent(event)

    # --- what the user wants ----------------------------------------------------------------------------------------

    def _connect_user(self) -> None:
        self.station.activated.connect(lambda: self.open(self.station.currentText(), None))
        self.tabs.currentChanged.connect(self._show_tab)
        self.experiment.run_wanted.connect(self._run)
        self.experiment.check_wanted.connect(self._check)
        self.instruments.set_wanted.connect(self._set)
        self.instruments.read_wanted.connect(lambda name: self._ask(lambda c: c.read_parameter(name)))
        self.tags.wanted.connect(self._correlate)
        self.runs.refresh_wanted.connect(self._list_runs)
        self.runs.open_wanted.connect(self._open_run)
        self.runs.reuse_wanted.connect(self._reuse_run)
        self.runs.note_wanted.connect(lambda *note: self._ask(lambda c: c.annotate(*note), lambda _: self._list_runs()))
        menu: dict[str, Callable[[], object]] = {
            "theme": lambda: self.set_theme("light" if self.settings.value("theme") == "dark" else "dark"),
            "larger": lambda: self._set_font(QApplication.font().pointSize() + 1),
            "smaller": lambda: self._set_font(QApplication.font().pointSize() - 1),
            "reset_layout": self.docks.reset,
            "live": self._back_to_live,
            "freeze": self._freeze,
            "copy_picture": lambda: self._copy(clipboard.copy_picture),
            "copy_table": lambda: self._copy(clipboard.copy_table),
            "copy_plot_script": lambda: self._copy(lambda plot: clipboard.copy_script(plot, self._title())),
            "copy_command": lambda: self._copy_recipe(recipes.command),
            "copy_script": lambda: self._copy_recipe(recipes.script),
            "undo": self._undo_setting,
            "restart_engine": lambda: self.open(self.station.currentText(), self._seed),
        }
        bar: dict[QAction, Callable[[], object]] = {
            self.run_action: self.experiment.request_run,
            self.pause_action: self._pause,
            self.stop_action: lambda: self._ask(lambda c: c.stop("checkpoint")),
            self.stop_now_action: lambda: self._ask(lambda c: c.stop("now")),
            self.all_off_action: self._all_off,
        }
        for action, slot in [*bar.items(), *((self.actions_by_name[name], slot) for name, slot in menu.items())]:
            action.triggered.connect(lambda _=False, slot=slot: slot())

    def open(self, station: str, seed: int | None) -> None:
        """Shows another station; its engine is started when none runs."""
        if self.station.findText(station) < 0:
            self.station.addItem(station)
        self.station.setCurrentText(station)
        self.line.state.setText(f"opening {station} …")
        self._seed = seed
        self.live = self.view = RunView()
        self._refresh()
        self.bridge.open(station, seed, Path("runs"))

    def _ask(self, work: Callable[[EngineClient], Any], then: Callable[[Any], None] = lambda _: None) -> None:
        """Asks the engine; a refusal goes to the log."""
        self.bridge.call(work, then, self.log.say)

    def _run(self, experiment: str, config: dict[str, Any]) -> None:
        self._back_to_live()
        self._ask(lambda c: c.start(experiment, config), self._show_verdict)

    def _show_verdict(self, errors: list[FieldError]) -> None:
        self.experiment.show_errors(errors)
        for error in errors:
            self.log.say("not started: " + ": ".join(part for part in (error.field, error.message) if part))

    def _check(self, experiment: str, config: dict[str, Any]) -> None:
        def plan(errors: list[FieldError]) -> None:
            self.experiment.show_errors(errors)
            if not errors:
                self._ask(lambda c: c.plan(experiment, config), self.sequence.show_plan)

        self._ask(lambda c: c.validate(experiment, config), plan)

    def _pause(self) -> None:
        pausing = self.pause_action.isChecked()
        self._ask(lambda c: c.pause() if pausing else c.resume())

    def _all_off(self) -> None:
        self.log.say("ALL OFF asked")
        self._ask(lambda c: c.all_off(), lambda _: self.log.say("ALL OFF done"))

    def _set(self, name: str, value: object) -> None:
        before = self.instruments.value(name)

        def done(_: ParameterState) -> None:
            self._undo.append((name, before))

        self.bridge.call(lambda c: c.set_parameter(name, value), done, self._show_refusal)

    def _undo_setting(self) -> None:
        if not self._undo:
            self.log.say("nothing to undo: no parameter was set from this window")
            return
        name, before = self._undo.pop()
        self.bridge.call(lambda c: c.set_parameter(name, before), refused=self._show_refusal)

    def _show_refusal(self, words: str) -> None:
        self.instruments.show_refusal(words)
        self.log.say(words)

    def _correlate(self, *request: Any) -> None:
        self.bridge.call(lambda c: c.correlate(*request), self.tags.show_histogram, self.tags.show_problem)

    def _list_runs(self) -> None:
        self._ask(lambda c: c.runs(), self.runs.show_runs)

    def _open_run(self, run_id: str, pace: float) -> None:
        self.view = RunView()
        self.tabs.setCurrentIndex(0)
        self._refresh()
        self.bridge.play(run_id, pace, self.log.say)

    def _reuse_run(self, run_id: str) -> None:
        def fill(start: DocumentMessage) -> None:
            name = start.content["experiment"]
            if not self.experiment.offers(name):
                self.log.say(f"experiment {name} is not offered by this engine")
                return
            self.experiment.show_config(name, start.content["config"])

        self._ask(lambda c: next(c.recorded(run_id)), fill)

    def _back_to_live(self) -> None:
        self.bridge.stop_playing()
        self.view = self.live
        self._refresh()

    def _freeze(self) -> None:
        for plot in self.findChildren(Plot):
            if self.actions_by_name["freeze"].isChecked():
                plot.freeze()
            else:
                plot.thaw()

    def _copy(self, copy: Callable[[Plot], None]) -> None:
        plot = clipboard.plot_in_focus(self)
        if plot is None:
            self.log.say("no plot to copy: show a tab that has one")
            return
        copy(plot)
        self.log.say("plot copied to the clipboard")

    def _copy_recipe(self, recipe: Callable[[str, str, dict[str, Any]], str]) -> None:
        settings = self.experiment.settings()
        if settings is not None:
            clipboard.copy_text(recipe(self.experiment.name, self.station.currentText(), settings))
            self.log.say("run copied to the clipboard")

    # --- what the engine says ---------------------------------------------------------------------------------------

    def _connect_engine(self) -> None:
        bridge = self.bridge
        bridge.opened.connect(self._show_experiments)
        bridge.status.connect(self._show_status)
        bridge.snapshot.connect(self.instruments.show_station)
        bridge.documents.connect(self._take)
        bridge.recorded.connect(self._take_recorded)
        bridge.lost.connect(self._show_lost)
        bridge.failed.connect(self._show_failed)
        bridge.frame.connect(self._draw)

    def _show_experiments(self, experiments: list[ExperimentInfo]) -> None:
        self.experiment.show_experiments(experiments)
        self.log.say(f"connected to the engine of {self.station.currentText()}")
        self._list_runs()

    def _show_status(self, status: EngineStatus) -> None:
        idle = status.state == "idle"
        self._badge_action.setVisible(status.simulated)
        self._let_run(idle, f"the engine is {status.state} with {status.experiment}")
        self._let_stop(not idle)
        self.pause_action.setChecked(status.state == "paused")
        self.line.show_status(status, self.live)
        self.setWindowTitle(f"erbia – {status.station}" + (" – SIMULATED" if status.simulated else ""))

    def _let_run(self, allowed: bool, why_not: str = "the engine is starting") -> None:
        self.run_action.setEnabled(allowed)
        self.experiment.let_run(allowed, why_not)

    def _let_stop(self, allowed: bool) -> None:
        for action in (self.pause_action, self.stop_action, self.stop_now_action):
            action.setEnabled(allowed)

    def _show_lost(self, words: str) -> None:
        self.line.state.setText("engine lost: the run file holds what was recorded; Ctrl+Shift+E starts it again")
        self.log.say(f"engine lost: {words}")
        self._let_run(False, "the engine does not answer")
        self._let_stop(False)

    def _show_failed(self, words: str) -> None:
        self.line.state.setText(words)
        self.log.say(words)

    def _take(self, documents: list[DocumentMessage]) -> None:
        for document in documents:
            self.live.apply(document.content, document.utc_s)
            self.log.tell(document.content, document.utc_s)
            if document.content["type"] in ("RunStop", "RunFailed"):
                QApplication.alert(self)
                self._list_runs()
        self._refresh()

    def _take_recorded(self, documents: list[DocumentMessage]) -> None:
        for document in documents:
            self.view.apply(document.content, document.utc_s)
        self._refresh()

    def _show_tab(self) -> None:
        if self.runs.isVisible():
            self._list_runs()
        self._refresh()

    def _refresh(self) -> None:
        """Draws everything visible with the next frame."""
        self._fresh = True

    def _draw(self) -> None:
        if not self._fresh:
            return
        self._fresh = False
        self.progress.setValue(round(1000 * self.view.fraction))
        self.progress.setFormat(self._title())
        self.line.show_run(self.view)
        for panel in self._shown:
            if panel.isVisible():
                panel.show_run(self.view)
        for plot in self.findChildren(Plot):
            if plot.isVisible():
                plot.settle()

    def _title(self) -> str:
        view = self.view
        if not view.run_id:
            return "no run yet: choose an experiment and press Run"
        recorded = "" if view is self.live else f"recorded {view.run_id[:15]}, Ctrl+L: back to live  ·  "
        what = recorded + view.experiment.replace("_", " ")
        if view.outcome:
            return f"{what}: {view.outcome}" + (f" – {view.reason}" if view.reason else f"  ·  {view.message}")
        return f"{what}:  {progress_text(view.fraction, view.message, view.remaining_s())}"
