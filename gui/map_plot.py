"""A quantity over two axes in colours that eyes of all kinds order alike, with a bar that says what they mean."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Signal
from PySide6.QtWidgets import QApplication

from .plots import Plot
from .theme import Theme
from .view_models import FloatArray, ImageView

_COLOURS = "viridis"


def cell_edges(centres: FloatArray) -> tuple[float, float]:
    """First and last edge of cells with these centres (K,)."""
    if len(centres) < 2:
        return float(centres[0]) - 0.5, float(centres[0]) + 0.5
    half = (centres[-1] - centres[0]) / (len(centres) - 1) / 2
    return float(centres[0] - half), float(centres[-1] + half)


def split_label(text: str) -> tuple[str, str]:
    """``"storage time (s)"`` → ``("storage time", "s")``; without a unit the second is empty."""
    name, bracket, unit = text.rstrip(")").rpartition(" (")
    return (name, unit) if bracket and text.endswith(")") else (text, "")


class MapPlot(Plot):
    """Emits ``pointed`` with (x, y, z) of the cell that was clicked."""

    pointed = Signal(float, float, float)

    def __init__(self) -> None:
        super().__init__(("", ""), ("", ""))
        self.image = pg.ImageItem(axisOrder="row-major")
        self.addItem(self.image)
        self.bar = pg.ColorBarItem(colorMap=pg.colormap.get(_COLOURS), interactive=False, width=14)
        self.bar.setImageItem(self.image, insert_in=self.getPlotItem())
        self.cross = pg.InfiniteLine(angle=90), pg.InfiniteLine(angle=0)
        for line in self.cross:
            line.hide()
            self.addItem(line, ignoreBounds=True)
        self.shown: ImageView | None = None
        self.scene().sigMouseClicked.connect(self._click)

    def paint(self, theme: Theme) -> None:
        super().paint(theme)
        for line in self.cross:
            line.setPen(pg.mkPen(theme.warn, width=1))
        self.bar.axis.setTickFont(QApplication.font())
        self.bar.axis.label.setFont(QApplication.font())
        self.bar.axis.setPen(theme.line)
        self.bar.axis.setTextPen(theme.muted)

    def show_map(self, image: ImageView) -> None:
        """Draws a map; cells not measured yet stay empty."""
        self.shown = image
        for side, text in (("bottom", image.x_label), ("left", image.y_label)):
            self.name_axis(side, *split_label(text))
        name, unit = split_label(image.z_label)
        self.bar.axis.setLabel(name, units=unit or None)
        known = image.z[np.isfinite(image.z)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        self.image.setImage(image.z, autoLevels=False)
        self.bar.setLevels((low, high if high > low else low + 1.0))
        (left, right), (bottom, top) = cell_edges(image.x), cell_edges(image.y)
        self.image.setRect(QRectF(left, bottom, right - left, top - bottom))

    def point_at(self, x: float, y: float) -> None:
        """Puts the cross on the cell nearest to (x, y) and tells what is there."""
        if self.shown is None:
            return
        column, row = int(np.argmin(np.abs(self.shown.x - x))), int(np.argmin(np.abs(self.shown.y - y)))
        at_x, at_y = float(self.shown.x[column]), float(self.shown.y[row])
        for line, value in zip(self.cross, (at_x, at_y), strict=True):
            line.setValue(value)
            line.show()
        self.pointed.emit(at_x, at_y, float(self.shown.z[row, column]))

    def columns(self) -> list[tuple[str, FloatArray]]:
        """Every cell as a row: x, y and z."""
        if self.shown is None:
            return []
        x, y = np.meshgrid(self.shown.x, self.shown.y)
        image = self.shown
        return [(image.x_label, x.ravel()), (image.z_label, image.z.ravel()), (image.y_label, y.ravel())]

    def _click(self, event: object) -> None:
        place = self.getViewBox().mapSceneToView(event.scenePos())  # type: ignore[attr-defined]
        self.point_at(place.x(), place.y())
