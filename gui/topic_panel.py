"""All a run and the instruments say about one topic: figures on top, curves and histograms, the parameters beside."""

from __future__ import annotations

from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHeaderView,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..sequences.engine.values import StationState
from . import names
from .instrument_values import value_text
from .map_plot import split_label
from .plots import HistogramPlot, Plot
from .point_plot import PointPlot
from .theme import DARK, Theme
from .topics import Topic
from .view_models import CurveView, Histogram, RunView
from .widgets import Hinted, label, named

_FIGURES, _PLOTS = 6, 4
#: A parameter in this state is bad news, whatever else is measured.
_BAD = {"latched": True, "locked": False}


class ParameterTable(QTableWidget):
    """One row an instrument or channel, one column a parameter; what is bad is red."""

    def __init__(self, parameters: tuple[str, ...]) -> None:
        super().__init__(0, 1 + len(parameters))
        self._parameters = parameters
        self.bad = QBrush(QColor(DARK.bad))
        named(self, "topic_parameters", "What the instruments say, as last read")
        self.setHorizontalHeaderLabels(["", *(p.replace("_", " ") for p in parameters)])
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setStretchLastSection(True)

    def show_station(self, station: StationState) -> None:
        """Brings the rows up to date."""
        rows: dict[str, dict[str, QTableWidgetItem]] = {}
        for instrument in station.instruments:
            for parameter in instrument.parameters:
                owner, _, last = parameter.name.rpartition(".")
                if last in self._parameters:
                    cell = QTableWidgetItem(value_text(parameter))
                    if parameter.value is not None and parameter.value is _BAD.get(last):
                        cell.setForeground(self.bad)
                    rows.setdefault(owner, {})[last] = cell
        self.setVisible(bool(rows))
        self.setRowCount(len(rows))
        for row, (owner, cells) in enumerate(rows.items()):
            self.setItem(row, 0, QTableWidgetItem(owner))
            for column, parameter_name in enumerate(self._parameters, 1):
                self.setItem(row, column, cells.get(parameter_name, QTableWidgetItem("")))


class TopicPanel(QWidget):
    """The tab of a topic."""

    def __init__(self, topic: Topic) -> None:
        super().__init__()
        self.topic = topic
        self.captions = [label("", "caption") for _ in range(_FIGURES)]
        self.figures = [label("", "figure", wrap=True) for _ in range(_FIGURES)]
        self.curves = [PointPlot() for _ in range(_PLOTS)]
        self.histogram = HistogramPlot()
        self.table = ParameterTable(topic.parameters)
        page = QWidget()
        grid = QGridLayout(page)
        grid.setContentsMargins(8, 4, 4, 4)
        for k in range(_FIGURES):
            self.figures[k].setMinimumWidth(1)
            row, column = divmod(k, 3)
            grid.addWidget(self.captions[k], 2 * row, column)
            grid.addWidget(self.figures[k], 2 * row + 1, column)
        plots = QWidget()
        self._plot_grid = QGridLayout(plots)
        self._plot_grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(plots, 4, 0, 1, 3)
        grid.setRowStretch(4, 1)
        for k, plot in enumerate((*self.curves, self.histogram)):
            self._plot_grid.addWidget(plot, *divmod(k, 2))
            plot.hide()
        self.body = Hinted(page, topic.hint)
        split = QSplitter()
        split.addWidget(self.body)
        split.addWidget(self.table)
        split.setSizes([640, 360])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(split)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        for plot in (*self.curves, self.histogram):
            plot.paint(theme)
        self.table.bad = QBrush(QColor(theme.bad))

    def show_station(self, station: StationState) -> None:
        """Takes in what the instruments say."""
        if self.isVisible():
            self.table.show_station(station)

    def show_run(self, run: RunView) -> None:
        """Draws what of the run belongs here."""
        whole = self.topic.has(run.experiment)
        estimates = [e for name, e in run.estimates.items() if whole or self.topic.has(name)][:_FIGURES]
        curves = {name: c for name, c in run.curves.items() if whole or self.topic.has(name)}
        histograms = [h for name, h in run.histograms.items() if whole or self.topic.has(name)]
        self.body.show_content(bool(estimates or curves or histograms))
        for k in range(_FIGURES):
            known = k < len(estimates)
            self.captions[k].setVisible(known)
            self.figures[k].setVisible(known)
            self.captions[k].setText(names.title(estimates[k].name, estimates[k].unit) if known else "")
            self.figures[k].setText(names.with_interval(estimates[k]) if known else "")
        for plot, item in zip(self.curves, [*curves.items(), *[None] * _PLOTS], strict=False):
            _show(plot, item is not None)
            if item is not None:
                _draw(plot, *item)
        _show(self.histogram, bool(histograms))
        self._draw_histogram(histograms[0] if histograms else None)

    def _draw_histogram(self, histogram: Histogram | None) -> None:
        if histogram is not None:
            self.histogram.show_histogram(histogram)


def _show(plot: Plot, wanted: bool) -> None:
    if plot.isHidden() == wanted:
        plot.setVisible(wanted)


def _draw(plot: PointPlot, name: str, curve: CurveView) -> None:
    plot.name_axis("bottom", *split_label(curve.x_label))
    y_name, y_unit = split_label(curve.y_label)
    plot.name_axis("left", "", y_unit)
    plot.setTitle(y_name, size="9pt")  # above the plot: beside it there is no room for it
    plot.setToolTip(names.title(name))
    plot.show_points(curve.x, curve.measured, curve.lower, curve.upper)
    plot.fit.setData(curve.fit_x, curve.fit)
