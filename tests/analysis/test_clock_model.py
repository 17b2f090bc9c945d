"""Applying clock models: exact integers, inverses, pieces."""

import numpy as np
import pytest

from erbia.analysis.clock_model import (
    offset_at,
    offset_std_at,
    on_clock_a,
    piece_at,
    referred_to,
    to_clock_a,
    to_clock_b,
)
from erbia.analysis.errors import UsageError
from erbia.analysis.records import ClockModel, TimeTags


def test_is_exact_where_floats_are_not() -> None:
    t = np.array([2**62, 2**62 + 1, 2**62 + 3], np.int64)
    model = ClockModel(offset_ps=-7.0, t_ref_ps=2**62)
    np.testing.assert_array_equal(to_clock_b(t, model), t - 7)


def test_matches_integer_arithmetic() -> None:
    t = np.arange(0, 10**14, 10**12 + 7, dtype=np.int64)
    model = ClockModel(offset_ps=8 * 10**12 + 0.25, skew=1e-4)
    exact = [int(x) + 8 * 10**12 + round(int(x) / 10**4 + 0.25) for x in t]
    np.testing.assert_array_equal(to_clock_b(t, model), exact)


@pytest.mark.parametrize("skew", [0.0, 1.4e-4, -1.4e-4])
def test_inverse_returns_within_a_picosecond(skew: float) -> None:
    t = np.sort(np.random.default_rng(1).integers(0, 10**14, 1000))
    later = ClockModel(5e9 + 3.0, skew * 0.9, 1e-9, 6 * 10**13)
    model = ClockModel(5e9, skew, 1e-9, 10**13, segments=((5 * 10**13, later),))
    back = to_clock_a(to_clock_b(t, model), model)
    near_joint = np.abs(t - 5 * 10**13) < 2 * 10**10
    assert np.max(np.abs(back - t)[~near_joint]) <= 1


def test_pieces_take_over_at_their_start() -> None:
    model = ClockModel(1.0, segments=((100, ClockModel(2.0)), (200, ClockModel(3.0))))
    np.testing.assert_array_equal(offset_at(np.array([0, 99, 100, 199, 200, 999]), model), [1, 1, 2, 2, 3, 3])
    assert piece_at(model, 150).offset_ps == 2.0
    assert piece_at(model, 50).segments == ()


def test_another_reference_is_the_same_clock() -> None:
    covariance = np.diag([4.0, 1e-24, 1e-22])
    model = ClockModel(100.0, 1e-6, 1e-8, 5 * 10**12, covariance)
    moved = referred_to(model, 0)
    t = np.array([0, 10**12, 10**13])
    np.testing.assert_allclose(offset_at(t, moved), offset_at(t, model), atol=1e-6)
    np.testing.assert_allclose(offset_std_at(t, moved), offset_std_at(t, model), rtol=1e-9)


def test_tags_keep_their_channels() -> None:
    tags = TimeTags(np.array([10, 20], np.int64), np.array([1, 3], np.uint8))
    mapped = on_clock_a(tags, ClockModel(5.0))
    np.testing.assert_array_equal(mapped.t_ps, [5, 15])
    np.testing.assert_array_equal(mapped.channel, [1, 3])


def test_refuses_floats() -> None:
    with pytest.raises(UsageError, match="int64"):
        to_clock_b(np.array([1.0]), ClockModel(0.0))  # type: ignore[arg-type]
