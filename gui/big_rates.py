"""Rates as digits that can be read from three metres while both hands are at the mirror mount, and a ticking one can hear."""

from __future__ import annotations

import math

from PySide6.QtCore import QTimer
from PySide6.QtGui import QFont, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from . import names
from .view_models import RunView
from .widgets import Hinted, label, named

_MAX_BIG = 8
_WIDEST = "1.234 MHz"
_TRIAL_PX = 100
_SLOWEST_S, _FASTEST_S = 2.0, 0.08  # ticks at 1 Hz and at the upper end
_DECADES = 8


def tick_period_s(rate_hz: float) -> float:
    """Time between two ticks: shorter by the same factor for each decade of rate, so that ears can follow them all."""
    decades = min(_DECADES, math.log10(max(rate_hz, 1.0)))
    period_s: float = _SLOWEST_S * (_FASTEST_S / _SLOWEST_S) ** (decades / _DECADES)
    return period_s


class Ticker(QWidget):
    """The system's bell, the faster the higher the rate of the chosen channel."""

    def __init__(self) -> None:
        super().__init__()
        self.on = named(QCheckBox("tone"), "tone", "Tick, the faster the higher the rate: align without looking")
        self.channel = named(QComboBox(), "tone_channel", "The channel one hears")
        self.channel.setMinimumContentsLength(14)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.on)
        layout.addWidget(self.channel)
        layout.addStretch(1)
        self.timer = QTimer(self)
        self.timer.timeout.connect(QApplication.beep)
        self.on.toggled.connect(self._toggle)

    def show_rates(self, rates_hz: dict[str, float]) -> None:
        """Follows the latest rates."""
        if [self.channel.itemText(k) for k in range(self.channel.count())] != list(rates_hz):
            before = self.channel.currentText()
            self.channel.clear()
            self.channel.addItems(list(rates_hz))
            self.channel.setCurrentIndex(max(0, self.channel.findText(before)))
        self.timer.setInterval(round(1000 * tick_period_s(rates_hz.get(self.channel.currentText(), 0.0))))

    def _toggle(self, on: bool) -> None:
        if on:
            self.timer.start()
        else:
            self.timer.stop()


class BigRates(QWidget):
    """The latest rate of the channels that click, as large as the tab allows."""

    def __init__(self) -> None:
        super().__init__()
        page = QWidget()
        self._grid = QGridLayout(page)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self.ticker = Ticker()
        self.digits = [label("", "big") for _ in range(_MAX_BIG)]
        self.captions = [label("", "caption") for _ in range(_MAX_BIG)]
        self._grid.addWidget(self.ticker, 0, 0, 1, 2)
        for k in range(_MAX_BIG):
            row, column = divmod(k, 2)
            self._grid.addWidget(self.captions[k], 2 * row + 1, column)
            self._grid.addWidget(self.digits[k], 2 * row + 2, column)
        self._grid.setRowStretch(2 * _MAX_BIG + 1, 1)
        self.body = Hinted(page, "No clicks yet.\nStart a run: the count rate of every channel appears here.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 8, 16, 8)
        layout.addWidget(self.body)
        self._shown = 0

    def show_run(self, run: RunView) -> None:
        """Writes the latest rate of the channels that click."""
        rates = {name: float(hz[-1]) for name, _, hz in run.series() if len(hz) and hz.max() > 0}
        alive = list(rates.items())[:_MAX_BIG]
        for k in range(_MAX_BIG):
            name, text = (alive[k][0], names.rate(alive[k][1])) if k < len(alive) else ("", "")
            self.captions[k].setText(name.replace("_", " "))
            self.digits[k].setText(text)
            self.captions[k].setVisible(bool(text))
            self.digits[k].setVisible(bool(text))
        self.ticker.show_rates(rates)
        self.body.show_content(bool(run.rates))
        if len(alive) != self._shown:
            self._shown = len(alive)
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Digits grow with the tab."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        rows = max(1, -(-self._shown // 2))
        font = QFont(self.font())
        font.setPixelSize(_TRIAL_PX)
        font.setWeight(QFont.Weight.DemiBold)
        across = (self.width() / 2 - 30) / QFontMetrics(font).horizontalAdvance(_WIDEST)
        down = ((self.height() - 60) / rows - 30) / QFontMetrics(font).height()
        size = max(28, round(_TRIAL_PX * min(across, down)))
        for digit in self.digits:
            digit.setStyleSheet(f"font-size: {size}px; font-weight: {QFont.Weight.DemiBold.value};")
