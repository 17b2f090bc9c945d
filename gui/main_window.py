"""The window: where each panel stands, and which signal goes where. Nothing else."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings, Qt
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QDockWidget,
    QLabel,
    QMainWindow,
    QProgressBar,
    QSizePolicy,
    QSplitter,
    QTabWidget,
    QToolBar,
    QWidget,
)

from ..sequences.engine.values import DocumentMessage, EngineStatus, ExperimentInfo, FieldError
from . import names
from .bridge import EngineBridge
from .correlation_panel import CorrelationPanel
from .experiment_panel import ExperimentPanel
from .instrument_panel import InstrumentPanel
from .log_panel import LogPanel, progress_text
from .rates_panel import BigRates, RateStrip
from .results_panel import ResultsPanel
from .theme import THEMES, Theme, paint_application
from .view_models import RunView
from .widgets import label, named

_LAYOUT_VERSION = 1


class MainWindow(QMainWindow):
    """One stable window on one station. Closing it, or killing it, leaves the engine and its run alone."""

    def __init__(self, stations: list[str], settings: QSettings) -> None:
        super().__init__()
        self.setWindowTitle("erbia")
        self.settings = settings
        self.bridge = EngineBridge(self)
        self.view = RunView()
        self._status: EngineStatus | None = None
        self._fresh = True
        self.instruments = InstrumentPanel()
        self.experiment = ExperimentPanel()
        self.correlations = CorrelationPanel()
        self.results = ResultsPanel()
        self.rates = RateStrip()
        self.big = BigRates()
        self.log = LogPanel()
        self._lay_out()
        self._make_tool_bar(stations)
        self._make_status_bar()
        self._connect()
        self.set_theme(str(settings.value("theme", "dark")))
        self._restore_layout()

    # --- how it looks -------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        overview = QSplitter(Qt.Orientation.Vertical)
        overview.addWidget(self.correlations)
        overview.addWidget(self.results)
        overview.setSizes([600, 400])
        self.tabs = QTabWidget(documentMode=True)
        self.tabs.addTab(overview, "Overview")
        self.tabs.addTab(self.big, "Rates")
        self.tabs.currentChanged.connect(self._refresh)
        self.setCentralWidget(self.tabs)
        areas = Qt.DockWidgetArea
        self.docks = {
            "Instruments": self._dock("Instruments", self.instruments, areas.LeftDockWidgetArea),
            "Experiment": self._dock("Experiment", self.experiment, areas.RightDockWidgetArea),
            "Count rates": self._dock("Count rates", self.rates, areas.BottomDockWidgetArea),
            "Log": self._dock("Log", self.log, areas.BottomDockWidgetArea),
        }
        self.resize(1366, 740)
        self.reset_layout()

    def _dock(self, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = named(QDockWidget(title), title)
        dock.setWidget(widget)
        self.addDockWidget(area, dock)
        return dock

    def reset_layout(self) -> None:
        """Every panel back to where it stands at first, the centre with most of the room."""
        docks, areas = self.docks, Qt.DockWidgetArea
        for title, area in (
            ("Instruments", areas.LeftDockWidgetArea),
            ("Experiment", areas.RightDockWidgetArea),
            ("Count rates", areas.BottomDockWidgetArea),
            ("Log", areas.BottomDockWidgetArea),
        ):
            docks[title].setFloating(False)
            self.addDockWidget(area, docks[title])
            docks[title].show()
        self.splitDockWidget(docks["Count rates"], docks["Log"], Qt.Orientation.Horizontal)
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        side = max(290, self.width() // 6)
        self.resizeDocks([docks["Instruments"], docks["Experiment"]], [side + 20, side], across)
        self.resizeDocks([docks["Count rates"], docks["Log"]], [2 * self.width() // 3, self.width() // 3], across)
        self.resizeDocks([docks["Count rates"], docks["Log"]], [self.height() // 4] * 2, down)

    def _make_tool_bar(self, stations: list[str]) -> None:
        bar = self.tool_bar = named(QToolBar("Run"), "tool_bar")
        bar.setMovable(False)
        self.addToolBar(bar)
        self.station = named(QComboBox(), "station", "The station whose lab this window shows")
        self.station.addItems(stations)
        bar.addWidget(self.station)
        self.simulated = label("SIMULATED", "badge")
        self.simulated.setToolTip("Some or all instruments of this station are simulated")
        self._simulated_action = bar.addWidget(self.simulated)
        self._simulated_action.setVisible(False)
        self.run_action = self._action("Run", "Ctrl+R", "Run the experiment as set (Ctrl+R)", "run")
        self.pause_action = self._action("Pause", "Ctrl+P", "Hold the run at its next checkpoint (Ctrl+P)")
        self.pause_action.setCheckable(True)
        self.stop_action = self._action("Stop", "Ctrl+.", "Stop when the current setting is done (Ctrl+.)")
        self.stop_now_action = self._action("Stop now", "Ctrl+Shift+.", "Stop after the current block (Ctrl+Shift+.)")
        self._let_run(False)
        self._let_stop(False)
        self.progress = QProgressBar(minimum=0, maximum=1000)
        self.progress.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.progress.setFormat("no run yet")
        bar.addWidget(self.progress)
        self.theme_action = self._action("◐", "Ctrl+T", "Dark or light (Ctrl+T)")
        self.all_off_action = self._action(
            "ALL OFF", "Ctrl+0", "Emergency stop: every output to its safe value (Ctrl+0)", "all_off"
        )

    def _action(self, text: str, keys: str, tip: str, style: str = "") -> QAction:
        action = QAction(text, self, toolTip=tip, shortcut=QKeySequence(keys))
        self.tool_bar.addAction(action)
        if style:
            named(self.tool_bar.widgetForAction(action), style, tip)
        return action

    def _make_status_bar(self) -> None:
        self.state = QLabel("starting the engine …")
        self.tally = QLabel()
        self.disk = QLabel()
        self.statusBar().addWidget(self.state, 1)
        self.statusBar().addPermanentWidget(self.tally)
        self.statusBar().addPermanentWidget(self.disk)

    def set_theme(self, name: str) -> None:
        """``dark`` or ``light``."""
        theme: Theme = THEMES.get(name, THEMES["dark"])
        self.settings.setValue("theme", theme.name)
        paint_application(theme)
        for panel in (self.instruments, self.correlations, self.results, self.rates):
            panel.paint(theme)
        self._fresh = True

    def _restore_layout(self) -> None:
        state = self.settings.value("layout")
        if isinstance(state, QByteArray):
            self.restoreState(state, _LAYOUT_VERSION)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Keeps the layout and leaves the engine to itself."""
        self.settings.setValue("layout", self.saveState(_LAYOUT_VERSION))
        self.bridge.close()
        super().closeEvent(event)

    # --- what goes where ----------------------------------------------------------------------------------------

    def _connect(self) -> None:
        bridge = self.bridge
        bridge.opened.connect(self._show_experiments)
        bridge.status.connect(self._show_status)
        bridge.snapshot.connect(self.instruments.show_station)
        bridge.documents.connect(self._take)
        bridge.lost.connect(self._show_lost)
        bridge.failed.connect(self._show_failed)
        bridge.frame.connect(self._draw)
        self.station.activated.connect(lambda: self.open(self.station.currentText(), None))
        self.run_action.triggered.connect(self.experiment.request_run)
        self.pause_action.triggered.connect(self._pause)
        self.stop_action.triggered.connect(lambda: bridge.call(lambda c: c.stop("checkpoint"), refused=self.log.say))
        self.stop_now_action.triggered.connect(lambda: bridge.call(lambda c: c.stop("now"), refused=self.log.say))
        self.all_off_action.triggered.connect(self._all_off)
        self.theme_action.triggered.connect(self._other_theme)
        self.experiment.run_wanted.connect(self._run)
        self.experiment.check_wanted.connect(self._check)
        self.instruments.set_wanted.connect(self._set)
        self.instruments.read_wanted.connect(self._read)

    def open(self, station: str, seed: int | None) -> None:
        """Shows another station; its engine is started when none runs."""
        if self.station.findText(station) < 0:
            self.station.addItem(station)
        self.station.setCurrentText(station)
        self.state.setText(f"opening {station} …")
        self.view = RunView()
        self._fresh = True
        self.bridge.open(station, seed, Path("runs"))

    def _run(self, experiment: str, config: object) -> None:
        assert isinstance(config, dict)
        self.bridge.call(lambda c: c.start(experiment, config), self._show_verdict, self.log.say)

    def _show_verdict(self, errors: list[FieldError]) -> None:
        self.experiment.show_errors(errors)
        for error in errors:
            self.log.say(f"not started: {error.field}: {error.message}".replace(": :", ":"))

    def _check(self, experiment: str, config: object) -> None:
        assert isinstance(config, dict)
        self.bridge.call(lambda c: c.validate(experiment, config), self.experiment.show_errors, self.log.say)

    def _pause(self, on: bool) -> None:
        self.bridge.call(lambda c: c.pause() if on else c.resume(), refused=self.log.say)

    def _all_off(self) -> None:
        self.log.say("ALL OFF asked")
        self.bridge.call(lambda c: c.all_off(), lambda _: self.log.say("ALL OFF done"), self.log.say)

    def _set(self, name: str, value: object) -> None:
        self.bridge.call(lambda c: c.set_parameter(name, value), refused=self._show_refusal)

    def _read(self, name: str) -> None:
        self.bridge.call(lambda c: c.read_parameter(name), refused=self._show_refusal)

    def _show_refusal(self, words: str) -> None:
        self.instruments.show_refusal(words)
        self.log.say(words)

    def _other_theme(self) -> None:
        self.set_theme("light" if self.settings.value("theme") == "dark" else "dark")

    # --- what the engine says -----------------------------------------------------------------------------------

    def _show_experiments(self, experiments: list[ExperimentInfo]) -> None:
        self.experiment.show_experiments(experiments)
        self.log.say(f"connected to the engine of {self.station.currentText()}")

    def _show_status(self, status: EngineStatus) -> None:
        self._status = status
        self._simulated_action.setVisible(status.simulated)
        idle = status.state == "idle"
        self._let_run(idle, f"the engine is {status.state} with {status.experiment}")
        self._let_stop(not idle)
        self.pause_action.setChecked(status.state == "paused")
        self.state.setText(f"engine {status.state}" + (f"  ·  {status.run_path}" if status.run_path else ""))
        self.disk.setText(f"{names.byte_size(status.free_disk_bytes)} free")
        self.setWindowTitle(f"erbia – {status.station}" + (" – SIMULATED" if status.simulated else ""))

    def _let_run(self, allowed: bool, why_not: str = "the engine is starting") -> None:
        self.run_action.setEnabled(allowed)
        self.experiment.let_run(allowed, why_not)

    def _let_stop(self, allowed: bool) -> None:
        for action in (self.pause_action, self.stop_action, self.stop_now_action):
            action.setEnabled(allowed)

    def _show_lost(self, words: str) -> None:
        self.state.setText("engine lost: the run file holds what was recorded; waiting for it to come back")
        self.log.say(f"engine lost: {words}")
        self._let_run(False, "the engine does not answer")
        self._let_stop(False)

    def _show_failed(self, words: str) -> None:
        self.state.setText(words)
        self.log.say(words)

    def _take(self, documents: list[DocumentMessage]) -> None:
        for document in documents:
            self.view.apply(document.content, document.utc_s)
            self.log.tell(document.content, document.utc_s)
        self._fresh = True

    def _refresh(self) -> None:
        """Draws everything visible with the next frame."""
        self._fresh = True

    def _draw(self) -> None:
        if not self._fresh:
            return
        self._fresh = False
        view = self.view
        self.progress.setValue(round(1000 * view.fraction))
        self.progress.setFormat(self._progress_text())
        self.tally.setText(f"{view.clicks:,} clicks  ·  {view.missed:,} missed  ·  {view.invalid}".rstrip(" ·"))
        for panel in (self.rates, self.big, self.correlations, self.results):
            if panel.isVisible():
                panel.show_run(view)

    def _progress_text(self) -> str:
        view = self.view
        if not view.run_id:
            return "no run yet: choose an experiment and press Run"
        what = view.experiment.replace("_", " ")
        if view.outcome:
            return f"{what}: {view.outcome}" + (f" – {view.reason}" if view.reason else f"  ·  {view.message}")
        return f"{what}:  {progress_text(view.fraction, view.message, view.remaining_s())}"
