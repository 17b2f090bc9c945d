"""The tabs: what they draw is what the run and the plan say."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

import erbia
from erbia.analysis.files.runfile import Run
from erbia.analysis.timing import Lane
from erbia.gui.main_window import MainWindow
from erbia.gui.sequence_panel import outline
from erbia.gui.view_models import Histogram, RunView
from erbia.sequences.engine.client import EngineClient

LEFT = Qt.MouseButton.LeftButton


def show(qtbot: Any, window: MainWindow, title: str) -> None:
    """Clicks a tab."""
    bar = window.tabs.tabBar()
    k = [bar.tabText(k) for k in range(bar.count())].index(title)
    qtbot.mouseClick(bar, LEFT, pos=bar.tabRect(k).center())
    assert window.tabs.currentIndex() == k


def record(qtbot: Any, window: MainWindow) -> None:
    window.panels.experiment.show_config("bench", {"blocks": 5})
    qtbot.mouseClick(window.panels.experiment.run, LEFT)
    qtbot.waitUntil(lambda: bool(window.view.outcome), timeout=20000)
    qtbot.wait(100)


def test_heralds(qtbot: Any, window: MainWindow) -> None:
    show(qtbot, window, "Heralds")
    assert "No herald yet" in window.panels.heralds.body.hint.text()
    record(qtbot, window)
    assert window.panels.heralds.figures[0].value.text() == "11"
    assert window.panels.heralds.figures[2].value.text().startswith("0.90")
    assert window.panels.heralds.figures[3].value.text() == "done"
    assert window.panels.heralds.outcomes.drawn == {"XX": {"++": 4, "+-": 1, "-+": 2, "--": 4}}
    (bar,) = window.panels.heralds.outcomes._bars
    assert bar.opts["height"] == [4, 1, 2, 4]
    _, y = window.panels.heralds.intervals.points.getOriginalDataset()
    assert y.tolist() == [0.9]


def test_big_rates(qtbot: Any, window: MainWindow) -> None:
    show(qtbot, window, "Rates")
    record(qtbot, window)
    texts = [digit.text() for digit in window.panels.big.digits if digit.text()]
    assert len(texts) == 2
    assert all(text.endswith("Hz") for text in texts)


def test_the_timing_diagram_is_the_plan(qtbot: Any, window: MainWindow) -> None:
    show(qtbot, window, "Sequence")
    panel = window.panels.sequence
    qtbot.waitUntil(lambda: panel.body.currentIndex() == 1, timeout=5000)
    assert [panel.setting.itemText(k) for k in range(panel.setting.count())] == ["XX"], "only what plays pulses"
    assert panel.block.currentText() == "attempt ×7"
    t_s, height = panel.plot.curves["gate"].getOriginalDataset()
    assert t_s.tolist() == pytest.approx([0, 50e-9, 50e-9, 150e-9, 150e-9, 200e-9])
    assert height.max() - height.min() == pytest.approx(0.375), "half amplitude is half as high"
    assert [panel.block.itemText(k) for k in range(panel.block.count())] == ["attempt ×7"], (
        "what plays nothing is left out"
    )


def test_an_outline_goes_up_and_down_at_each_pulse() -> None:
    lane = Lane("laser", np.array([0, 5, 5, 10, 10, 100]), np.array([0, 0, 0.5, 0.5, 0, 0.0]))
    t_s, height = outline(lane, 2)
    assert (t_s * 1e12).round().astype(int).tolist() == [0, 5, 5, 10, 10, 100]
    assert height.tolist() == [2, 2, 2.375, 2.375, 2, 2]
    weak = outline(Lane("laser", np.array([0, 1]), np.array([0.001, 0.0])), 0)[1]
    assert weak[0] > 0.03, "the weakest pulse can still be seen"


def test_zooming_into_the_diagram_shows_more(qtbot: Any, window: MainWindow) -> None:
    show(qtbot, window, "Sequence")
    panel = window.panels.sequence
    qtbot.waitUntil(lambda: panel.shown is not None, timeout=5000)
    panel.plot.setXRange(60e-9, 61e-9, padding=0)
    qtbot.waitUntil(lambda: panel.shown is not None and panel.shown.view_ps == (60_000, 61_000), timeout=3000)
    _, height = panel.plot.curves["gate"].getOriginalDataset()
    assert height.max() == pytest.approx(0.375)
    assert "1 ns shown" in panel.about.text()
    panel.plot.setFocus()
    qtbot.keyClick(panel.plot, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: panel.shown is not None and panel.shown.view_ps == (0, 200_000), timeout=3000)


def test_a_fit_is_drawn_through_its_histogram(qtbot: Any, window: MainWindow) -> None:
    counts, fitted = np.arange(10, dtype=np.int64), np.arange(10) + 0.5
    window.view.histograms["x"] = Histogram(np.arange(10, dtype=np.int64) * 10, counts, 10, fitted)
    window.panels.correlations.show_run(window.view)
    x, y = window.panels.correlations.plot.fit.getOriginalDataset()
    assert np.array_equal(y, fitted)
    assert x[0] == pytest.approx(5e-12)


def test_a_curve_with_its_points(qtbot: Any, window: MainWindow) -> None:
    show(qtbot, window, "Scan")
    assert "No scan yet" in window.panels.scan.body.hint.text()
    view = RunView()
    curve = {
        "x": [1.0, 2.0], "x_label": "storage time (s)", "y_label": "probability", "measured": [0.9, 0.5],
        "lower": [0.8, 0.4], "upper": [0.95, 0.6], "fit_x": [0.0, 3.0], "fit": [1.0, 0.2], "residuals": [0.1, -0.3],
    }  # fmt: skip
    view.apply({"type": "Result", "estimates": {}, "histograms": {}, "counts": {}, "curves": {"decay": curve}}, 0.0)
    window.panels.scan.show_run(view)
    assert window.panels.scan.plot.points.getOriginalDataset()[1].tolist() == [0.9, 0.5]
    assert window.panels.scan.plot.fit.getOriginalDataset()[1].tolist() == [1.0, 0.2]
    assert window.panels.scan.plot.label("bottom") == "storage time (s)"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    with erbia.load_station("mock_lab", seed=1) as lab:
        return lab.run(
            "heralded_entanglement", heralds=10, calibration_shots=200, out_dir=tmp_path_factory.mktemp("runs")
        )


@pytest.fixture
def with_runs(qtbot: Any, window: MainWindow, recorded: Run, tmp_path: Path) -> MainWindow:
    """The window on a folder with one good and one broken run, at the Runs tab."""
    shutil.copy(recorded.path, tmp_path)
    (tmp_path / "0-broken.h5").write_bytes(b"nothing")
    show(qtbot, window, "Runs")
    qtbot.mouseClick(window.panels.runs.refresh, LEFT)
    qtbot.waitUntil(lambda: window.panels.runs.model.rowCount() == 2, timeout=10000)
    return window


def pick(qtbot: Any, window: MainWindow, row: int) -> None:
    table = window.panels.runs.table
    qtbot.mouseClick(table.viewport(), LEFT, pos=table.visualRect(window.panels.runs.model.index(row, 1)).center())
    assert [run.run_id for run in window.panels.runs.chosen()] == [window.panels.runs.model.visible[row].run_id]


def test_runs_are_listed_and_a_broken_one_is_marked(with_runs: MainWindow, recorded: Run) -> None:
    model = with_runs.panels.runs.model
    texts = [[model.data(model.index(row, column)) for column in range(7)] for row in range(2)]
    assert texts[0][2:4] == ["heralded entanglement", "done"]
    assert texts[0][4].startswith("fidelity F 0.")
    assert texts[1][3] == "corrupt"
    assert model.data(model.index(1, 3), Qt.ItemDataRole.ForegroundRole) == model.bad
    assert model.data(model.index(0, 3), Qt.ItemDataRole.ForegroundRole) is None


def test_search(qtbot: Any, with_runs: MainWindow) -> None:
    qtbot.keyClicks(with_runs.panels.runs.search, "corrupt")
    assert [run.status for run in with_runs.panels.runs.model.visible] == ["corrupt"]


def test_star_and_note(qtbot: Any, with_runs: MainWindow, engine: EngineClient) -> None:
    pick(qtbot, with_runs, 0)
    qtbot.mouseClick(with_runs.panels.runs.star, LEFT)
    qtbot.waitUntil(lambda: engine.runs()[0].star, timeout=5000)
    qtbot.waitUntil(lambda: with_runs.panels.runs.model.visible[0].star, timeout=5000)
    qtbot.waitUntil(lambda: len(with_runs.panels.runs.chosen()) == 1, timeout=5000)
    qtbot.keyClicks(with_runs.panels.runs.note, "the good one")
    qtbot.keyClick(with_runs.panels.runs.note, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: engine.runs()[0].note == "the good one", timeout=5000)
    assert engine.runs()[0].star


def test_a_recorded_run_opens_in_the_same_window(qtbot: Any, with_runs: MainWindow, recorded: Run) -> None:
    pick(qtbot, with_runs, 0)
    qtbot.mouseClick(with_runs.panels.runs.open, LEFT)
    qtbot.waitUntil(lambda: with_runs.view.outcome == "done", timeout=20000)
    assert with_runs.view is not with_runs.live
    assert with_runs.view.estimates["fidelity"].value == recorded.results["fidelity"].value
    qtbot.waitUntil(lambda: "recorded" in with_runs.progress.text(), timeout=3000)
    show(qtbot, with_runs, "Correlations")
    panel = with_runs.panels.tags
    qtbot.waitUntil(lambda: panel.plot.shown is not None, timeout=20000)
    assert panel.source.currentText() == "midpoint"
    assert panel.plot.shown is not None
    assert panel.plot.shown.bin_ps == 10_000
    panel.bin.line.selectAll()
    qtbot.keyClicks(panel.bin.line, "1 us")
    qtbot.keyClick(panel.bin.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: panel.plot.shown.bin_ps == 1_000_000, timeout=20000)
    assert len(panel.plot.shown.counts) == 100
    panel.bin.line.selectAll()
    qtbot.keyClicks(panel.bin.line, "1 W")
    qtbot.keyClick(panel.bin.line, Qt.Key.Key_Return)
    assert "expected s" in panel.problem.text()


def test_a_replay_is_broken_off_by_going_back_to_live(qtbot: Any, with_runs: MainWindow) -> None:
    pick(qtbot, with_runs, 0)
    qtbot.mouseClick(with_runs.panels.runs.replay, LEFT)
    qtbot.waitUntil(lambda: with_runs.view.clicks > 0, timeout=10000)
    with_runs.actions_by_name["live"].trigger()
    assert with_runs.view is with_runs.live
    qtbot.wait(150)
    assert with_runs.view.run_id == ""


def test_a_run_of_an_experiment_that_is_not_here_leaves_the_form(qtbot: Any, with_runs: MainWindow) -> None:
    pick(qtbot, with_runs, 0)
    qtbot.mouseClick(with_runs.panels.runs.reuse, LEFT)
    qtbot.waitUntil(lambda: "not offered by this engine" in with_runs.log.toPlainText(), timeout=5000)
    assert with_runs.panels.experiment.name == "bench"


def test_a_corrupt_run_cannot_be_opened(qtbot: Any, with_runs: MainWindow) -> None:
    pick(qtbot, with_runs, 1)
    assert not with_runs.panels.runs.open.isEnabled()
    assert not with_runs.panels.runs.reuse.isEnabled()


def test_runs_are_compared_by_their_headline(qtbot: Any, with_runs: MainWindow, recorded: Run) -> None:
    pick(qtbot, with_runs, 0)
    _, y = with_runs.panels.runs.compare.results.points.getOriginalDataset()
    assert y.tolist() == [recorded.results["fidelity"].value]
    assert with_runs.panels.runs.compare.results.label("left") == "fidelity F"


def test_runs_are_opened_and_listed_anew_by_keys(qtbot: Any, with_runs: MainWindow, recorded: Run) -> None:
    pick(qtbot, with_runs, 0)
    qtbot.keyClick(with_runs.panels.runs.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: with_runs.view.outcome == "done", timeout=20000)
    assert with_runs.view.run_id == recorded.run_id
    show(qtbot, with_runs, "Runs")
    listed: list[object] = []
    with_runs.panels.runs.refresh_wanted.connect(lambda: listed.append(True))
    with_runs.activateWindow()
    qtbot.waitUntil(with_runs.isActiveWindow, timeout=5000)
    qtbot.keyClick(with_runs.panels.runs.table, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: bool(listed), timeout=5000)
