"""The live tracker: follows, bridges gaps, finds leaps, forgets old clicks."""

from dataclasses import replace

import numpy as np
import pytest

from erbia.analysis.clock_sync import synchronize
from erbia.analysis.clock_track import TrackedOffset, phase_series, start_tracking, step
from erbia.analysis.errors import UsageError
from erbia.analysis.records import PS_PER_S

OFFSET_PS = 3_000_000_000
SKEW = 5e-7
LEAP_AT_PS = 3_012_000_000_000


def streams(seed: int, leap_ps: int = 0, gap_s: tuple[float, float] = (9.0, 9.0)) -> tuple[np.ndarray, np.ndarray]:
    """5 s of 10 kcps pairs in 50 kcps singles, σ 80 ps a side, B leaping once, both sides dark in the gap."""
    rng = np.random.default_rng(seed)
    emitted = rng.uniform(0, 5 * PS_PER_S, 50_000)

    def clicks() -> np.ndarray:
        t = np.concatenate((emitted + rng.normal(0, 80, len(emitted)), rng.uniform(0, 5 * PS_PER_S, 200_000)))
        return np.sort(t[(t < gap_s[0] * PS_PER_S) | (t > gap_s[1] * PS_PER_S)])

    a, b = clicks(), clicks()
    b = b + SKEW * b + leap_ps * (b > LEAP_AT_PS)
    return np.rint(a).astype(np.int64), np.sort(np.rint(b).astype(np.int64)) + OFFSET_PS


def follow(a: np.ndarray, b: np.ndarray, chunk_ms: int = 50) -> tuple[list[TrackedOffset], int]:
    start = PS_PER_S
    first = synchronize(a[a < start], b[b < start], max_offset_s=0.1, max_ppm=5)
    state = start_tracking(first, start, rate_a_hz=50e3)
    out: list[TrackedOffset] = []
    held = 0
    for ms in range(1000, 5000, chunk_ms):
        lo, hi = ms * 10**9, (ms + chunk_ms) * 10**9
        state, offsets = step(state, a[(a >= lo) & (a < hi)], b[(b >= lo) & (b < hi)])
        out.extend(offsets)
        held = max(held, len(state.a_ps) + len(state.b_ps))
    return out, held


def error_ps(o: TrackedOffset, leap_ps: int = 0) -> float:
    return o.offset_ps - (OFFSET_PS + SKEW * o.t_ps + leap_ps * (o.t_ps > LEAP_AT_PS))


def test_follows_within_its_error_bars() -> None:
    out, held = follow(*streams(1))
    assert {o.status for o in out} == {"locked"}
    late = out[60:]
    assert np.sqrt(np.mean([error_ps(o) ** 2 for o in late])) < 6
    # Successive errors share most of their data: a handful of independent values only.
    assert np.mean([(error_ps(o) / o.std_ps) ** 2 for o in late]) < 4
    assert held < 60_000


def test_does_not_depend_on_the_size_of_the_chunks() -> None:
    a, b = streams(2)
    small, large = follow(a, b, 25)[0], follow(a, b, 400)[0]
    assert [o.offset_ps for o in small[: len(large)]] == [o.offset_ps for o in large]


def test_bridges_a_gap_and_locks_again_at_once() -> None:
    out, _ = follow(*streams(3, gap_s=(2.5, 3.5)))
    assert {o.status for o in out} == {"locked", "gap"}
    first = next(o for o in out if o.t_ps > 3.5 * PS_PER_S and o.status == "locked")
    assert first.t_ps < 3.6 * PS_PER_S
    assert abs(error_ps(first)) < 6 * first.std_ps


@pytest.mark.parametrize("leap_ps", [150, -400, 80_000, -6_000_000_000])
def test_finds_a_leap_its_time_and_size(leap_ps: int) -> None:
    out, _ = follow(*streams(4, leap_ps))
    leaps = [o for o in out if o.status == "leap"]
    assert len(leaps) == 1
    assert leaps[0].t_ps - LEAP_AT_PS < 100 * 10**9
    assert abs(leaps[0].leap_t_ps - LEAP_AT_PS) < 20 * 10**9
    assert abs(leaps[0].leap_ps - leap_ps) < 6 * leaps[0].std_ps + 5
    assert abs(error_ps(out[-1], leap_ps)) < 6 * out[-1].std_ps


def without_pairs(t_ps: np.ndarray, seed: int, offset_ps: int = 0) -> np.ndarray:
    """The same stream with its clicks between 2.5 and 3.5 s replaced by as many unrelated ones: a shutter in the source."""
    low, high = (offset_ps + round(s * PS_PER_S) for s in (2.5, 3.5))
    dark = (t_ps > low) & (t_ps < high)
    return np.sort(np.concatenate((t_ps[~dark], np.random.default_rng(seed).integers(low, high, dark.sum()))))


def test_lost_pairs_are_told_from_a_gap_and_found_again() -> None:
    a, b = streams(6)
    out, _ = follow(without_pairs(a, 7), without_pairs(b, 8, OFFSET_PS))
    assert {o.status for o in out} == {"locked", "lost"}
    assert all(2.48 * PS_PER_S < o.t_ps < 3.52 * PS_PER_S for o in out if o.status == "lost")
    first = next(o for o in out if o.t_ps > 3.5 * PS_PER_S and o.status == "locked")
    assert first.t_ps < 3.7 * PS_PER_S
    assert abs(error_ps(first)) < 6 * first.std_ps


def test_daylight_widens_the_error_bar_and_nothing_else() -> None:
    a, b = streams(9)
    rng = np.random.default_rng(10)
    day = [rng.integers(2.5 * PS_PER_S, 4.5 * PS_PER_S, 1_000_000) + off for off in (0, OFFSET_PS)]
    out, _ = follow(np.sort(np.concatenate((a, day[0]))), np.sort(np.concatenate((b, day[1]))))
    assert {o.status for o in out} == {"locked"}
    bright = [o for o in out if 3 * PS_PER_S < o.t_ps < 4.5 * PS_PER_S]
    night = [o for o in out if o.t_ps < 2.4 * PS_PER_S]
    assert np.mean([o.measured_std_ps for o in bright]) > np.mean([o.measured_std_ps for o in night])
    # Mean of 75 squared pulls: above 2 with chance 1e-6.
    pulls = [(o.measured_ps - OFFSET_PS - SKEW * o.t_ps) / o.measured_std_ps for o in bright]
    assert np.mean(np.square(pulls)) < 2


def test_gives_a_phase_series() -> None:
    out, _ = follow(*streams(3, gap_s=(2.5, 3.5)))
    phase = phase_series(tuple(out), out[1].t_ps - out[0].t_ps)
    assert len(phase) == len(out)
    assert 40 < np.isnan(phase).sum() < 60


def test_refuses_to_start_from_nothing() -> None:
    a, b = streams(5)
    found = synchronize(a, b, max_offset_s=0.1, max_ppm=5)
    with pytest.raises(UsageError, match="found no peak"):
        start_tracking(replace(found, model=None), 0, rate_a_hz=1e4)
