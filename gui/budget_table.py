"""What a run would ask of the lab before it is started: each demand, what is allowed, and the verdict."""

from __future__ import annotations

from typing import Any

from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from ..analysis.quantity import format_quantity
from . import names
from .theme import DARK, Theme
from .widgets import named

_COLUMNS = ("dry run", "value, allowed")
_MAX_HEIGHT = 150
_WORST_FIRST = ("refused", "warning", "ok")


def amount(value: float | None, unit: str) -> str:
    """A value of the budget with its unit."""
    if value is None:
        return "not known"
    if unit == "s" and value >= 60:
        return names.duration(value)
    return f"{value:,.0f}" if not unit and abs(value) >= 1000 else format_quantity(value, unit, 4)


class BudgetTable(QTableWidget):
    """One row a line of the budget, worst first; hidden while there is none."""

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        named(self, "budget", "What this run would ask of the lab, worked out without touching it")
        self.setHorizontalHeaderLabels(_COLUMNS)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(20)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMaximumHeight(_MAX_HEIGHT)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self._colours: dict[str, QBrush] = {}
        self._lines: list[dict[str, Any]] = []
        self.paint(DARK)
        self.hide()

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        colours = (theme.bad, theme.warn, theme.good)
        self._colours = {v: QBrush(QColor(c)) for v, c in zip(_WORST_FIRST, colours, strict=True)}
        self.show_budget(self._lines)

    def show_budget(self, lines: list[dict[str, Any]]) -> None:
        """Lists ``{name, value, unit, allowed, verdict, reason}``."""
        lines = sorted(lines, key=lambda line: _WORST_FIRST.index(line["verdict"]))
        self._lines = lines
        self.setRowCount(len(lines))
        for row, line in enumerate(lines):
            allowed = f"   {line['allowed']}" if line["allowed"] else ""
            texts = (line["name"].replace("_", " "), amount(line["value"], line["unit"]) + allowed)
            for column, text in enumerate(texts):
                cell = QTableWidgetItem(text)
                cell.setToolTip(f"{line['verdict']}: {line['reason'] or line['name']}")
                cell.setForeground(self._colours[line["verdict"]])
                self.setItem(row, column, cell)
        self.setVisible(bool(lines))
