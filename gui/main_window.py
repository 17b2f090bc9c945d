"""The window: tool bar, panels and desks put together, and which run is shown. Nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtGui import QAction, QCloseEvent
from PySide6.QtWidgets import QApplication, QComboBox, QMainWindow, QProgressBar, QSizePolicy, QToolBar

from ..sequences.engine.client import EngineClient
from ..sequences.engine.values import DocumentMessage, EngineStatus, ExperimentInfo
from . import clipboard, guide
from .actions import RUN, SAFETY, add_menu, add_to_bar
from .bridge import EngineBridge
from .docks import Docks
from .experiment_desk import ExperimentDesk
from .instruments_desk import InstrumentsDesk
from .log_panel import progress_text
from .panels import Panels
from .plots import Plot
from .queue_desk import QueueDesk
from .runs_desk import RunsDesk
from .status_line import StatusLine
from .theme import THEMES, paint_application
from .view_models import RunView
from .widgets import label, named

_LAYOUT_VERSION = 3
_SMALLEST_PT, _LARGEST_PT = 7, 20


def fitting_pt(screen_px: int) -> int:
    """Size of the text that suits a screen of that height: a screen of more pixels is looked at from farther away."""
    return min(_LARGEST_PT, max(9, round(screen_px / 110)))


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
        self.panels = panels = Panels()
        self.tabs, self.log, self.banner = panels.tabs, panels.log, panels.banner
        self.line = StatusLine()
        self.setStatusBar(self.line)
        self.setCentralWidget(panels.centre)
        self.docks = Docks(
            self,
            instruments=panels.instruments,
            experiment=panels.experiment,
            queue=panels.queue,
            rates=panels.rates,
            log=panels.log,
        )
        self._fresh = True
        self._seed: int | None = None
        self.instruments = InstrumentsDesk(self.bridge, self.log, panels.instruments)
        self.experiment = ExperimentDesk(self.bridge, self.log, panels.experiment, panels.sequence)
        self.runs = RunsDesk(self.bridge, self.log, panels.runs, panels.experiment)
        self.queue = QueueDesk(self.bridge, self.log, panels.queue, panels.calibrations)
        self._make_tool_bar(stations)
        self._connect_engine()
        self._connect_user()
        self.resize(1366, 740)
        self.docks.reset()
        self.set_theme(str(settings.value("theme", "dark")))
        self.set_font(int(str(settings.value("font_pt", fitting_pt(self.screen().size().height())))))
        self._restore_layout()
        if settings.value("guided") is None:
            panels.guide.begin()

    # --- how it looks -----------------------------------------------------------------------------------------------

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
        self.panels.paint(theme)
        self._refresh()

    def set_font(self, points: int) -> None:
        """Every text in that size, in points."""
        font = QApplication.font()
        font.setPointSize(min(_LARGEST_PT, max(_SMALLEST_PT, points)))
        if font != QApplication.font():
            QApplication.setFont(font)
            self.set_theme(str(self.settings.value("theme")))

    def _grow_text(self, points: int) -> None:
        self.set_font(QApplication.font().pointSize() + points)
        self.settings.setValue("font_pt", QApplication.font().pointSize())

    def show_as_left(self) -> None:
        """Shows the window where and as large as the user left it; the first time it fills the screen."""
        geometry = self.settings.value("geometry")
        if isinstance(geometry, QByteArray) and self.restoreGeometry(geometry):
            self.show()
            return
        self.resize(self.screen().availableGeometry().size())
        self.docks.reset()
        self.showMaximized()

    def _restore_layout(self) -> None:
        state = self.settings.value("layout")
        if isinstance(state, QByteArray):
            self.restoreState(state, _LAYOUT_VERSION)

    def _keep_layout(self) -> None:
        for name, now in (("layout", self.saveState(_LAYOUT_VERSION)), ("geometry", self.saveGeometry())):
            if self.settings.value(name) != now:
                self.settings.setValue(name, now)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Keeps the layout and leaves the engine to itself."""
        self._keep_layout()
        self.bridge.close()
        super().closeEvent(event)

    # --- what the user wants ----------------------------------------------------------------------------------------

    def _connect_user(self) -> None:
        self.station.activated.connect(lambda: self.open(self.station.currentText(), None))
        self.tabs.currentChanged.connect(self._show_tab)
        self.experiment.started.connect(self._back_to_live)
        self.runs.opened.connect(self._open_run)
        self.queue.held.connect(self.banner.warn)
        self.panels.rates.alarm.tripped.connect(self._warn)
        self.panels.tags.wanted.connect(self._correlate)
        self.panels.guide.closed.connect(lambda: self.settings.setValue("guided", True))
        experiment = self.experiment
        menu: dict[str, Callable[[], object]] = {
            "theme": lambda: self.set_theme("light" if self.settings.value("theme") == "dark" else "dark"),
            "larger": lambda: self._grow_text(+1),
            "smaller": lambda: self._grow_text(-1),
            "reset_layout": self.docks.reset,
            "guide": self.panels.guide.begin,
            "next_tab": lambda: self._turn_tab(+1),
            "previous_tab": lambda: self._turn_tab(-1),
            "live": self._back_to_live,
            "freeze": self._freeze,
            "copy_picture": lambda: self._copy(clipboard.copy_picture),
            "copy_table": lambda: self._copy(clipboard.copy_table),
            "copy_plot_script": lambda: self._copy(lambda plot: clipboard.copy_script(plot, self._title())),
            "copy_command": experiment.copy_command,
            "copy_script": experiment.copy_script,
            "copy_yaml": experiment.copy_yaml,
            "queue_run": self.panels.experiment.request_queue,
            "undo": self.instruments.undo,
            "restart_engine": lambda: self.open(self.station.currentText(), self._seed),
        }
        bar: dict[QAction, Callable[[], object]] = {
            self.run_action: self.panels.experiment.request_run,
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
        self.experiment.station = station
        self._begin_run(RunView())
        self.view = self.live
        self.bridge.open(station, seed, Path("runs"))

    def _begin_run(self, run: RunView) -> None:
        self.live = self.queue.run = run
        self._refresh()

    def _ask(self, work: Callable[[EngineClient], Any], then: Callable[[Any], None] = lambda _: None) -> None:
        """Asks the engine; a refusal goes to the log."""
        self.bridge.call(work, then, self.log.say)

    def _pause(self) -> None:
        pausing = self.pause_action.isChecked()
        self._ask(lambda c: c.pause() if pausing else c.resume())

    def _all_off(self) -> None:
        self.log.say("ALL OFF asked")
        self._ask(lambda c: c.all_off(), lambda _: self.log.say("ALL OFF done"))

    def _correlate(self, *request: Any) -> None:
        tags = self.panels.tags
        self.bridge.call(lambda c: c.correlate(*request), tags.show_histogram, tags.show_problem)

    def _open_run(self, run_id: str, pace: float) -> None:
        self.view = RunView()
        self.tabs.setCurrentIndex(0)
        self._refresh()
        self.bridge.play(run_id, pace, self.log.say)

    def _back_to_live(self) -> None:
        self.bridge.stop_playing()
        self.view = self.live
        self._refresh()

    def _turn_tab(self, by: int) -> None:
        self.tabs.setCurrentIndex((self.tabs.currentIndex() + by) % self.tabs.count())

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

    # --- what the engine says ---------------------------------------------------------------------------------------

    def _connect_engine(self) -> None:
        bridge = self.bridge
        bridge.opened.connect(self._show_experiments)
        bridge.status.connect(self._show_status)
        bridge.snapshot.connect(self.panels.show_station)
        bridge.snapshot.connect(self.line.show_station)
        bridge.documents.connect(self._take)
        bridge.recorded.connect(self._take_recorded)
        bridge.lost.connect(self._show_lost)
        bridge.failed.connect(self._show_failed)
        bridge.frame.connect(self._draw)

    def _show_experiments(self, experiments: list[ExperimentInfo]) -> None:
        self.experiment.show_experiments(experiments)
        self.log.say(f"connected to the engine of {self.station.currentText()}")
        self.runs.refresh()

    def _show_status(self, status: EngineStatus) -> None:
        idle, operator = status.state == "idle", status.role == "operator"
        self._badge_action.setVisible(status.simulated)
        self._let_run(idle and operator, f"the engine is {status.state} with {status.experiment}")
        self.panels.experiment.let_queue(operator)
        self._let_stop(not idle and operator)
        self.pause_action.setChecked(status.state in ("paused", "pausing"))
        self.line.show_status(status, self.live)
        self._keep_layout()  # now, not at the end: a window that is killed has none
        self.setWindowTitle(f"erbia – {status.station}" + (" – SIMULATED" if status.simulated else ""))

    def _let_run(self, allowed: bool, why_not: str = "the engine is starting") -> None:
        self.run_action.setEnabled(allowed)
        self.panels.experiment.let_run(allowed, why_not)

    def _let_stop(self, allowed: bool) -> None:
        for action in (self.pause_action, self.stop_action, self.stop_now_action):
            action.setEnabled(allowed)

    def _show_lost(self, words: str) -> None:
        self.line.state.setText("engine lost: the run file holds what was recorded; Ctrl+Shift+E starts it again")
        self._warn(f"engine lost: {words}; the run file holds what was recorded, Ctrl+Shift+E starts it again")
        self._let_run(False, "the engine does not answer")
        self._let_stop(False)

    def _show_failed(self, words: str) -> None:
        self.line.state.setText(words)
        self._warn(words)

    def _warn(self, words: str) -> None:
        self.banner.warn(words)
        self.log.say(words)

    def _take(self, documents: list[DocumentMessage]) -> None:
        for document in documents:
            self.live.apply(document.content, document.utc_s)
            self.log.tell(document.content, document.utc_s)
            self._notice(document.content)
        self._refresh()

    def _notice(self, content: dict[str, Any]) -> None:
        """What of a document is more than a number to draw."""
        kind, steps = content["type"], self.panels.guide
        if kind == "RunStart":
            self.experiment.note_run(content["experiment"], content["config"])
            steps.reach(guide.STARTED)
        elif kind == "Result":
            steps.reach(guide.RESULT)
        elif kind == "Validity" and not content["valid"]:
            self.banner.warn(f"{content['source']}: data do not count: {content['reason']}")
        elif kind in ("RunStop", "RunFailed"):
            steps.reach(guide.ENDED)
            self.runs.refresh()
            well = content.get("status") == "done"
            (self.banner.tell if well else self.banner.warn)(self._outcome())

    def _take_recorded(self, documents: list[DocumentMessage]) -> None:
        for document in documents:
            self.view.apply(document.content, document.utc_s)
        self._refresh()

    def _show_tab(self) -> None:
        if self.panels.runs.isVisible():
            self.runs.refresh()
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
        self.panels.show_run(self.view)

    def _outcome(self) -> str:
        run = self.live
        words = f"{run.experiment.replace('_', ' ')} {run.outcome or 'failed'}"
        return words + (f": {run.reason}" if run.reason else f"  ·  {run.message}" if run.message else "")

    def _title(self) -> str:
        view = self.view
        if not view.run_id:
            return "no run yet: choose an experiment and press Run"
        recorded = "" if view is self.live else f"recorded {view.run_id[:15]}, Ctrl+L: back to live  ·  "
        what = recorded + view.experiment.replace("_", " ")
        if view.outcome:
            return f"{what}: {view.outcome}" + (f" – {view.reason}" if view.reason else f"  ·  {view.message}")
        return f"{what}:  {progress_text(view.fraction, view.message, view.remaining_s())}"
