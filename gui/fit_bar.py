"""Choose a model, put two cursors around what to fit, read the numbers: the same bar for scans and histograms."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from ..analysis.errors import UsageError
from . import names
from .plots import Plot
from .theme import Theme, veil
from .view_models import FloatArray, estimate_view
from .widgets import label, named

#: Those of ``analysis.point_fit``, which is loaded with the first fit only.
MODELS = ("line", "gaussian", "lorentzian", "two-sided exponential", "decay", "fringe")
NO_FIT = "no fit"
_STEPS = 1000  # of the sliders
_X_PARAMETERS = ("center", "fwhm", "time", "period")


class FitBar(QWidget):
    """Emits ``wanted`` when cursors or model changed; ``fit`` then gives the curve to draw."""

    wanted = Signal()

    def __init__(self, plot: Plot) -> None:
        super().__init__()
        self.model = named(QComboBox(), "fit_model", "What to fit between the two cursors")
        self.model.addItems([NO_FIT, *MODELS])
        self.gate = named(QCheckBox("gate"), "gate", "Two cursors around what counts: drag them, or move the sliders")
        self.sliders = tuple(
            named(QSlider(Qt.Orientation.Horizontal), f"gate_{end}", f"Where the gate {end}s")
            for end in ("begin", "end")
        )
        for slider in self.sliders:
            slider.setRange(0, _STEPS)
            slider.setMaximumWidth(110)
            slider.hide()
            slider.valueChanged.connect(self._slide)
        self.text = label("", "muted", wrap=True)
        self.cursors = pg.LinearRegionItem(movable=True)
        self.cursors.setZValue(-30)
        self.cursors.hide()
        plot.addItem(self.cursors, ignoreBounds=True)
        self._plot = plot
        self._span = (0.0, 1.0)  # what the sliders run over
        whole = QVBoxLayout(self)
        whole.setContentsMargins(8, 0, 8, 2)
        whole.setSpacing(2)
        layout = QHBoxLayout()
        whole.addLayout(layout)
        whole.addWidget(self.text)
        self.text.hide()
        layout.addWidget(QLabel("fit"))
        layout.addWidget(self.model)
        layout.addWidget(self.gate)
        for slider in self.sliders:
            layout.addWidget(slider)
        layout.addStretch(1)
        self.model.activated.connect(self._choose)
        self.gate.toggled.connect(self._show_gate)
        self.cursors.sigRegionChanged.connect(self._dragged)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self.cursors.setBrush(veil(theme, theme.warn, 0.12))
        self.cursors.setHoverBrush(veil(theme, theme.warn, 0.2))
        for line in self.cursors.lines:
            line.setPen(pg.mkPen(theme.warn, width=1))

    def region(self) -> tuple[float, float]:
        """Where the cursors stand, in the unit of the x axis."""
        low, high = self.cursors.getRegion()
        return float(low), float(high)

    def fit(
        self, x: FloatArray, y: FloatArray, std: FloatArray, x_unit: str, y_unit: str
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray] | None:
        """(curve x, curve, x of the points, residuals) of the model between the cursors; None when there is none."""
        if self.model.currentText() == NO_FIT:
            return None
        from ..analysis.point_fit import fit_points

        low, high = self.region()
        inside = (x >= low) & (x <= high)
        # A decay begins where one says it does: its height is the one at the first cursor.
        origin = low if self.model.currentText() == "decay" else 0.0
        try:
            found = fit_points(x[inside] - origin, y[inside], std[inside], self.model.currentText())
        except UsageError as error:
            self._say(str(error))
            return None
        parts = []
        for name, estimate in found.parameters.items():
            shown = estimate_view(name, estimate.as_dict())
            parts.append(f"{name} {names.with_error(shown, x_unit if name in _X_PARAMETERS else y_unit)}")
        self._say("     ".join([*parts, f"χ²/ν {found.chi2_per_freedom:.2f}"]))
        known = inside & np.isfinite(y)
        return found.curve_x + origin, found.curve, x[known], found.residuals

    def _say(self, words: str) -> None:
        self.text.setText(words)
        self.text.setVisible(bool(words))

    def _choose(self) -> None:
        self._say("")
        if self.model.currentText() != NO_FIT:
            self.gate.setChecked(True)
        self.wanted.emit()

    def _show_gate(self, on: bool) -> None:
        if on:
            (low, high), _ = self._plot.viewRange()
            self._span = low, high
            self.cursors.setRegion((low + 0.02 * (high - low), high - 0.02 * (high - low)))
        else:
            self.model.setCurrentText(NO_FIT)
            self._say("")
        self.cursors.setVisible(on)
        for slider in self.sliders:
            slider.setVisible(on)
        self.wanted.emit()

    def _slide(self) -> None:
        low, high = self._span
        self.cursors.setRegion(tuple(low + s.value() / _STEPS * (high - low) for s in self.sliders))

    def _dragged(self) -> None:
        low, high = self._span
        for slider, at in zip(self.sliders, self.region(), strict=True):
            slider.blockSignals(True)
            slider.setValue(round(_STEPS * (at - low) / (high - low)))
            slider.blockSignals(False)
        self.wanted.emit()
