"""Rates: digits for three metres, a tone that follows, a band that tells when it is left."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetrics

from erbia.gui.big_rates import BigRates, tick_period_s
from erbia.gui.plots import series_pen
from erbia.gui.rates_panel import RateStrip
from erbia.gui.theme import DARK
from erbia.gui.view_models import RunView

LEFT = Qt.MouseButton.LeftButton


def run(*rates: float, blocks: int = 30) -> RunView:
    view = RunView()
    feed(view, *rates, blocks=blocks)
    return view


def feed(view: RunView, *rates: float, blocks: int = 1) -> None:
    names = {f"ch{k}": rate for k, rate in enumerate(rates)}
    begun = len(view.rates.get("tagger", ()))
    for k in range(begun, begun + blocks):
        t_ps = (k + 1) * 10**11
        view.apply(
            {
                "type": "Tags", "source": "tagger", "t_start_ps": t_ps - 10**11, "t_stop_ps": t_ps, "n": 1, "overflow": False,
                "missed": 0, "rates_hz": names,
            },
            0.0,
        )  # fmt: skip


def shown(qtbot: Any, widget: Any, width: int = 760, height: int = 480) -> Any:
    qtbot.addWidget(widget)
    widget.resize(width, height)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


@pytest.mark.parametrize("channels", [1, 2, 8, 12])
def test_digits_are_as_large_as_the_tab_allows_and_fit(qtbot: Any, channels: int) -> None:
    big = shown(qtbot, BigRates())
    big.show_run(run(*(1.234e6,) * channels))
    texts = [digit.text() for digit in big.digits if digit.isVisible()]
    assert texts == ["1.23 MHz"] * channels
    font = big.digits[0].font()
    metrics = QFontMetrics(font)
    # On a 24" screen of 1366 columns a pixel is 0.39 mm: 25 px of cap height are 11 minutes of arc at 3 m, twice what
    # normal eyes need (5').
    assert metrics.capHeight() >= 25
    assert metrics.horizontalAdvance("1.23 MHz") <= big.digits[0].width() + 1
    assert sum(digit.height() for digit in big.digits if digit.isVisible() and digit.x() < 50) < big.height()


def test_the_tone_follows_the_rate(qtbot: Any) -> None:
    big = shown(qtbot, BigRates())
    big.show_run(run(10.0, 1e6))
    qtbot.mouseClick(big.ticker.on, LEFT)
    assert big.ticker.timer.isActive()
    slow = big.ticker.timer.interval()
    qtbot.keyClick(big.ticker.channel, Qt.Key.Key_Down)
    big.show_run(run(10.0, 1e6))
    assert big.ticker.timer.interval() < slow / 3
    qtbot.mouseClick(big.ticker.on, LEFT)
    assert not big.ticker.timer.isActive()


def test_ticks_come_faster_with_every_decade() -> None:
    periods = [tick_period_s(10.0**k) for k in range(8)]
    assert all(before > after for before, after in itertools.pairwise(periods))
    assert tick_period_s(0.0) == 2.0
    assert tick_period_s(1e12) >= 0.08


@pytest.fixture
def strip(qtbot: Any) -> RateStrip:
    strip = shown(qtbot, RateStrip(), 900, 250)
    strip.paint(DARK)
    return strip


def test_a_rate_that_leaves_its_band_is_told_once(qtbot: Any, strip: RateStrip) -> None:
    view = run(1000.0, 5.0)
    strip.show_run(view)
    told: list[str] = []
    strip.alarm.tripped.connect(told.append)
    qtbot.mouseClick(strip.alarm.on, LEFT)
    assert strip.alarm.band.isVisible()
    assert strip.alarm.limits_hz() == pytest.approx((500, 2000))
    for rate in (1500.0, 3000.0, 3500.0, 1000.0, 100.0):
        feed(view, rate, 5.0)
        strip.show_run(view)
    assert len(told) == 2
    assert told[0] == "tagger ch0: 3 kHz left its band 500 Hz … 2 kHz"


def test_the_band_is_dragged_on_either_scale(qtbot: Any, strip: RateStrip) -> None:
    strip.show_run(run(1000.0))
    qtbot.mouseClick(strip.alarm.on, LEFT)
    strip.alarm.band.setRegion((2.0, 4.0))
    assert strip.alarm.limits_hz() == pytest.approx((100, 10_000))
    qtbot.mouseClick(strip.log, LEFT)
    assert strip.alarm.band.getRegion() == pytest.approx((100, 10_000))
    strip.alarm.band.setRegion((200.0, 300.0))
    assert strip.alarm.limits_hz() == pytest.approx((200, 300))


def test_another_channel_is_watched(qtbot: Any, strip: RateStrip) -> None:
    strip.show_run(run(1000.0, 50.0))
    qtbot.mouseClick(strip.alarm.on, LEFT)
    qtbot.keyClick(strip.alarm.channel, Qt.Key.Key_Down)
    assert strip.alarm.limits_hz() == pytest.approx((25, 100))


def test_a_zero_breaks_the_line_on_a_log_scale_only(qtbot: Any, strip: RateStrip) -> None:
    view = run(10.0, blocks=3)
    feed(view, 0.0)
    strip.show_run(view)
    assert str(strip.plot.curves["tagger ch0"].getOriginalDataset()[1].tolist()[-1]) == "nan"
    qtbot.mouseClick(strip.log, LEFT)
    assert strip.plot.curves["tagger ch0"].getOriginalDataset()[1].tolist() == [10, 10, 10, 0]


def tick(qtbot: Any, strip: RateStrip, row: int) -> None:
    key = strip.key
    place = key.visualItemRect(key.topLevelItem(row))
    qtbot.mouseClick(key.viewport(), LEFT, pos=place.topLeft() + QPoint(8, place.height() // 2))


def test_the_key_names_every_line_and_hides_it(qtbot: Any, strip: RateStrip) -> None:
    view = run(1000.0, 50.0, 7.0)
    strip.show_run(view)
    texts = [[strip.key.topLevelItem(k).text(c) for c in range(2)] for k in range(3)]
    assert texts == [["tagger ch0", "1.00 kHz"], ["tagger ch1", "50.0 Hz"], ["tagger ch2", "7.00 Hz"]]
    tick(qtbot, strip, 1)
    assert strip.key.hidden == {"tagger ch1"}
    assert [curve.isVisible() for curve in strip.plot.curves.values()] == [True, False, True]
    big = shown(qtbot, BigRates())
    big.show_run(view, strip.key.hidden)
    assert [caption.text() for caption in big.captions if caption.isVisible()] == ["tagger ch0", "tagger ch2"]
    tick(qtbot, strip, 1)
    assert not strip.key.hidden


def test_what_was_hidden_stays_hidden_in_the_next_run(qtbot: Any, strip: RateStrip) -> None:
    strip.show_run(run(1000.0, 50.0))
    tick(qtbot, strip, 0)
    strip.show_run(run(900.0))
    strip.show_run(run(900.0, 40.0))
    assert strip.key.hidden == {"tagger ch0"}
    assert not strip.plot.curves["tagger ch0"].isVisible()


def test_no_two_lines_look_alike() -> None:
    pens = [series_pen(DARK, k) for k in range(2 * len(DARK.series))]
    assert len({(pen.color().name(), pen.style()) for pen in pens}) == len(pens)
