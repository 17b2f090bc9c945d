"""Every button and tick box of the window is reached by a real click, and none raises."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QTabWidget, QToolButton, QWidget

from erbia.gui import runs_desk
from erbia.gui.main_window import MainWindow
from erbia.gui.view_models import RunView
from erbia.sequences.engine.queue_values import CalibrationStatus, QueueEntry, QueueState, RunOrder
from erbia.sequences.engine.values import RunSummary

LEFT = Qt.MouseButton.LeftButton


def named_buttons(window: MainWindow) -> dict[str, QAbstractButton]:
    """Every button somebody can be meant to press, by name; Qt's own parts are left out."""
    all_buttons = window.findChildren(QAbstractButton)
    found = [b for b in all_buttons if b.objectName().islower() and not b.objectName().startswith("qt_")]
    return {f"{type(b).__name__} {b.objectName()}": b for b in found}


def something_everywhere(window: MainWindow) -> None:
    """A run, an entry, a calibration and an instrument, each chosen."""
    panels = window.panels
    view = RunView()
    rates = {"a": 100.0, "b": 50.0}
    for k in range(3):
        view.apply(
            {
                "type": "Tags", "source": "s", "t_start_ps": k, "t_stop_ps": k + 1, "n": 1, "overflow": False, "missed": 0,
                "rates_hz": rates,
            },
            0.0,
        )  # fmt: skip
    curve = {
        "x": [0.0, 1.0],
        "x_label": "t (s)",
        "y_label": "p",
        "measured": [1.0, 0.5],
        "lower": [0.9, 0.4],
        "upper": [1.1, 0.6],
    }
    curve |= {"fit_x": [], "fit": [], "residuals": []}
    histogram = {"lag_ps": [0, 10, 20], "counts": [1, 5, 2], "bin_ps": 10}
    view.apply(
        {
            "type": "Result",
            "estimates": {},
            "histograms": {"arrival": histogram},
            "counts": {},
            "curves": {"scan": curve},
        },
        0.0,
    )
    window.live = window.view = view
    panels.runs.show_runs([RunSummary("20260101T000000-a", "", "bench", "done", "2026", True, 1, False, "", {})])
    panels.runs.table.selectRow(0)
    entries = [QueueEntry(k, RunOrder.of("bench", {"blocks": k}), "queued", 0, 0.0) for k in (1, 2, 3)]
    panels.queue.show_queue(QueueState(tuple(entries), ""), None)
    panels.queue.table.selectRow(1)
    status = CalibrationStatus("c", 0, (), "bench", "f", "never", "", None, None, 60.0, "")
    panels.calibrations.show_calibrations([status])
    panels.calibrations.table.selectRow(0)
    panels.instruments.tree.setCurrentItem(panels.instruments.tree.topLevelItem(0))
    panels.banner.warn("something")
    if not panels.guide.isVisible():
        panels.guide.begin()
    window._draw()
    window.panels.show_run(view)


def bring_to_front(window: MainWindow, button: QWidget) -> None:
    """Turns every tab that holds the button to it."""
    inner: QWidget | None = button
    while inner is not None:
        for tabs in window.findChildren(QTabWidget):
            place = tabs.indexOf(inner)
            if place >= 0:
                tabs.setCurrentIndex(place)
        inner = inner.parentWidget()
    window.panels.show_run(window.view)


def test_every_button_is_reached(qtbot: Any, window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_desk, "show_file", lambda path: None)
    qtbot.waitUntil(lambda: window.panels.instruments.tree.topLevelItemCount() > 0, timeout=5000)
    reached = set()
    buttons = named_buttons(window)
    for name, button in buttons.items():
        if isinstance(button, QToolButton) and button.objectName() == "menu":
            reached.add(name)  # opens a menu that waits; its entries are tried in test_actions.py
            continue
        something_everywhere(window)
        bring_to_front(window, button)
        something_everywhere(window)
        pressed: list[bool] = []
        button.clicked.connect(lambda *_, pressed=pressed: pressed.append(True))
        place = QPoint(8, button.height() // 2) if isinstance(button, QCheckBox) else button.rect().center()
        assert button.isVisible(), name
        if not button.isEnabled():
            assert isinstance(button, QToolButton), f"{name} cannot be pressed"
            reached.add(name)  # Pause, Stop: only while a run is under way; pressed in test_main_window.py
            continue
        qtbot.mouseClick(button, LEFT, pos=place)
        if pressed:
            reached.add(name)
    assert reached == set(buttons)
    assert len(reached) >= 30
    assert window.isVisible()
