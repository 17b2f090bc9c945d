"""Clock, memory and detectors: each result finds its tab, bad instrument states are red."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from erbia.gui.theme import DARK
from erbia.gui.topic_panel import TopicPanel
from erbia.gui.topics import CLOCK, DETECTORS, MEMORY, TOPICS
from erbia.gui.view_models import RunView
from erbia.sequences.engine.values import InstrumentState, ParameterState, StationState


def estimate(value: float, unit: str = "") -> dict[str, Any]:
    return {
        "value": value, "lower": value * 0.9, "upper": value * 1.1, "confidence": 0.95, "std": None, "n": 9,
        "method": "m", "unit": unit,
    }  # fmt: skip


def curve(y: list[float]) -> dict[str, Any]:
    x = list(range(len(y)))
    return {
        "x": x, "x_label": "storage time (s)", "y_label": "echo", "measured": y, "lower": y, "upper": y, "fit_x": x,
        "fit": y, "residuals": [],
    }  # fmt: skip


def run(experiment: str, names: list[str], curves: list[str], histogram: str = "") -> RunView:
    view = RunView()
    view.apply(
        {"type": "RunStart", "run_id": "r", "experiment": experiment, "path": "", "simulated": True, "config": {}}, 0.0
    )
    histograms = {histogram: {"lag_ps": [0, 10], "counts": [3, 4], "bin_ps": 10}} if histogram else {}
    content = {"type": "Result", "counts": {}, "histograms": histograms}
    content |= {"estimates": {n: estimate(1.5) for n in names}, "curves": {n: curve([1.0, 0.5, 0.2]) for n in curves}}
    view.apply(content, 0.0)
    return view


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("clock_offset_ps", CLOCK), ("skew", CLOCK), ("tdev_1s", CLOCK), ("echo", MEMORY), ("storage_time_s", MEMORY),
        ("comb_finesse", MEMORY), ("bias_scan", DETECTORS), ("jitter_ps", DETECTORS), ("dark_rate_hz", DETECTORS),
    ],
)  # fmt: skip
def test_each_name_has_one_tab(name: str, topic: Any) -> None:
    assert [t for t in TOPICS if t.has(name)] == [topic]


@pytest.mark.parametrize("name", ["fidelity", "e_xx", "herald_rate_hz", "visibility"])
def test_names_of_no_topic_have_none(name: str) -> None:
    assert not any(topic.has(name) for topic in TOPICS)


@pytest.fixture
def panel(qtbot: Any) -> TopicPanel:
    panel = TopicPanel(MEMORY)
    qtbot.addWidget(panel)
    panel.resize(900, 600)
    panel.paint(DARK)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def test_only_what_belongs_is_drawn(panel: TopicPanel) -> None:
    panel.show_run(run("link", ["fidelity", "storage_time_s"], ["echo", "rates"]))
    assert [f.caption.text() for f in panel.figures if f.isVisible()] == ["storage time"]
    assert (panel.figures[0].value.text(), panel.figures[0].note.text()) == ("1.50", "1.35 … 1.65")
    assert [plot.isVisible() for plot in panel.curves] == [True, False, False, False]
    assert panel.curves[0].points.getOriginalDataset()[1].tolist() == [1.0, 0.5, 0.2]
    assert panel.curves[0].label("bottom") == "storage time (s)"


def test_an_experiment_of_the_topic_brings_all_it_has(panel: TopicPanel) -> None:
    panel.show_run(run("storage_time", ["contrast", "floor"], ["decay"], "arrival"))
    assert [f.caption.text() for f in panel.figures if f.isVisible()] == ["contrast", "floor"]
    assert panel.histogram.isVisible()
    _, counts = panel.histogram.steps.getData()
    assert counts.tolist() == [3, 4]


def test_nothing_of_the_topic_leaves_the_hint(panel: TopicPanel) -> None:
    panel.show_run(run("link", ["fidelity"], []))
    assert panel.body.currentIndex() == 0
    assert "Run the storage time" in panel.body.hint.text()


def parameter(name: str, value: Any, unit: str = "") -> ParameterState:
    return ParameterState(name, name, unit, value, 0.0, False)


def test_a_latched_detector_is_red(qtbot: Any) -> None:
    panel = TopicPanel(DETECTORS)
    qtbot.addWidget(panel)
    panel.paint(DARK)
    panel.show()
    snspd = InstrumentState(
        "snspd",
        "Driver",
        (
            parameter("snspd.ch1.bias", 1.2e-5, "A"),
            parameter("snspd.ch1.latched", True),
            parameter("snspd.ch2.latched", False),
            parameter("snspd.serial", "x"),
        ),
    )
    panel.show_station(StationState((snspd,), 0.0))
    texts = [[panel.table.item(r, c).text() for c in range(4)] for r in range(panel.table.rowCount())]
    assert texts == [["snspd.ch1", "12 µA", "", "on"], ["snspd.ch2", "", "", "off"]]
    assert panel.table.item(0, 3).foreground().color().name() == DARK.bad
    assert panel.table.item(1, 3).foreground().color().name() != DARK.bad


def test_a_lost_lock_is_red_and_a_hidden_tab_costs_nothing(qtbot: Any) -> None:
    panel = TopicPanel(CLOCK)
    qtbot.addWidget(panel)
    station = StationState((InstrumentState("reference", "Driver", (parameter("reference.locked", False),)),), 0.0)
    panel.show_station(station)
    assert panel.table.rowCount() == 0
    panel.show()
    panel.show_station(station)
    assert panel.table.item(0, 1).foreground().color().name() == DARK.bad
    assert not np.isnan(panel.table.rowCount())
