"""A band a count rate should stay in: two lines to drag in the rate strip, and a word when the rate leaves it."""

from __future__ import annotations

import math

import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QWidget

from . import names
from .plots import Plot
from .theme import Theme, veil
from .widgets import named

#: Where the band is put at first, as parts of the present rate.
_AROUND = 0.5, 2.0


class RateAlarm(QWidget):
    """Emits ``tripped`` once when the rate of the chosen channel leaves the band, and is ready again inside."""

    tripped = Signal(str)

    def __init__(self, plot: Plot) -> None:
        super().__init__()
        self.on = named(QCheckBox("alarm"), "alarm", "Tell when the rate of this channel leaves the band")
        self.channel = named(QComboBox(), "alarm_channel", "The channel whose rate is watched")
        self.channel.setMinimumContentsLength(6)
        self.channel.hide()
        self.band = pg.LinearRegionItem(orientation="horizontal")
        self.band.setZValue(-25)
        self.band.hide()
        plot.addItem(self.band, ignoreBounds=True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.on, alignment=Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.channel, stretch=1)
        self._log = False
        self._rates: dict[str, float] = {}
        self._outside = False
        self._limits_hz = 0.0, math.inf
        self.on.toggled.connect(self._toggle)
        self.channel.activated.connect(lambda: self._toggle(True))
        self.band.sigRegionChanged.connect(self._dragged)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self.band.setBrush(veil(theme, theme.good, 0.12))
        self.band.setHoverBrush(veil(theme, theme.good, 0.2))
        for line in self.band.lines:
            line.setPen(pg.mkPen(theme.good, width=1))

    def set_log(self, log: bool) -> None:
        """Follows the scale of the plot."""
        self._log = log
        self._place()

    def limits_hz(self) -> tuple[float, float]:
        """The band."""
        return self._limits_hz

    def show_rates(self, rates_hz: dict[str, float]) -> None:
        """Takes the latest rate of every channel in."""
        if list(rates_hz) != [self.channel.itemText(k) for k in range(self.channel.count())]:
            before = self.channel.currentText()
            self.channel.clear()
            self.channel.addItems(list(rates_hz))
            self.channel.setCurrentIndex(max(0, self.channel.findText(before)))
        self._rates = rates_hz
        rate_hz = rates_hz.get(self.channel.currentText())
        if not self.on.isChecked() or rate_hz is None:
            return
        low, high = self._limits_hz
        outside = not low <= rate_hz <= high
        if outside and not self._outside:
            self.tripped.emit(
                f"{self.channel.currentText()}: {names.rate(rate_hz)} left its band {names.rate(low)} … {names.rate(high)}"
            )
        self._outside = outside

    def _toggle(self, on: bool) -> None:
        self.channel.setVisible(on)
        self.band.setVisible(on)
        self._outside = False
        rate_hz = self._rates.get(self.channel.currentText(), 0.0) or 1.0
        self._limits_hz = _AROUND[0] * rate_hz, _AROUND[1] * rate_hz
        self._place()

    def _place(self) -> None:
        low, high = self._limits_hz
        if math.isfinite(high):
            self.band.blockSignals(True)
            self.band.setRegion((math.log10(low), math.log10(high)) if self._log else (low, high))
            self.band.blockSignals(False)

    def _dragged(self) -> None:
        low, high = self.band.getRegion()
        self._limits_hz = (10.0**low, 10.0**high) if self._log else (float(low), float(high))
