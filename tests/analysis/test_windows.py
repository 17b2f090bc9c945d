"""Scans over window and delay, and blinding."""

from __future__ import annotations

import pytest

from erbia.analysis.errors import UsageError
from erbia.analysis.records import Estimate
from erbia.analysis.windows import blind, scan_windows, unblind


def estimate(value: float) -> Estimate:
    return Estimate(value, value - 0.1, value + 0.1, 0.95, 0.05, 10, "test")


def test_a_scan_visits_every_pair_once() -> None:
    seen = []

    def measure(window_ps: int, delay_ps: int) -> tuple[Estimate, Estimate]:
        seen.append((window_ps, delay_ps))
        return estimate(0.0), estimate(window_ps + delay_ps / 10)

    scan = scan_windows(measure, [1, 2], [0, 5, 10])
    assert seen == [(1, 0), (1, 5), (1, 10), (2, 0), (2, 5), (2, 10)]
    assert scan.values().tolist() == [[1, 1.5, 2], [2, 2.5, 3]]
    assert scan.spread() == pytest.approx(1.0)
    assert scan.raw[1][2].value == 0


@pytest.mark.parametrize(("windows", "delays"), [([], [0]), ([1], []), ([0], [0])])
def test_empty_scans_are_refused(windows: list[int], delays: list[int]) -> None:
    with pytest.raises(UsageError, match="scan"):
        scan_windows(lambda w, d: (estimate(0), estimate(0)), windows, delays)


def test_blinding_hides_and_comes_back() -> None:
    hidden = blind(estimate(0.9), "run 7", 0.5)
    assert hidden.value != 0.9
    assert abs(hidden.value - 0.9) <= 0.5
    assert hidden.upper - hidden.lower == pytest.approx(0.2)
    # The same key moves every estimate alike: differences between cuts stay visible.
    assert blind(estimate(0.8), "run 7", 0.5).value - hidden.value == pytest.approx(-0.1)
    assert blind(estimate(0.9), "run 8", 0.5).value != hidden.value
    back = unblind(hidden, "run 7", 0.5)
    assert back.value == pytest.approx(0.9)
    assert back.method == "test"
    with pytest.raises(UsageError, match="not blinded"):
        unblind(back, "run 7", 0.5)
