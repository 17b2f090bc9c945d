"""A density matrix: every bar as high as its element, up for positive, down for negative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

from erbia.gui.state_panel import StatePanel
from erbia.gui.state_plot import corner, faces
from erbia.gui.theme import DARK, LIGHT
from erbia.gui.view_models import RunView

BELL = np.zeros((4, 4), complex)
BELL[1:3, 1:3] = [[0.5, 0.4 + 0.1j], [0.4 - 0.1j, 0.5]]


def run(**states: np.ndarray) -> RunView:
    view = RunView()
    fidelity = {"value": 0.9, "lower": 0.85, "upper": 0.95, "confidence": 0.95, "std": None, "n": 9, "method": "m"}
    view.apply(
        {
            "type": "Result", "estimates": {"fidelity": fidelity, "herald_rate_hz": fidelity}, "histograms": {}, "counts": {},
            "states": {name: {"re": s.real.tolist(), "im": s.imag.tolist()} for name, s in states.items()},
        },
        0.0,
    )  # fmt: skip
    return view


@pytest.fixture
def panel(qtbot: Any) -> StatePanel:
    panel = StatePanel()
    qtbot.addWidget(panel)
    panel.resize(900, 500)
    panel.paint(DARK)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def test_both_parts_are_drawn_as_they_are(panel: StatePanel) -> None:
    panel.show_run(run(psi=BELL))
    assert np.array_equal(panel.real.city.values, BELL.real)
    assert np.array_equal(panel.imaginary.city.values, BELL.imag)
    assert [(f.caption.text(), f.value.text()) for f in panel.figures if f.isVisible()] == [("fidelity F", "0.900")]
    assert {text.toPlainText() for text in panel.real._numbers} == {"0.40", "0.50"}


def test_a_bar_is_as_high_as_its_element() -> None:
    floor, top = corner(0, 0, 0.0), corner(0, 0, 0.5)
    assert top.x() == floor.x()
    up = faces(1, 2, 0.5)[2].boundingRect().center().y()
    down = faces(1, 2, -0.5)[2].boundingRect().center().y()
    ground = faces(1, 2, 0.0)[2].boundingRect().center().y()
    assert up - ground == pytest.approx(top.y() - floor.y())
    assert down == pytest.approx(ground), "of a bar that goes down one sees its top at the floor"
    assert faces(1, 2, -0.5)[0].boundingRect().height() > faces(1, 2, -0.1)[0].boundingRect().height()


def test_bars_are_painted_in_two_colours(panel: StatePanel) -> None:
    panel.show_run(run(psi=BELL))
    picture = panel.imaginary.grab().toImage()
    colours = {
        picture.pixelColor(x, y).name() for x in range(0, picture.width(), 2) for y in range(0, picture.height(), 2)
    }
    from PySide6.QtGui import QColor

    for colour in (DARK.accent, DARK.warn):
        assert {QColor(colour).darker(shade).name() for shade in (100, 135, 160)} & colours


def test_one_qubit_too_and_the_states_have_names(qtbot: Any, panel: StatePanel) -> None:
    one = np.array([[0.7, 0.1], [0.1, 0.3]], complex)
    panel.show_run(run(psi=BELL, memory_alice=one))
    assert [panel.choice.itemText(k) for k in range(2)] == ["psi", "memory alice"]
    qtbot.keyClick(panel.choice, Qt.Key.Key_Down)
    assert panel.real.city.values.shape == (2, 2)
    assert sorted(text.toPlainText() for text in panel.real._texts) == ["|0⟩", "|1⟩", "⟨0|", "⟨1|"]
    assert [values.tolist() for _, values in panel.real.columns()] == [[0, 1, 2, 3], [0.7, 0.1, 0.1, 0.3]]


def test_empty_it_says_what_to_run_and_takes_any_theme(panel: StatePanel) -> None:
    panel.show_run(RunView())
    assert panel.body.currentIndex() == 0
    assert "tomography" in panel.body.hint.text()
    panel.paint(LIGHT)
    assert panel.real.columns() == []
