"""Results as they sharpen: a table of every estimate, and the chosen one over lab time inside its interval."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from . import names
from .plots import BandPlot
from .theme import Theme
from .view_models import EstimateView, RunView
from .widgets import Hinted

_COLUMNS = ("result", "value (interval)", "events", "method")


class ResultTable(QTableWidget):
    """One row an estimate; emits the name of the one chosen."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        self._names: list[str] = []
        self._cells: list[list[QTableWidgetItem]] = []
        self._picked = ""  # what the user clicked; the headline stands until then
        self.setObjectName("results")
        self.setHorizontalHeaderLabels(_COLUMNS)
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.verticalHeader().setDefaultSectionSize(24)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAlternatingRowColors(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self.itemSelectionChanged.connect(self._pick)

    def current(self) -> str:
        """Name of the estimate chosen; empty when there is none."""
        rows = self.selectionModel().selectedRows() if self._names else []
        return self._names[rows[0].row()] if rows else ""

    def show_estimates(self, estimates: list[EstimateView]) -> None:
        """Brings the rows up to date; the first is chosen when none was."""
        if [e.name for e in estimates] != self._names:
            self._rebuild(estimates)
        for row, estimate in enumerate(estimates):
            texts = (
                names.title(estimate.name, estimate.unit),
                names.with_interval(estimate),
                f"{estimate.n:,}",
                f"{estimate.method}, {estimate.confidence:.0%}",
            )
            for cell, text in zip(self._cells[row], texts, strict=True):
                cell.setText(text)

    def _pick(self) -> None:
        self._picked = self.current()
        self.chosen.emit(self._picked)

    def _rebuild(self, estimates: list[EstimateView]) -> None:
        self.blockSignals(True)
        self._names = [estimate.name for estimate in estimates]
        self._cells = [[QTableWidgetItem() for _ in _COLUMNS] for _ in estimates]
        self.setRowCount(len(estimates))
        for row, cells in enumerate(self._cells):
            for column, cell in enumerate(cells):
                self.setItem(row, column, cell)
        wanted = [name for name in (self._picked, *names.HEADLINES) if name in self._names]
        self.selectRow(self._names.index(wanted[0]) if wanted else 0)
        self.blockSignals(False)
        self.chosen.emit(self.current())


class ResultsPanel(QWidget):
    """Table and plot of the run's estimates."""

    def __init__(self) -> None:
        super().__init__()
        self.table = ResultTable()
        self.plot = BandPlot()
        self._run = RunView()
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.table)
        split.addWidget(self.plot)
        split.setSizes([430, 430])
        self.body = Hinted(split, "No result yet.\nResults appear here, with their intervals, as the data come in.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.body)
        self.table.chosen.connect(lambda _: self._draw())

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self.plot.paint(theme)

    def show_run(self, run: RunView) -> None:
        """Draws the run as it stands."""
        self._run = run
        self.body.show_content(bool(run.estimates))
        self.table.show_estimates(list(run.estimates.values()))
        self._draw()

    def _draw(self) -> None:
        estimate = self._run.estimates.get(self.table.current())
        if estimate is None:
            return
        t_s, value, lower, upper = self._run.history(estimate.name)
        factor, unit = names.si(1.0, estimate.unit)
        self.plot.show_history(names.title(estimate.name), unit, t_s, value * factor, lower * factor, upper * factor)
