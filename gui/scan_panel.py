"""Scans as they grow: points with the curve fitted to them, or a map; a cursor fit and the cut through a map."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from ..analysis.quantity import format_quantity
from . import names
from .fit_bar import FitBar
from .map_plot import MapPlot, split_label
from .point_plot import PointPlot
from .theme import Theme
from .view_models import CurveView, FloatArray, ImageView, RunView
from .widgets import Hinted, label, named

_CURVE, _MAP = range(2)


class ScanPanel(QWidget):
    """One curve or one map of the run's results, with residuals or the cut through the chosen cell below."""

    def __init__(self) -> None:
        super().__init__()
        self.choice = named(QComboBox(), "scan", "Which curve or map of the run to draw")
        self.choice.setMinimumContentsLength(14)
        self.readout = label("", "muted")
        self.plot, self.residuals, self.map, self.cut = PointPlot(), PointPlot(), MapPlot(), PointPlot()
        self.residuals.name_axis("left", "residual (σ)", "")
        self.fits = FitBar(self.plot)
        curve_page, map_page = QSplitter(Qt.Orientation.Vertical), QSplitter(Qt.Orientation.Vertical)
        for page, above, below, sizes in (
            (curve_page, self.plot, self.residuals, [700, 300]),
            (map_page, self.map, self.cut, [600, 400]),
        ):
            page.addWidget(above)
            page.addWidget(below)
            page.setSizes(sizes)
        self.pages = QStackedWidget()
        self.pages.addWidget(curve_page)
        self.pages.addWidget(map_page)
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 3, 8, 0)
        bar.addWidget(QLabel("scan"))
        bar.addWidget(self.choice)
        bar.addStretch(1)
        bar.addWidget(self.readout)
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(2)
        inside.addLayout(bar)
        inside.addWidget(self.fits)
        inside.addWidget(self.pages, stretch=1)
        self.body = Hinted(content, "No scan yet.\nRun an experiment that scans, such as “Scan” or the storage time.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.body)
        self._run = RunView()
        self.choice.activated.connect(self._choose)
        self.fits.wanted.connect(self._draw)
        self.map.pointed.connect(self._show_cut)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        for part in (self.plot, self.residuals, self.map, self.cut, self.fits):
            part.paint(theme)

    def show_run(self, run: RunView) -> None:
        """Draws the run as it stands."""
        self._run = run
        available = [*run.curves, *run.images]
        if [self.choice.itemData(k) for k in range(self.choice.count())] != available:
            before = self.choice.currentData()
            self.choice.clear()
            for name in available:
                self.choice.addItem(names.title(name), name)
            self.choice.setCurrentIndex(max(0, self.choice.findData(before)))
        self.body.show_content(bool(available))
        self._draw()

    def _choose(self) -> None:
        for plot in (self.plot, self.residuals, self.map, self.cut):
            plot.begin_anew()
        self._draw()

    def _draw(self) -> None:
        name = self.choice.currentData()
        image, curve = self._run.images.get(name), self._run.curves.get(name)
        self.fits.setVisible(image is None)
        if image is not None:
            self._draw_map(image)
        elif curve is not None:
            self._draw_curve(curve)

    def _draw_curve(self, curve: CurveView) -> None:
        self.pages.setCurrentIndex(_CURVE)
        (x_name, x_unit), (y_name, y_unit) = split_label(curve.x_label), split_label(curve.y_label)
        for plot in (self.plot, self.residuals):
            plot.name_axis("bottom", x_name, x_unit)
        self.plot.name_axis("left", y_name, y_unit)
        self.plot.show_points(curve.x, curve.measured, curve.lower, curve.upper)
        # A 95 % interval is two standard errors to each side.
        mine = self.fits.fit(curve.x, curve.measured, (curve.upper - curve.lower) / 3.92, x_unit, y_unit)
        fit_x, fit, at, residuals = mine or (curve.fit_x, curve.fit, curve.x[: len(curve.residuals)], curve.residuals)
        self.plot.fit.setData(fit_x, fit)
        self.residuals.setVisible(bool(len(residuals)))
        self.residuals.show_points(at, residuals, residuals - 1, residuals + 1)
        measured = int(np.count_nonzero(np.isfinite(curve.measured)))
        self.readout.setText(f"{measured} of {len(curve.x)} points")

    def _draw_map(self, image: ImageView) -> None:
        self.pages.setCurrentIndex(_MAP)
        self.map.show_map(image)
        if self.map.cross[1].isVisible():
            self._draw_cut(image, self.map.cross[1].value())
        else:
            self.readout.setText("click the map: value and cut")

    def _show_cut(self, x: float, y: float, z: float) -> None:
        image = self.map.shown
        if image is None:
            return
        place_x, place_y, there = (
            format_quantity(value, split_label(text)[1], digits)
            for text, value, digits in ((image.x_label, x, 9), (image.y_label, y, 5), (image.z_label, z, 5))
        )
        self.readout.setText(f"{there} at {place_x}, {place_y}")
        self._draw_cut(image, y)

    def _draw_cut(self, image: ImageView, y: float) -> None:
        row: FloatArray = image.z[int(np.argmin(np.abs(image.y - y)))]
        self.cut.name_axis("bottom", *split_label(image.x_label))
        self.cut.name_axis("left", *split_label(image.z_label))
        self.cut.show_points(image.x, row, row, row)
