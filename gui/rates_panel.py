"""Count rates: a strip over lab time, and big digits for alignment from across the room."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from . import names
from .plots import Plot
from .theme import DARK, Theme
from .view_models import RunView
from .widgets import Hinted, label

_MAX_BIG = 8
_EMPTY = "No clicks yet.\nStart a run: the count rate of every channel appears here."


class RateStrip(QWidget):
    """The rate of every channel over the latest stretch of lab time."""

    def __init__(self) -> None:
        super().__init__()
        self.plot = Plot(("rate", "Hz"), ("lab time", "s"))
        self._theme = DARK
        self.body = Hinted(self.plot, _EMPTY)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.body)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self._theme = theme
        self.plot.paint(theme)

    def show_run(self, run: RunView) -> None:
        """Draws the run as it stands; channels that never clicked are left out."""
        alive = [(name, t_s, hz) for name, t_s, hz in run.series() if len(hz) and hz.max() > 0]
        if {name for name, _, _ in alive} < set(self.plot.curves):
            self.plot.clear_lines()
        for name, t_s, hz in alive:
            self.plot.line(name, self._theme).setData(t_s, hz)
        self.body.show_content(bool(alive))


class BigRates(QWidget):
    """The same rates as digits that can be read from three metres."""

    def __init__(self) -> None:
        super().__init__()
        page = QWidget()
        self._grid = QGridLayout(page)
        self.digits = [label("", "big") for _ in range(_MAX_BIG)]
        self.captions = [label("", "caption") for _ in range(_MAX_BIG)]
        for k in range(_MAX_BIG):
            row, column = divmod(k, 2)
            self._grid.addWidget(self.captions[k], 2 * row, column)
            self._grid.addWidget(self.digits[k], 2 * row + 1, column)
        self._grid.setRowStretch(2 * _MAX_BIG, 1)
        self.body = Hinted(page, _EMPTY)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 8, 16, 8)
        layout.addWidget(self.body)

    def show_run(self, run: RunView) -> None:
        """Writes the latest rate of the channels that click."""
        alive = [(name, hz) for name, hz in run.latest_rates() if hz > 0][:_MAX_BIG]
        for k in range(_MAX_BIG):
            name, text = (alive[k][0], names.rate(alive[k][1])) if k < len(alive) else ("", "")
            self.captions[k].setText(name.replace("_", " "))
            self.digits[k].setText(text)
        self.body.show_content(bool(run.rates))
