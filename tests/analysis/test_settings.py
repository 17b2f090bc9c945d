"""Tomography tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from erbia.analysis.errors import UsageError
from erbia.analysis.settings import complete_groups, read_settings


def test_names_strings_and_own_kets_say_the_same() -> None:
    names = read_settings({"projectors": [["H", "R"], ["D", "V"]], "counts": [1, 2]})
    short = read_settings({"projectors": ["HR", "DV"], "counts": [1, 2]})
    own = read_settings(
        {"projectors": ["hr", "dV"], "kets": {"h": [1, 0], "r": [1, [0, -1]], "d": [2, 2]}, "counts": [1, 2]}
    )
    s = 0.5**0.5
    rows = read_settings({"kets": [[s, [0, -s], 0, 0], [0, s, 0, s]], "counts": [1, 2]})
    for other in (short, own, rows):
        assert other.kets == pytest.approx(names.kets)
    assert names.counts.tolist() == [1, 2]
    assert names.intensities.tolist() == [1, 1]


def test_complete_bases_are_found_in_any_order() -> None:
    groups, alone = complete_groups(
        read_settings({"projectors": ["HH", "DD", "HV", "VV", "VH", "RL"], "counts": [1] * 6})
    )
    assert groups == [[0, 2, 3, 4]]
    assert alone == [1, 5]


def test_intensities_are_relative() -> None:
    settings = read_settings({"projectors": ["H", "V"], "counts": [1, 2], "intensities": [10, 30]})
    assert settings.intensities == pytest.approx([0.5, 1.5])


GOOD: dict[str, Any] = {"projectors": ["HH", "VV"], "counts": [1, 2]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"projectors": ["HX", "VV"]}, "row 0: unknown ket 'X'; known are H, V, D, A, R, L"),
        ({"projectors": ["H", "VV"]}, "same 1 to 5 qubits"),
        ({"projectors": [[], "VV"]}, "row 0"),
        ({"projectors": []}, "'projectors'"),
        ({"projectors": "HH"}, "'projectors'"),
        ({"counts": [1]}, "list of 2 numbers"),
        ({"counts": [1, -2]}, "row 1 must be a whole number"),
        ({"counts": [0, 0]}, "every count is zero"),
        ({"kets": {"S": [0, 0]}}, "non-zero amplitude"),
        ({"kets": {"S": ["a", 1]}}, "amplitude"),
        ({"intensities": [1]}, "'intensities'"),
        ({"intensities": [1, 0]}, "'intensities' row 1"),
        ({"target": "phi"}, "'target' 'phi'"),
        ({"target": [1, 0]}, "2 amplitudes, the projectors need 4"),
        ({"colour": 1}, "unknown key 'colour'"),
    ],
)
def test_mistakes_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_settings({**GOOD, **change})


def test_counts_alone_are_not_enough() -> None:
    with pytest.raises(UsageError, match="give 'projectors'"):
        read_settings({"counts": [1, 2]})


def test_numpy_input_is_welcome() -> None:
    settings = read_settings({"kets": [np.array([1, 1j]), np.array([1, 0])], "counts": np.array([3, 4])})
    assert settings.kets[0] == pytest.approx([0.5**0.5, 1j * 0.5**0.5])
