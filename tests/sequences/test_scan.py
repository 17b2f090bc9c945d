"""Scans as values: the points they visit, in which order, and their way through JSON."""

import json
from itertools import pairwise

import pytest
from pydantic import TypeAdapter, ValidationError

from erbia.sequences.scan import (
    GoldenSection,
    Points,
    Reference,
    Scan,
    Search,
    Told,
    centred,
    linear,
    listed,
    logarithmic,
)

ANY: TypeAdapter[Scan | Search] = TypeAdapter(Points)
BIAS = linear("snspd.ch1.bias", 10e-6, 18e-6, 5, "A")


def test_axes_cover_what_they_say() -> None:
    assert BIAS.values == pytest.approx([10e-6, 12e-6, 14e-6, 16e-6, 18e-6])
    assert logarithmic("laser.power", 1e-6, 1e-3, 4).values == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3])
    assert centred("laser.frequency", 100.0, 20.0, 3).values == (90.0, 100.0, 110.0)
    assert listed("laser.power", [3, 1, 2]).values == (3.0, 1.0, 2.0)


@pytest.mark.parametrize(
    "typed",
    [
        {"start": "10 uA", "stop": "18 uA", "points": 5},
        {"centre": "14 uA", "span": "8 uA", "points": 5},
        {"values": ["10 uA", "12 uA", "14 uA", 16e-6, 18e-6]},
    ],
)
def test_an_axis_is_typed_as_people_do(typed: dict[str, object]) -> None:
    scan = Scan.model_validate({"axes": [{"parameter": "snspd.ch1.bias", "unit": "A", **typed}]})
    assert scan.axes[0].values == pytest.approx(BIAS.values)


@pytest.mark.parametrize(
    ("scan", "says"),
    [
        ({"axes": [{"parameter": "a.b", "start": 0, "points": 3}]}, "start, stop and points"),
        ({"axes": [{"parameter": "a.b", "start": 0, "stop": 1, "points": 3, "spacing": "log"}]}, "above 0"),
        ({"axes": [{"parameter": "a.b", "values": [1]}, {"parameter": "a.b", "values": [2]}]}, "same parameter"),
        (
            {"axes": [{"parameter": "a.b", "values": [1]}, {"parameter": "a.c", "values": [2, 3]}], "combine": "zip"},
            "equal lengths",
        ),
        ({"axes": [{"parameter": "a.b", "start": 0, "stop": 1, "points": 2_000_000}]}, "allowed is 1 to"),
        ({"method": "guess"}, "golden_section"),
        ({"method": "golden_section", "parameter": "a.b", "low": 2, "high": 1, "tolerance": 0.1}, "must lie below"),
    ],
)
def test_an_impossible_scan_is_refused_with_the_reason(scan: dict[str, object], says: str) -> None:
    with pytest.raises((ValidationError, ValueError), match=says):
        ANY.validate_python(scan)


def test_a_grid_visits_every_combination_once_and_a_snake_never_jumps() -> None:
    axes = (listed("a.x", [0, 1, 2]), listed("a.y", [0, 1]), listed("a.z", [0, 1, 2, 3]))
    forward, snake = Scan(axes=axes), Scan(axes=axes, order="snake", repeats=2)
    indices = [p.index for p in forward.points()]
    assert len(set(indices)) == 24 == len(indices)
    assert indices == sorted(indices)  # type: ignore[type-var]
    visited = [p.index for p in snake.points()]
    assert sorted(visited[:24]) == indices  # type: ignore[type-var]
    steps = [sum(abs(i - j) for i, j in zip(a, b, strict=True)) for a, b in pairwise(visited)]  # type: ignore[arg-type]
    assert max(steps) == 1


def test_shuffled_is_seeded_and_complete() -> None:
    axes = (linear("a.x", 0, 1, 20),)
    one, again, other = (Scan(axes=axes, order="shuffled", seed=s, repeats=2) for s in (1, 1, 2))
    assert one.points() == again.points() != other.points()
    first, second = one.points()[:20], one.points()[20:]
    assert sorted(p.values["a.x"] for p in first) == sorted(p.values["a.x"] for p in second) == list(axes[0].values)
    assert first != second


def test_axes_moved_together() -> None:
    scan = Scan(axes=(listed("a.x", [1, 2]), listed("a.y", [3, 4])), combine="zip")
    assert [p.values for p in scan.points()] == [{"a.x": 1, "a.y": 3}, {"a.x": 2, "a.y": 4}]


def test_references_come_first_last_and_in_between() -> None:
    scan = Scan(axes=(linear("a.x", 0, 1, 5),), reference=Reference(values={"laser.emission": False}, every=2))
    kinds = ["r" if p.index is None else "d" for p in scan.points()]
    assert "".join(kinds) == "rddrddrdr"


@pytest.mark.parametrize(
    "points",
    [
        Scan(axes=(BIAS,), order="snake", repeats=3, reference=Reference(values={"laser.emission": False})),
        GoldenSection(parameter="a.x", low=0, high=1, tolerance=0.01),
    ],
)
def test_the_same_points_after_a_journey_through_json(points: Scan | Search) -> None:
    text = json.dumps(ANY.dump_python(points, mode="json"))
    assert ANY.validate_python(json.loads(text)) == points


@pytest.mark.parametrize("goal", ["highest", "lowest"])
@pytest.mark.parametrize("at", [0.03, 0.5, 0.777])
def test_golden_section_closes_in_with_one_measurement_a_step(at: float, goal: str) -> None:
    search = GoldenSection.model_validate(
        {"parameter": "a.x", "low": 0, "high": 1, "tolerance": 1e-3, "goal": goal, "method": "golden_section"}
    )
    told: list[Told] = []
    sign = -1 if goal == "highest" else 1
    while (asked := search.ask(told)) is not None:
        told.append(Told(asked, sign * (asked["a.x"] - at) ** 2))
    low, high = search.bracket(told)
    assert low <= at <= high
    assert high - low < 1e-3
    assert len(told) == 16  # two to begin, then one a step: 0.618^15 < 1e-3
