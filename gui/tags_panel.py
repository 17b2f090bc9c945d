"""Delays between any two channels, worked out anew from the recorded tags for every bin and range."""

from __future__ import annotations

import time

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from ..analysis.errors import UsageError
from ..analysis.quantity import format_quantity, parse_quantity
from .plots import HistogramPlot
from .theme import Theme
from .view_models import Histogram, Int64Array, RunView
from .widgets import Hinted, label, named, restyle

_REFRESH_S = 2.0


class TagsPanel(QWidget):
    """Emits (run_id, source, channel_a, channel_b, bin_ps, range_ps); draws what comes back."""

    wanted = Signal(str, str, str, str, object, object)

    def __init__(self) -> None:
        super().__init__()
        self.source = named(QComboBox(), "source", "Whose time tags")
        self.channel_a = named(QComboBox(), "channel_a", "Channel that starts the clock")
        self.channel_b = named(QComboBox(), "channel_b", "Channel that stops it")
        self.bin = named(QLineEdit("10 ns"), "bin_width", "Bin width, e.g. 100 ps")
        self.range = named(QLineEdit("50 us"), "range", "How far to either side, e.g. 50 us")
        self.log = named(QCheckBox("log"), "log_tags", "Counts on a logarithmic scale")
        self.total = label("", "muted")
        self.problem = label("", "wrong", wrap=True)
        self.problem.hide()
        self.plot = HistogramPlot()
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 3, 8, 0)
        for text, widget in (
            ("", self.source),
            ("from", self.channel_a),
            ("to", self.channel_b),
            ("bin", self.bin),
            ("±", self.range),
            ("", self.log),
        ):
            bar.addWidget(QLabel(text))
            bar.addWidget(widget)
        bar.addStretch(1)
        for combo in (self.source, self.channel_a, self.channel_b):
            combo.setMinimumContentsLength(8)
        self.bin.setMaximumWidth(80)
        self.range.setMaximumWidth(80)
        page = QWidget()
        inside = QVBoxLayout(page)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addLayout(bar)
        inside.addWidget(self.problem)
        inside.addWidget(self.plot, stretch=1)
        inside.addWidget(self.total)
        self.body = Hinted(page, "No tags yet.\nPress Run, or open a recorded run in the Runs tab.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.body)
        self._run = RunView()
        self._asked_s = 0.0
        self._waiting = False
        self.source.activated.connect(self._offer_channels)
        for combo in (self.channel_a, self.channel_b):
            combo.activated.connect(self.ask)
        for line in (self.bin, self.range):
            line.editingFinished.connect(self.ask)
        self.log.toggled.connect(self._set_log)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self.plot.paint(theme)

    def show_run(self, run: RunView) -> None:
        """Offers the channels of the run; asks anew every few seconds while it grows."""
        if run is not self._run or [self.source.itemText(k) for k in range(self.source.count())] != list(run.channels):
            self._run = run
            self._offer_sources()
        self.body.show_content(bool(run.channels))
        if run.channels and not self._waiting and time.monotonic() - self._asked_s > _REFRESH_S:
            self.ask()

    def ask(self) -> None:
        """Asks for the histogram that is chosen, unless a number cannot be read."""
        self.show_problem("")
        bin_ps, range_ps = self._read(self.bin), self._read(self.range)
        if not self._run.run_id or bin_ps is None or range_ps is None:
            return
        self._asked_s, self._waiting = time.monotonic(), True
        self.total.setText("  working it out …")
        a, b = self.channel_a.currentText(), self.channel_b.currentText()
        self.wanted.emit(self._run.run_id, self.source.currentText(), a, b, bin_ps, range_ps)

    def show_histogram(self, answer: tuple[Int64Array, Int64Array, int]) -> None:
        """Draws what the engine worked out."""
        self._waiting = False
        histogram = Histogram(*answer)
        self.plot.show_histogram(histogram)
        drawn = histogram.drawable(self.plot.getViewBox().width())
        joined = (
            f", drawn {format_quantity(drawn.bin_ps * 1e-12, 's')} wide" if drawn.bin_ps != histogram.bin_ps else ""
        )
        self.total.setText(
            f"  {int(histogram.counts.sum()):,} pairs in {len(histogram.counts):,} bins{joined}; "
            f"most in one bin: {int(np.max(histogram.counts, initial=0)):,}"
        )

    def show_problem(self, words: str) -> None:
        """Says why there is no histogram; an empty text when there is."""
        self._waiting = False
        self.total.setText("")
        self.problem.setText(words)
        self.problem.setVisible(bool(words))

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
            self.ask()

    def _read(self, line: QLineEdit) -> int | None:
        try:
            value = round(parse_quantity(line.text(), "s") * 1e12)
        except UsageError as error:
            value = None
            self.show_problem(str(error))
        line.setProperty("wrong", value is None)
        restyle(line)
        return value

    def _set_log(self, on: bool) -> None:
        self.plot.setLogMode(y=on)
