"""Up to eight recorded runs beside each other: their results, their curves on one plot, and in what their settings differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QTabWidget, QVBoxLayout, QWidget

from ..sequences.engine.values import RunSummary
from . import names
from .map_plot import split_label
from .plots import Plot
from .point_plot import PointPlot
from .queue_times import value_text
from .runs_model import headline
from .schema import flatten
from .table import Table
from .theme import DARK, Theme
from .view_models import FloatArray, RunView
from .widgets import Hinted, label, named

MAX_COMPARED = 8
RESULTS, OVERLAY, SETTINGS = range(3)


class ComparePlot(PointPlot):
    """The headline of up to eight runs beside each other, with intervals."""

    def __init__(self) -> None:
        super().__init__(beam=0.15)

    def show_runs(self, runs: list[RunSummary]) -> None:
        """Draws the headline the first run has, of every run that has it."""
        first = next((found for run in runs if (found := headline(run))), None)
        chosen = [run for run in runs if first is not None and first.name in run.results][:MAX_COMPARED]
        estimates = [run.results[first.name] for run in chosen] if first else []
        factor, unit = names.si(1.0, first.unit) if first else (1.0, "")
        value, lower, upper = (
            factor * np.array([np.nan if e[key] is None else e[key] for e in estimates], float)
            for key in ("value", "lower", "upper")
        )
        self.name_axis("left", names.title(first.name) if first else "result", unit)
        self.show_points(np.arange(len(estimates), dtype=float), value, lower, upper)
        self.name_points([names.run_time(run.run_id) for run in chosen])


def drawable(runs: Sequence[RunView]) -> list[str]:
    """What can be laid over each other: histograms, curves and results over time that any of the runs has."""
    found = [key for run in runs for key in (*run.histograms, *run.curves, *run.histories)]
    return list(dict.fromkeys(found))


def series(run: RunView, name: str) -> tuple[FloatArray, FloatArray, tuple[str, str], tuple[str, str]] | None:
    """x, y and the (label, unit) of both axes of what a run has under that name."""
    if name in run.histograms:
        histogram = run.histograms[name]
        edges = histogram.edges_s()
        return (edges[:-1] + edges[1:]) / 2, histogram.counts.astype(np.float64), ("delay", "s"), ("counts per bin", "")
    if name in run.curves:
        curve = run.curves[name]
        return curve.x, curve.measured, split_label(curve.x_label), split_label(curve.y_label)
    if name in run.estimates:
        t_s, value, _, _ = run.history(name)
        factor, unit = names.si(1.0, run.estimates[name].unit)
        return t_s, value * factor, ("lab time", "s"), (names.title(name), unit)
    return None


class OverlayPlot(Plot):
    """One quantity of several runs, a line each."""

    def __init__(self) -> None:
        super().__init__(("", ""), ("", ""))
        self._theme = DARK

    def paint(self, theme: Theme) -> None:
        super().paint(theme)
        self._theme = theme

    def show_runs(self, runs: Sequence[RunView], name: str) -> None:
        """Draws what the runs have under that name."""
        self.clear_lines()
        self.begin_anew()
        for run in runs:
            found = series(run, name)
            if found is not None:
                x, y, bottom, left = found
                self.name_axis("bottom", *bottom)
                self.name_axis("left", *left)
                self.line(names.run_time(run.run_id), self._theme).setData(x, y, connect="finite")

    def key(self) -> str:
        """Which line is which run, as rich text."""
        colours = [curve.opts["pen"].color().name() for curve in self.curves.values()]
        return "   ".join(
            f'<span style="color: {colour}">━━</span>&nbsp;{name.replace(" ", "&nbsp;")}'
            for colour, name in zip(colours, self.curves, strict=True)
        )


class SettingsTable(Table):
    """One row a setting in which the runs differ, one column a run."""

    def __init__(self) -> None:
        super().__init__("settings_difference", ("setting",), wide=-1, tip="Only what differs is listed")
        self.setHorizontalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAsNeeded
        )  # eight runs are wider than a small screen

    def show_runs(self, runs: Sequence[RunView]) -> None:
        """Lists the settings that are not the same in all runs."""
        configs = [{"experiment": run.experiment} | flatten(run.config) for run in runs]
        keys = list(dict.fromkeys(key for config in configs for key in config))
        differing = [key for key in keys if any(config.get(key) != configs[0].get(key) for config in configs)]
        self.set_columns(["setting", *(names.run_time(run.run_id) for run in runs)])
        rows = [[key, *(value_text(c[key]) if key in c else "–" for c in configs)] for key in differing]
        self.show_rows(differing, rows)


class ComparePanel(QTabWidget):
    """Emits the ids of the runs whose data are needed; ``show_details`` takes them."""

    details_wanted = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.setDocumentMode(True)
        self.setObjectName("compare")
        self.results = ComparePlot()
        self.overlay = OverlayPlot()
        self.quantity = named(QComboBox(), "overlay_quantity", "What to lay over each other")
        self.quantity.setMinimumContentsLength(16)
        self.settings = SettingsTable()
        bar = QHBoxLayout()
        bar.addWidget(QLabel("  quantity"))
        bar.addWidget(self.quantity)
        self.key = label("", wrap=True)
        bar.addWidget(self.key, stretch=1)
        page = QWidget()
        inside = QVBoxLayout(page)
        inside.setContentsMargins(0, 2, 0, 0)
        inside.addLayout(bar)
        inside.addWidget(self.overlay, stretch=1)
        choose = "Choose up to eight runs above (Ctrl+click): {}"
        self.overlay_body = Hinted(page, choose.format("their curves are drawn over each other here."))
        self.settings_body = Hinted(self.settings, choose.format("what differs in their settings is listed here."))
        for title, widget in (
            ("Results", self.results),
            ("Overlay", self.overlay_body),
            ("Settings difference", self.settings_body),
        ):
            self.addTab(widget, title)
        self._ids: list[str] = []
        self._details: dict[str, RunView] = {}
        self.quantity.activated.connect(self._draw)
        self.currentChanged.connect(self._ask)

    def paint_theme(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        for part in (self.results, self.overlay, self.settings):
            part.paint(theme)
        self.key.setText(self.overlay.key())

    def show_choice(self, chosen: list[RunSummary], otherwise: list[RunSummary]) -> None:
        """Compares the chosen runs; without a choice the results of the latest."""
        self.results.show_runs(chosen or otherwise[:MAX_COMPARED])
        self._ids = [run.run_id for run in chosen if run.status != "corrupt"][:MAX_COMPARED]
        self._ask()

    def show_details(self, runs: list[RunView]) -> None:
        """Takes runs in that were asked for."""
        self._details |= {run.run_id: run for run in runs}
        self._draw()

    def _ask(self) -> None:
        if self.currentIndex() == RESULTS:
            return
        missing = [run_id for run_id in self._ids if run_id not in self._details]
        if missing:
            self.details_wanted.emit(missing)
        self._draw()

    def _draw(self) -> None:
        runs = [self._details[run_id] for run_id in self._ids if run_id in self._details]
        for body in (self.overlay_body, self.settings_body):
            body.show_content(bool(runs))
        offered = drawable(runs)
        if [self.quantity.itemData(k) for k in range(self.quantity.count())] != offered:
            before = self.quantity.currentData()
            self.quantity.clear()
            for name in offered:
                self.quantity.addItem(names.title(name), name)
            self.quantity.setCurrentIndex(max(0, self.quantity.findData(before)))
        self.overlay.show_runs(runs, self.quantity.currentData() or "")
        self.key.setText(self.overlay.key())
        self.settings.show_runs(runs)
