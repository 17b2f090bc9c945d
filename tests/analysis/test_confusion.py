"""Read-out errors of two nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from erbia.analysis.confusion import PERFECT, read_readout
from erbia.analysis.errors import UsageError

EXACT = {"p_plus_given_plus": 0.95, "p_minus_given_minus": 0.9}
COUNTED = {"bright": {"+": 95, "-": 5}, "dark": {"+": 10, "-": 90}}


def test_scores_undo_the_confusion_matrix() -> None:
    scores = read_readout({"a": EXACT, "b": {"p_plus_given_plus": 0.8, "p_minus_given_minus": 0.99}}, 0.95).scores()
    a, b = np.array([[0.95, 0.1], [0.05, 0.9]]), np.array([[0.8, 0.01], [0.2, 0.99]])
    # Mean score given what was there: exactly the product of the true signs.
    assert np.kron(a, b).T @ scores == pytest.approx([1, -1, -1, 1])


def test_a_perfect_readout_changes_nothing() -> None:
    assert PERFECT.scores().tolist() == [1, -1, -1, 1]
    assert PERFECT.variations() == []


def test_calibration_counts_bring_their_uncertainty() -> None:
    readout = read_readout({"a": COUNTED, "b": EXACT}, 0.95)
    bright = readout.right["a", "bright"]
    assert bright.lower < bright.value == 0.95 < bright.upper
    assert len(readout.variations()) == 2
    low, high = readout.variations()[1]
    assert low.right["a", "dark"].value < 0.9 < high.right["a", "dark"].value


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"a": EXACT}, "'b' is missing"),
        ({"a": EXACT, "b": {"bright": {"+": 1, "-": 1}}}, "'dark' is missing"),
        ({"a": EXACT, "b": {**COUNTED, "bright": {"+": 0, "-": 0}}}, "node b bright: no calibration counts"),
        ({"a": EXACT, "b": {"p_plus_given_plus": 1.2, "p_minus_given_minus": 0.9}}, "from 0 to 1"),
        ({"a": EXACT, "b": {"p_plus_given_plus": 0.5, "p_minus_given_minus": 0.5}}, "cannot be told apart"),
        ({"a": EXACT, "b": {"bright": {"+": 3, "-": 1}, "dark": {"+": 1, "-": 3}}}, "cannot be told apart"),
    ],
)
def test_mistakes_are_named(table: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_readout(table, 0.95)
