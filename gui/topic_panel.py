"""All a run and the instruments say about one topic: figures on top, curves and histograms, the parameters beside."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from ..sequences.engine.values import StationState
from . import names
from .figure import Figure
from .instrument_values import value_text
from .map_plot import split_label
from .plots import HistogramPlot, Plot
from .point_plot import PointPlot
from .table import Cell, Table
from .theme import Theme
from .topics import Topic
from .view_models import CurveView, RunView
from .widgets import Hinted

_FIGURES, _PLOTS = 6, 4
#: A parameter in this state is bad news, whatever else is measured.
_BAD = {"latched": True, "locked": False}
_MOST_ROWS = 6  # in sight; the rest by scrolling


class ParameterTable(Table):
    """One row an instrument or channel, one column a parameter; what is bad is red. As high as its rows."""

    def __init__(self, parameters: tuple[str, ...]) -> None:
        self._parameters = parameters
        columns = ("instrument", *(p.replace("_", " ") for p in parameters), "")
        super().__init__(
            "topic_parameters", columns, wide=len(columns) - 1, tip="What the instruments say, as last read"
        )
        self.setSelectionMode(Table.SelectionMode.NoSelection)

    def show_station(self, station: StationState) -> None:
        """Brings the rows up to date."""
        rows: dict[str, dict[str, Cell]] = {}
        for instrument in station.instruments:
            for parameter in instrument.parameters:
                owner, _, last = parameter.name.rpartition(".")
                if last in self._parameters:
                    bad = parameter.value is not None and parameter.value is _BAD.get(last)
                    rows.setdefault(owner, {})[last] = Cell(value_text(parameter), "bad" if bad else "")
        self.setVisible(bool(rows))
        empty = Cell("")
        cells = [[Cell(owner), *(found.get(p, empty) for p in self._parameters)] for owner, found in rows.items()]
        self.show_rows(list(rows), cells)
        shown = min(len(rows), _MOST_ROWS) * self.row_height()
        self.setFixedHeight(shown + self.horizontalHeader().sizeHint().height() + 2)


class TopicPanel(QWidget):
    """The tab of a topic."""

    def __init__(self, topic: Topic) -> None:
        super().__init__()
        self.topic = topic
        self.figures = [Figure() for _ in range(_FIGURES)]
        self.curves = [PointPlot() for _ in range(_PLOTS)]
        self.histogram = HistogramPlot()
        self.table = ParameterTable(topic.parameters)
        page = QWidget()
        grid = QGridLayout(page)
        grid.setContentsMargins(8, 4, 4, 4)
        self._figure_grid = QGridLayout()
        for figure in self.figures:
            self._figure_grid.addWidget(figure)
            figure.hide()
        grid.addLayout(self._figure_grid, 0, 0)
        plots = QWidget()
        self._plot_grid = QGridLayout(plots)
        self._plot_grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(plots, 1, 0)
        grid.setRowStretch(1, 1)
        for plot in (*self.curves, self.histogram):
            self._plot_grid.addWidget(plot)
            plot.hide()
        self._arranged: tuple[int, list[Plot]] = 0, []
        self.body = Hinted(page, topic.hint)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.body, stretch=1)
        layout.addWidget(self.table)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        for plot in (*self.curves, self.histogram):
            plot.paint(theme)
        self.table.paint(theme)

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
        # Placed before they are shown, or for a moment they would need a column as high as all of them.
        self._arrange(len(estimates), [*self.curves[: len(curves)], *[self.histogram] * bool(histograms)])
        self.body.show_content(bool(estimates or curves or histograms))
        for k, figure in enumerate(self.figures):
            figure.setVisible(k < len(estimates))
            if k < len(estimates):
                figure.caption.setText(names.title(estimates[k].name, estimates[k].unit))
                figure.show_estimate(estimates[k])
        for plot, item in zip(self.curves, [*curves.items(), *[None] * _PLOTS], strict=False):
            _show(plot, item is not None)
            if item is not None:
                _draw(plot, *item)
        _show(self.histogram, bool(histograms))
        if histograms:
            self.histogram.show_histogram(histograms[0])

    def _arrange(self, figures: int, plots: list[Plot]) -> None:
        """Up to three plots lie beside each other, four in two rows; up to four figures in a row, more in two."""
        if (figures, plots) == self._arranged:
            return
        self._arranged = figures, plots
        columns = 2 if len(plots) == 4 else 3
        for k, plot in enumerate(plots):
            self._plot_grid.addWidget(plot, *divmod(k, columns))
        for k, figure in enumerate(self.figures):
            self._figure_grid.addWidget(figure, *divmod(k, 4 if figures <= 4 else 3))


def _show(plot: Plot, wanted: bool) -> None:
    if plot.isHidden() == wanted:
        plot.setVisible(wanted)


def _draw(plot: PointPlot, name: str, curve: CurveView) -> None:
    plot.name_axis("bottom", *split_label(curve.x_label))
    y_name, y_unit = split_label(curve.y_label)
    plot.name_axis("left", y_name, y_unit)
    plot.setToolTip(names.title(name))
    plot.set_logarithmic(name.lower().endswith("dev"))  # how a deviation over an averaging time is read
    plot.show_points(curve.x, curve.measured, curve.lower, curve.upper)
    plot.fit.setData(curve.fit_x, curve.fit)
