"""CHSH: value, interval and the two p-values. The published counts are in tests/reference/delft_bell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from erbia.analysis.bell import bell_test, predictable_win_bound
from erbia.analysis.errors import UsageError

SETTINGS = ("00", "01", "10", "11")
SIGNS = [1, 1, 1, -1]


def table(rows: list[tuple[int, int]], signs: Any = SIGNS, **more: Any) -> dict[str, Any]:
    settings = {name: {"same": a, "different": b} for name, (a, b) in zip(SETTINGS, rows, strict=True)}
    return {"settings": settings, "signs": signs, **more}


GOOD = [(40, 10), (42, 8), (41, 9), (9, 41)]


def test_value_error_and_wins() -> None:
    result = bell_test(table(GOOD))
    correlators = [0.6, 0.68, 0.64, -0.64]
    assert result.s.value == pytest.approx(2.56)
    assert result.s_std == pytest.approx(np.sqrt(sum((1 - e * e) / 50 for e in correlators)))
    assert (result.n, result.wins) == (200, 164)
    assert [e.value for e in result.correlators[0].values()] == pytest.approx(correlators)
    assert result.s.lower < result.s.value < result.s.upper <= 4


def test_patterns_and_relations_say_the_same() -> None:
    patterns = {
        name: {"++": a // 2, "--": a - a // 2, "+-": b, "-+": 0} for name, (a, b) in zip(SETTINGS, GOOD, strict=True)
    }
    assert bell_test({"settings": patterns, "signs": SIGNS}).as_dict() == bell_test(table(GOOD)).as_dict()


def test_signs_move_with_the_labels() -> None:
    flipped = bell_test(table([GOOD[3], GOOD[2], GOOD[1], GOOD[0]], [-1, 1, 1, 1]))
    assert flipped.s.value == pytest.approx(2.56)
    assert flipped.wins == 164


def test_local_strategies_rarely_pass_however_they_remember() -> None:
    # A local strategy that always plays "same" wins three settings of four; one with memory switches which one it gives
    # up. 400 experiments: 5 % false alarms are 20 +- 4.4; the binomial bound allows more than 40 with chance 1e-5.
    rng = np.random.default_rng(3)
    rejected = {"game": 0, "betting": 0}
    for _ in range(400):
        settings = rng.integers(4, size=120)
        given_up, lost = 3, []
        for setting in settings:
            lost.append(setting == given_up)
            given_up = setting if lost[-1] else given_up
        losses = np.bincount(settings[np.array(lost)], minlength=4)
        rounds = np.bincount(settings, minlength=4)
        won = rounds - losses
        rows = [(int(w), int(m)) if s > 0 else (int(m), int(w)) for w, m, s in zip(won, losses, SIGNS, strict=True)]
        result = bell_test(table(rows))
        rejected["game"] += result.p_value <= 0.05
        rejected["betting"] += result.p_value_betting <= 0.05
    assert rejected["game"] <= 40
    assert rejected["betting"] <= 40


def test_unequal_settings_raise_the_bound() -> None:
    chances = {"00": 0.1, "01": 0.3, "10": 0.3, "11": 0.3}
    result = bell_test(table([(8, 2), (52, 8), (52, 8), (9, 51)], setting_chances=chances))
    assert result.win_bound == pytest.approx(0.9)
    equal = bell_test(table([(8, 2), (52, 8), (52, 8), (9, 51)]))
    assert equal.p_value < result.p_value
    assert equal.p_value_betting != result.p_value_betting


def test_strong_violations_are_strong_in_both_p_values() -> None:
    result = bell_test(table([(450, 50)] * 3 + [(50, 450)]))
    assert result.p_value < result.p_value_betting < 1e-20


def test_predictable_settings() -> None:
    assert predictable_win_bound(0.0) == 0.75
    assert predictable_win_bound(0.5) == 1.0
    with pytest.raises(UsageError, match="bias"):
        predictable_win_bound(0.7)


def test_one_round_a_setting_is_wide_not_wrong() -> None:
    result = bell_test(table([(1, 0), (1, 0), (1, 0), (0, 1)]))
    assert result.s.value == 4
    assert result.s.upper == pytest.approx(4)
    assert result.s.lower < 2
    assert result.s_std == 0


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (table(GOOD, [1, 1, 1, 1]), "one or three of -1"),
        (table(GOOD, [1, 1, -1]), "'signs'"),
        (table(GOOD, "+++-"), "'signs'"),
        ({"settings": {"00": {"same": 1, "different": 1}}, "signs": SIGNS}, "'01' is missing"),
        (table([(0, 0), *GOOD[1:]]), "setting 00: no counts"),
        (table([(-1, 3), *GOOD[1:]]), "setting 00 'same' must be a whole number"),
        (table(GOOD, typo=1), "unknown key 'typo'"),
        ({"blocks": []}, "'blocks'"),
        ({"blocks": [{"settings": {}}]}, "'signs' is missing"),
        (table(GOOD, confidence=2), "confidence"),
        (table(GOOD, setting_chances={"00": 0.5, "01": 0.5, "10": 0.5, "11": 0.5}), "sum to 1"),
        ([1, 2], "mapping"),
    ],
)
def test_mistakes_are_named(counts: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        bell_test(counts)


def test_a_win_bound_outside_its_range_is_refused() -> None:
    with pytest.raises(UsageError, match="win_bound"):
        bell_test(table(GOOD), 0.2)
