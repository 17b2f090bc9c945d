"""What the plots are made of beyond pyqtgraph: a range that rests while the data move, and a filled interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPolygonF

from .view_models import FloatArray

#: Room added on the side where data left the range, as a part of what they span.
_AHEAD = 0.1
#: How far data may stick out of the range, as a part of what they span; the plot's margin is wider.
_OVER = 0.01
#: A range that its data fill less than this is drawn in again.
_FILLED = 0.6

Range = list[float] | None


def calm_range(shown: Range, needed: Range) -> Range:
    """The range to show for data that need ``[low, high]``: the one shown so far while it suits them.

    Axes then keep their numbers for many frames, which eyes like and which halves the cost of a frame.
    """
    if needed is None or shown is None:
        return needed
    (low, high), (shown_low, shown_high) = needed, shown
    span = high - low
    below, above = low < shown_low - _OVER * span, high > shown_high + _OVER * span
    if not below and not above and span >= _FILLED * (shown_high - shown_low):
        return shown
    return [low - _AHEAD * span if below else low, high + _AHEAD * span if above else high]


class CalmAxis(pg.AxisItem):  # type: ignore[misc]
    """A logarithmic axis writes 1, 2, 5, 10, …; every other number would be written over its neighbours."""

    def logTickStrings(self, values: Any, scale: float, spacing: float) -> list[str]:  # noqa: N802
        texts: list[str] = super().logTickStrings(values, scale, spacing)
        leading = [round(10 ** (value % 1.0)) for value in np.asarray(values, float)]
        return [text if first in (1, 2, 5, 10) else "" for text, first in zip(texts, leading, strict=True)]


class CalmView(pg.ViewBox):  # type: ignore[misc]
    """A view whose automatic range moves in steps."""

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self._resting: list[Range] = [None, None]

    def childrenBounds(self, *args: Any, **kwargs: Any) -> list[Range]:  # noqa: N802
        needed: list[Range] = super().childrenBounds(*args, **kwargs)
        self._resting = [calm_range(shown, now) for shown, now in zip(self._resting, needed, strict=True)]
        return [None if found is None else list(found) for found in self._resting]

    def forget_range(self) -> None:
        """Begins anew, for data that have nothing to do with the last."""
        self._resting = [None, None]
        self.queueUpdateAutoRange()


class Band(pg.GraphicsObject):  # type: ignore[misc]
    """The area between two curves over the same x, without outline."""

    def __init__(self) -> None:
        super().__init__()
        self._polygon = QPolygonF()
        self._brush = QBrush()
        self.setZValue(-20)  # below the frozen curves, which it would hide

    def setBrush(self, colour: Any) -> None:  # noqa: N802
        """Fills with this colour."""
        self._brush = pg.mkBrush(colour)
        self.update()

    def set_data(self, x: FloatArray, lower: FloatArray, upper: FloatArray) -> None:
        """Takes float64 (K,) arrays, all finite."""
        self.prepareGeometryChange()
        corners = np.concatenate((x, x[::-1])), np.concatenate((lower, upper[::-1]))
        self._polygon = pg.functions.arrayToQPolygonF(*corners)
        self.update()

    def dataBounds(self, axis: int, frac: float = 1.0, orthoRange: Sequence[float] | None = None) -> None:  # noqa: N802
        """Its edges are curves of their own and make the range."""

    def boundingRect(self) -> QRectF:  # noqa: N802
        return self._polygon.boundingRect()

    def paint(self, painter: QPainter, *args: Any) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._brush)
        painter.drawPolygon(self._polygon)
