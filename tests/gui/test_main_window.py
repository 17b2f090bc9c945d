"""The window by real clicks: what is asked reaches the engine, what the engine says is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QTreeWidgetItem

from erbia.gui.main_window import MainWindow
from erbia.sequences.engine.client import EngineClient

LEFT = Qt.MouseButton.LeftButton


def click(qtbot: Any, window: MainWindow, action: QAction) -> None:
    """Presses the button of a tool-bar action."""
    qtbot.mouseClick(window.tool_bar.widgetForAction(action), LEFT)


def ended(window: MainWindow) -> bool:
    return bool(window.view.outcome)


def start(qtbot: Any, window: MainWindow, blocks: int = 40) -> None:
    """Types a number of blocks and presses Run."""
    assert window.panels.experiment.form is not None
    line = window.panels.experiment.form.entries["blocks"].editor
    line.selectAll()  # type: ignore[attr-defined]
    qtbot.keyClicks(line, str(blocks))
    qtbot.mouseClick(window.panels.experiment.run, LEFT)
    qtbot.waitUntil(lambda: bool(window.view.run_id), timeout=5000)


def item(window: MainWindow, name: str) -> QTreeWidgetItem:
    return window.panels.instruments._items[name]


def test_run_click_fills_every_panel(qtbot: Any, window: MainWindow) -> None:
    start(qtbot, window)
    qtbot.waitUntil(lambda: ended(window), timeout=10000)
    qtbot.wait(120)
    _, y = window.panels.correlations.plot.steps.getData()
    drawn, histogram = window.panels.correlations.plot.shown, window.view.histograms["arrival"]
    assert drawn is not None
    assert np.array_equal(y, histogram.counts)
    assert histogram.counts.sum() > 400 * 40 * 0.5
    rates = window.panels.rates.plot.curves
    assert set(rates) == {"midpoint detector_a", "midpoint detector_b"}, "a channel without clicks is left out"
    for name, t_s, hz in window.view.series():
        if name in rates:
            x, y = rates[name].getOriginalDataset()
            assert np.array_equal(x, t_s)
            assert np.array_equal(y, hz)
    assert window.panels.results.table.rowCount() == 2
    assert window.panels.results.table.item(0, 1).text().startswith("0.9")
    assert "ps" in window.panels.results.table.item(1, 1).text()
    _, value = window.panels.results.plot.value.getOriginalDataset()
    assert np.all(value == 0.9)
    assert window.panels.results.plot.getAxis("left").autoSIPrefixScale == 1.0, "a pure number has no prefix"
    assert "done" in window.progress.text()
    assert "40 of 40 blocks" in window.progress.text()
    assert "run done" in window.log.toPlainText()


def test_plots_are_really_painted(qtbot: Any, window: MainWindow) -> None:
    start(qtbot, window)
    qtbot.waitUntil(lambda: ended(window), timeout=10000)
    qtbot.wait(120)
    for widget in (window.panels.correlations.plot, window.panels.rates.plot, window.panels.results.plot):
        image = widget.grab().toImage()
        colours = {image.pixel(x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)}
        assert len(colours) > 3


def test_choosing_a_result_draws_it(qtbot: Any, window: MainWindow) -> None:
    start(qtbot, window, 5)
    qtbot.waitUntil(lambda: ended(window) and window.panels.results.table.rowCount() == 2, timeout=10000)
    table = window.panels.results.table
    qtbot.mouseClick(table.viewport(), LEFT, pos=table.visualItemRect(table.item(1, 0)).center())
    _, value = window.panels.results.plot.value.getOriginalDataset()
    assert np.allclose(value, 3e-12), "picoseconds are drawn in seconds, the axis chooses the prefix"


@pytest.mark.parametrize("action", ["stop_action", "stop_now_action"])
def test_stop(qtbot: Any, window: MainWindow, action: str) -> None:
    start(qtbot, window, 100000)
    qtbot.waitUntil(getattr(window, action).isEnabled, timeout=3000)
    assert not window.run_action.isEnabled()
    click(qtbot, window, getattr(window, action))
    qtbot.waitUntil(lambda: window.view.outcome == "aborted", timeout=5000)
    qtbot.waitUntil(window.run_action.isEnabled, timeout=3000)


def test_pause_and_go_on(qtbot: Any, window: MainWindow, engine: EngineClient) -> None:
    start(qtbot, window, 100000)
    qtbot.waitUntil(window.pause_action.isEnabled, timeout=3000)
    click(qtbot, window, window.pause_action)
    qtbot.waitUntil(lambda: engine.status().state == "paused", timeout=3000)
    qtbot.waitUntil(lambda: "paused" in window.line.state.text(), timeout=3000)
    click(qtbot, window, window.pause_action)
    qtbot.waitUntil(lambda: engine.status().state == "running", timeout=3000)
    click(qtbot, window, window.stop_now_action)
    qtbot.waitUntil(lambda: ended(window), timeout=5000)


def test_all_off(qtbot: Any, window: MainWindow, lab: Any) -> None:
    start(qtbot, window, 100000)
    click(qtbot, window, window.all_off_action)
    qtbot.waitUntil(lambda: window.view.outcome == "aborted", timeout=5000)
    qtbot.waitUntil(lambda: "ALL OFF done" in window.log.toPlainText(), timeout=3000)
    assert lab.laser.emission.cache.get() is False
    qtbot.waitUntil(lambda: item(window, "laser.emission").text(1) == "off", timeout=3000)


def test_the_window_says_simulated(window: MainWindow) -> None:
    assert window.badge.isVisible()
    assert "SIMULATED" in window.windowTitle()


def test_a_wrong_value_is_shown_at_its_field_and_nothing_starts(qtbot: Any, window: MainWindow) -> None:
    form = window.panels.experiment.form
    assert form is not None
    for path, typed, words in [
        ("blocks", "0", "must be ≥ 1"),
        ("blocks", "1.5", "not a whole number"),
        ("blocks", "", "needs a value"),
        ("timing.window_s", "8 V", "expected s"),
        ("timing.window_s", "2 s", "≤ 1 ms"),
    ]:
        line: Any = form.entries[path].editor
        line.selectAll()
        qtbot.keyClick(line, Qt.Key.Key_Backspace)
        qtbot.keyClicks(line, typed)
        qtbot.mouseClick(window.panels.experiment.run, LEFT)
        assert form.entries[path].wrong.isVisible()
        assert words in form.entries[path].wrong.text()
        line.setText(form.entries[path].field.to_text(form.entries[path].field.default))
    qtbot.wait(100)
    assert window.view.run_id == ""


def test_units_are_taken_as_typed(qtbot: Any, window: MainWindow) -> None:
    form = window.panels.experiment.form
    assert form is not None
    line: Any = form.entries["timing.window_s"].editor
    assert line.text() == "8 µs"
    line.selectAll()
    qtbot.keyClicks(line, "0.5 ms")
    start(qtbot, window, 2)
    qtbot.waitUntil(lambda: ended(window), timeout=5000)
    assert window.view.config["timing"]["window_s"] == 0.5e-3
    assert window.view.config["precision"] is None
    assert window.view.config["bases"] == ["XX", "ZZ"]


def test_another_experiment_has_another_form_and_the_first_keeps_its_values(qtbot: Any, window: MainWindow) -> None:
    panel = window.panels.experiment
    assert panel.form is not None
    line: Any = panel.form.entries["blocks"].editor
    line.selectAll()
    qtbot.keyClicks(line, "77")
    qtbot.wait(400)
    qtbot.keyClick(panel.choice, Qt.Key.Key_Down)
    assert list(panel.form.entries) == ["shots"]
    qtbot.keyClick(panel.choice, Qt.Key.Key_Up)
    assert panel.form.entries["blocks"].value() == 77
    qtbot.mouseClick(panel.defaults, LEFT)
    assert panel.form.entries["blocks"].value() == 40


def test_tree_shows_values_with_units(window: MainWindow, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: "laser.power" in window.panels.instruments._items, timeout=3000)
    assert item(window, "laser.power").text(1) == "1 mW"
    assert item(window, "laser.emission").text(1) == "on"
    assert item(window, "cryostat.temperature").text(1) == "–"
    assert item(window, "cryostat.temperature").text(2) == "never"


def double_click(qtbot: Any, window: MainWindow, name: str) -> None:
    tree = window.panels.instruments.tree
    tree.scrollToItem(item(window, name))
    place = tree.visualItemRect(item(window, name)).center()
    place.setX(tree.columnViewportPosition(1) + 20)
    qtbot.mouseClick(tree.viewport(), LEFT, pos=place)
    qtbot.mouseDClick(tree.viewport(), LEFT, pos=place)


def type_value(qtbot: Any, window: MainWindow, name: str, text: str) -> None:
    qtbot.waitUntil(lambda: name in window.panels.instruments._items, timeout=3000)
    double_click(qtbot, window, name)
    editor = window.panels.instruments.tree.indexWidget(window.panels.instruments.tree.currentIndex())
    editor = editor or window.focusWidget()
    editor.selectAll()  # type: ignore[union-attr]
    qtbot.keyClicks(editor, text)
    qtbot.keyClick(editor, Qt.Key.Key_Return)


def test_a_setting_within_limits(qtbot: Any, window: MainWindow, lab: Any) -> None:
    type_value(qtbot, window, "laser.power", "2.5 mW")
    qtbot.waitUntil(lambda: lab.laser.power.cache.get() == 0.0025, timeout=3000)
    qtbot.waitUntil(lambda: item(window, "laser.power").text(1) == "2.5 mW", timeout=3000)
    assert not window.panels.instruments.refusal.isVisible()


def test_a_setting_beyond_the_limit_is_refused_with_the_limit(qtbot: Any, window: MainWindow, lab: Any) -> None:
    type_value(qtbot, window, "laser.power", "20 mW")
    qtbot.waitUntil(window.panels.instruments.refusal.isVisible, timeout=3000)
    assert "allowed 0 W … 10 mW" in window.panels.instruments.refusal.text()
    assert lab.laser.power.cache.get() == 0.001


def test_a_setting_in_a_wrong_unit_is_refused(qtbot: Any, window: MainWindow, lab: Any) -> None:
    type_value(qtbot, window, "laser.power", "2 V")
    qtbot.waitUntil(lambda: "expected W" in window.panels.instruments.refusal.text(), timeout=3000)
    assert lab.laser.power.cache.get() == 0.001


def test_a_switch_is_turned_by_double_click(qtbot: Any, window: MainWindow, lab: Any) -> None:
    qtbot.waitUntil(lambda: "laser.emission" in window.panels.instruments._items, timeout=3000)
    double_click(qtbot, window, "laser.emission")
    qtbot.waitUntil(lambda: lab.laser.emission.cache.get() is False, timeout=3000)


def test_a_measured_value_is_read_by_double_click(qtbot: Any, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: "cryostat.temperature" in window.panels.instruments._items, timeout=3000)
    double_click(qtbot, window, "cryostat.temperature")
    qtbot.waitUntil(lambda: item(window, "cryostat.temperature").text(1) == "0.5 K", timeout=3000)
    assert item(window, "cryostat.temperature").text(2) == "now"


def test_filter(qtbot: Any, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: "laser.power" in window.panels.instruments._items, timeout=3000)
    qtbot.keyClicks(window.panels.instruments.filter, "temp")
    assert item(window, "laser.power").isHidden()
    assert item(window, "laser.power").parent().isHidden()
    assert not item(window, "cryostat.temperature").isHidden()


def test_bins_are_joined_by_the_slider(qtbot: Any, window: MainWindow) -> None:
    start(qtbot, window, 5)
    qtbot.waitUntil(lambda: ended(window) and window.panels.correlations.plot.shown is not None, timeout=10000)
    before = window.view.histograms["arrival"]
    qtbot.keyClick(window.panels.correlations.bins, Qt.Key.Key_Right)
    _, y = window.panels.correlations.plot.steps.getData()
    assert np.array_equal(y, before.counts.reshape(-1, 2).sum(axis=1))
    assert window.panels.correlations.bin_text.text() == "200 ps"


def test_log_scale(qtbot: Any, window: MainWindow) -> None:
    start(qtbot, window, 5)
    qtbot.waitUntil(lambda: ended(window) and window.panels.correlations.plot.shown is not None, timeout=10000)
    qtbot.mouseClick(window.panels.correlations.log, LEFT)
    assert window.panels.correlations.log.isChecked()
    qtbot.wait(60)
    assert window.panels.correlations.plot.getAxis("left").logMode


def test_theme_changes_and_is_kept(qtbot: Any, window: MainWindow) -> None:
    assert window.settings.value("theme") == "dark"
    window.actions_by_name["theme"].trigger()
    assert window.settings.value("theme") == "light"
    assert window.palette().window().color().lightness() > 200


def test_a_second_window_sees_the_same_run(qtbot: Any, window: MainWindow, engine: EngineClient) -> None:
    start(qtbot, window, 5)
    qtbot.waitUntil(lambda: ended(window), timeout=10000)
    second = MainWindow(["bench_lab"], window.settings)
    qtbot.addWidget(second)
    second.open("bench_lab", None)
    qtbot.waitUntil(lambda: ended(second), timeout=5000)
    assert second.view.estimates == window.view.estimates


def test_closing_leaves_the_run_alone(qtbot: Any, window: MainWindow, engine: EngineClient) -> None:
    start(qtbot, window, 100)
    window.close()
    qtbot.waitUntil(lambda: engine.status().state == "idle", timeout=10000)
    last = [d.content for d in __import__("itertools").islice(engine.documents(), engine.status().next_index)][-1]
    assert last["type"] == "RunStop"
    assert last["status"] == "done"


def test_empty_panels_say_what_to_do(window: MainWindow) -> None:
    for panel, words in [
        (window.panels.correlations, "Press Run"),
        (window.panels.results, "No result yet"),
        (window.panels.rates, "Start a run"),
    ]:
        assert panel.body.currentIndex() == 0
        assert words in panel.body.hint.text()
