"""The pulses of the run that is set up, as a timing diagram to zoom into."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ..analysis.quantity import format_quantity
from .plots import Plot
from .theme import DARK, Theme
from .view_models import FloatArray
from .widgets import Hinted, label, named

_S_PER_PS = 1e-12
_ROW = 0.75  # height of full amplitude; rows are 1 apart
_TITLES = {"header": "header", "body": "attempt", "then": "on herald"}


def blocks_of(sequence: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The blocks of a sequence's description by role."""
    named_blocks = {"body": sequence["body"], "header": sequence["header"]}
    return named_blocks | ({"then": sequence["branch"]["then"]} if sequence["branch"] else {})


def outline(pulses: list[dict[str, Any]], row: int, length_ps: int) -> tuple[FloatArray, FloatArray]:
    """Corners (seconds, height) of one channel's line: up and down at each pulse, ``row`` when nothing plays."""
    t_ps, height = [0], [0.0]
    for pulse in sorted(pulses, key=lambda p: p["start_ps"]):
        start, stop = pulse["start_ps"], pulse["start_ps"] + pulse["duration_ps"]
        level = _ROW * min(1.0, max(0.05, pulse["amplitude"]))
        t_ps += [start, start, stop, stop]
        height += [0.0, level, level, 0.0]
    t_ps.append(length_ps)
    height.append(0.0)
    return np.array(t_ps) * _S_PER_PS, row + np.array(height)


class SequencePanel(QWidget):
    """Timing diagram of one block of one setting of the plan."""

    def __init__(self) -> None:
        super().__init__()
        self.setting = named(QComboBox(), "setting", "Which setting of the run to draw")
        self.block = named(QComboBox(), "block", "Which part of the sequence to draw")
        self.setting.setMinimumContentsLength(16)
        self.block.setMinimumContentsLength(12)
        self.about = label("", "muted")
        self.problems = label("", "wrong", wrap=True)
        self.plot = Plot(("", ""), ("time in the block", "s"))
        self.plot.getAxis("left").setWidth(110)
        self.plot.setMouseEnabled(y=False)
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
        self._theme = DARK
        self._settings: list[dict[str, Any]] = []
        self.setting.activated.connect(self._choose_setting)
        self.block.activated.connect(self._draw)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self._theme = theme
        self.plot.paint(theme)
        self._draw()

    def show_plan(self, plan: dict[str, Any]) -> None:
        """Offers the settings of a plan that play pulses; stays with the one chosen if it is still there."""
        before = self.setting.currentText()
        self._settings = [s for s in plan["settings"] if s["sequence"] is not None]
        self.setting.clear()
        self.setting.addItems([s["name"] for s in self._settings])
        chosen = self.setting.findText(before)
        self.setting.setCurrentIndex(chosen if chosen >= 0 else len(self._settings) - 1)
        self.problems.setText("\n".join(plan["problems"]))
        self.problems.setVisible(bool(plan["problems"]))
        self.body.show_content(bool(self._settings))
        self._choose_setting()

    def _choose_setting(self) -> None:
        if not self._settings:
            return
        before = self.block.currentData()
        sequence = self._settings[self.setting.currentIndex()]["sequence"]
        self.block.clear()
        for role in blocks_of(sequence):
            times = f" ×{sequence['repetitions']:,}" if role == "body" else ""
            self.block.addItem(_TITLES[role] + times, role)
        self.block.setCurrentIndex(max(0, self.block.findData(before)))
        self._draw()

    def _draw(self) -> None:
        self.plot.clear_lines()
        if not self._settings:
            return
        sequence = self._settings[self.setting.currentIndex()]["sequence"]
        block = blocks_of(sequence)[self.block.currentData()]
        by_channel: dict[str, list[dict[str, Any]]] = {}
        for pulse in block["pulses"]:
            by_channel.setdefault(pulse["channel"], []).append(pulse)
        channels = list(by_channel)
        for row, channel in enumerate(reversed(channels)):
            self._draw_channel(row, channel, by_channel[channel], block["length_ps"])
        self.plot.getAxis("left").setTicks([[(row + 0.3, c) for row, c in enumerate(reversed(channels))]])
        self.plot.setYRange(-0.2, max(1, len(channels)), padding=0)
        self.plot.setXRange(0, block["length_ps"] * _S_PER_PS, padding=0.01)
        length = format_quantity(block["length_ps"] * _S_PER_PS, "s")
        self.about.setText(f"{len(block['pulses'])} pulses in {length}  ·  wheel: zoom, drag: move, A: all")

    def _draw_channel(self, row: int, channel: str, pulses: list[dict[str, Any]], length_ps: int) -> None:
        t_s, height = outline(pulses, row, length_ps)
        colour = self._theme.series[row % len(self._theme.series)]
        fill = pg.mkColor(colour)
        fill.setAlpha(70)
        curve = self.plot.plot(t_s, height, pen=pg.mkPen(colour, width=1), fillLevel=row, brush=fill)
        self.plot.curves[channel] = curve
