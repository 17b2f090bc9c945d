"""The table of recorded runs, made for ten thousand of them."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QBrush

from ..sequences.engine.values import RunSummary
from . import names
from .view_models import EstimateView, estimate_view

STAR = "★"
COLUMNS = ("", "started", "experiment", "status", "result", "size", "note")
#: What is written as wide as the column needs at most.
WIDEST = (
    STAR,
    "21 Nov 16:27:44",
    "heralded entanglement",
    "interrupted",
    "fidelity F 0.9186 (0.8936 … 0.9416)",
    "99.99 MB",
)
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
            return COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        run = self.visible[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _cell(run, index.column())
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 3 and run.status in _BAD:
            return self.bad
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(part for part in (_cell(run, index.column()), run.run_id, run.path) if part)
        return None


def _cell(run: RunSummary, column: int) -> str:
    if column == 4:
        found = headline(run)
        return f"{names.title(found.name)} {names.with_interval(found)}" if found else ""
    return (
        STAR if run.star else "",
        names.run_time(run.run_id),
        run.experiment.replace("_", " "),
        run.status,
        "",
        names.byte_size(run.size_bytes),
        run.note,
    )[column]


def _text(run: RunSummary) -> str:
    star = STAR if run.star else ""
    return f"{run.run_id} {run.experiment} {run.status} {run.note} {star}".lower()
