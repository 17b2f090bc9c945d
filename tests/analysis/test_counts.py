"""Tables of counts: every mistake is one clear line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from erbia.analysis.counts import as_count, as_number, pattern_counts, require_keys, same_and_different
from erbia.analysis.errors import UsageError


@pytest.mark.parametrize(("value", "expected"), [(3, 3), (3.0, 3), (np.int64(7), 7), (0, 0)])
def test_whole_numbers_are_counts(value: object, expected: int) -> None:
    assert as_count(value, "here") == expected


@pytest.mark.parametrize("value", [-1, 2.5, float("nan"), float("inf"), "3", True, None, [1]])
def test_anything_else_is_not_and_the_place_is_named(value: object) -> None:
    with pytest.raises(UsageError, match="basis XX must be a whole number"):
        as_count(value, "basis XX")


def test_numbers_stay_in_their_range() -> None:
    assert as_number(0.5, "p", 0, 1) == 0.5
    with pytest.raises(UsageError, match=r"p must be a number from 0 to 1, got 1\.5"):
        as_number(1.5, "p", 0, 1)


def test_keys_are_checked_both_ways() -> None:
    with pytest.raises(UsageError, match="unknown key 'c'; allowed are a, b"):
        require_keys({"a": 1, "c": 2}, ("a",), ("a", "b"), "table")
    with pytest.raises(UsageError, match="'a' is missing"):
        require_keys({"b": 1}, ("a",), ("a", "b"), "table")


def test_both_forms_of_a_setting() -> None:
    assert same_and_different({"++": 1, "+-": 2, "-+": 3, "--": 4}, "x") == (5, 5)
    assert same_and_different({"same": 9, "different": 1}, "x") == (9, 1)


@pytest.mark.parametrize("table", [{"++": 1}, {"same": 1}, {"same": 1, "different": 2, "++": 3}, [1, 2], "++"])
def test_half_a_table_is_refused(table: Any) -> None:
    with pytest.raises(UsageError):
        same_and_different(table, "setting 00")


def test_pattern_order() -> None:
    assert pattern_counts({"--": 4, "-+": 3, "+-": 2, "++": 1}, "x").tolist() == [1, 2, 3, 4]
