"""The correlation histograms of the run, live: choose one, join its bins, look at it on a log scale."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from ..analysis.quantity import format_quantity
from . import names
from .plots import HistogramPlot
from .theme import Theme
from .view_models import Histogram, RunView
from .widgets import Hinted, label, named

_MAX_DOUBLINGS = 8


class CorrelationPanel(QWidget):
    """Histogram plot with its choices."""

    def __init__(self) -> None:
        super().__init__()
        self.choice = named(QComboBox(), "histogram", "Which histogram of the run to draw")
        self.bins = named(QSlider(Qt.Orientation.Horizontal), "bins", "Join bins: each step doubles the width")
        self.bins.setRange(0, _MAX_DOUBLINGS)
        self.choice.setMinimumContentsLength(10)
        self.bins.setMaximumWidth(160)
        self.bin_text = QLabel()
        self.log = named(QCheckBox("log"), "log", "Counts on a logarithmic scale")
        self.total = label("", "muted")
        self.plot = HistogramPlot()
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 3, 8, 0)
        for widget in (self.choice, QLabel("bin"), self.bins, self.bin_text, self.log):
            bar.addWidget(widget)
        bar.addStretch(1)
        bar.addWidget(self.total)
        page = QWidget()
        inside = QVBoxLayout(page)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(2)
        inside.addLayout(bar)
        inside.addWidget(self.plot, stretch=1)
        self.body = Hinted(
            page, "No correlation histogram yet.\nPress Run: delays between clicks fill this plot as they arrive."
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.body)
        self._run = RunView()
        self.choice.activated.connect(self._draw)
        self.bins.valueChanged.connect(self._draw)
        self.log.toggled.connect(self._set_log)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self.plot.paint(theme)

    def show_run(self, run: RunView) -> None:
        """Draws the run as it stands."""
        self._run = run
        offered = [self.choice.itemData(k) for k in range(self.choice.count())]
        if offered != list(run.histograms):
            self._offer(list(run.histograms))
        self.body.show_content(bool(run.histograms))
        self._draw()

    def _offer(self, available: list[str]) -> None:
        before = self.choice.currentData()
        self.choice.clear()
        for name in available:
            self.choice.addItem(names.title(name), name)
        self.choice.setCurrentIndex(max(0, self.choice.findData(before)))

    def _draw(self) -> None:
        histogram = self._run.histograms.get(self.choice.currentData() or "")
        if histogram is None:
            self.plot.show_histogram(None)
            return
        joined = histogram.rebinned(self._factor(histogram))
        self.plot.show_histogram(joined)
        self.bin_text.setText(format_quantity(joined.bin_ps * 1e-12, "s"))
        self.total.setText(f"{int(histogram.counts.sum()):,} pairs")

    def _factor(self, histogram: Histogram) -> int:
        """How many bins to join: what the slider says, as far as eight bins remain."""
        factor: int = 2 ** self.bins.value()
        return max(1, min(factor, len(histogram.counts) // 8))

    def _set_log(self, on: bool) -> None:
        self.plot.setLogMode(y=on)
        self._draw()
