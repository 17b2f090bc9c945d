"""The count rate of every channel as a strip over lab time, with a band that one of them should stay in."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from .alarm import RateAlarm
from .plots import Plot
from .theme import DARK, Theme
from .view_models import RunView
from .widgets import Hinted, named


class RateStrip(QWidget):
    """The rate of every channel over the latest stretch of lab time."""

    def __init__(self) -> None:
        super().__init__()
        self.plot = Plot(("rate", "Hz"), ("lab time", "s"))
        self.log = named(QCheckBox("log"), "log_rates", "Rates on a logarithmic scale")
        self.log.setChecked(True)
        self.alarm = RateAlarm(self.plot)
        self._theme = DARK
        choices = QVBoxLayout()
        choices.addWidget(self.log, alignment=Qt.AlignmentFlag.AlignLeft)
        choices.addWidget(self.alarm)
        choices.addStretch(1)
        page = QWidget()
        across = QHBoxLayout(page)
        across.setContentsMargins(0, 0, 6, 0)
        across.addWidget(self.plot, stretch=1)
        across.addLayout(choices)
        self.body = Hinted(page, "No clicks yet.\nStart a run: the count rate of every channel appears here.")
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
        self.alarm.paint(theme)

    def show_run(self, run: RunView) -> None:
        """Draws the run as it stands; channels that never clicked are left out."""
        if run is not self._run:
            self.plot.begin_anew()
        self._run = run
        alive = [(name, t_s, hz) for name, t_s, hz in run.series() if len(hz) and hz.max() > 0]
        if {name for name, _, _ in alive} < set(self.plot.curves):
            self.plot.clear_lines()
        for name, t_s, hz in alive:
            # A logarithm has no place for zero: the line breaks there.
            drawn = np.where(hz > 0, hz, np.nan) if self.log.isChecked() else hz
            self.plot.line(name, self._theme).setData(t_s, drawn, connect="finite")
        self.alarm.show_rates({name: float(hz[-1]) for name, _, hz in alive})
        self.body.show_content(bool(alive))

    def _set_scale(self, log: bool) -> None:
        self.plot.setLogMode(y=log)
        self.alarm.set_log(log)
        # With fewer decades pyqtgraph writes the numbers between them too, over each other.
        self.plot.getViewBox().setLimits(minYRange=2.5 if log else 1e-9)
        # On a log scale pyqtgraph would put the prefix on the exponent.
        self.plot.name_axis("left", "rate (Hz)" if log else "rate", "" if log else "Hz")
        self.show_run(self._run)
