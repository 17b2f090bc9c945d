"""Which line is which channel, and its latest rate: beside the plot, where it covers nothing; a tick hides a channel."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from . import names
from .plots import series_pen
from .theme import DARK, Theme
from .widgets import named

_NAME, _RATE = range(2)
_SWATCH = 18, 10
_LETTERS = 37  # that a line of the key has room for


def swatch(pen: QPen) -> QIcon:
    """A short piece of the line."""
    pixmap = QPixmap(*_SWATCH)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    thick = QPen(pen)
    thick.setWidth(3)
    painter.setPen(thick)
    painter.drawLine(0, _SWATCH[1] // 2, _SWATCH[0], _SWATCH[1] // 2)
    painter.end()
    return QIcon(pixmap)


class ChannelKey(QTreeWidget):
    """Emits ``changed`` when a channel is hidden or shown again; what is hidden stays so for the next run."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        named(self, "channels", "Untick a channel to hide it here and in the tab Rates")
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(_RATE, QHeaderView.ResizeMode.ResizeToContents)
        self.hidden: set[str] = set()
        self._items: dict[str, QTreeWidgetItem] = {}
        self._theme = DARK
        self.itemChanged.connect(self._tick)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self._theme = theme
        self.setMinimumWidth(_LETTERS * self.fontMetrics().averageCharWidth())
        for k, item in enumerate(self._items.values()):
            item.setIcon(_NAME, swatch(series_pen(theme, k)))

    def show_rates(self, rates_hz: dict[str, float]) -> None:
        """Lists every channel with its latest rate, in the order of the curves."""
        self.blockSignals(True)
        if list(rates_hz) != list(self._items):
            self._rebuild(list(rates_hz))
        for name, rate_hz in rates_hz.items():
            text = names.steady_rate(rate_hz)
            if self._items[name].text(_RATE) != text:
                self._items[name].setText(_RATE, text)
        self.blockSignals(False)

    def _rebuild(self, channels: list[str]) -> None:
        self.clear()
        self._items = {name: QTreeWidgetItem(self, [name.replace("_", " "), ""]) for name in channels}
        for name, item in self._items.items():
            item.setCheckState(_NAME, Qt.CheckState.Unchecked if name in self.hidden else Qt.CheckState.Checked)
            item.setTextAlignment(_RATE, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.paint(self._theme)

    def _tick(self) -> None:
        unticked = {n for n, item in self._items.items() if item.checkState(_NAME) == Qt.CheckState.Unchecked}
        self.hidden = (self.hidden - set(self._items)) | unticked
        self.changed.emit()
