"""What is drawn is what the documents said, at a cost that does not grow with the run."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erbia.gui.view_models import FEWEST_DRAWN, Histogram, Ring, RunView, Thinned


@given(st.lists(st.floats(-1e6, 1e6), max_size=60), st.integers(1, 10))
def test_a_ring_holds_the_latest_rows_in_order(values: list[float], capacity: int) -> None:
    ring = Ring(2, capacity)
    for k, value in enumerate(values):
        ring.append([k, value])
    assert ring.rows()[:, 1].tolist() == values[-capacity:]
    assert len(ring) == min(len(values), capacity)


@given(st.integers(0, 500), st.integers(2, 20))
def test_thinned_rows_span_the_whole_run_in_bounded_room(n: int, capacity: int) -> None:
    rows = Thinned(1, capacity)
    for k in range(n):
        rows.append([k])
    kept = rows.rows()[:, 0]
    assert len(kept) <= capacity + 1
    assert np.all(np.diff(kept) > 0)
    if n:
        assert (kept[0], kept[-1]) == (0, n - 1)
        inner = np.diff(kept[:-1])
        assert len(set(inner)) <= 1, "evenly spaced, whatever was left out"


def histogram(n: int, seed: int = 1) -> Histogram:
    counts = np.random.default_rng(seed).integers(0, 9, n)
    return Histogram(np.arange(n, dtype=np.int64) * 10 - 5 * n, counts.astype(np.int64), 10)


@pytest.mark.parametrize(("n", "factor"), [(100, 1), (100, 3), (101, 10), (8, 8)])
def test_joined_bins_keep_every_count(n: int, factor: int) -> None:
    before = histogram(n)
    after = before.rebinned(factor)
    whole = n // factor * factor
    assert after.counts.sum() == before.counts[:whole].sum()
    assert after.bin_ps == 10 * factor
    assert np.array_equal(after.lag_ps, before.lag_ps[:whole:factor])


def test_a_long_histogram_is_drawn_with_few_bins_and_a_short_one_as_it_is() -> None:
    assert len(histogram(1_000_001).drawable(1000).counts) <= 1500
    assert len(histogram(1_000_001).drawable(1).counts) <= FEWEST_DRAWN
    assert np.array_equal(histogram(1500).drawable(1000).counts, histogram(1500).counts)


def test_edges_are_in_seconds_and_one_more_than_bins() -> None:
    edges = histogram(4).edges_s()
    assert edges == pytest.approx(np.array([-20, -10, 0, 10, 20]) * 1e-12)


def start(run_id: str = "r") -> dict[str, Any]:
    return {
        "type": "RunStart", "run_id": run_id, "experiment": "e", "path": "/p", "simulated": True, "config": {"a": 1},
    }  # fmt: skip


def tags(t_s: float, rate: float, source: str = "alice", missed: int = 0) -> dict[str, Any]:
    t_ps = round(t_s * 1e12)
    return {
        "type": "Tags", "source": source, "t_start_ps": t_ps - 1, "t_stop_ps": t_ps, "n": 5,
        "overflow": missed != 0, "missed": missed, "rates_hz": {"A": rate},
    }  # fmt: skip


def result(value: float | None) -> dict[str, Any]:
    given = {"value": value, "lower": 0.1, "upper": 0.9, "confidence": 0.95, "std": None, "n": 4, "method": "m"}
    return {"type": "Result", "estimates": {"f": given}, "histograms": {}, "counts": {"XX": {"++": 1}}}


def test_a_run_from_its_documents() -> None:
    view = RunView()
    progress = {"type": "Progress", "fraction": 0.25, "lab_time_s": 3.0, "remaining_s": 9.0, "message": "a quarter"}
    for k, content in enumerate([start(), tags(1, 100), tags(2, 200, missed=-1), progress, result(0.5)]):
        view.apply(content, utc_s=1000.0 + k)
    assert (view.clicks, view.missed, view.experiment) == (10, 0, "e")
    ((name, t_s, hz),) = view.series()
    assert (name, t_s.tolist(), hz.tolist()) == ("alice A", pytest.approx([0.0, 1.0], abs=1e-9), [100.0, 200.0])
    assert [row.tolist() for row in view.history("f")] == [[3.0], [0.5], [0.1], [0.9]]
    assert view.elapsed_s() == 4.0
    assert view.remaining_s() == pytest.approx(12.0)
    assert view.counts == {"XX": {"++": 1}}
    view.apply({"type": "RunStop", "status": "done", "reason": ""}, 1010.0)
    assert (view.outcome, view.fraction, view.remaining_s()) == ("done", 1.0, None)


def test_a_new_run_makes_everything_new() -> None:
    view = RunView()
    for content in (start("one"), tags(1, 100), result(0.5), start("two")):
        view.apply(content, 0.0)
    assert view.run_id == "two"
    assert not view.rates
    assert not view.estimates
    assert view.clicks == 0


def test_what_the_analysis_could_not_give_is_nan_and_unknown_documents_pass() -> None:
    view = RunView()
    view.apply(start(), 0.0)
    view.apply(result(None), 0.0)
    view.apply({"type": "SomethingNew"}, 0.0)
    assert np.isnan(view.estimates["f"].value)


def test_invalid_data_are_named_until_they_count_again() -> None:
    view = RunView()
    validity = {"type": "Validity", "t_ps": 0, "source": "alice", "valid": False, "reason": "latched"}
    view.apply(validity, 0.0)
    assert view.invalid == "alice: latched"
    view.apply(validity | {"valid": True}, 0.0)
    assert view.invalid == ""


def test_memory_does_not_grow_with_the_run() -> None:
    view = RunView()
    view.apply(start(), 0.0)

    def feed(n: int) -> None:
        for k in range(n):
            view.apply(tags(k, 1.0), 0.0)
            view.apply(result(0.5), 0.0)

    feed(5000)
    tracemalloc.start()
    feed(10_000)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 100_000
