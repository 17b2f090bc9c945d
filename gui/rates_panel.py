"""Count rates: a strip over lab time, and big digits for alignment from across the room."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from . import names
from .plots import Plot
from .theme import DARK, Theme
from .view_models import RunView
from .widgets import Hinted, label, named

_MAX_BIG = 8
_EMPTY = "No clicks yet.\nStart a run: the count rate of every channel appears here."


class RateStrip(QWidget):
    """The rate of every channel over the latest stretch of lab time."""

    def __init__(self) -> None:
        super().__init__()
        self.plot = Plot(("rate", "Hz"), ("lab time", "s"))
        self.log = named(QCheckBox("log"), "log_rates", "Rates on a logarithmic scale")
        self.log.setChecked(True)
        self._theme = DARK
        page = QWidget()
        across = QHBoxLayout(page)
        across.setContentsMargins(0, 0, 6, 0)
        across.addWidget(self.plot, stretch=1)
        across.addWidget(self.log)
        self.body = Hinted(page, _EMPTY)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.body)
        self.log.toggled.connect(self._set_scale)
        self._run = RunView()
        self._set_scale(True)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self._theme = theme
        self.plot.paint(theme)

    def show_run(self, run: RunView) -> None:
        """Draws the run as it stands; channels that never clicked are left out."""
        self._run = run
        alive = [(name, t_s, hz) for name, t_s, hz in run.series() if len(hz) and hz.max() > 0]
        if {name for name, _, _ in alive} < set(self.plot.curves):
            self.plot.clear_lines()
        for name, t_s, hz in alive:
            # A logarithm has no place for zero: the line breaks there.
            drawn = np.where(hz > 0, hz, np.nan) if self.log.isChecked() else hz
            self.plot.line(name, self._theme).setData(t_s, drawn, connect="finite")
        self.body.show_content(bool(alive))

    def _set_scale(self, log: bool) -> None:
        self.plot.setLogMode(y=log)
        # More than a decade, so that a power of ten is on the axis.
        self.plot.getViewBox().setLimits(minYRange=1.2 if log else 1e-9)
        # On a log scale pyqtgraph would put the prefix on the exponent.
        self.plot.name_axis("left", "rate (Hz)" if log else "rate", "" if log else "Hz")
        self.show_run(self._run)


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
        alive = [(name, float(hz[-1])) for name, _, hz in run.series() if len(hz) and hz.max() > 0][:_MAX_BIG]
        for k in range(_MAX_BIG):
            name, text = (alive[k][0], names.rate(alive[k][1])) if k < len(alive) else ("", "")
            self.captions[k].setText(name.replace("_", " "))
            self.digits[k].setText(text)
        self.body.show_content(bool(run.rates))
