"""Results as they sharpen: a table of every estimate, and the chosen one over lab time inside its interval."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from . import names
from .plots import BandPlot
from .table import Table
from .theme import Theme
from .view_models import EstimateView, RunView
from .widgets import Hinted, label

_COLUMNS = ("result", "value (interval)", "events")


class ResultTable(Table):
    """One row an estimate; emits the name of the one chosen."""

    picked = Signal(str)

    def __init__(self) -> None:
        super().__init__("results", _COLUMNS, wide=0, right=(1, 2))
        self._picked = ""  # what the user clicked; the headline stands until then
        self.itemSelectionChanged.connect(self._pick)

    def current(self) -> str:
        """Name of the estimate chosen; empty when there is none."""
        chosen = self.chosen()
        return chosen[0] if chosen else ""

    def show_estimates(self, estimates: list[EstimateView]) -> None:
        """Brings the rows up to date; the headline is chosen until the user chooses."""
        known = [estimate.name for estimate in estimates]
        news = known != self.keys
        rows = [(names.title(e.name, e.unit), names.with_interval(e), f"{e.n:,}") for e in estimates]
        self.blockSignals(True)
        self.show_rows(known, rows)
        if news:
            self.choose([name for name in (self._picked, *names.HEADLINES, *known) if name in known][:1])
        self.blockSignals(False)
        if news:
            self.picked.emit(self.current())

    def _pick(self) -> None:
        self._picked = self.current()
        self.picked.emit(self._picked)


class ResultsPanel(QWidget):
    """Table and plot of the run's estimates."""

    def __init__(self) -> None:
        super().__init__()
        self.table = ResultTable()
        self.plot = BandPlot()
        self._run = RunView()
        self.method = label("", "muted", wrap=True)
        self.method.setContentsMargins(6, 2, 6, 4)
        left = QWidget()
        below = QVBoxLayout(left)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(0)
        below.addWidget(self.table, stretch=1)
        below.addWidget(self.method)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(left)
        split.addWidget(self.plot)
        split.setSizes([430, 430])
        self.body = Hinted(split, "No result yet.\nResults appear here, with their intervals, as the data come in.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.body)
        self.table.picked.connect(lambda _: self._draw())

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self.table.paint(theme)
        self.plot.paint(theme)

    def show_run(self, run: RunView) -> None:
        """Draws the run as it stands."""
        self._run = run
        self.body.show_content(bool(run.estimates))
        self.table.show_estimates(list(run.estimates.values()))
        self._draw()

    def _draw(self) -> None:
        estimate = self._run.estimates.get(self.table.current())
        if estimate is None:
            return
        self.method.setText(f"{estimate.method}, {estimate.confidence:.0%} interval")
        t_s, value, lower, upper = self._run.history(estimate.name)
        factor, unit = names.si(1.0, estimate.unit)
        self.plot.show_history(names.title(estimate.name), unit, t_s, value * factor, lower * factor, upper * factor)
