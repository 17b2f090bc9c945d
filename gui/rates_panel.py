"""The count rate of every channel as a strip over lab time, with a band that one of them should stay in."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from .alarm import RateAlarm
from .channel_key import ChannelKey
from .plots import Plot
from .theme import DARK, Theme
from .view_models import RunView
from .widgets import Hinted, named


class RateStrip(QWidget):
    """The rate of every channel over the latest stretch of lab time."""

    def __init__(self) -> None:
        super().__init__()
        self.plot = Plot(("rate", "Hz"), ("lab time", "s"))
        self.key = ChannelKey()
        self.log = named(QCheckBox("log"), "log_rates", "Rates on a logarithmic scale")
        self.log.setChecked(True)
        self.alarm = RateAlarm(self.plot)
        self._theme = DARK
        choices = QHBoxLayout()
        choices.setSpacing(10)
        choices.addWidget(self.log)
        choices.addWidget(self.alarm, stretch=1)
        side = QWidget()
        down = QVBoxLayout(side)
        down.setContentsMargins(6, 3, 4, 3)
        down.setSpacing(3)
        down.addLayout(choices)
        down.addWidget(self.key, stretch=1)
        page = QSplitter(Qt.Orientation.Horizontal)
        page.addWidget(self.plot)
        page.addWidget(side)
        page.setStretchFactor(0, 1)
        page.setSizes([610, 270])
        self.body = Hinted(page, "No clicks yet.\nStart a run: the count rate of every channel appears here.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.body)
        self.log.toggled.connect(self._set_scale)
        self._run = RunView()
        self.key.changed.connect(lambda: self.show_run(self._run))
        self._set_scale(True)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self._theme = theme
        for part in (self.plot, self.key, self.alarm):
            part.paint(theme)

    def show_run(self, run: RunView) -> None:
        """Draws the run as it stands; channels that never clicked are left out."""
        if run is not self._run:
            self.plot.begin_anew()
        self._run = run
        alive = [(name, t_s, hz) for name, t_s, hz in run.series() if len(hz) and hz.max() > 0]
        if list(self.plot.curves) != [name for name, _, _ in alive][: len(self.plot.curves)]:
            self.plot.clear_lines()
        for name, t_s, hz in alive:
            # A logarithm has no place for zero: the line breaks there.
            drawn = np.where(hz > 0, hz, np.nan) if self.log.isChecked() else hz
            curve = self.plot.line(name, self._theme)
            curve.setVisible(name not in self.key.hidden)
            curve.setData(t_s, drawn, connect="finite")
        rates_hz = {name: float(hz[-1]) for name, _, hz in alive}
        self.key.show_rates(rates_hz)
        self.alarm.show_rates(rates_hz)
        self.body.show_content(bool(alive))

    def _set_scale(self, log: bool) -> None:
        self.plot.setLogMode(y=log)
        self.alarm.set_log(log)
        # With fewer decades pyqtgraph writes the numbers between them too, over each other.
        self.plot.getViewBox().setLimits(minYRange=2.5 if log else 1e-9)
        self.show_run(self._run)
