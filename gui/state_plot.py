"""A density matrix as a city of bars: one bar an element, up where it is positive, down where it is negative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPolygonF
from PySide6.QtWidgets import QApplication

from .plots import Plot
from .theme import DARK, Theme
from .view_models import FloatArray

#: How the floor lies on the screen: one step along a row goes right and up, one along a column left and up.
_ALONG = np.array([[0.9, 0.42], [-0.9, 0.42]])
_HEIGHT = 6.5  # of a bar of one
_HIGHEST, _LOWEST = 0.55, -0.1  # what the view has room for; a Bell state's bars are 0.5 high
_NOTHING = 0.005  # a bar lower than this is drawn as floor
_TOLD = 0.05  # a bar at least this high carries its number
_GAP = 0.18


def corner(row: float, column: float, height: float) -> QPointF:
    """Where a point of the city is drawn; rows run to the upper left, columns to the upper right."""
    x, y = column * _ALONG[0] + row * _ALONG[1]
    return QPointF(x, y + _HEIGHT * height)


def faces(row: int, column: int, value: float) -> list[QPolygonF]:
    """The three faces of a bar one sees: left, right, and the end that lies away from the floor's far side."""
    low, high = sorted((0.0, value))
    near, far = _GAP, 1 - _GAP
    a, b, c, d = ((row + near, column + near), (row + near, column + far), (row + far, column + far), (row + far, column + near))  # fmt: skip

    def face(*points: tuple[float, float, float]) -> QPolygonF:
        return QPolygonF([corner(*point) for point in points])

    left = face((*a, low), (*d, low), (*d, high), (*a, high))
    right = face((*a, low), (*b, low), (*b, high), (*a, high))
    end = face(*((*p, high) for p in (a, b, c, d)))
    return [left, right, end]


class City(pg.GraphicsObject):  # type: ignore[misc]
    """The bars of a real matrix (N, N) with elements in -1 … 1."""

    def __init__(self) -> None:
        super().__init__()
        self.values: FloatArray = np.zeros((0, 0))
        self._theme = DARK

    def set_values(self, values: FloatArray, theme: Theme) -> None:
        """Draws these."""
        self.prepareGeometryChange()
        self.values, self._theme = values, theme
        self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802
        n = max(len(self.values), 1)
        low = min(_LOWEST, float(self.values.min(initial=0.0))) * _HEIGHT
        high = 2 * _ALONG[0][1] * n + max(_HIGHEST, float(self.values.max(initial=0.0))) * _HEIGHT - n * _ALONG[0][1]
        return QRectF(-n, low, 2 * n, high - low)

    def paint(self, painter: QPainter, *args: Any) -> None:
        n = len(self.values)
        painter.setPen(pg.mkPen(self._theme.line, width=1))
        for k in range(n + 1):
            painter.drawLine(corner(k, 0, 0), corner(k, n, 0))
            painter.drawLine(corner(0, k, 0), corner(n, k, 0))
        # From the far corner to the near one, so that near bars hide far ones.
        for row, column in sorted(np.ndindex(n, n), key=lambda at: -sum(at)):
            self._draw_bar(painter, row, column, float(self.values[row, column]))

    def _draw_bar(self, painter: QPainter, row: int, column: int, value: float) -> None:
        signed = self._theme.accent if value >= 0 else self._theme.warn
        colour = QColor(signed if abs(value) >= _NOTHING else self._theme.raised)
        painter.setPen(pg.mkPen(self._theme.panel, width=1))
        for polygon, shade in zip(faces(row, column, value), (135, 160, 100), strict=True):
            painter.setBrush(colour.darker(shade))
            painter.drawPolygon(polygon)


class StatePlot(Plot):
    """Real or imaginary part of a density matrix."""

    def __init__(self) -> None:
        super().__init__(("", ""), ("", ""))
        self.city = City()
        self.addItem(self.city)
        self.setAspectLocked(True)
        self.setMouseEnabled(False, False)
        for side in ("left", "bottom"):
            self.hideAxis(side)
        self._texts: list[pg.TextItem] = []
        self._numbers: list[pg.TextItem] = []
        self._theme = DARK

    def paint(self, theme: Theme) -> None:
        super().paint(theme)
        self._theme = theme
        self.show_matrix(self.city.values)

    def show_matrix(self, values: FloatArray) -> None:
        """Draws a real matrix (N, N); N is 2 or 4, in the order of the computational basis."""
        self.city.set_values(values, self._theme)
        n = len(values)
        if len(self._texts) != 2 * n:
            self._write(n)
        for text in self._texts:
            text.setColor(self._theme.muted)
            text.setFont(QApplication.font())
        self._write_values()

    def columns(self) -> list[tuple[str, FloatArray]]:
        """Row by row: the number of the element and its value."""
        flat = self.city.values.ravel()
        return [("element", np.arange(len(flat), dtype=float)), ("value", flat)] if len(flat) else []

    def _write_values(self) -> None:
        """The number on top of every bar that is more than a stump."""
        for text in self._numbers:
            self.removeItem(text)
        self._numbers = []
        for (row, column), value in np.ndenumerate(self.city.values):
            if abs(value) >= _TOLD:
                text = pg.TextItem(f"{value:.2f}", color=self._theme.panel, anchor=(0.5, 0.5))
                text.setFont(QApplication.font())
                text.setPos(corner(row + 0.5, column + 0.5, max(0.0, value)))
                self.addItem(text, ignoreBounds=True)
                self._numbers.append(text)

    def _write(self, n: int) -> None:
        for text in self._texts:
            self.removeItem(text)
        bits = max(1, int(np.log2(max(n, 2))))
        self._texts = []
        for k in range(n):
            for place, side, sign in (
                (corner(-0.7, k + 0.5, 0), 0.5, "⟨{}|"),
                (corner(k + 0.5, -0.7, 0), 0.5, "|{}⟩"),
            ):
                text = pg.TextItem(sign.format(format(k, f"0{bits}b")), anchor=(side, 0.3))
                text.setPos(place)
                self.addItem(text, ignoreBounds=True)
                self._texts.append(text)
