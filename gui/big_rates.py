"""Rates as digits that can be read from three metres while both hands are at the mirror mount, and a ticking one can hear."""

from __future__ import annotations

import math
from collections.abc import Container

from PySide6.QtCore import QTimer
from PySide6.QtGui import QFont, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from . import names
from .view_models import RunView
from .widgets import Hinted, label, named

_MAX_BIG = 12
_WIDEST = "99.9 MHz"
_COLUMNS = 1, 2, 3
_TRIAL_PX = 100
_CAPTION = 0.25  # height of a caption beside its digits
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
        inside = QVBoxLayout(page)
        inside.setContentsMargins(0, 0, 0, 0)
        above, self._grid = QHBoxLayout(), QGridLayout()
        inside.addLayout(above)
        inside.addLayout(self._grid)
        inside.addStretch(1)
        self.ticker = Ticker()
        self.digits = [label("") for _ in range(_MAX_BIG)]
        self.captions = [label("", "caption") for _ in range(_MAX_BIG)]
        for text in (*self.digits, *self.captions):
            text.setMinimumHeight(1)  # digits follow the size of the tab, never the other way round
        about = label("Channels are chosen beside the count rates below.", "muted")
        above.addWidget(self.ticker)
        above.addWidget(about)
        self._place(2)
        self.body = Hinted(page, "No clicks yet.\nStart a run: the count rate of every channel appears here.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 8, 16, 8)
        layout.addWidget(self.body)
        self._shown = 0

    def show_run(self, run: RunView, hidden: Container[str] = ()) -> None:
        """Writes the latest rate of the channels that click and are not hidden: the fewer, the larger."""
        rates = {name: float(hz[-1]) for name, _, hz in run.series() if len(hz) and hz.max() > 0 and name not in hidden}
        alive = list(rates.items())[:_MAX_BIG]
        if len(alive) != self._shown:
            self._shown = len(alive)
            self._fit()
        for k in range(_MAX_BIG):
            name, text = (alive[k][0], names.steady_rate(alive[k][1])) if k < len(alive) else ("", "")
            self.captions[k].setText(name.replace("_", " "))
            self.digits[k].setText(text)
            self.captions[k].setVisible(bool(text))
            self.digits[k].setVisible(bool(text))
        self.ticker.show_rates(rates)
        self.body.show_content(bool(run.rates))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Digits grow with the tab."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        size, columns = max((self._size(columns), columns) for columns in _COLUMNS)
        self._place(columns)
        for digit, caption in zip(self.digits, self.captions, strict=True):
            digit.setStyleSheet(f"font-size: {size}px; font-weight: {QFont.Weight.DemiBold.value};")
            caption.setStyleSheet(f"font-size: {max(15, round(_CAPTION * size))}px;")

    def _size(self, columns: int) -> int:
        """Of digits that fit into so many columns, in pixels."""
        rows = max(1, -(-self._shown // columns))
        font = QFont(self.font())
        font.setPixelSize(_TRIAL_PX)
        font.setWeight(QFont.Weight.DemiBold)
        metrics = QFontMetrics(font)
        across = ((self.width() - 32) / columns - 12) / metrics.horizontalAdvance(_WIDEST)
        down = ((self.height() - 60) / rows - 12) / (metrics.height() + _CAPTION * _TRIAL_PX * 1.3)
        return max(28, round(_TRIAL_PX * min(across, down)))

    def _place(self, columns: int) -> None:
        for k in range(_MAX_BIG):
            row, column = divmod(k, columns)
            self._grid.addWidget(self.captions[k], 2 * row, column)
            self._grid.addWidget(self.digits[k], 2 * row + 1, column)
