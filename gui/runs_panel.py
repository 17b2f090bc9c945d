"""The recorded runs: find, star, annotate, compare, open again, run again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from ..sequences.engine.values import RunSummary
from . import names
from .point_plot import PointPlot
from .runs_model import COLUMNS, RunsModel, headline
from .theme import Theme
from .widgets import Hinted, named

MAX_COMPARED = 8


class ComparePlot(PointPlot):
    """The headline of up to eight runs beside each other, with intervals."""

    def __init__(self) -> None:
        super().__init__(beam=0.15)

    def show_runs(self, runs: list[RunSummary]) -> None:
        """Draws the headline the first run has, of every run that has it."""
        first = next((found for run in runs if (found := headline(run))), None)
        chosen = [run for run in runs if first is not None and first.name in run.results][:MAX_COMPARED]
        estimates = [run.results[first.name] for run in chosen] if first else []
        factor, unit = names.si(1.0, first.unit) if first else (1.0, "")
        value, lower, upper = (
            factor * np.array([np.nan if e[key] is None else e[key] for e in estimates], float)
            for key in ("value", "lower", "upper")
        )
        self.name_axis("left", names.title(first.name) if first else "result", unit)
        self.show_points(np.arange(len(estimates), dtype=float), value, lower, upper)
        self.name_points([run.run_id[4:13] for run in chosen])


class RunsPanel(QWidget):
    """Emits what is wanted with a run, by its id."""

    refresh_wanted = Signal()
    open_wanted = Signal(str, float)  # run id, pace (0: at once)
    reuse_wanted = Signal(str)
    note_wanted = Signal(str, bool, str)

    def __init__(self) -> None:
        super().__init__()
        self.search = named(QLineEdit(placeholderText="search name, status, note; ★ for starred"), "search")
        self.search.setClearButtonEnabled(True)
        self.refresh = self._button("Refresh", "refresh", "Look for new runs (F5)", self.refresh_wanted.emit)
        self.open = self._button("Open", "open", "Show this run in the window (Enter)", lambda: self._ask_open(0.0))
        self.replay = self._button("Replay ×10", "replay", "Play this run again", lambda: self._ask_open(10.0))
        self.reuse = self._button("Use settings", "reuse", "Fill the form with this run's settings", self._ask_reuse)
        self.star = self._button("★", "star", "Star or unstar this run", self._ask_star)
        self.note = named(QLineEdit(placeholderText="note about the chosen run"), "note")
        self.table = named(QTableView(), "runs")
        self.model = RunsModel()
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setShowGrid(False)
        self.table.setAlternatingRowColors(True)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(24)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        for column, (_, width) in enumerate(COLUMNS):
            self.table.setColumnWidth(column, width)
        self.compare = ComparePlot()
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(self.compare)
        split.setSizes([600, 300])
        self.body = Hinted(split, "No recorded run in this folder yet.\nPress Run: every run is kept here.")
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        bar.addWidget(self.search, stretch=2)
        for button in (self.open, self.replay, self.reuse, self.star):
            bar.addWidget(button)
        bar.addWidget(self.note, stretch=1)
        bar.addWidget(self.refresh)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(bar)
        layout.addWidget(self.body)
        self.search.textChanged.connect(self._search)
        self.note.returnPressed.connect(self._ask_note)
        self.table.doubleClicked.connect(lambda _: self._ask_open(0.0))
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._show_choice())
        self._show_choice()

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self.compare.paint(theme)
        self.model.bad = QBrush(QColor(theme.bad))

    def show_runs(self, runs: list[RunSummary]) -> None:
        """Lists these, keeping what is chosen."""
        before = {run.run_id for run in self.chosen()}
        self.model.show_runs(runs)
        self.body.show_content(bool(runs))
        self.table.clearSelection()
        for row, run in enumerate(self.model.visible):
            if run.run_id in before:
                self.table.selectRow(row)
        self._show_choice()

    def chosen(self) -> list[RunSummary]:
        """The runs selected, in the order of the table."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self.model.visible[row] for row in rows]

    def _button(self, text: str, name: str, tip: str, slot: Callable[[], object]) -> QPushButton:
        button = named(QPushButton(text), name, tip)
        button.clicked.connect(lambda: slot())
        return button

    def _search(self, text: str) -> None:
        self.model.search(text)
        self._show_choice()

    def _show_choice(self) -> None:
        runs = self.chosen()
        for button in (self.open, self.replay, self.reuse):
            button.setEnabled(len(runs) == 1 and runs[0].status != "corrupt")
        self.star.setEnabled(len(runs) == 1)
        self.note.setEnabled(len(runs) == 1)
        self.note.setText(runs[0].note if len(runs) == 1 else "")
        self.compare.show_runs(runs or self.model.visible[:MAX_COMPARED])

    def _ask_open(self, pace: float) -> None:
        if self.open.isEnabled():
            self.open_wanted.emit(self.chosen()[0].run_id, pace)

    def _ask_reuse(self) -> None:
        self.reuse_wanted.emit(self.chosen()[0].run_id)

    def _ask_star(self) -> None:
        run = self.chosen()[0]
        self.note_wanted.emit(run.run_id, not run.star, run.note)

    def _ask_note(self) -> None:
        run = self.chosen()[0]
        self.note_wanted.emit(run.run_id, run.star, self.note.text())
