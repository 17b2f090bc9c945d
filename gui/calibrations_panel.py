"""The station's calibrations: which value holds, since when, for how long, and what has to be done again."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..sequences.engine.queue_values import CalibrationStatus
from . import names
from .theme import DARK, Theme
from .view_models import estimate_view
from .widgets import Hinted, named

_COLUMNS = ("calibration", "state", "value", "age", "holds for", "needs", "experiment")
_STATE = 1


class CalibrationsPanel(QWidget):
    """Emits the names to calibrate; none: all that are not fresh."""

    calibrate_wanted = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.table = named(QTableWidget(0, len(_COLUMNS)), "calibrations")
        self.table.setHorizontalHeaderLabels(_COLUMNS)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setAlternatingRowColors(True)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.chosen_button = named(QPushButton("Calibrate chosen"), "calibrate", "Queue these, after what they need")
        self.all_button = named(QPushButton("Calibrate all that is not fresh"), "calibrate_all", "Queue what has aged")
        self.body = Hinted(
            self.table,
            "This station names no calibrations.\nList them in the station file to see their age and state here.",
        )
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        bar.addWidget(self.chosen_button)
        bar.addWidget(self.all_button)
        bar.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(bar)
        layout.addWidget(self.body)
        self._names: list[str] = []
        self._brushes: dict[str, QBrush] = {}
        self.paint(DARK)
        self.chosen_button.clicked.connect(lambda: self.calibrate_wanted.emit(self.chosen()))
        self.all_button.clicked.connect(lambda: self.calibrate_wanted.emit([]))
        self.table.itemSelectionChanged.connect(self._offer)
        self._offer()

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        colours = {"fresh": theme.good, "expired": theme.warn, "stale": theme.warn, "failed": theme.bad}
        self._brushes = {state: QBrush(QColor(colour)) for state, colour in colours.items()}

    def chosen(self) -> list[str]:
        """Names of the calibrations that are selected."""
        return [self._names[k] for k in sorted(i.row() for i in self.table.selectionModel().selectedRows())]

    def show_calibrations(self, calibrations: Sequence[CalibrationStatus]) -> None:
        """Brings the rows up to date."""
        if [c.name for c in calibrations] != self._names:
            self.table.clearSelection()
        self._names = [c.name for c in calibrations]
        self.table.setRowCount(len(calibrations))
        for row, calibration in enumerate(calibrations):
            for column, text in enumerate(_row(calibration)):
                cell = QTableWidgetItem(text)
                if column == _STATE and calibration.state in self._brushes:
                    cell.setForeground(self._brushes[calibration.state])
                cell.setToolTip(calibration.reason or text)
                self.table.setItem(row, column, cell)
        self.body.show_content(bool(calibrations))
        self._offer()

    def _offer(self) -> None:
        self.chosen_button.setEnabled(bool(self.chosen()))
        self.all_button.setEnabled(bool(self._names))


def _row(calibration: CalibrationStatus) -> tuple[str, ...]:
    value = "–"
    if calibration.estimate is not None:
        value = names.with_interval(estimate_view(calibration.figure, calibration.estimate))
    taken_s = calibration.taken_utc_s
    return (
        "  " * calibration.level + calibration.name.replace("_", " "),
        calibration.state,
        value,
        names.age(None if taken_s is None else time.time() - taken_s),
        names.duration(calibration.expires_after_s),
        ", ".join(calibration.needs),
        calibration.experiment.replace("_", " "),
    )
