"""Plots of the house: pen width 1, peak down-sampling, axes with units, colours of the theme."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg

from .theme import Theme
from .view_models import FloatArray, Histogram

_LEGEND_ROWS = 4
_FILLED_BINS = 500
_BAND_POINTS = 200


class Plot(pg.PlotWidget):  # type: ignore[misc]
    """A plot without grid (it would cost more than all curves); ``left`` and ``bottom`` are (label, unit)."""

    def __init__(self, left: tuple[str, str], bottom: tuple[str, str]) -> None:
        super().__init__()
        self._labels = {"left": left, "bottom": bottom}
        self.curves: dict[str, pg.PlotDataItem] = {}
        self._frozen: list[pg.PlotDataItem] = []
        self._frozen_pen = pg.mkPen("#888888", width=1)
        for side, (label, unit) in self._labels.items():
            self.name_axis(side, label, unit)
        self.getAxis("left").setWidth(70)
        self.hideButtons()
        self.legend = self.addLegend(offset=(-8, 6), labelTextSize="8pt", verSpacing=-6)
        self.legend.hide()

    def name_axis(self, side: str, label: str, unit: str) -> None:
        """Label with unit; a pure number gets no prefix."""
        self.setLabel(side, label, units=unit or None)
        # Without a unit a prefix would read "×0.001": allow it in no range.
        axis = self.getAxis(side)
        axis.setSIPrefixEnableRanges(None if unit else ((-1.0, -1.0),))
        axis.enableAutoSIPrefix(bool(unit))

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self.setBackground(theme.panel)
        for side in ("left", "bottom"):
            self.getAxis(side).setPen(theme.line)
            self.getAxis(side).setTextPen(theme.muted)
        veil = pg.mkColor(theme.panel)
        veil.setAlpha(150)
        self.legend.setBrush(veil)
        self._frozen_pen = pg.mkPen(theme.muted, width=1)
        for item in self._frozen:
            item.setPen(self._frozen_pen)
        self.legend.setLabelTextColor(theme.text)
        for _, caption in self.legend.items:
            caption.setText(caption.text, color=theme.text)
        for k, curve in enumerate(self.curves.values()):
            curve.setPen(pg.mkPen(theme.series[k % len(theme.series)], width=1))

    def line(self, name: str, theme: Theme) -> pg.PlotDataItem:
        """The curve of that name, made when it is first asked for."""
        if name not in self.curves:
            colour = theme.series[len(self.curves) % len(theme.series)]
            curve = self.plot(pen=pg.mkPen(colour, width=1), name=name)
            curve.setDownsampling(auto=True, method="peak")
            curve.setClipToView(True)
            self.curves[name] = curve
            self.legend.show()
            self.legend.setColumnCount(-(-len(self.curves) // _LEGEND_ROWS))
        return self.curves[name]

    def label(self, side: str) -> str:
        """What the axis says, with its unit."""
        axis = self.getAxis(side)
        return f"{axis.labelText} ({axis.labelUnits})" if axis.labelUnits else axis.labelText

    def columns(self) -> list[tuple[str, FloatArray]]:
        """The numbers of every visible curve, x and y in turn, in the units of the axes."""
        found = []
        for k, item in enumerate(self.listDataItems()):
            x, y = item.getOriginalDataset()
            if x is not None and len(x):
                name = item.name() or self.label("left") + (f" {k}" if k else "")
                found += [(self.label("bottom"), np.asarray(x, float)), (name, np.asarray(y, float))]
        return found

    def freeze(self) -> None:
        """Keeps the curves as they are now, dimmed, behind the live ones; again: new ones."""
        self.thaw()
        for item in self.listDataItems():
            x, y = item.getOriginalDataset()
            if x is not None and len(x):
                copy = self.plot(x.copy(), y.copy(), stepMode=item.opts["stepMode"], pen=self._frozen_pen)
                copy.setZValue(-10)
                self._frozen.append(copy)

    def thaw(self) -> None:
        """Lets the kept curves go."""
        for item in self._frozen:
            self.removeItem(item)
        self._frozen.clear()

    def clear_lines(self) -> None:
        """Takes every named curve off the plot."""
        for curve in self.curves.values():
            self.removeItem(curve)
        self.curves.clear()


class HistogramPlot(Plot):
    """Counts over delay, as steps."""

    def __init__(self) -> None:
        super().__init__(("counts per bin", ""), ("delay", "s"))
        self.steps = self.plot(stepMode="center", fillLevel=0)
        self.fit = self.plot()
        self.shown: Histogram | None = None

    def paint(self, theme: Theme) -> None:
        super().paint(theme)
        self.steps.setPen(pg.mkPen(theme.accent, width=1))
        fill = pg.mkColor(theme.accent)
        fill.setAlpha(70)
        self.steps.setBrush(fill)
        self.fit.setPen(pg.mkPen(theme.warn, width=1))

    def show_histogram(self, histogram: Histogram | None) -> None:
        """Draws a histogram of any length, or nothing."""
        self.shown = histogram
        if histogram is None or not len(histogram.counts):
            self.steps.setData([], [], stepMode=None)
            self.fit.setData([], [])
            return
        drawn = histogram.drawable()
        edges = drawn.edges_s()
        # Filling many narrow bins costs more than drawing them, and they hide each other anyway.
        self.steps.setFillLevel(0 if len(drawn.counts) <= _FILLED_BINS else None)
        self.steps.setData(edges, drawn.counts.astype(float), stepMode="center")
        fitted = np.empty(0) if drawn.expected is None else drawn.expected
        self.fit.setData((edges[:-1] + edges[1:])[: len(fitted)] / 2, fitted)


class BandPlot(Plot):
    """A value over lab time inside its interval."""

    def __init__(self) -> None:
        super().__init__(("value", ""), ("lab time", "s"))
        self.value = self.plot()
        self.lower = self.plot()
        self.upper = self.plot()
        self.band = pg.FillBetweenItem(self.lower, self.upper)
        self.addItem(self.band)

    def paint(self, theme: Theme) -> None:
        super().paint(theme)
        self.value.setPen(pg.mkPen(theme.accent, width=1))
        edge, fill = pg.mkColor(theme.accent), pg.mkColor(theme.accent)
        edge.setAlpha(90)
        fill.setAlpha(45)
        self.lower.setPen(pg.mkPen(edge, width=1))
        self.upper.setPen(pg.mkPen(edge, width=1))
        self.band.setBrush(fill)

    def show_history(
        self, label: str, unit: str, t_s: FloatArray, value: FloatArray, lower: FloatArray, upper: FloatArray
    ) -> None:
        """Draws float64 arrays of equal length; points that are not finite are left out."""
        self.name_axis("left", label, unit)
        known = np.isfinite(value) & np.isfinite(lower) & np.isfinite(upper)
        self.value.setData(t_s[known], value[known])
        coarse = np.flatnonzero(known)
        coarse = coarse[:: -(-len(coarse) // _BAND_POINTS) or 1]
        for curve, y in ((self.lower, lower), (self.upper, upper)):
            curve.setData(t_s[coarse], y[coarse])
