"""The pulses of the run that is set up, as a timing diagram to zoom into: from the whole attempt to picoseconds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ..analysis.quantity import format_quantity
from ..analysis.timing import Lane, TimingPanel
from ..sequences.diagram import TITLES, panel, parts
from ..sequences.sequence import Sequence
from .plots import Plot
from .theme import DARK, Theme, veil
from .view_models import FloatArray
from .widgets import Hinted, label, named

_S_PER_PS = 1e-12
_ROW = 0.75  # height of full amplitude; rows are 1 apart
_LOWEST = 0.05  # the weakest pulse can still be seen
_PAUSE_IN_ZOOMING_MS = 40
_MOST_LABELS = 40


def outline(lane: Lane, row: int) -> tuple[FloatArray, FloatArray]:
    """Corners (seconds, height) of one channel's line, ``row`` where nothing plays."""
    height = np.where(lane.level > 0, np.clip(lane.level, _LOWEST, 1.0), 0.0)
    return lane.t_ps.astype(np.float64) * _S_PER_PS, row + _ROW * height


class DiagramPlot(Plot):
    """Names of channels, not numbers, stand beside its left axis."""

    axis_width = 11.0


class SequencePanel(QWidget):
    """Timing diagram of one part of one setting of the plan."""

    def __init__(self) -> None:
        super().__init__()
        self.setting = named(QComboBox(), "setting", "Which setting of the run to draw")
        self.block = named(QComboBox(), "block", "Which part of the sequence to draw")
        self.setting.setMinimumContentsLength(16)
        self.block.setMinimumContentsLength(12)
        self.about = label("", "muted")
        self.problems = label("", "wrong", wrap=True)
        self.plot = DiagramPlot(("", ""), ("time in the part", "s"))
        self.plot.setMouseEnabled(y=False)
        self.plot.setToolTip("wheel: zoom, drag: move, A or double click: all")
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 3, 8, 0)
        for widget in (QLabel("setting"), self.setting, QLabel("part"), self.block):
            bar.addWidget(widget)
        bar.addStretch(1)
        bar.addWidget(self.about)
        page = QWidget()
        inside = QVBoxLayout(page)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addLayout(bar)
        inside.addWidget(self.problems)
        inside.addWidget(self.plot, stretch=1)
        self.body = Hinted(page, "This experiment plays no pulses.\nChoose one that does to see its timing diagram.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.body)
        self.shown: TimingPanel | None = None
        self._theme = DARK
        self._extras: list[Any] = []
        self._sequences: dict[str, Sequence] = {}
        self._zoomed = QTimer(self, singleShot=True, interval=_PAUSE_IN_ZOOMING_MS)
        self._zoomed.timeout.connect(self._draw)
        self.setting.activated.connect(self._choose_setting)
        self.block.activated.connect(self._show_whole)
        self.plot.whole_wanted.connect(self._show_whole)
        self.plot.getViewBox().sigXRangeChanged.connect(lambda *_: self._zoomed.start())

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self._theme = theme
        self.plot.paint(theme)
        self._draw()

    def show_plan(self, plan: dict[str, Any]) -> None:
        """Offers the settings of a plan that play pulses; stays with the one chosen if it is still there."""
        before = self.setting.currentText()
        playing = [s for s in plan["settings"] if s["sequence"] is not None]
        self._sequences = {s["name"]: Sequence.from_description(s["sequence"]) for s in playing}
        self.setting.clear()
        self.setting.addItems(list(self._sequences))
        chosen = self.setting.findText(before)
        self.setting.setCurrentIndex(chosen if chosen >= 0 else len(self._sequences) - 1)
        self.problems.setText("\n".join(plan["problems"]))
        self.problems.setVisible(bool(plan["problems"]))
        self.body.show_content(bool(self._sequences))
        self._choose_setting()

    def _choose_setting(self) -> None:
        sequence = self._sequences.get(self.setting.currentText())
        if sequence is None:
            return
        before = self.block.currentData() or "attempt"
        self.block.clear()
        for part, block in parts(sequence).items():
            if block.pulse_count():
                times = f" ×{sequence.repetitions:,}" if part == "attempt" else ""
                self.block.addItem(TITLES[part] + times, part)
        self.block.setCurrentIndex(max(0, self.block.findData(before)))
        self._show_whole()

    def _show_whole(self) -> None:
        sequence, part = self._sequences.get(self.setting.currentText()), self.block.currentData()
        if sequence is None or part is None:
            return
        self.plot.setXRange(0, max(1, parts(sequence)[part].length_ps) * _S_PER_PS, padding=0.01)
        self._draw()

    def _draw(self) -> None:
        sequence, part = self._sequences.get(self.setting.currentText()), self.block.currentData()
        if sequence is None or part is None:
            return
        length_ps = max(1, parts(sequence)[part].length_ps)
        low, high = (round(edge / _S_PER_PS) for edge in self.plot.viewRange()[0])
        view = max(0, min(low, length_ps - 1)), max(1, min(high, length_ps))
        if view[0] >= view[1]:
            view = (0, length_ps)
        self.shown = panel(sequence, part, view, pixels=max(200, round(self.plot.getViewBox().width())))
        self._draw_panel(self.shown)
        total, seen = parts(sequence)[part].pulse_count(), format_quantity((view[1] - view[0]) * _S_PER_PS, "s", 3)
        length = format_quantity(length_ps * _S_PER_PS, "s")
        self.about.setText(f"{total:,} pulses in {length}, {seen} shown")

    def _draw_panel(self, shown: TimingPanel) -> None:
        for item in self._extras:
            self.plot.removeItem(item)
        self._extras.clear()
        lanes = list(reversed(shown.lanes))
        if set(self.plot.curves) != {lane.channel for lane in lanes}:
            self.plot.clear_lines()
        for row, lane in enumerate(lanes):
            self._draw_lane(row, lane)
        for k, span in enumerate(shown.spans):
            self._shade(span.start_ps, span.stop_ps, -0.2, len(lanes) - 0.2 * k, self._theme.good, span.label)
        self.plot.getAxis("left").setTicks([[(row + 0.3, lane.channel) for row, lane in enumerate(lanes)]])
        self.plot.setYRange(-0.2, max(1, len(lanes)), padding=0)

    def _draw_lane(self, row: int, lane: Lane) -> None:
        colour = self._theme.series[row % len(self._theme.series)]
        if lane.channel not in self.plot.curves:
            self.plot.curves[lane.channel] = self.plot.plot()
        curve = self.plot.curves[lane.channel]
        curve.setPen(pg.mkPen(colour, width=1))
        curve.setFillLevel(row)
        curve.setBrush(veil(self._theme, colour, 0.28))
        curve.setData(*outline(lane, row))
        for busy in lane.busy:
            self._shade(
                busy.start_ps, busy.stop_ps, row, row + _ROW * max(busy.level, _LOWEST), colour, f"{busy.count:,}×"
            )
        for t_ps, text in lane.labels[:_MOST_LABELS]:
            self._write(t_ps, row + _ROW, text)

    def _shade(self, start_ps: int, stop_ps: int, low: float, high: float, colour: str, text: str) -> None:
        x = np.array([start_ps, stop_ps]) * _S_PER_PS
        band = pg.PlotCurveItem(
            np.array([x[0], x[0], x[1], x[1]]), np.array([low, high, high, low]), fillLevel=low,
            brush=veil(self._theme, colour, 0.16), pen=pg.mkPen(veil(self._theme, colour, 0.4), width=1),
        )  # fmt: skip
        band.setZValue(-20)
        self.plot.addItem(band, ignoreBounds=True)
        self._extras.append(band)
        self._write(max(start_ps, 0), high, text)

    def _write(self, t_ps: int, height: float, text: str) -> None:
        item = pg.TextItem(text, color=self._theme.muted, anchor=(0, 0))
        item.setPos(t_ps * _S_PER_PS, height)
        self.plot.addItem(item, ignoreBounds=True)
        self._extras.append(item)
