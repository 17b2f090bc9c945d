"""Points inside their intervals, and the line fitted to them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg

from .plots import Plot
from .theme import Theme
from .view_models import FloatArray

#: Up to how many points are drawn how large, in pixels.
_SIZES = (60, 7), (200, 5), (500, 3), (10**9, 2)


class PointPlot(Plot):
    """A scan, or estimates beside each other."""

    def __init__(self, beam: float = 0.0) -> None:
        super().__init__(("value", ""), ("", ""))
        self._errors = pg.ErrorBarItem(beam=beam)
        self.addItem(self._errors)
        self.points = self.plot(pen=None, symbol="o", symbolSize=7)
        self.fit = self.plot()
        self._log = False

    def paint(self, theme: Theme) -> None:
        super().paint(theme)
        self._errors.setData(pen=pg.mkPen(theme.accent, width=1))
        self.points.setSymbolBrush(theme.accent)
        self.points.setSymbolPen(theme.accent)
        self.fit.setPen(pg.mkPen(theme.warn, width=1))

    def set_logarithmic(self, on: bool) -> None:
        """Both axes on a logarithmic scale, where what is not above zero has no place; or back."""
        if on != self._log:
            self._log = on
            self.setLogMode(x=on, y=on)

    def show_points(self, x: FloatArray, y: FloatArray, lower: FloatArray, upper: FloatArray) -> None:
        """Draws float64 (K,) points inside their intervals; points not measured yet (nan) are left out."""
        known = np.isfinite(x) & np.isfinite(y)
        x, y, lower, upper = x[known], y[known], lower[known], upper[known]
        # Many points are small, or they would hide each other and their intervals.
        self.points.setData(x, y, symbolSize=next(size for most, size in _SIZES if len(x) <= most))
        if self._log:  # pyqtgraph's error bars know of no scale
            drawn = (x > 0) & (lower > 0)
            x, y, lower, upper = (np.log10(values[drawn]) for values in (x, y, lower, upper))
        self._errors.setData(x=x, y=y, top=np.nan_to_num(upper - y), bottom=np.nan_to_num(y - lower))

    def name_points(self, texts: Sequence[str]) -> None:
        """Writes a name below each of the points 0, 1, 2, …"""
        self.getAxis("bottom").setTicks([list(enumerate(texts))])
        self.setXRange(-0.6, max(0.6, len(texts) - 0.4))
