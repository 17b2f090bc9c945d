"""Every panel of the window and where it stands: the tabs of the centre and the docks around it."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QTabWidget, QVBoxLayout, QWidget

from ..sequences.engine.values import StationState
from .banner import Banner
from .big_rates import BigRates
from .calibrations_panel import CalibrationsPanel
from .correlation_panel import CorrelationPanel
from .experiment_panel import ExperimentPanel
from .guide import Guide
from .heralds_panel import HeraldsPanel
from .instrument_panel import InstrumentPanel
from .log_panel import LogPanel
from .plots import Plot
from .queue_panel import QueuePanel
from .rates_panel import RateStrip
from .results_panel import ResultsPanel
from .runs_panel import RunsPanel
from .scan_panel import ScanPanel
from .sequence_panel import SequencePanel
from .state_panel import StatePanel
from .tags_panel import TagsPanel
from .theme import Theme
from .topic_panel import TopicPanel
from .topics import TOPICS
from .view_models import RunView

#: The docks may take the rest.
_SMALLEST_CENTRE = 480


class Painted(Protocol):
    """What takes a theme's colours on."""

    def paint(self, theme: Theme) -> None: ...


class ShowsRun(Protocol):
    """What draws a run."""

    def show_run(self, run: RunView) -> None: ...
    def isVisible(self) -> bool: ...  # noqa: N802


class Panels:
    """Makes the panels; ``centre`` holds banner, guide and tabs."""

    def __init__(self) -> None:
        self.instruments = InstrumentPanel()
        self.experiment = ExperimentPanel()
        self.queue = QueuePanel()
        self.rates = RateStrip()
        self.log = LogPanel()
        self.correlations = CorrelationPanel()
        self.results = ResultsPanel()
        self.heralds = HeraldsPanel()
        self.tags = TagsPanel()
        self.scan = ScanPanel()
        self.state = StatePanel()
        self.big = BigRates()
        self.sequence = SequencePanel()
        self.topics = {topic.title: TopicPanel(topic) for topic in TOPICS}
        self.calibrations = CalibrationsPanel()
        self.runs = RunsPanel()
        self.banner, self.guide = Banner(), Guide()
        self.tabs = self._make_tabs()
        self.centre = QWidget()
        self.centre.setMinimumWidth(_SMALLEST_CENTRE)
        layout = QVBoxLayout(self.centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.banner)
        layout.addWidget(self.guide)
        layout.addWidget(self.tabs, stretch=1)

    def paint(self, theme: Theme) -> None:
        """Gives every panel the theme's colours."""
        painted: tuple[Painted, ...] = (
            self.instruments, self.experiment.budget, self.queue, self.rates, self.correlations, self.results, self.heralds,
            self.tags, self.scan, self.state, self.sequence, *self.topics.values(), self.calibrations, self.runs,
        )  # fmt: skip
        for panel in painted:
            panel.paint(theme)

    def show_run(self, run: RunView) -> None:
        """Draws a run in every panel that can be seen."""
        panels: tuple[ShowsRun, ...] = (
            self.rates, self.correlations, self.results, self.heralds, self.tags, self.scan, self.state,
            *self.topics.values(),
        )  # fmt: skip
        for panel in panels:
            if panel.isVisible():
                panel.show_run(run)
        if self.big.isVisible():
            self.big.show_run(run, self.rates.key.hidden)
        for plot in self.visible_plots():
            plot.settle()

    def show_station(self, station: StationState) -> None:
        """Takes in what the instruments say."""
        for panel in self.topics.values():
            panel.show_station(station)

    def visible_plots(self) -> list[Plot]:
        """The plots on the screen now."""
        return [plot for plot in self.centre.window().findChildren(Plot) if plot.isVisible()]

    def _make_tabs(self) -> QTabWidget:
        overview = QSplitter(Qt.Orientation.Vertical)
        overview.addWidget(self.correlations)
        overview.addWidget(self.results)
        overview.setSizes([600, 400])
        tabs = QTabWidget(documentMode=True)
        tabs.setUsesScrollButtons(True)
        for title, panel in (
            ("Overview", overview),
            ("Heralds", self.heralds),
            ("Correlations", self.tags),
            ("Scan", self.scan),
            ("State", self.state),
            ("Rates", self.big),
            ("Runs", self.runs),
            ("Sequence", self.sequence),
            *((topic.title, self.topics[topic.title]) for topic in TOPICS),
            ("Calibrations", self.calibrations),
        ):
            tabs.addTab(panel, title)
        return tabs
