"""Points inside their intervals, and the line fitted to them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg

from .plots import Plot
from .theme import Theme
from .view_models import FloatArray


class PointPlot(Plot):
    """A scan, or estimates beside each other."""

    def __init__(self, beam: float = 0.0) -> None:
        super().__init__(("value", ""), ("", ""))
        self._errors = pg.ErrorBarItem(beam=beam)
        self.addItem(self._errors)
        self.points = self.plot(pen=None, symbol="o", symbolSize=7)
        self.fit = self.plot()

    def paint(self, theme: Theme) -> None:
        super().paint(theme)
        self._errors.setData(pen=pg.mkPen(theme.accent, width=1))
        self.points.setSymbolBrush(theme.accent)
        self.points.setSymbolPen(theme.accent)
        self.fit.setPen(pg.mkPen(theme.warn, width=1))

    def show_points(self, x: FloatArray, y: FloatArray, lower: FloatArray, upper: FloatArray) -> None:
        """Draws float64 (K,) points inside their intervals; points not measured yet (nan) are left out."""
        known = np.isfinite(x) & np.isfinite(y)
        x, y, lower, upper = x[known], y[known], lower[known], upper[known]
        self.points.setData(x, y)
        self._errors.setData(x=x, y=y, top=np.nan_to_num(upper - y), bottom=np.nan_to_num(y - lower))

    def name_points(self, texts: Sequence[str]) -> None:
        """Writes a name below each of the points 0, 1, 2, …"""
        self.getAxis("bottom").setTicks([list(enumerate(texts))])
        self.setXRange(-0.6, max(0.6, len(texts) - 0.4))
