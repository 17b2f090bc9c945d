"""The station's calibrations: which value holds, since when, for how long, and what has to be done again."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ..sequences.engine.queue_values import CalibrationStatus
from . import names
from .table import Cell, Table
from .theme import Theme
from .view_models import estimate_view
from .widgets import Hinted, named

_COLUMNS = ("calibration", "state", "value", "age", "holds for", "needs", "experiment")
_VALUE = 2
_ROLES = {"fresh": "good", "expired": "warn", "stale": "warn", "failed": "bad", "never": "muted"}


class CalibrationsPanel(QWidget):
    """Emits the names to calibrate; none: all that are not fresh."""

    calibrate_wanted = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.table = Table("calibrations", _COLUMNS, wide=_VALUE)
        self.table.setSelectionMode(Table.SelectionMode.ExtendedSelection)
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
        self.chosen_button.clicked.connect(lambda: self.calibrate_wanted.emit(self.chosen()))
        self.all_button.clicked.connect(lambda: self.calibrate_wanted.emit([]))
        self.table.itemSelectionChanged.connect(self._offer)
        self._offer()

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self.table.paint(theme)

    def chosen(self) -> list[str]:
        """Names of the calibrations that are selected."""
        return self.table.chosen()

    def show_calibrations(self, calibrations: Sequence[CalibrationStatus]) -> None:
        """Brings the rows up to date."""
        self.table.show_rows([c.name for c in calibrations], [_row(c) for c in calibrations])
        self.body.show_content(bool(calibrations))
        self._offer()

    def _offer(self) -> None:
        self.chosen_button.setEnabled(bool(self.chosen()))
        self.all_button.setEnabled(bool(self.table.keys))


def _row(calibration: CalibrationStatus) -> tuple[Cell | str, ...]:
    value = "–"
    if calibration.estimate is not None:
        value = names.with_interval(estimate_view(calibration.figure, calibration.estimate))
    taken_s = calibration.taken_utc_s
    return (
        "  " * calibration.level + calibration.name.replace("_", " "),
        Cell(calibration.state, _ROLES.get(calibration.state, ""), calibration.reason),
        value,
        "–" if taken_s is None else names.age(time.time() - taken_s),
        names.duration(calibration.expires_after_s),
        ", ".join(calibration.needs) or "–",
        calibration.experiment.replace("_", " "),
    )
