"""A number with its unit, typed or slid along 1, 2, 5, 10, …"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSlider, QWidget

from ..analysis.errors import UsageError
from ..analysis.quantity import format_quantity, parse_quantity
from .widgets import named, restyle


def steps_between(low: float, high: float) -> list[float]:
    """1-2-5 steps from ``low`` to ``high``, both of which are among them."""
    found, decade = [], low
    while decade <= high * 1.001:
        found += [factor * decade for factor in (1, 2, 5) if factor * decade <= high * 1.001]
        decade *= 10
    return found


class QuantitySlider(QWidget):
    """Emits ``changed`` with the value when it was typed or slid to; ``refused`` with why it cannot be read."""

    changed = Signal(float)
    refused = Signal(str)

    def __init__(self, name: str, tip: str, unit: str, value: float, low: float, high: float) -> None:
        super().__init__()
        self._unit, self._steps = unit, steps_between(low, high)
        self.line = named(QLineEdit(), name, tip)
        self.line.setMaximumWidth(76)
        self.slider = named(QSlider(Qt.Orientation.Horizontal), f"{name}_slider", tip)
        self.slider.setRange(0, len(self._steps) - 1)
        self.slider.setMinimumWidth(50)
        self.slider.setMaximumWidth(130)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.line)
        layout.addWidget(self.slider)
        self._show(value)
        self.value = value
        self.line.editingFinished.connect(self._typed)
        self.slider.valueChanged.connect(self._slid)

    def _show(self, value: float) -> None:
        self.line.setText(format_quantity(value, self._unit))
        self.slider.blockSignals(True)
        self.slider.setValue(min(range(len(self._steps)), key=lambda k: abs(self._steps[k] / value - 1)))
        self.slider.blockSignals(False)

    def _typed(self) -> None:
        try:
            value = parse_quantity(self.line.text(), self._unit)
            if value <= 0:
                raise UsageError(f"{self.line.text()!r} must be more than zero")
        except UsageError as error:
            self._mark(True)
            self.refused.emit(str(error))
            return
        self._mark(False)
        if value != self.value:
            self._take(value)

    def _slid(self, place: int) -> None:
        self._mark(False)
        self._take(self._steps[place])

    def _take(self, value: float) -> None:
        self.value = value
        self._show(value)
        self.changed.emit(value)

    def _mark(self, wrong: bool) -> None:
        self.line.setProperty("wrong", wrong)
        restyle(self.line)
