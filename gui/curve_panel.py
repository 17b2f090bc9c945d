"""Measured points with their intervals and the curve fitted to them: a decay, a line, a scan; residuals below."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from .plots import Plot
from .theme import Theme
from .view_models import FloatArray, RunView
from .widgets import Hinted


class PointPlot(Plot):
    """Points with intervals, and a line."""

    def __init__(self) -> None:
        super().__init__(("value", ""), ("", ""))
        self._errors = pg.ErrorBarItem(beam=0.0)
        self.addItem(self._errors)
        self.points = self.plot(pen=None, symbol="o", symbolSize=7)
        self.fit = self.plot()

    def paint(self, theme: Theme) -> None:
        super().paint(theme)
        self._errors.setData(pen=pg.mkPen(theme.accent, width=1))
        self.points.setSymbolBrush(theme.accent)
        self.points.setSymbolPen(theme.accent)
        self.fit.setPen(pg.mkPen(theme.warn, width=1))

    def show_intervals(self, x: FloatArray, y: FloatArray, lower: FloatArray, upper: FloatArray) -> None:
        """Draws float64 (K,) points inside their intervals."""
        self.points.setData(x, y)
        self._errors.setData(x=x, y=y, top=upper - y, bottom=y - lower)


class CurvePanel(QWidget):
    """The first curve of the run's results."""

    def __init__(self) -> None:
        super().__init__()
        self.plot, self.residuals = PointPlot(), PointPlot()
        self.residuals.name_axis("left", "residual (σ)", "")
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.plot)
        split.addWidget(self.residuals)
        split.setSizes([700, 300])
        self.body = Hinted(split, "No fitted curve yet.\nRun an experiment that scans, such as the storage time.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.body)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self.plot.paint(theme)
        self.residuals.paint(theme)

    def show_run(self, run: RunView) -> None:
        """Draws the run as it stands."""
        self.body.show_content(bool(run.curves))
        curve = next(iter(run.curves.values()), None)
        if curve is None:
            return
        unit = "s" if curve.x_label.endswith("(s)") else ""
        for plot in (self.plot, self.residuals):
            plot.name_axis("bottom", curve.x_label.removesuffix("(s)").strip(), unit)
        self.plot.name_axis("left", curve.y_label, "")
        self.plot.show_intervals(curve.x, curve.measured, curve.lower, curve.upper)
        self.plot.fit.setData(curve.fit_x, curve.fit)
        known = curve.residuals
        self.residuals.show_intervals(curve.x[: len(known)], known, known - 1, known + 1)
