"""Scans: what is drawn is the data, the cursor fit fits what lies between the cursors, a click cuts through a map."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from erbia.gui.fit_bar import NO_FIT
from erbia.gui.map_plot import MapPlot, cell_edges, split_label
from erbia.gui.scan_panel import ScanPanel
from erbia.gui.theme import DARK
from erbia.gui.view_models import RunView

LEFT = Qt.MouseButton.LeftButton
X = np.linspace(-5e-9, 5e-9, 41)
PEAK = 3 + 20 * np.exp(-4 * np.log(2) * ((X - 1e-9) / 2e-9) ** 2)


def curve(x: Any, y: Any, **fit: Any) -> dict[str, Any]:
    y = np.asarray(y, float)
    parts = {"fit_x": [], "fit": [], "residuals": []} | fit
    return {
        "x": list(x), "x_label": "delay (s)", "y_label": "rate (Hz)", "measured": [None if np.isnan(v) else v for v in y],
        "lower": list(np.nan_to_num(y - 1)), "upper": list(np.nan_to_num(y + 1)), **parts,
    }  # fmt: skip


def image(z: Any) -> dict[str, Any]:
    z = np.asarray(z, float)
    cells = [[None if np.isnan(v) else v for v in row] for row in z]
    x, y = np.arange(z.shape[1]) * 1e-6, np.arange(z.shape[0]) * 10.0
    return {
        "x": list(x),
        "y": list(y),
        "z": cells,
        "x_label": "bias (A)",
        "y_label": "power (W)",
        "z_label": "rate (Hz)",
    }


def run(curves: dict[str, Any] | None = None, images: dict[str, Any] | None = None) -> RunView:
    view = RunView()
    content = {"type": "Result", "estimates": {}, "histograms": {}, "counts": {}}
    view.apply(content | {"curves": curves or {}, "images": images or {}}, 0.0)
    return view


@pytest.fixture
def panel(qtbot: Any) -> ScanPanel:
    panel = ScanPanel()
    qtbot.addWidget(panel)
    panel.resize(900, 600)
    panel.paint(DARK)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def pick(qtbot: Any, combo: Any, text: str) -> None:
    """Chooses an entry with the keyboard."""
    while combo.currentText() != text:
        before = combo.currentIndex()
        qtbot.keyClick(combo, Qt.Key.Key_Down if combo.findText(text) > before else Qt.Key.Key_Up)
        assert combo.currentIndex() != before


def test_points_that_are_not_measured_yet_are_left_out(panel: ScanPanel) -> None:
    y = np.arange(41.0)
    y[30:] = np.nan
    panel.show_run(run({"scan": curve(X, y)}))
    x, drawn = panel.plot.points.getOriginalDataset()
    assert np.array_equal(drawn, y[:30])
    assert np.array_equal(x, X[:30])
    assert panel.readout.text() == "30 of 41 points"
    assert panel.plot.label("bottom") == "delay (s)"
    assert panel.plot.label("left") == "rate (Hz)"


def test_the_fit_of_the_run_is_drawn_with_its_residuals(panel: ScanPanel) -> None:
    panel.show_run(run({"scan": curve([1.0, 2.0], [3.0, 4.0], fit_x=[0, 5], fit=[7, 8], residuals=[0.5, -0.5])}))
    assert panel.plot.fit.getOriginalDataset()[1].tolist() == [7, 8]
    assert panel.residuals.points.getOriginalDataset()[1].tolist() == [0.5, -0.5]


def test_a_fit_between_the_cursors(qtbot: Any, panel: ScanPanel) -> None:
    panel.show_run(run({"scan": curve(X, PEAK)}))
    panel.plot.settle()
    pick(qtbot, panel.fits.model, "gaussian")
    assert panel.fits.gate.isChecked()
    assert panel.fits.cursors.isVisible()
    assert "center 1.000 ± " in panel.fits.text.text()
    assert "fwhm 2.000 ± " in panel.fits.text.text()
    x, fitted = panel.plot.fit.getOriginalDataset()
    assert fitted == pytest.approx(3 + 20 * np.exp(-4 * np.log(2) * ((x - 1e-9) / 2e-9) ** 2), abs=1e-3)
    low, high = panel.fits.region()
    assert x.min() >= low
    assert x.max() <= high
    qtbot.mouseClick(panel.fits.gate, LEFT)
    assert panel.fits.model.currentText() == NO_FIT
    assert panel.plot.fit.getOriginalDataset()[0] is None, "no fit, no curve"


def test_cursors_follow_the_sliders(qtbot: Any, panel: ScanPanel) -> None:
    panel.show_run(run({"scan": curve(X, PEAK)}))
    panel.plot.settle()
    qtbot.mouseClick(panel.fits.gate, LEFT)
    before = panel.fits.region()
    for _ in range(5):
        qtbot.keyClick(panel.fits.sliders[0], Qt.Key.Key_PageUp)
    after = panel.fits.region()
    assert after[0] > before[0]
    assert after[1] == pytest.approx(before[1], abs=2e-11)
    panel.fits.cursors.setRegion((0.0, 2e-9))
    low, high = (slider.value() / 1000 for slider in panel.fits.sliders)
    span = panel.fits._span
    assert span[0] + low * (span[1] - span[0]) == pytest.approx(0.0, abs=2e-11)
    assert span[0] + high * (span[1] - span[0]) == pytest.approx(2e-9, abs=2e-11)


def test_too_few_points_for_a_fit_are_said(qtbot: Any, panel: ScanPanel) -> None:
    panel.show_run(run({"scan": curve([0.0, 1.0], [1.0, 2.0])}))
    panel.plot.settle()
    pick(qtbot, panel.fits.model, "lorentzian")
    assert "needs 5 points" in panel.fits.text.text()


def test_a_map_is_drawn_cell_by_cell(panel: ScanPanel) -> None:
    z = np.arange(12.0).reshape(3, 4)
    z[2, 3] = np.nan
    panel.show_run(run(images={"map": image(z)}))
    assert np.array_equal(panel.map.image.image, z, equal_nan=True)
    assert panel.map.bar.levels() == (0.0, 10.0)
    assert panel.map.label("bottom") == "bias (A)"
    assert not panel.fits.isVisible()
    rect = panel.map.image.mapRectToView(panel.map.image.boundingRect())
    assert (rect.left(), rect.right()) == pytest.approx((-0.5e-6, 3.5e-6))
    assert (rect.top(), rect.bottom()) == pytest.approx((-5, 25))


def test_a_click_on_a_map_tells_the_value_and_cuts(qtbot: Any, panel: ScanPanel) -> None:
    z = np.arange(12.0).reshape(3, 4)
    panel.show_run(run(images={"map": image(z)}))
    panel.map.settle()
    qtbot.wait(30)
    scene = panel.map.getViewBox().mapViewToScene(
        panel.map.getViewBox().mapToView(panel.map.getViewBox().rect().center())
    )
    place = panel.map.mapFromScene(scene)
    qtbot.mouseClick(panel.map.viewport(), LEFT, pos=QPoint(round(place.x()), round(place.y())))
    view = panel.map.getViewBox().mapSceneToView(scene)
    row, column = round(view.y() / 10), round(view.x() / 1e-6)
    qtbot.waitUntil(panel.map.cross[0].isVisible, timeout=2000)
    assert panel.map.cross[1].value() == pytest.approx(10 * row, abs=10.1)
    shown = round(panel.map.cross[1].value() / 10)
    assert panel.cut.points.getOriginalDataset()[1].tolist() == z[shown].tolist()
    assert f"{z[shown, round(panel.map.cross[0].value() / 1e-6)]:g} Hz at " in panel.readout.text()
    assert abs(column - panel.map.cross[0].value() / 1e-6) <= 1.01


def test_curves_and_maps_are_chosen_by_name(qtbot: Any, panel: ScanPanel) -> None:
    panel.show_run(
        run({"first_scan": curve([0.0], [1.0]), "second": curve([0.0], [2.0])}, {"a_map": image([[1.0, 2.0]])})
    )
    assert [panel.choice.itemText(k) for k in range(3)] == ["first scan", "second", "a map"]
    pick(qtbot, panel.choice, "second")
    assert panel.plot.points.getOriginalDataset()[1].tolist() == [2.0]
    pick(qtbot, panel.choice, "a map")
    assert panel.pages.currentIndex() == 1


def test_a_map_as_a_table_has_every_cell(qtbot: Any) -> None:
    plot = MapPlot()
    qtbot.addWidget(plot)
    assert plot.columns() == []
    plot.show_map(run(images={"map": image([[1.0, 2.0], [3.0, 4.0]])}).images["map"])
    assert [name for name, _ in plot.columns()] == ["bias (A)", "rate (Hz)", "power (W)"]
    assert plot.columns()[1][1].tolist() == [1, 2, 3, 4]


def test_labels_and_edges() -> None:
    assert split_label("storage time (s)") == ("storage time", "s")
    assert split_label("probability") == ("probability", "")
    assert cell_edges(np.array([1.0, 2.0, 3.0])) == (0.5, 3.5)
    assert cell_edges(np.array([4.0])) == (3.5, 4.5)
