"""Names and numbers as people read them."""

from __future__ import annotations

import time

import pytest

from erbia.gui import names
from erbia.gui.view_models import EstimateView


def estimate(value: float, lower: float, upper: float, unit: str = "") -> EstimateView:
    return EstimateView("x", value, lower, upper, 0.95, 10, "m", unit)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (estimate(0.9, 0.8711, 0.9289), "0.900 (0.871 … 0.929)"),
        (estimate(3, 2, 4.5, "ps"), "3.0 (2.0 … 4.5) ps"),
        (estimate(2.6, 2.4, 2.8), "2.60 (2.40 … 2.80)"),
        (estimate(1.25e-3, 1.2e-3, 1.31e-3, "s"), "1.250 (1.200 … 1.310) ms"),
        (estimate(1.2e10, 1.1e10, 1.3e10, "ps"), "12.0 (11.0 … 13.0) ms"),
        (estimate(14.2, 13.1, 15.4, "Hz"), "14.2 (13.1 … 15.4) Hz"),
        (estimate(0, 0, 0.02), "0.000 (0.000 … 0.020)"),
        (estimate(5, 5, 5), "5"),
        (estimate(-35.455028796e9, -35.455028805e9, -35.455028787e9, "ps"), "-35.455028796 ms ± 9 ps"),
        (estimate(-7.3e-7, -7.301e-7, -7.299e-7), "-7.3e-07 ± 1e-10"),
        (estimate(float("nan"), 0, 1), "not yet known"),
        (estimate(-35.455028796e9, -35.455028805e9, -35.45502878e9, "ps"), "-35.455028796 ms (-9 ps … +16 ps)"),
        (estimate(1322.8, 1322.8, 1322.8, "s"), "1,323 s"),
        (estimate(3000, 2900, 3100, "s"), "3000 (2900 … 3100) s"),
        (estimate(7, float("nan"), float("nan"), "Hz"), "7 Hz"),
    ],
)
def test_an_interval_with_the_digits_it_deserves(given: EstimateView, shown: str) -> None:
    assert names.with_interval(given) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("herald_rate_hz", "herald rate"),
        ("fidelity", "fidelity F"),
        ("clock_offset_ps", "clock offset"),
        ("chsh_s", "CHSH S"),
        ("e_xy", "correlator XY"),
    ],
)
def test_titles(name: str, shown: str) -> None:
    assert names.title(name) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "unknown"), (0.4, "0 s"), (95, "1 min 35 s"), (3600 * 5 + 61, "5 h 1 min"), (7200, "2 h"), (60, "1 min")],
)
def test_durations(seconds: float | None, shown: str) -> None:
    assert names.duration(seconds) == shown


@pytest.mark.parametrize(
    ("rate_hz", "shown"),
    [(0, "0.00 Hz"), (0.5, "0.50 Hz"), (9.999, "10.0 Hz"), (24, "24.0 Hz"), (999.6, "1.00 kHz"), (1.234e6, "1.23 MHz")],
)
def test_a_rate_that_is_watched_keeps_its_digits(rate_hz: float, shown: str) -> None:
    assert names.steady_rate(rate_hz) == shown


def test_a_run_is_named_by_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    assert names.run_time("20261121T162744849818-bell_test") == "21 Nov 11:27:44"
    assert names.run_time("r1") == "r1"
    monkeypatch.undo()
    time.tzset()


def test_ages_and_sizes() -> None:
    assert names.age(None) == "never"
    assert names.age(0.3) == "now"
    assert names.age(75) == "1 min"
    assert names.byte_size(3.2e9) == "3.2 GB"
    assert names.rate(12_345.0) == "12.35 kHz" or names.rate(12_345.0) == "12.34 kHz"
