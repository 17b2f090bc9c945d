"""Bell values of photon pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from erbia.analysis.bell_coincidences import chsh_from_coincidences, eberhard_test
from erbia.analysis.errors import UsageError

SETTINGS = ("00", "01", "10", "11")


def pairs(correlators: list[float], n: int, accidentals: int = 0) -> dict[str, dict[str, int]]:
    rows = {}
    for name, e in zip(SETTINGS, correlators, strict=True):
        same, different = round(n * (1 + e) / 4), round(n * (1 - e) / 4)
        rows[name] = {"++": same, "--": same, "+-": different, "-+": different}
    return {name: {k: v + accidentals for k, v in row.items()} for name, row in rows.items()}


IDEAL = [0.7, 0.7, 0.7, -0.7]


def test_accidentals_are_subtracted_and_both_values_given() -> None:
    side = {name: dict.fromkeys(("++", "+-", "-+", "--"), 500) for name in SETTINGS}
    counts = {"settings": pairs(IDEAL, 1000, 50), "signs": [1, 1, 1, -1], "accidentals": side, "accidental_scale": 0.1}
    result = chsh_from_coincidences(counts)
    assert result.raw.value == pytest.approx(2.8 * 1000 / 1200)
    assert result.s.value == pytest.approx(2.8)
    assert result.s.lower < 2.8 < result.s.upper
    assert result.s.upper - result.s.lower > result.raw.upper - result.raw.lower
    assert result.excess == pytest.approx(0.8 / result.s.std)


def test_without_accidentals_raw_is_the_result() -> None:
    result = chsh_from_coincidences({"settings": pairs(IDEAL, 1000), "signs": [1, 1, 1, -1]})
    assert result.s == result.raw
    assert result.s.std == pytest.approx(np.sqrt(4 * (1 - 0.49) / 1000))


def test_too_many_accidentals_are_a_named_error() -> None:
    side = pairs([0.0] * 4, 4000)
    with pytest.raises(UsageError, match="no true coincidences"):
        chsh_from_coincidences({"settings": pairs(IDEAL, 1000), "signs": [1, 1, 1, -1], "accidentals": side})


EVENTS = {"00": 1500, "01": 400, "10": 420, "11": 500}
TRIALS = dict.fromkeys(SETTINGS, 1_000_000)


def test_eberhard_value_and_bound() -> None:
    result = eberhard_test({"trials": TRIALS, "events": EVENTS})
    assert result.j.value == pytest.approx((1500 - 400 - 420 - 500) / 1e6)
    assert 0 < result.j.lower < result.j.value < result.j.upper
    assert (result.gains, result.n) == (1500, 2820)
    assert result.p_value == pytest.approx(binom.sf(1499, 2820, 0.5))


def test_gains_that_equal_the_losses_prove_nothing() -> None:
    result = eberhard_test({"trials": TRIALS, "events": {"00": 1200, "01": 400, "10": 400, "11": 400}})
    assert result.p_value > 0.4
    assert result.j.lower < 0 < result.j.upper


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trials": {**TRIALS, "01": 0}}, "at least one trial"),
        ({"events": {"00": 1}}, "missing"),
        ({"extra": 1}, "unknown key"),
        ({"events": {**EVENTS, "11": -2}}, "whole number"),
    ],
)
def test_mistakes_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        eberhard_test({"trials": TRIALS, "events": EVENTS, **change})
