"""Ranges rest while data move, areas are drawn as given, and a frame costs little."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erbia.gui.plot_items import calm_range
from erbia.gui.plots import BandPlot, HistogramPlot, Plot
from erbia.gui.theme import DARK, LIGHT, veil
from erbia.gui.view_models import Histogram

NUMBERS = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(NUMBERS, st.floats(0, 1e6)), min_size=1, max_size=30))
def test_whatever_comes_is_inside_the_range_and_fills_half_of_it(steps: list[tuple[float, float]]) -> None:
    shown = None
    for low, span in steps:
        shown = calm_range(shown, [low, low + span])
        assert shown is not None
        assert shown[0] <= low + 0.011 * span
        assert low + span <= shown[1] + 0.011 * span
        assert span >= 0.5 * (shown[1] - shown[0]) - 1e-9


def test_a_range_rests_until_the_data_leave_it() -> None:
    shown = calm_range([0.0, 10.0], [1.0, 9.0])
    assert shown == [0.0, 10.0]
    assert calm_range(shown, [1.0, 11.0]) == [1.0, 12.0], "room ahead, on the side it left by"
    assert calm_range(shown, [1.0, 5.0]) == [1.0, 5.0], "drawn in again"
    assert calm_range(shown, None) is None


def plot(qtbot: Any, kind: type[Plot]) -> Any:
    made = kind(("value", ""), ("time", "s")) if kind is Plot else kind()  # type: ignore[call-arg]
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.paint(DARK)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_axes_keep_their_numbers_while_a_strip_grows(qtbot: Any) -> None:
    strip = plot(qtbot, Plot)
    ranges = []
    for n in range(1000, 1050):
        strip.line("a", DARK).setData(np.arange(n, dtype=float), np.sin(np.arange(n)))
        strip.settle()
        ranges.append(tuple(strip.viewRange()[0]))
    assert len(set(ranges)) <= 3
    strip.begin_anew()
    strip.line("a", DARK).setData(np.arange(10.0), np.arange(10.0))
    strip.settle()
    assert strip.viewRange()[0][1] < 11


def test_a_band_is_the_area_between_its_edges(qtbot: Any) -> None:
    band = plot(qtbot, BandPlot)
    t_s, value = np.arange(5.0), np.array([1.0, np.nan, 1.0, 1.0, 1.0])
    band.show_history("fidelity", "", t_s, value, value - 0.5, value + 0.5)
    corners = band.band._polygon
    assert [(p.x(), p.y()) for p in corners.toList()][:4] == [(0, 0.5), (2, 0.5), (3, 0.5), (4, 0.5)]
    assert len(corners.toList()) == 8
    assert band.value.getOriginalDataset()[0].tolist() == [0, 2, 3, 4]


def test_a_band_is_painted(qtbot: Any) -> None:
    band = plot(qtbot, BandPlot)
    value = np.full(50, 0.5)
    band.show_history("f", "", np.arange(50.0), value, value - 0.2, value + 0.2)
    band.settle()
    image = band.grab().toImage()
    colours = [image.pixelColor(200, y).name() for y in range(image.height())]
    assert colours.count(veil(DARK, DARK.accent, 0.18).name()) > 50


def test_a_veil_lies_between_colour_and_panel() -> None:
    assert veil(LIGHT, "#000000", 0.0).name() == LIGHT.panel
    assert veil(LIGHT, "#000000", 1.0).name() == "#000000"
    assert veil(LIGHT, "#000000", 0.5).name() == "#808080"


def test_a_frame_paints_each_plot_once(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    histogram = plot(qtbot, HistogramPlot)
    painted = []
    paint = HistogramPlot.paintEvent
    monkeypatch.setattr(HistogramPlot, "paintEvent", lambda self, event: (painted.append(1), paint(self, event))[1])
    for k in range(10):
        counts = np.full(100, 10 * (k + 1), np.int64)
        histogram.show_histogram(Histogram(np.arange(100, dtype=np.int64), counts, 1))
        histogram.settle()
        qtbot.wait(30)
    assert len(painted) <= 12


def test_what_is_joined_for_drawing_keeps_every_count(qtbot: Any) -> None:
    histogram = plot(qtbot, HistogramPlot)
    counts = np.random.default_rng(1).integers(0, 9, 6000)
    histogram.show_histogram(Histogram(np.arange(6000, dtype=np.int64), counts, 1))
    _, drawn = histogram.steps.getData()
    assert len(drawn) < 1000
    assert drawn.sum() == counts[: len(counts) // (6000 // len(drawn)) * (6000 // len(drawn))].sum()


def test_a_pure_number_has_no_prefix_and_a_unit_does(qtbot: Any) -> None:
    made = plot(qtbot, Plot)
    assert made.label("bottom") == "time (s)"
    assert made.label("left") == "value"
    made.name_axis("left", "power", "W")
    assert made.label("left") == "power (W)"
    assert made.getAxis("left").autoSIPrefix
    made.name_axis("left", "ratio", "")
    assert not made.getAxis("left").autoSIPrefix


def test_frames_lose_no_reference_to_none(qtbot: Any) -> None:
    """PySide6 6.12 lost about one a call of the painter; Python 3.11 then dies. A subset of ``benchmarks/gui.py``."""
    histogram = plot(qtbot, HistogramPlot)
    shown = Histogram(np.arange(50, dtype=np.int64), np.arange(50, dtype=np.int64), 1)

    def draw(frames: int) -> None:
        for _ in range(frames):
            histogram.show_histogram(shown)
            histogram.grab()

    draw(20)
    before = sys.getrefcount(None)
    draw(200)
    assert sys.getrefcount(None) - before > -150, "less than one lost a frame"
