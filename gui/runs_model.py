"""The table of recorded runs, made for ten thousand of them."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QBrush

from ..sequences.engine.values import RunSummary
from . import names
from .view_models import EstimateView, estimate_view

STAR = "★"
#: Heading and width of each column.
COLUMNS = (("", 26), ("run", 142), ("experiment", 158), ("status", 72), ("result", 226), ("size", 66), ("note", 120))
_BAD = ("corrupt", "interrupted", "failed", "aborted")
Index = QModelIndex | QPersistentModelIndex


def headline(run: RunSummary) -> EstimateView | None:
    """The result a run is judged by."""
    name = next((n for n in (*names.HEADLINES, *run.results) if n in run.results), None)
    return None if name is None else estimate_view(name, run.results[name])


class RunsModel(QAbstractTableModel):
    """Shows the runs that match the search; cells are made when they are looked at."""

    def __init__(self) -> None:
        super().__init__()
        self._all: list[RunSummary] = []
        self._words: list[str] = []
        self.visible: list[RunSummary] = []
        self.bad = QBrush()

    def show_runs(self, runs: list[RunSummary]) -> None:
        """Replaces all runs."""
        self._all = runs
        self._filter()

    def search(self, text: str) -> None:
        """Keeps the runs in which every word is found."""
        self._words = text.lower().split()
        self._filter()

    def _filter(self) -> None:
        self.beginResetModel()
        self.visible = [run for run in self._all if all(word in _text(run) for word in self._words)]
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802
        return 0 if parent is not None and parent.isValid() else len(self.visible)

    def columnCount(self, parent: Index | None = None) -> int:  # noqa: N802
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: N802
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section][0]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        run = self.visible[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _cell(run, index.column())
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 3 and run.status in _BAD:
            return self.bad
        if role == Qt.ItemDataRole.ToolTipRole:
            return run.path
        return None


def _cell(run: RunSummary, column: int) -> str:
    if column == 4:
        found = headline(run)
        return f"{names.title(found.name)} {names.with_interval(found)}" if found else ""
    return (
        STAR if run.star else "",
        run.created_utc[:19].replace("T", " ") or run.run_id,
        run.experiment.replace("_", " "),
        run.status,
        "",
        names.byte_size(run.size_bytes),
        run.note,
    )[column]


def _text(run: RunSummary) -> str:
    star = STAR if run.star else ""
    return f"{run.run_id} {run.experiment} {run.status} {run.note} {star}".lower()
