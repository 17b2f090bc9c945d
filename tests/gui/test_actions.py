"""Every action and button of the window does something, by real clicks; a thousand random clicks break nothing."""

from __future__ import annotations

import random
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QSettings, Qt, QTimer
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QPushButton, QWidget

from erbia.gui.main_window import MainWindow, fitting_pt
from erbia.sequences.engine.client import EngineClient

LEFT = Qt.MouseButton.LeftButton


def record(qtbot: Any, window: MainWindow, blocks: int = 6) -> None:
    """A short run, to its end."""
    window.panels.experiment.show_config("bench", {"blocks": blocks})
    qtbot.mouseClick(window.panels.experiment.run, LEFT)
    qtbot.waitUntil(lambda: bool(window.view.outcome), timeout=20000)
    qtbot.waitUntil(window.run_action.isEnabled, timeout=5000)
    qtbot.wait(120)


def choose(qtbot: Any, window: MainWindow, name: str) -> None:
    """Clicks an entry of the menu."""
    menu = window.menu_button.menu()
    menu.popup(window.menu_button.mapToGlobal(QPoint(0, 30)))
    qtbot.mouseClick(menu, LEFT, pos=menu.actionGeometry(window.actions_by_name[name]).center())
    menu.close()


def clipboard() -> str:
    return QGuiApplication.clipboard().text()


def check_copy(words: str) -> Callable[[Any, MainWindow], None]:
    def check(qtbot: Any, window: MainWindow) -> None:
        assert words in clipboard()

    return check


def check_theme(qtbot: Any, window: MainWindow) -> None:
    assert window.settings.value("theme") == "light"


def check_picture(qtbot: Any, window: MainWindow) -> None:
    assert QGuiApplication.clipboard().pixmap().width() > 100


def check_frozen(qtbot: Any, window: MainWindow) -> None:
    assert window.actions_by_name["freeze"].isChecked()
    frozen = window.panels.correlations.plot._frozen[0].getOriginalDataset()
    assert np.array_equal(frozen[1], window.view.histograms["arrival"].counts)
    choose(qtbot, window, "freeze")
    assert not window.panels.correlations.plot._frozen


def check_redrawn(qtbot: Any, window: MainWindow) -> None:
    """What was copied draws the same numbers."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("Agg")
    copied = Path(window.settings.fileName()).with_name("copied.py")
    copied.write_text(QGuiApplication.clipboard().text(), encoding="utf-8")
    runpy.run_path(str(copied))
    (axes,) = pyplot.gcf().axes
    counts = window.view.histograms["arrival"].counts
    assert any(np.array_equal(line.get_ydata()[: len(counts)], counts) for line in axes.lines)
    pyplot.close("all")


def check_layout(qtbot: Any, window: MainWindow) -> None:
    assert window.docks.log.isVisible()


def check_live(qtbot: Any, window: MainWindow) -> None:
    assert window.view is window.live


def check_larger(qtbot: Any, window: MainWindow) -> None:
    before = QApplication.font().pointSize()
    assert int(str(window.settings.value("font_pt"))) == before
    choose(qtbot, window, "smaller")
    assert QApplication.font().pointSize() == before - 1


def check_undo(qtbot: Any, window: MainWindow) -> None:
    assert "nothing to undo" in window.log.toPlainText()


def check_restart(qtbot: Any, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: window.log.toPlainText().count("connected to the engine") == 2, timeout=5000)


def check_queued(qtbot: Any, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: "bench queued as number" in window.log.toPlainText(), timeout=5000)
    qtbot.waitUntil(lambda: window.log.toPlainText().count("run done") == 2, timeout=10000)


def check_guide(qtbot: Any, window: MainWindow) -> None:
    assert window.panels.guide.isVisible()
    assert "Press Run" in window.panels.guide.text.text()


def check_next_tab(qtbot: Any, window: MainWindow) -> None:
    assert window.tabs.tabText(window.tabs.currentIndex()) == "Heralds"


def check_previous_tab(qtbot: Any, window: MainWindow) -> None:
    assert window.tabs.tabText(window.tabs.currentIndex()) == "Overview"


#: What must be true after each entry of the menu. "smaller" is tried together with "larger".
MENU: dict[str, Callable[[Any, MainWindow], None]] = {
    "theme": check_theme,
    "larger": check_larger,
    "reset_layout": check_layout,
    "live": check_live,
    "freeze": check_frozen,
    "copy_picture": check_picture,
    "copy_table": check_copy('"delay (s)"'),
    "copy_plot_script": check_redrawn,
    "copy_command": check_copy("erbia run bench --station bench_lab --set blocks=6"),
    "copy_script": check_copy('lab.run("bench", **settings)'),
    "copy_yaml": check_copy("bench:\n  blocks: 6"),
    "queue_run": check_queued,
    "guide": check_guide,
    "next_tab": check_next_tab,
    "previous_tab": check_previous_tab,
    "undo": check_undo,
    "restart_engine": check_restart,
}
#: Tried in test_main_window.py by clicks on the tool bar.
BAR = {"run", "pause", "stop", "stop_now", "all_off"}


def test_every_action_of_the_window_is_tried(window: MainWindow) -> None:
    named = {action.objectName() for action in window.findChildren(QAction) if action.objectName()}
    ours = {name for name in named if not name.startswith("_q_")}
    assert ours == set(MENU) | BAR | {"smaller"}


def test_every_action_has_its_own_keys_and_says_what_it_does(window: MainWindow) -> None:
    actions = [*window.actions_by_name.values(), window.run_action, window.pause_action, window.stop_action]
    actions += [window.stop_now_action, window.all_off_action]
    keys = [action.shortcut().toString() for action in actions]
    assert len(set(keys)) == len(keys)
    assert all(keys)
    assert all(action.toolTip() for action in actions)


def test_menu(qtbot: Any, window: MainWindow) -> None:
    """Every entry, one after the other in one window: each leaves the window as the next needs it."""
    record(qtbot, window)
    for name, check in MENU.items():
        choose(qtbot, window, name)
        check(qtbot, window)


def test_every_button_and_field_says_what_it_is_for(window: MainWindow) -> None:
    for widget in window.findChildren(QWidget):
        if (
            isinstance(widget, QPushButton | QComboBox)
            and widget.objectName()
            and not widget.objectName().startswith("qt_")
        ):
            assert widget.toolTip(), f"{widget.objectName()} has no tool tip"


def test_keys_work_without_the_mouse(qtbot: Any, window: MainWindow) -> None:
    window.activateWindow()
    window.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bool(window.view.run_id), timeout=5000)


def test_undo_gives_the_last_parameter_its_value_back(qtbot: Any, window: MainWindow, lab: Any) -> None:
    qtbot.waitUntil(lambda: window.panels.instruments.value("laser.power") == 0.001, timeout=3000)
    window.panels.instruments.set_wanted.emit("laser.power", 0.002)
    qtbot.waitUntil(lambda: lab.laser.power.cache.get() == 0.002, timeout=3000)
    qtbot.waitUntil(lambda: bool(window.instruments.undoable), timeout=3000)
    choose(qtbot, window, "undo")
    qtbot.waitUntil(lambda: lab.laser.power.cache.get() == 0.001, timeout=3000)


def test_the_layout_is_kept(qtbot: Any, window: MainWindow) -> None:
    window.docks.log.hide()
    window.close()
    again = MainWindow(["bench_lab"], window.settings)
    qtbot.addWidget(again)
    again.show()
    assert not again.docks.log.isVisible()
    again.docks.reset()
    assert again.docks.log.isVisible()


def test_the_layout_outlives_a_window_that_is_killed(qtbot: Any, window: MainWindow) -> None:
    window.docks.log.hide()
    window.resize(1200, 640)
    kept = window.settings
    qtbot.waitUntil(lambda: kept.value("geometry") == window.saveGeometry(), timeout=5000)
    second = MainWindow(["bench_lab"], kept)
    qtbot.addWidget(second)
    second.show_as_left()
    assert second.height() == 640, "the width does not fit this screen"
    assert second.docks.log.isHidden()


def test_the_first_window_fills_the_screen(qtbot: Any, tmp_path: Path) -> None:
    window = MainWindow(["bench_lab"], QSettings(str(tmp_path / "new.ini"), QSettings.Format.IniFormat))
    qtbot.addWidget(window)
    window.show_as_left()
    assert window.isMaximized()
    assert window.panels.guide.isVisible()


def test_a_reset_layout_squeezes_nothing(qtbot: Any, window: MainWindow) -> None:
    for _ in range(4):
        window.docks.log.hide()
        window.docks.reset()
        qtbot.wait(20)
    assert window.docks.instruments.width() >= 280
    assert window.panels.centre.width() >= 480


def close_what_waits() -> None:
    for waiting in (QApplication.activePopupWidget(), QApplication.activeModalWidget()):
        if waiting is not None:
            waiting.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_random_clicks_raise_nothing(qtbot: Any, window: MainWindow, engine: EngineClient, seed: int) -> None:
    """Five hundred clicks each, on whatever is there, while runs come and go."""
    chance = random.Random(seed)
    closing = QTimer(window, interval=20)  # a menu or dialog opened by a click would wait for its user for ever
    closing.timeout.connect(close_what_waits)
    closing.start()
    for _ in range(500):
        widgets = [
            w
            for w in window.findChildren(QWidget)
            if w.isVisible() and w.isEnabled() and w.width() > 4 and w.height() > 4 and not w.window().isModal()
        ]
        widget = chance.choice(widgets)
        place = QPoint(chance.randrange(widget.width()), chance.randrange(widget.height()))
        kind = chance.random()
        if isinstance(widget, QLineEdit) and kind < 0.4:
            qtbot.keyClicks(widget, chance.choice(["7", "-1", "2 ms", "x", "", "µA"]))
        elif isinstance(widget, QAbstractButton | QLineEdit) or kind < 0.8:
            qtbot.mouseClick(widget, LEFT, pos=place)
        else:
            qtbot.mouseDClick(widget, LEFT, pos=place)
    qtbot.wait(200)
    assert window.isVisible()
    engine.stop("now")
    qtbot.waitUntil(lambda: engine.status().state == "idle", timeout=10000)


def test_drawing_keeps_every_reference_to_none(qtbot: Any, window: MainWindow) -> None:
    """PySide6 6.12.0 drops one at each call of QPainter and so ends Python 3.11; 300 frames of eight plots here."""
    record(qtbot, window)

    def frames(n: int) -> int:
        before = sys.getrefcount(None)
        for _ in range(n):
            window._refresh()
            window._draw()
            window.grab()
        return sys.getrefcount(None) - before

    frames(20)
    assert frames(100) > -200


@pytest.mark.parametrize(("screen_px", "points"), [(768, 9), (1080, 10), (1440, 13), (2160, 20)])
def test_text_suits_the_screen(screen_px: int, points: int) -> None:
    assert fitting_pt(screen_px) == points
