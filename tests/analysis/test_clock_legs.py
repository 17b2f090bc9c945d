"""Two-way legs of clocks that wander: offset, rate and delay with intervals that hold them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from erbia.analysis.clock_legs import LegsFit, fit_legs
from erbia.analysis.errors import UsageError

Floats = NDArray[np.float64]
OFFSET_PS, SKEW, DELAY_PS = -3.5e10, -7.3e-7, 9.8e7


def legs(rng: np.random.Generator, count: int, leg_s: float, walk: float, noise_ps: float) -> tuple[LegsFit, float]:
    """Legs of clocks whose offset walks with ``walk`` ps²/s, fitted; and the true offset in the last leg."""
    fine = 200
    walked = np.cumsum(rng.normal(0, np.sqrt(walk * leg_s / fine), count * fine)).reshape(count, fine).mean(axis=1)
    t_s = (np.arange(count) + 0.5) * leg_s
    sign = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)
    offset_ps = OFFSET_PS + SKEW * 1e12 * t_s + walked
    seen_ps = offset_ps + sign * DELAY_PS + rng.normal(0, noise_ps, count)
    return fit_legs(t_s, leg_s, sign, seen_ps, np.full(count, noise_ps), 1), float(offset_ps[-1])


def test_quiet_legs_give_the_line_and_the_delay() -> None:
    fit, offset_ps = legs(np.random.default_rng(1), 6, 1.0, 0.0, 1e-3)
    assert fit.offset_ps.value == pytest.approx(offset_ps, abs=0.01)
    assert fit.skew.value == pytest.approx(SKEW, abs=1e-14)
    assert fit.delay_ps.value == pytest.approx(DELAY_PS, abs=0.01)
    assert np.max(np.abs(fit.residuals_ps)) < 0.01


@pytest.mark.parametrize(
    ("count", "leg_s", "walk", "noise_ps"), [(6, 1.0, 100.0, 2.0), (12, 2.0, 1.0, 2.0), (4, 20.0, 200.0, 10.0)]
)
def test_intervals_hold_the_truth_as_often_as_they_say(count: int, leg_s: float, walk: float, noise_ps: float) -> None:
    """150 runs, nine figures; fewer than 127 inside a 95 % interval happen by chance with 5e-6 in all."""
    rng = np.random.default_rng(count)
    inside = np.zeros(3, np.int64)
    for _ in range(150):
        fit, offset_ps = legs(rng, count, leg_s, walk, noise_ps)
        pairs = ((fit.offset_ps, offset_ps), (fit.skew, SKEW), (fit.delay_ps, DELAY_PS))
        inside += [e.lower <= truth <= e.upper for e, truth in pairs]
    assert np.all(inside >= 127)


def test_wander_widens_the_errors() -> None:
    rng = np.random.default_rng(3)
    quiet, restless = (legs(rng, 12, 5.0, walk, 2.0)[0].offset_ps.std for walk in (0.0, 1e4))
    assert restless > 3 * quiet


@pytest.mark.parametrize("sign", [np.array([1.0, -1.0, 1.0]), np.ones(5)])
def test_too_few_legs_are_refused(sign: Floats) -> None:
    k = len(sign)
    with pytest.raises(UsageError, match="from both ends"):
        fit_legs(np.arange(k) + 0.5, 1.0, sign, np.zeros(k), np.ones(k), 1)
