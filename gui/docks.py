"""The panels around the centre: where they stand at first, and back there at a word."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabWidget, QWidget

from .widgets import named

_AREAS = Qt.DockWidgetArea


class Docks:
    """Instruments on the left, experiment and queue on the right, rates and log below."""

    def __init__(
        self,
        window: QMainWindow,
        *,
        instruments: QWidget,
        experiment: QWidget,
        queue: QWidget,
        rates: QWidget,
        log: QWidget,
    ) -> None:
        self._window = window
        self.instruments = self._dock("Instruments", instruments)
        # Tabs of our own: those Qt makes for docks stay behind where they were when the layout changes.
        self.right = QTabWidget(documentMode=True)
        self.right.addTab(experiment, "Experiment")
        self.right.addTab(queue, "Queue")
        self.experiment = self._dock("Experiment and queue", self.right)
        self.rates = self._dock("Count rates", rates)
        self.log = self._dock("Log", log)
        self._place()
        self._first = window.saveState()

    def reset(self) -> None:
        """Every panel back to its place, the centre with most of the room."""
        window = self._window
        window.restoreState(self._first)
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        side, low = max(290, window.width() // 6), window.height() // 4
        window.resizeDocks([self.instruments, self.experiment], [side + 40, side], across)
        window.resizeDocks([self.rates, self.log], [2 * window.width() // 3, window.width() // 3], across)
        window.resizeDocks([self.rates, self.log], [low, low], down)

    def _place(self) -> None:
        window = self._window
        for dock, area in (
            (self.instruments, _AREAS.LeftDockWidgetArea),
            (self.experiment, _AREAS.RightDockWidgetArea),
            (self.rates, _AREAS.BottomDockWidgetArea),
            (self.log, _AREAS.BottomDockWidgetArea),
        ):
            window.addDockWidget(area, dock)
        window.splitDockWidget(self.rates, self.log, Qt.Orientation.Horizontal)

    def _dock(self, title: str, panel: QWidget) -> QDockWidget:
        dock = named(QDockWidget(title), title)
        dock.setWidget(panel)
        return dock
