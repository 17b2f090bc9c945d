"""Calibrations, budget, banner, guide, sliders, comparison: each by real clicks on the panel alone."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

from erbia.gui.banner import Banner
from erbia.gui.budget_table import BudgetTable, amount
from erbia.gui.calibrations_panel import CalibrationsPanel
from erbia.gui.compare_panel import OVERLAY, SETTINGS, ComparePanel, series
from erbia.gui.guide import ENDED, RESULT, STARTED, STEPS, Guide
from erbia.gui.quantity_slider import QuantitySlider, steps_between
from erbia.gui.theme import DARK, LIGHT
from erbia.gui.view_models import RunView
from erbia.sequences.engine.queue_values import CalibrationStatus
from erbia.sequences.engine.values import RunSummary

LEFT = Qt.MouseButton.LeftButton


def shown(qtbot: Any, widget: Any, width: int = 700, height: int = 400) -> Any:
    qtbot.addWidget(widget)
    widget.resize(width, height)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


# --- calibrations ---------------------------------------------------------------------------------------------------


def calibration(name: str, state: str, age_s: float | None, level: int = 0) -> CalibrationStatus:
    value = {
        "value": 2e-6,
        "lower": 1.9e-6,
        "upper": 2.1e-6,
        "confidence": 0.95,
        "std": None,
        "n": 9,
        "method": "m",
        "unit": "s",
    }
    taken = None if age_s is None else time.time() - age_s
    return CalibrationStatus(
        name, level, ("laser",), "delay_scan", "delay_s", state, f"{state} because", None if taken is None else value, taken, 3600, ""
    )  # fmt: skip


@pytest.fixture
def calibrations(qtbot: Any) -> CalibrationsPanel:
    panel = shown(qtbot, CalibrationsPanel())
    panel.show_calibrations([calibration("laser_power", "fresh", 100), calibration("delay", "failed", None, 1)])
    return panel


def test_calibrations_say_value_age_and_state(calibrations: CalibrationsPanel) -> None:
    texts = [[calibrations.table.item(r, c).text() for c in range(7)] for r in range(2)]
    assert texts[0] == ["laser power", "fresh", "2.000 (1.900 … 2.100) µs", "1 min", "1 h", "laser", "delay scan"]
    assert texts[1][:4] == ["  delay", "failed", "–", "–"]
    assert calibrations.table.item(1, 1).foreground().color().name() == DARK.bad
    assert calibrations.table.item(1, 1).toolTip() == "failed because"


def test_the_chosen_calibrations_are_asked_for(qtbot: Any, calibrations: CalibrationsPanel) -> None:
    assert not calibrations.chosen_button.isEnabled()
    cell = calibrations.table.item(1, 0)
    qtbot.mouseClick(calibrations.table.viewport(), LEFT, pos=calibrations.table.visualItemRect(cell).center())
    with qtbot.waitSignal(calibrations.calibrate_wanted, timeout=1000) as caught:
        qtbot.mouseClick(calibrations.chosen_button, LEFT)
    assert caught.args == [["delay"]]


def test_all_calibrations_are_asked_for(qtbot: Any, calibrations: CalibrationsPanel) -> None:
    with qtbot.waitSignal(calibrations.calibrate_wanted, timeout=1000) as caught:
        qtbot.mouseClick(calibrations.all_button, LEFT)
    assert caught.args == [[]]


def test_a_station_without_calibrations_says_what_to_do(calibrations: CalibrationsPanel) -> None:
    calibrations.show_calibrations([])
    assert calibrations.body.currentIndex() == 0
    assert "station file" in calibrations.body.hint.text()
    assert not calibrations.all_button.isEnabled()


# --- budget ---------------------------------------------------------------------------------------------------------


def line(name: str, value: float | None, unit: str, allowed: str, verdict: str, reason: str = "") -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "allowed": allowed, "verdict": verdict, "reason": reason}


def test_the_worst_of_the_budget_comes_first(qtbot: Any) -> None:
    table = shown(qtbot, BudgetTable())
    table.paint(LIGHT)
    lines = [line("run_time", 7200, "s", "", "ok"), line("heat", 0.2, "W", "≤ 100 mW", "refused", "too hot")]
    table.show_budget(lines)
    texts = [[table.item(r, c).text() for c in range(3)] for r in range(2)]
    assert texts == [["heat", "200 mW", "≤ 100 mW"], ["run time", "2 h", ""]]
    assert table.item(0, 0).toolTip() == "refused, allowed ≤ 100 mW: too hot"
    assert table.item(0, 0).foreground().color().name() == LIGHT.bad
    assert table.item(1, 0).foreground().color().name() == LIGHT.text
    assert table.horizontalHeaderItem(0).text() == "dry run: 1 refused"
    table.show_budget([])
    assert not table.isVisible()


def test_what_is_allowed_gives_way_where_all_is_well_and_room_is_short(qtbot: Any) -> None:
    table = shown(qtbot, BudgetTable(), width=250)
    lines = [line("disk_write_rate", 2e6, "B/s", "≤ 200 MB/s", "ok")]
    table.show_budget(lines)
    assert table.isColumnHidden(2)
    assert "≤ 200 MB/s" in table.item(0, 0).toolTip()
    table.resize(700, 300)
    assert not table.isColumnHidden(2)
    table.resize(250, 300)
    table.show_budget([lines[0] | {"verdict": "warning"}])
    assert not table.isColumnHidden(2)


def test_amounts() -> None:
    assert amount(None, "Hz") == "not known"
    assert amount(0.5, "s") == "500 ms"
    assert amount(46370.0, "") == "46,370"
    assert amount(0.926, "") == "0.926"


# --- banner and guide -----------------------------------------------------------------------------------------------


def test_a_warning_stays_until_it_is_dismissed(qtbot: Any) -> None:
    banner = shown(qtbot, Banner())
    banner.warn("laser tripped")
    banner.tell("run done")
    assert banner.text.text() == "laser tripped"
    assert not banner._leaving.isActive()
    qtbot.mouseClick(banner.dismiss, LEFT)
    assert not banner.isVisible()


def test_good_news_leaves_by_itself(qtbot: Any) -> None:
    banner = shown(qtbot, Banner())
    banner._leaving.setInterval(30)
    banner.tell("run done")
    assert banner.isVisible()
    qtbot.waitUntil(lambda: not banner.isVisible(), timeout=3000)


def test_the_guide_goes_on_as_things_happen(qtbot: Any) -> None:
    guide = shown(qtbot, Guide())
    guide.begin()
    assert STEPS[0] in guide.text.text()
    guide.reach(RESULT)
    guide.reach(STARTED)
    assert STEPS[RESULT] in guide.text.text(), "never back"
    guide.reach(ENDED)
    assert guide.next.text() == "Done"
    with qtbot.waitSignal(guide.closed, timeout=1000):
        qtbot.mouseClick(guide.next, LEFT)
    assert not guide.isVisible()
    guide.reach(STARTED)
    assert not guide.isVisible()


def test_the_guide_can_be_sent_away(qtbot: Any) -> None:
    guide = shown(qtbot, Guide())
    guide.begin()
    qtbot.mouseClick(guide.next, LEFT)
    assert STEPS[1] in guide.text.text()
    with qtbot.waitSignal(guide.closed, timeout=1000):
        qtbot.mouseClick(guide.close_button, LEFT)


# --- a number typed or slid -----------------------------------------------------------------------------------------


@pytest.fixture
def slider(qtbot: Any) -> QuantitySlider:
    return shown(qtbot, QuantitySlider("bin", "Bin width", "s", 1e-8, 1e-9, 1e-6), 300, 40)  # type: ignore[no-any-return]


def test_steps_are_one_two_five() -> None:
    assert steps_between(1e-9, 1e-8) == pytest.approx([1e-9, 2e-9, 5e-9, 1e-8])


def test_sliding_writes_the_number(qtbot: Any, slider: QuantitySlider) -> None:
    with qtbot.waitSignal(slider.changed, timeout=1000) as caught:
        qtbot.keyClick(slider.slider, Qt.Key.Key_Right)
    assert caught.args == pytest.approx([2e-8])
    assert slider.line.text() == "20 ns"


def test_typing_moves_the_slider(qtbot: Any, slider: QuantitySlider) -> None:
    slider.line.selectAll()
    qtbot.keyClicks(slider.line, "0.3 us")
    with qtbot.waitSignal(slider.changed, timeout=1000):
        qtbot.keyClick(slider.line, Qt.Key.Key_Return)
    assert slider.value == pytest.approx(3e-7)
    assert slider._steps[slider.slider.value()] == pytest.approx(2e-7)


@pytest.mark.parametrize(
    ("typed", "words"), [("2 V", "expected s"), ("0", "more than zero"), ("-1 ns", "more than zero")]
)
def test_what_cannot_be_a_width_is_refused(qtbot: Any, slider: QuantitySlider, typed: str, words: str) -> None:
    slider.line.selectAll()
    qtbot.keyClicks(slider.line, typed)
    with qtbot.waitSignal(slider.refused, timeout=1000) as caught:
        qtbot.keyClick(slider.line, Qt.Key.Key_Return)
    assert words in caught.args[0]
    assert slider.line.property("wrong")
    assert slider.value == 1e-8


# --- runs beside each other -----------------------------------------------------------------------------------------


def summary(run_id: str, value: float) -> RunSummary:
    result = {
        "value": value,
        "lower": value - 0.1,
        "upper": value + 0.1,
        "confidence": 0.95,
        "std": None,
        "n": 9,
        "method": "m",
    }
    return RunSummary(run_id, "", "link", "done", "2026-01-01T00:00:00", True, 1, False, "", {"fidelity": result})


def told(run_id: str, heralds: int, counts: list[int]) -> RunView:
    view = RunView()
    config = {"heralds": heralds, "timing": {"window_s": 1e-6}}
    view.apply(
        {"type": "RunStart", "run_id": run_id, "experiment": "link", "path": "", "simulated": True, "config": config},
        0.0,
    )
    estimate = {
        "value": 0.9,
        "lower": 0.8,
        "upper": 1.0,
        "confidence": 0.95,
        "std": None,
        "n": 9,
        "method": "m",
        "unit": "ps",
    }
    lags = [10 * k for k in range(len(counts))]
    view.apply(
        {
            "type": "Result", "estimates": {"delay_ps": estimate}, "counts": {},
            "histograms": {"arrival": {"lag_ps": lags, "counts": counts, "bin_ps": 10}},
        },
        0.0,
    )  # fmt: skip
    return view


IDS = ("20260101T000001-a", "20260101T000002-b", "20260101T000003-c")


@pytest.fixture
def compare(qtbot: Any) -> ComparePanel:
    panel = shown(qtbot, ComparePanel())
    panel.paint_theme(DARK)
    return panel  # type: ignore[no-any-return]


def turn(qtbot: Any, panel: ComparePanel, page: int) -> None:
    qtbot.mouseClick(panel.tabBar(), LEFT, pos=panel.tabBar().tabRect(page).center())


def test_results_of_the_chosen_runs_lie_beside_each_other(compare: ComparePanel) -> None:
    compare.show_choice([summary(IDS[0], 0.8), summary(IDS[1], 0.9)], [])
    assert compare.results.points.getOriginalDataset()[1].tolist() == [0.8, 0.9]


def test_data_are_asked_for_once_and_laid_over_each_other(qtbot: Any, compare: ComparePanel) -> None:
    asked: list[list[str]] = []
    compare.details_wanted.connect(asked.append)
    runs = [summary(run_id, 0.9) for run_id in IDS[:2]]
    compare.show_choice(runs, [])
    assert asked == [], "results need no data"
    turn(qtbot, compare, OVERLAY)
    assert asked == [list(IDS[:2])]
    compare.show_details([told(IDS[0], 10, [1, 2, 3]), told(IDS[1], 20, [4, 5, 6])])
    drawn = {name: curve.getOriginalDataset()[1].tolist() for name, curve in compare.overlay.curves.items()}
    assert drawn == {"1 Jan 00:00:01": [1, 2, 3], "1 Jan 00:00:02": [4, 5, 6]}
    compare.show_choice(runs[:1], [])
    assert len(asked) == 1
    assert list(compare.overlay.curves) == ["1 Jan 00:00:01"]


def test_another_quantity_is_laid_over_each_other(qtbot: Any, compare: ComparePanel) -> None:
    compare.show_choice([summary(IDS[0], 0.9)], [])
    compare.show_details([told(IDS[0], 10, [1, 2, 3])])
    turn(qtbot, compare, OVERLAY)
    assert [compare.quantity.itemText(k) for k in range(2)] == ["arrival", "delay"]
    qtbot.keyClick(compare.quantity, Qt.Key.Key_Down)
    (curve,) = compare.overlay.curves.values()
    assert curve.getOriginalDataset()[1].tolist() == [pytest.approx(0.9e-12)]
    assert compare.overlay.label("left") == "delay (s)"


def test_only_the_settings_that_differ_are_listed(qtbot: Any, compare: ComparePanel) -> None:
    compare.show_choice([summary(run_id, 0.9) for run_id in IDS[:2]], [])
    compare.show_details([told(IDS[0], 10, [1]), told(IDS[1], 20, [1])])
    turn(qtbot, compare, SETTINGS)
    table = compare.settings
    assert [[table.item(r, c).text() for c in range(3)] for r in range(table.rowCount())] == [["heralds", "10", "20"]]


def test_no_more_than_eight_runs_are_compared(compare: ComparePanel) -> None:
    many = [summary(f"20260101T0000{k:02d}-x", 0.9) for k in range(12)]
    compare.show_choice(many, [])
    assert len(compare.results.points.getOriginalDataset()[0]) == 8
    assert len(compare._ids) == 8


def test_what_a_run_does_not_have_is_left_out() -> None:
    run = told(IDS[0], 1, [1, 2])
    assert series(run, "nothing") is None
    found = series(run, "arrival")
    assert found is not None
    assert np.allclose(found[0], [5e-12, 15e-12])
