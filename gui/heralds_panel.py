"""Heralds as they arrive: how many and how fast, what the read-outs said, and the correlators with their intervals."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGridLayout, QSplitter, QVBoxLayout, QWidget

from . import names
from .figure import Figure
from .plots import BandPlot, Plot
from .point_plot import PointPlot
from .theme import DARK, Theme, veil
from .view_models import RunView
from .widgets import Hinted

_BAR = 0.8


def by_herald(outcomes: dict[str, int]) -> dict[str, dict[str, int]]:
    """``{"psi+ ++": 3, …}`` → ``{"ψ+": {"++": 3, …}, …}``; results without a herald's name stand under an empty one."""
    found: dict[str, dict[str, int]] = {}
    for outcome, events in outcomes.items():
        herald, _, signs = outcome.rpartition(" ")
        found.setdefault(herald.replace("psi", "ψ").replace("phi", "φ"), {})[signs] = events
    return found


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
            for n, (herald, results) in enumerate(by_herald(outcomes).items()):
                x = place + np.arange(len(results))
                colour = QColor(self._theme.series[k % len(self._theme.series)])
                brush = veil(self._theme, colour.name(), 0.55) if n % 2 else colour
                bar = pg.BarGraphItem(
                    x=x, height=list(results.values()), width=_BAR, brush=brush, pen=self._theme.panel
                )
                self.addItem(bar)
                self._bars.append(bar)
                # One sign above the other: eight outcomes of a setting must fit side by side.
                ticks += [(at, "\n".join(signs) + "\n") for at, signs in zip(x, results, strict=True)]
                ticks.append((place + (len(results) - 1) / 2, f"\n\n{herald} {setting}".rstrip(" ")))
                place += len(results) + 0.6
            place += 0.8
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
        self.figures = [Figure(caption) for caption in ("heralds", "herald rate", "result", "to the target")]
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
        for k, figure in enumerate(self.figures):
            grid.addWidget(figure, 0, k)
            grid.setColumnStretch(k, 1)
        grid.addWidget(both, 1, 0, 1, len(self.figures))
        grid.setRowStretch(1, 1)
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
        headline = next((run.estimates[name] for name in names.HEADLINES if name in run.estimates), None)
        arrived, rate, result, target = self.figures
        arrived.show_texts(f"{sum(heralds.values()):,}", f"in {names.duration(run.lab_time_s)} of lab time")
        rate.show_estimate(run.estimates.get("herald_rate_hz"))
        result.show_estimate(headline)
        result.caption.setText(names.title(headline.name) if headline else "result")
        target.show_texts(run.outcome or names.duration(run.remaining_s()), run.message)
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
