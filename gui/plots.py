"""Plots of the house: pen width 1, peak down-sampling, axes with units, colours of the theme."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPen
from PySide6.QtWidgets import QApplication, QGraphicsItem

from .plot_items import Band, CalmAxis, CalmView
from .theme import Theme, veil
from .view_models import FloatArray, Histogram

_FILLED_BINS = 500
_BAND_POINTS = 200
#: Samples drawn a pixel before peaks are picked; pyqtgraph's five cost time and look the same.
_SAMPLES_A_PIXEL = 1.0
#: Between which sizes an axis of that unit takes prefixes: nobody counts seconds by the thousand.
_PREFIXED = {"s": ((0.0, 1.0),)}
_NEVER = ((-1.0, -1.0),)
_CACHED = QGraphicsItem.CacheMode.DeviceCoordinateCache


def series_pen(theme: Theme, k: int) -> QPen:
    """The pen of the k-th curve: the colours in order, then again dashed, so that no two look the same."""
    pen: QPen = pg.mkPen(theme.series[k % len(theme.series)], width=1)
    pen.setStyle(Qt.PenStyle.SolidLine if k < len(theme.series) else Qt.PenStyle.DashLine)
    return pen


class Plot(pg.PlotWidget):  # type: ignore[misc]
    """Wheel zooms, drag moves, A or a double click shows all; ``left`` and ``bottom`` are (label, unit).

    No grid, no menu: they would cost more than all curves.
    """

    whole_wanted = Signal()
    #: Room for the numbers beside the left axis, in points of the font.
    axis_width = 6.8

    def __init__(self, left: tuple[str, str], bottom: tuple[str, str]) -> None:
        axes = {side: CalmAxis(side) for side in ("left", "bottom")}
        super().__init__(viewBox=CalmView(), axisItems=axes, enableMenu=False)
        self._named: dict[str, tuple[str, str]] = {}
        self._logarithmic: set[str] = set()
        self.curves: dict[str, pg.PlotDataItem] = {}
        self._frozen: list[pg.PlotDataItem] = []
        self._frozen_pen = pg.mkPen("#888888", width=1)
        for side, (label, unit) in (("left", left), ("bottom", bottom)):
            self.name_axis(side, label, unit)
            self.getAxis(side).label.setCacheMode(_CACHED)
        self.getPlotItem().layout.setContentsMargins(1, 8, 8, 1)  # the uppermost number is not cut
        self.hideButtons()
        self._fit_texts()

    def name_axis(self, side: str, label: str, unit: str) -> None:
        """Label with unit. A pure number gets no prefix, nor does a logarithmic axis, where it would go with the exponent."""
        if self._named.get(side) == (label, unit):
            return
        self._named[side] = (label, unit)
        prefixed = bool(unit) and side not in self._logarithmic
        text = label if prefixed or not unit else f"{label} ({unit})"
        self.setLabel(side, text, units=unit if prefixed else None)
        axis = self.getAxis(side)
        # Without a unit a prefix would read "×0.001": allow it in no range.
        axis.setSIPrefixEnableRanges(_PREFIXED.get(unit) if prefixed else _NEVER)
        axis.enableAutoSIPrefix(prefixed)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours and the size of the application's font on."""
        self._fit_texts()
        self.setBackground(theme.panel)
        for side in ("left", "bottom"):
            self.getAxis(side).setPen(theme.line)
            self.getAxis(side).setTextPen(theme.muted)
        self._frozen_pen = pg.mkPen(theme.muted, width=1)
        for item in self._frozen:
            item.setPen(self._frozen_pen)
        for k, curve in enumerate(self.curves.values()):
            curve.setPen(series_pen(theme, k))

    def _fit_texts(self) -> None:
        font = QApplication.font()
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setTickFont(font)
            axis.label.setFont(font)
        self.getAxis("left").setWidth(round(self.axis_width * font.pointSize()))

    def thinned(self, name: str | None = None) -> pg.PlotDataItem:
        """A curve of which no more is drawn than its peaks in every pixel."""
        curve = self.plot(name=name)
        curve.setDownsampling(auto=True, method="peak")
        curve.opts["autoDownsampleFactor"] = _SAMPLES_A_PIXEL
        curve.setClipToView(True)
        return curve

    def line(self, name: str, theme: Theme) -> pg.PlotDataItem:
        """The curve of that name, made when it is first asked for."""
        if name not in self.curves:
            pen = series_pen(theme, len(self.curves))
            self.curves[name] = self.thinned(name)
            self.curves[name].setPen(pen)
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

    def setLogMode(self, x: bool | None = None, y: bool | None = None) -> None:  # noqa: N802
        """A logarithmic axis and back; the range of the one says nothing about the other."""
        self.getPlotItem().setLogMode(x=x, y=y)
        for side, on in (("bottom", x), ("left", y)):
            if on is not None:
                (self._logarithmic.add if on else self._logarithmic.discard)(side)
                self.name_axis(side, *self._named.pop(side))
        self.begin_anew()

    def view_all(self) -> None:
        """Back to all of the data, after zooming."""
        self.begin_anew()
        self.enableAutoRange()
        self.whole_wanted.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """A double click shows all."""
        super().mouseDoubleClickEvent(event)
        self.view_all()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """A shows all."""
        if event.key() == Qt.Key.Key_A and not event.modifiers():
            self.view_all()
        else:
            super().keyPressEvent(event)

    def settle(self) -> None:
        """Finds ranges and axes before Qt paints: found while painting, they would make it paint twice."""
        self.scene().prepareForPaint()

    def begin_anew(self) -> None:
        """Takes a fresh range with the next data."""
        self.getViewBox().forget_range()


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
        self.steps.setBrush(veil(theme, theme.accent, 0.28))
        self.fit.setPen(pg.mkPen(theme.warn, width=1))

    def show_histogram(self, histogram: Histogram | None) -> None:
        """Draws a histogram of any length, or nothing."""
        self.shown = histogram
        if histogram is None or not len(histogram.counts):
            self.steps.setData([], [], stepMode=None)
            self.fit.setData([], [])
            return
        drawn = histogram.drawable(self.getViewBox().width())
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
        self.value = self.thinned()
        self.lower = self.plot()
        self.upper = self.plot()
        self.band = Band()
        self.addItem(self.band)

    def paint(self, theme: Theme) -> None:
        super().paint(theme)
        self.value.setPen(pg.mkPen(theme.accent, width=1))
        edge = pg.mkPen(veil(theme, theme.accent, 0.35), width=1)
        self.lower.setPen(edge)
        self.upper.setPen(edge)
        self.band.setBrush(veil(theme, theme.accent, 0.18))

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
        self.band.set_data(t_s[coarse], lower[coarse], upper[coarse])
