"""Heralds as they arrive: how many and how fast, what the read-outs said, and the correlators with their intervals."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QSplitter, QVBoxLayout, QWidget

from . import names
from .plots import BandPlot, Plot
from .point_plot import PointPlot
from .theme import DARK, Theme
from .view_models import RunView
from .widgets import Hinted, label

_BAR = 0.8


class OutcomePlot(Plot):
    """Joint read-out results of each setting, one group of bars a setting."""

    def __init__(self) -> None:
        super().__init__(("events", ""), ("", ""))
        self.getAxis("bottom").setHeight(62)
        self._bars: list[pg.BarGraphItem] = []
        self._theme = DARK
        self.drawn: dict[str, dict[str, int]] = {}

    def paint(self, theme: Theme) -> None:
        super().paint(theme)
        self._theme = theme
        drawn, self.drawn = self.drawn, {}
        self.show_counts(drawn)

    def show_counts(self, counts: dict[str, dict[str, int]]) -> None:
        """Draws ``{setting: {outcome: events}}``."""
        if counts == self.drawn:
            return
        for bar in self._bars:
            self.removeItem(bar)
        self._bars.clear()
        self.drawn = {setting: dict(outcomes) for setting, outcomes in counts.items()}
        ticks, place = [], 0.0
        for k, (setting, outcomes) in enumerate(counts.items()):
            x = place + np.arange(len(outcomes))
            colour = self._theme.series[k % len(self._theme.series)]
            bar = pg.BarGraphItem(x=x, height=list(outcomes.values()), width=_BAR, brush=colour, pen=self._theme.panel)
            self.addItem(bar)
            self._bars.append(bar)
            # One sign above the other: eight outcomes of a setting must fit side by side.
            short = ["\n".join(outcome.rsplit(" ", 1)[-1]) for outcome in outcomes]
            middle = len(outcomes) // 2
            ticks += [
                (at, f"{text}\n{setting}" if n == middle else f"{text}\n")
                for n, (at, text) in enumerate(zip(x, short, strict=True))
            ]
            place += len(outcomes) + 1
        self.getAxis("bottom").setTicks([ticks])


class IntervalPlot(PointPlot):
    """Estimates beside each other, each with its interval."""

    def __init__(self) -> None:
        super().__init__(beam=0.15)
        self.getAxis("bottom").setHeight(46)
        self.setYRange(-1, 1)

    def show_estimates(self, run: RunView, chosen: list[str]) -> None:
        """Draws the estimates of these names."""
        known = [run.estimates[name] for name in chosen if np.isfinite(run.estimates[name].value)]
        value, lower, upper = (np.array([getattr(e, key) for e in known]) for key in ("value", "lower", "upper"))
        self.show_points(np.arange(len(known), dtype=float), value, lower, upper)
        self.name_points([_short(e.name) for e in known])


def _short(name: str) -> str:
    """What fits below a point."""
    words = names.title(name).removeprefix("correlator ").replace("fidelity F", "F").replace("fidelity", "F")
    return words.replace(" ", "\n")


class HeraldsPanel(QWidget):
    """Numbers on top, outcomes and correlators below."""

    def __init__(self) -> None:
        super().__init__()
        self.captions = [label(text, "caption") for text in ("heralds", "herald rate", "result", "to the target")]
        self.figures = [label("", "figure", wrap=True) for _ in self.captions]
        self.outcomes = OutcomePlot()
        self.intervals = IntervalPlot()
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.outcomes)
        split.addWidget(self.intervals)
        split.setSizes([600, 400])
        self.history = BandPlot()
        both = QSplitter(Qt.Orientation.Vertical)
        both.addWidget(split)
        both.addWidget(self.history)
        both.setSizes([550, 450])
        page = QWidget()
        grid = QGridLayout(page)
        for k, (caption, figure) in enumerate(zip(self.captions, self.figures, strict=True)):
            grid.addWidget(caption, 0, k)
            grid.addWidget(figure, 1, k)
            grid.setColumnStretch(k, 1)
        # Two lines of the large digits: a value and its interval may not fit side by side.
        grid.setRowMinimumHeight(1, 3 * self.fontMetrics().lineSpacing())
        grid.addWidget(both, 2, 0, 1, len(self.captions))
        grid.setRowStretch(2, 1)
        self.body = Hinted(
            page, "No herald yet.\nRun an experiment that heralds: heralded entanglement or the Bell test."
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.body)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self.outcomes.paint(theme)
        self.intervals.paint(theme)
        self.history.paint(theme)

    def show_run(self, run: RunView) -> None:
        """Draws the run as it stands."""
        heralds = run.counts.get("heralds", {})
        self.body.show_content(bool(heralds))
        if not heralds:
            return
        rate = run.estimates.get("herald_rate_hz")
        headline = next((run.estimates[name] for name in names.HEADLINES if name in run.estimates), None)
        texts = (
            f"{sum(heralds.values()):,}",
            names.with_interval(rate) if rate else "–",
            names.with_interval(headline) if headline else "–",
            names.duration(run.remaining_s()) if not run.outcome else run.outcome,
        )
        for figure, text in zip(self.figures, texts, strict=True):
            figure.setText(text)
        self.captions[2].setText(names.title(headline.name) if headline else "result")
        self.history.setVisible(headline is not None)
        if headline is not None:
            factor, unit = names.si(1.0, headline.unit)
            t_s, value, lower, upper = run.history(headline.name)
            self.history.show_history(
                names.title(headline.name), unit, t_s, value * factor, lower * factor, upper * factor
            )
        self.outcomes.show_counts({setting: c for setting, c in run.counts.items() if setting in heralds})
        self.intervals.show_estimates(
            run, [name for name, e in run.estimates.items() if not e.unit and abs(e.value) <= 1]
        )
