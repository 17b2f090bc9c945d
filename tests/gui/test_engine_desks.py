"""What the desks ask of a real engine and show of its answers: queue, presets, restart, report, alarms, guide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt

from erbia.gui import runs_desk
from erbia.gui.main_window import MainWindow
from erbia.sequences.engine.client import EngineClient
from erbia.sequences.presets import read_preset

LEFT = Qt.MouseButton.LeftButton


def set_blocks(window: MainWindow, blocks: int) -> None:
    window.panels.experiment.show_config("bench", {"blocks": blocks})


def test_queued_runs_are_played_in_turn_with_times_and_differences(
    qtbot: Any, window: MainWindow, engine: EngineClient
) -> None:
    queue = window.panels.queue
    window.docks.right.setCurrentIndex(0)
    for blocks in (100_000, 3, 4):
        set_blocks(window, blocks)
        qtbot.mouseClick(window.panels.experiment.queue, LEFT)
    window.docks.right.setCurrentIndex(1)
    qtbot.waitUntil(lambda: queue.table.rowCount() == 3, timeout=30000)
    qtbot.waitUntil(lambda: queue.table.item(0, 2).text() not in ("", "unknown"), timeout=30000)
    assert queue.table.item(2, 0).text() == "bench\nblocks: 3 → 4"
    qtbot.mouseClick(queue.table.viewport(), LEFT, pos=queue.table.visualItemRect(queue.table.item(2, 0)).center())
    qtbot.mouseClick(queue.up, LEFT)
    qtbot.waitUntil(
        lambda: [e.order.config["blocks"] for e in engine.queue().entries] == [100_000, 4, 3], timeout=30000
    )
    qtbot.waitUntil(lambda: queue.table.item(1, 0).text() == "bench\nblocks: 100000 → 4", timeout=30000)
    chosen = queue.chosen()
    assert chosen is not None
    assert chosen.order.config["blocks"] == 4
    qtbot.mouseClick(queue.cancel, LEFT)
    qtbot.waitUntil(lambda: [e.order.config["blocks"] for e in engine.queue().entries] == [100_000, 3], timeout=30000)
    engine.stop("now")


def test_a_held_queue_says_why_until_it_is_released(qtbot: Any, window: MainWindow, engine: EngineClient) -> None:
    window.docks.right.setCurrentIndex(1)
    qtbot.mouseClick(window.panels.queue.hold, LEFT)
    qtbot.waitUntil(window.panels.queue.held.isVisible, timeout=20000)
    assert window.panels.queue.held.text() == "held: held in the window"
    assert window.banner.isVisible()
    qtbot.mouseClick(window.panels.queue.hold, LEFT)
    qtbot.waitUntil(lambda: not window.panels.queue.held.isVisible(), timeout=20000)
    assert engine.queue().held == ""


def test_a_preset_is_kept_and_filled_in_again(qtbot: Any, window: MainWindow) -> None:
    panel = window.panels.experiment
    set_blocks(window, 17)
    panel.preset.setEditText("")
    qtbot.keyClicks(panel.preset.lineEdit(), "mine")
    qtbot.mouseClick(panel.keep, LEFT)
    qtbot.waitUntil(lambda: panel.preset.findText("mine") >= 0, timeout=20000)
    assert read_preset("bench", "mine") == {"blocks": 17}
    qtbot.mouseClick(panel.defaults, LEFT)
    assert panel.form is not None
    assert panel.form.entries["blocks"].value() == 40
    panel.preset.setCurrentIndex(panel.preset.findText("mine"))
    panel.preset.activated.emit(panel.preset.currentIndex())
    qtbot.waitUntil(lambda: panel.form is not None and panel.form.entries["blocks"].value() == 17, timeout=20000)


def test_a_preset_needs_a_plain_name(qtbot: Any, window: MainWindow) -> None:
    qtbot.keyClicks(window.panels.experiment.preset.lineEdit(), "../up")
    qtbot.mouseClick(window.panels.experiment.keep, LEFT)
    qtbot.waitUntil(lambda: "letters, digits" in window.log.toPlainText(), timeout=20000)


def test_the_form_says_in_what_it_differs_from_the_last_run(qtbot: Any, window: MainWindow) -> None:
    panel = window.panels.experiment
    set_blocks(window, 3)
    qtbot.mouseClick(panel.run, LEFT)
    qtbot.waitUntil(lambda: window.view.outcome == "done", timeout=10000)
    assert panel.differs.text() == "as the last run"
    set_blocks(window, 5)
    assert panel.differs.text() == "differs from the last run: blocks: 3 → 5"
    assert window.banner.text.text().startswith("bench done")


def test_the_dry_run_is_shown_before_run(qtbot: Any, window: MainWindow) -> None:
    budget = window.panels.experiment.budget
    qtbot.waitUntil(budget.isVisible, timeout=20000)
    assert [budget.item(0, k).text() for k in range(2)] == ["run time", "1 s"]


def test_an_instrument_is_restarted_or_says_why_not(qtbot: Any, window: MainWindow) -> None:
    panel = window.panels.instruments
    qtbot.waitUntil(lambda: "laser.power" in panel._items, timeout=20000)
    assert not panel.restart.isEnabled()
    item = panel._items["laser.power"]
    qtbot.mouseClick(panel.tree.viewport(), LEFT, pos=panel.tree.visualItemRect(item).center())
    assert panel.restart.isEnabled()
    asked: list[str] = []
    panel.restart_wanted.connect(asked.append)
    qtbot.mouseClick(panel.restart, LEFT)
    assert asked == ["laser"]
    qtbot.waitUntil(lambda: "restarting laser" in window.log.toPlainText(), timeout=20000)
    qtbot.waitUntil(lambda: "laser restarted" in window.log.toPlainText() or panel.refusal.isVisible(), timeout=20000)


def test_lamps_say_who_answers(qtbot: Any, window: MainWindow) -> None:
    panel = window.panels.instruments
    qtbot.waitUntil(lambda: bool(panel._tops), timeout=20000)
    assert all(not top.icon(0).isNull() for top in panel._tops)
    assert {top.toolTip(0).split(": ")[1] for top in panel._tops} <= {"answers", "not asked yet"}
    assert "instruments" in window.line.nodes.text()


def test_a_report_is_written_by_the_engine_and_opened(
    qtbot: Any, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Path] = []
    monkeypatch.setattr(runs_desk, "show_file", shown.append)
    monkeypatch.setattr(EngineClient, "write_report", lambda self, *ids: Path("/runs") / f"{'-'.join(ids)}.html")
    window.panels.runs.report_wanted.emit(["a", "b"])
    qtbot.waitUntil(lambda: shown == [Path("/runs/a-b.html")], timeout=20000)


def test_the_guide_walks_along_with_a_first_run(qtbot: Any, window: MainWindow) -> None:
    window.panels.guide.begin()
    set_blocks(window, 5)
    qtbot.mouseClick(window.panels.experiment.run, LEFT)
    qtbot.waitUntil(lambda: window.panels.guide.step == 3, timeout=10000)
    qtbot.mouseClick(window.panels.guide.close_button, LEFT)
    assert not window.panels.guide.isVisible()
    assert window.settings.value("guided")


def test_invalid_data_are_not_missed(qtbot: Any, window: MainWindow) -> None:
    window._notice({"type": "Validity", "valid": False, "source": "alice", "reason": "detector latched", "t_ps": 0})
    assert window.banner.isVisible()
    assert "detector latched" in window.banner.text.text()
    qtbot.mouseClick(window.banner.dismiss, LEFT)
    assert not window.banner.isVisible()


def test_tabs_are_turned_by_keys(qtbot: Any, window: MainWindow) -> None:
    window.activateWindow()
    seen = []
    for _ in range(window.tabs.count()):
        seen.append(window.tabs.tabText(window.tabs.currentIndex()))
        qtbot.keyClick(window, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    assert seen[:7] == ["Overview", "Heralds", "Correlations", "Scan", "State", "Rates", "Runs"]
    assert len(set(seen)) == 12
    assert window.tabs.currentIndex() == 0


def test_every_empty_tab_says_what_to_do(qtbot: Any, window: MainWindow) -> None:
    from erbia.gui.widgets import Hinted

    for place in range(window.tabs.count()):
        window.tabs.setCurrentIndex(place)
        hints = [body for body in window.tabs.currentWidget().findChildren(Hinted) if body.isVisible()]
        for body in hints:
            assert body.currentIndex() == 1 or len(body.hint.text()) > 25, window.tabs.tabText(place)
        assert hints, window.tabs.tabText(place)


def test_everything_fits_a_small_laptop(qtbot: Any, window: MainWindow) -> None:
    """1366×768 less the task bar; every tab and the tool bar can be seen whole."""
    window.resize(1366, 740)
    window.docks.reset()
    qtbot.wait(50)
    for place in range(window.tabs.count()):
        window.tabs.setCurrentIndex(place)
        qtbot.wait(5)
        assert window.size().width() == 1366, window.tabs.tabText(place)
        assert window.size().height() == 740, window.tabs.tabText(place)
        assert window.panels.centre.width() >= 600
    bar = window.tabs.tabBar()
    assert bar.tabRect(bar.count() - 1).right() <= window.tabs.width()
    off = window.tool_bar.widgetForAction(window.all_off_action)
    assert off.geometry().right() <= window.width()
