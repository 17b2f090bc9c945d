"""Delays between any two channels, worked out anew from the recorded tags for every bin and range; gate and fit."""

from __future__ import annotations

import time

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from ..analysis.quantity import format_quantity
from .fit_bar import FitBar
from .plots import HistogramPlot
from .point_plot import PointPlot
from .quantity_slider import QuantitySlider
from .theme import Theme
from .view_models import Histogram, Int64Array, RunView
from .widgets import Hinted, label, named

_REFRESH_S = 2.0
_PAUSE_IN_SLIDING_MS = 150
_PS = 1e-12


def gate_text(histogram: Histogram, low_s: float, high_s: float) -> str:
    """Pairs whose bin lies in the gate, and how the level there compares with the level outside."""
    centre_s = (histogram.lag_ps + histogram.bin_ps / 2) * _PS
    inside = (centre_s >= low_s) & (centre_s <= high_s)
    n, bins = int(histogram.counts[inside].sum()), int(np.count_nonzero(inside))
    rest = histogram.counts[~inside]
    width = format_quantity(high_s - low_s, "s", 3)
    if not bins or not len(rest) or not rest.sum():
        return f"{n:,} pairs in a gate of {width}"
    ratio = (n / bins) / (float(rest.sum()) / len(rest))
    return f"{n:,} pairs in a gate of {width}, {ratio:.3g} times the level outside"


class TagsPanel(QWidget):
    """Emits (run_id, source, channel_a, channel_b, bin_ps, range_ps); draws what comes back."""

    wanted = Signal(str, str, str, str, object, object)

    def __init__(self) -> None:
        super().__init__()
        self.source = named(QComboBox(), "source", "Whose time tags")
        self.channel_a = named(QComboBox(), "channel_a", "Channel that starts the clock")
        self.channel_b = named(QComboBox(), "channel_b", "Channel that stops it")
        self.bin = QuantitySlider("bin_width", "Bin width, e.g. 100 ps", "s", 10e-9, 1e-12, 1e-3)
        self.range = QuantitySlider("range", "How far to either side, e.g. 50 us", "s", 50e-6, 1e-9, 1.0)
        self.log = named(QCheckBox("log"), "log_tags", "Counts on a logarithmic scale")
        self.total = label("", "muted")
        self.problem = label("", "wrong", wrap=True)
        self.problem.hide()
        self.plot, self.residuals = HistogramPlot(), PointPlot()
        self.residuals.name_axis("left", "residual (σ)", "")
        self.residuals.name_axis("bottom", "delay", "s")
        self.residuals.hide()
        self.fits = FitBar(self.plot)
        self.body = Hinted(self._page(), "No tags yet.\nPress Run, or open a recorded run in the Runs tab.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.body)
        self._run = RunView()
        self._asked_s = 0.0
        self._waiting = False
        self._slid = QTimer(self, singleShot=True, interval=_PAUSE_IN_SLIDING_MS)
        self._slid.timeout.connect(self.ask)
        self.source.activated.connect(self._offer_channels)
        for combo in (self.channel_a, self.channel_b):
            combo.activated.connect(self._ask_anew)
        for quantity in (self.bin, self.range):
            quantity.changed.connect(lambda _: self._slid.start())
            quantity.refused.connect(self.show_problem)
        self.range.changed.connect(lambda _: self.plot.begin_anew())
        self.log.toggled.connect(lambda on: self.plot.setLogMode(y=on))
        self.fits.wanted.connect(self._draw)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        for part in (self.plot, self.residuals, self.fits):
            part.paint(theme)

    def show_run(self, run: RunView) -> None:
        """Offers the channels of the run; asks anew every few seconds while it grows."""
        if run is not self._run or [self.source.itemText(k) for k in range(self.source.count())] != list(run.channels):
            self._run = run
            self._offer_sources()
        self.body.show_content(bool(run.channels))
        if run.channels and not self._waiting and time.monotonic() - self._asked_s > _REFRESH_S:
            self.ask()

    def ask(self) -> None:
        """Asks for the histogram that is chosen."""
        self.show_problem("")
        if not self._run.run_id:
            return
        self._asked_s, self._waiting = time.monotonic(), True
        if self.plot.shown is None:
            self.total.setText("  working it out …")
        a, b = self.channel_a.currentText(), self.channel_b.currentText()
        bin_ps, range_ps = max(1, round(self.bin.value / _PS)), max(1, round(self.range.value / _PS))
        self.wanted.emit(self._run.run_id, self.source.currentText(), a, b, bin_ps, range_ps)

    def show_histogram(self, answer: tuple[Int64Array, Int64Array, int]) -> None:
        """Draws what the engine worked out."""
        self._waiting = False
        histogram = Histogram(*answer)
        self.plot.show_histogram(histogram)
        drawn = histogram.drawable(self.plot.getViewBox().width())
        joined = f", drawn {format_quantity(drawn.bin_ps * _PS, 's')} wide" if drawn.bin_ps != histogram.bin_ps else ""
        self.total.setText(
            f"  {int(histogram.counts.sum()):,} pairs in {len(histogram.counts):,} bins{joined}; "
            f"most in one bin: {int(np.max(histogram.counts, initial=0)):,}"
        )
        self._draw()

    def show_problem(self, words: str) -> None:
        """Says why there is no histogram; an empty text when there is."""
        self._waiting = False
        if words:
            self.total.setText("")
        self.problem.setText(words)
        self.problem.setVisible(bool(words))

    def _page(self) -> QWidget:
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 3, 8, 0)
        for combo in (self.source, self.channel_a, self.channel_b):
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for text, widget in (
            ("", self.source),
            ("from", self.channel_a),
            ("to", self.channel_b),
            ("bin", self.bin),
            ("±", self.range),
        ):
            if text:
                bar.addWidget(QLabel(text))
            bar.addWidget(widget)
        bar.addStretch(1)
        below = QHBoxLayout()
        below.setContentsMargins(0, 0, 8, 0)
        below.addWidget(self.fits, stretch=1)
        below.addWidget(self.log)
        plots = QSplitter(Qt.Orientation.Vertical)
        plots.addWidget(self.plot)
        plots.addWidget(self.residuals)
        plots.setSizes([700, 300])
        page = QWidget()
        inside = QVBoxLayout(page)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(2)
        inside.addLayout(bar)
        inside.addLayout(below)
        inside.addWidget(self.problem)
        inside.addWidget(plots, stretch=1)
        inside.addWidget(self.total)
        return page

    def _draw(self) -> None:
        """Gate and fit on the histogram that is shown."""
        histogram = self.plot.shown
        if histogram is None or not self.fits.gate.isChecked():
            self.plot.fit.setData([], [])
            self.residuals.hide()
            return
        edges = histogram.edges_s()
        centre, counts = (edges[:-1] + edges[1:]) / 2, histogram.counts.astype(np.float64)
        found = self.fits.fit(centre, counts, np.sqrt(np.maximum(counts, 1.0)), "s", "")
        self.residuals.setVisible(found is not None)
        self.total.setText("  " + gate_text(histogram, *self.fits.region()))
        if found is None:
            self.plot.fit.setData([], [])
            return
        fit_x, fit, at, residuals = found
        joined = histogram.drawable(self.plot.getViewBox().width()).bin_ps / histogram.bin_ps
        self.plot.fit.setData(fit_x, fit * joined)
        self.residuals.show_points(at, residuals, residuals - 1, residuals + 1)

    def _ask_anew(self) -> None:
        self.plot.begin_anew()
        self.ask()

    def _offer_sources(self) -> None:
        before = self.source.currentText()
        self.source.clear()
        self.source.addItems(list(self._run.channels))
        self.source.setCurrentIndex(max(0, self.source.findText(before)))
        self._offer_channels()

    def _offer_channels(self) -> None:
        channels = self._run.channels.get(self.source.currentText(), [])
        for k, combo in enumerate((self.channel_a, self.channel_b)):
            before = combo.currentText()
            combo.clear()
            combo.addItems(channels)
            combo.setCurrentIndex(channels.index(before) if before in channels else min(k, len(channels) - 1))
        if channels:
            self._ask_anew()
