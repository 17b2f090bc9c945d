"""The code printed in docs/clock-sync.md runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from erbia.analysis.clock_model import to_clock_b
from erbia.analysis.clock_sync import synchronize
from erbia.analysis.records import PS_PER_S, ClockModel, Int64Array

DOC = Path(__file__).parents[2] / "docs" / "clock-sync.md"
BLOCKS = re.findall(r"```python\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)
CLOCK_B = ClockModel(offset_ps=2e9, skew=1e-7)
PATH_PS = 60_000_000


def clicks(rng: np.random.Generator, span_s: float, path_ps: int) -> tuple[Int64Array, Int64Array]:
    """5 kcps of pairs among 10 kcps on each side; the second side lies a path away."""
    pairs = rng.uniform(0, span_s * PS_PER_S, round(5e3 * span_s))
    sides = [
        np.sort(
            np.concatenate((pairs + rng.normal(0, 60, len(pairs)) + d, rng.uniform(0, span_s * PS_PER_S, len(pairs))))
        )
        for d in (0, path_ps)
    ]
    near, far = (np.rint(side).astype(np.int64) for side in sides)
    return near, far


@pytest.fixture(scope="module")
def names() -> dict[str, object]:
    rng = np.random.default_rng(3)
    near, far = clicks(rng, 4.0, 0)
    t_b = to_clock_b(far, CLOCK_B)
    start = round(2 * PS_PER_S)
    cut = np.arange(2.0, 4.0, 0.1) * PS_PER_S
    live = [
        tuple(t[np.searchsorted(t, lo) : np.searchsorted(t, lo + 0.1 * PS_PER_S)] for t in (near, t_b)) for lo in cut
    ]
    a, b = clicks(rng, 1.0, PATH_PS)
    b_sent, a_received = clicks(rng, 1.0, PATH_PS)
    ways = {
        "a_to_b": synchronize(a, to_clock_b(b, CLOCK_B), max_offset_s=0.01, max_ppm=1.0),
        "b_to_a": synchronize(to_clock_b(b_sent, CLOCK_B), a_received, max_offset_s=0.01, max_ppm=1.0),
    }
    at_ps = np.array([4, 6], np.int64) * round(0.1 * PS_PER_S)
    first = {"t_a_ps": near[near < start], "t_b_ps": t_b[t_b < start]}
    return {**first, **ways, "live": live, "t_start_ps": start, "at_ps": at_ps}


def test_every_block_runs(names: dict[str, object]) -> None:
    for block in BLOCKS:
        exec(compile(block, str(DOC), "exec"), names)  # noqa: S102  the page is ours
    track, both = names["track"], names["both"]
    assert len(track) > 30  # type: ignore[arg-type]
    assert all(o.status == "locked" for o in track)  # type: ignore[attr-defined]
    # Five standard errors: false alarm below 1e-6.
    offset = CLOCK_B.offset_ps + CLOCK_B.skew * names["at_ps"]  # type: ignore[operator]
    assert np.all(np.abs(both.offset_ps - offset) < 5 * both.offset_std_ps)  # type: ignore[attr-defined]
    assert both.round_trip_ps == pytest.approx(2 * PATH_PS, abs=20)  # type: ignore[attr-defined]
    assert "cannot be seen" in names["alarm"].note  # type: ignore[attr-defined]
