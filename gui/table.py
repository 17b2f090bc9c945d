"""The table of the window: rows of text, some in the colour of their verdict; what is chosen stays chosen while rows move."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QFontMetrics
from PySide6.QtWidgets import QAbstractItemView, QApplication, QHeaderView, QTableWidget, QTableWidgetItem

from .theme import DARK, Theme
from .widgets import named

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
#: Height of a line of text in a row, in heights of the font.
_LINE, _PADDING = 1.0, 0.45


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell; ``role`` is a colour of the theme (``good``, ``warn``, ``bad``, ``muted``) or empty for plain text."""

    text: str
    role: str = ""
    tip: str = ""


class Table(QTableWidget):
    """Columns as wide as what they hold, but the ``wide`` one, which takes the rest and ends in dots where it must.

    A row is known by its key. ``right`` are the columns of numbers, ``lines`` the lines of text in a row.
    """

    def __init__(
        self, name: str, columns: Sequence[str], *, wide: int, right: Sequence[int] = (), lines: int = 1, tip: str = ""
    ) -> None:
        super().__init__(0, 0)
        named(self, name, tip)
        self.keys: list[Any] = []
        self._rows: list[Sequence[Cell | str]] = []
        self._right, self._lines, self._wide = frozenset(right), lines, wide
        self._brushes: dict[str, QBrush] = {}
        self.set_columns(columns)
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setAlternatingRowColors(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.horizontalHeader().setHighlightSections(False)
        self.paint(DARK)

    def set_columns(self, columns: Sequence[str]) -> None:
        """Gives the columns these headings."""
        self.setColumnCount(len(columns))
        header = self.horizontalHeader()
        for k, title in enumerate(columns):
            heading = QTableWidgetItem(title)
            heading.setTextAlignment(_RIGHT if k in self._right else _LEFT)
            self.setHorizontalHeaderItem(k, heading)
            modes = QHeaderView.ResizeMode
            header.setSectionResizeMode(k, modes.Stretch if k == self._wide else modes.ResizeToContents)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours and the size of the application's font on."""
        self._fit_rows()
        colours = {"": theme.text, **{role: getattr(theme, role) for role in ("good", "warn", "bad", "muted")}}
        self._brushes = {role: QBrush(QColor(colour)) for role, colour in colours.items()}
        self.show_rows(self.keys, self._rows)

    def show_rows(self, keys: Sequence[Hashable], rows: Sequence[Sequence[Cell | str]]) -> None:
        """Brings the table up to date; the rows that were chosen stay chosen, wherever they now are."""
        chosen = self.chosen()
        moved = list(keys) != self.keys
        self.keys, self._rows = list(keys), list(rows)
        quiet = self.blockSignals(True)
        self.setRowCount(len(self.keys))
        for row, cells in enumerate(self._rows):
            for column, cell in enumerate(cells):
                self._write(row, column, Cell(cell) if isinstance(cell, str) else cell)
        if moved:
            self.choose(chosen)
        self.blockSignals(quiet)
        if moved and chosen != self.chosen():
            self.itemSelectionChanged.emit()

    def chosen(self) -> list[Any]:
        """Keys of the rows that are selected, from above."""
        return [self.keys[row] for row in sorted(i.row() for i in self.selectionModel().selectedRows())]

    def choose(self, keys: Sequence[Hashable]) -> None:
        """Selects the rows of these keys, as far as they are there."""
        self.clearSelection()
        selection = self.selectionModel()
        wanted = selection.SelectionFlag.Select | selection.SelectionFlag.Rows
        for row, key in enumerate(self.keys):
            if key in keys:
                selection.select(self.model().index(row, 0), wanted)

    def row_height(self) -> int:
        """Of every row, in pixels."""
        return self.verticalHeader().defaultSectionSize()

    def _fit_rows(self) -> None:
        # Of the application's font: the table's own follows only when the table is next seen.
        height = QFontMetrics(QApplication.font()).height()
        self.verticalHeader().setDefaultSectionSize(round(height * (_LINE * self._lines + _PADDING)))

    def _write(self, row: int, column: int, cell: Cell) -> None:
        item = self.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            item.setTextAlignment(_RIGHT if column in self._right else _LEFT)
            self.setItem(row, column, item)
        if item.text() != cell.text:
            item.setText(cell.text)
        item.setToolTip(cell.tip or cell.text)
        if item.foreground() != self._brushes[cell.role]:
            item.setForeground(self._brushes[cell.role])
