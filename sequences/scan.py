"""Scans as frozen values: which points are visited and in which order; typed in a window, a script or on a command line
(as dicts, or as one line of text: ``scan_text``).

A ``Scan`` knows its points beforehand. A ``Search`` decides each point from what was measured at those before it: ``ask`` is
a pure function of the points told so far, so a search of a file goes the way it went live.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from itertools import product
from math import sqrt
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny, model_validator

from ..analysis.quantity import parse_quantity
from ..analysis.value_list import MAX_POINTS, parse_values, spaced, unit_of
from .scan_text import points_of

_GOLDEN = (sqrt(5) - 1) / 2


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Axis(_Value):
    """The values one parameter takes; ``unit`` lets them be typed as people do (``"10 uA"``).

    Written out as ``values`` (a list, or text such as ``"10..18 uA/9"``), or as ``start, stop, points`` (with ``spacing: log``:
    evenly on a logarithmic scale) or ``centre, span, points``.
    """

    parameter: str = Field(description="instrument.parameter")
    unit: str = Field("", description="unit of the values")
    values: tuple[float, ...] = Field(min_length=1, description="in the order they are visited")

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, typed: Any) -> Any:
        if not isinstance(typed, Mapping):
            return typed
        unit, rest = typed.get("unit", ""), dict(typed)
        match set(typed) - {"parameter", "unit", "spacing"}:
            case keys if keys == {"start", "stop", "points"}:
                start, stop = (parse_quantity(rest.pop(key), unit) for key in ("start", "stop"))
                spaced_out = spaced(start, stop, int(rest.pop("points")), rest.pop("spacing", "linear"))
            case keys if keys == {"centre", "span", "points"}:
                centre, span = (parse_quantity(rest.pop(key), unit) for key in ("centre", "span"))
                spaced_out = spaced(centre - span / 2, centre + span / 2, int(rest.pop("points")), "linear")
            case keys if keys == {"values"} and isinstance(rest["values"], str):
                rest["unit"] = unit or unit_of(rest["values"])
                spaced_out = parse_values(rest["values"], rest["unit"])
            case keys if keys == {"values"}:
                spaced_out = tuple(parse_quantity(value, unit) for value in rest["values"])
            case _:
                raise ValueError("give values, or start, stop and points, or centre, span and points")
        return {**rest, "values": spaced_out}

    @property
    def label(self) -> str:
        """For plots: the parameter with its unit."""
        return f"{self.parameter} ({self.unit})" if self.unit else self.parameter


def linear(parameter: str, start: float, stop: float, points: int, unit: str = "") -> Axis:
    """``points`` values from ``start`` to ``stop``, both included."""
    return Axis(parameter=parameter, unit=unit, values=spaced(start, stop, points, "linear"))


def logarithmic(parameter: str, start: float, stop: float, points: int, unit: str = "") -> Axis:
    """Evenly spaced on a logarithmic scale."""
    return Axis(parameter=parameter, unit=unit, values=spaced(start, stop, points, "log"))


def centred(parameter: str, centre: float, span: float, points: int, unit: str = "") -> Axis:
    """``span`` wide around ``centre``."""
    return Axis(parameter=parameter, unit=unit, values=spaced(centre - span / 2, centre + span / 2, points, "linear"))


def listed(parameter: str, values: Sequence[float], unit: str = "") -> Axis:
    """Exactly these values, in this order."""
    return Axis(parameter=parameter, unit=unit, values=tuple(values))


@dataclass(frozen=True, slots=True)
class Point:
    """One stop of a scan: what is set, and where on the grid it lies (None: a reference point)."""

    values: Mapping[str, float]
    index: tuple[int, ...] | None = None


class Reference(_Value):
    """A point measured again and again between the others: dark counts, a known power, the middle of the line."""

    values: dict[str, float | bool] = Field(description="what is set for it, by instrument.parameter")
    every: int = Field(10, ge=1, description="points between two references; one comes first, one last")


class Scan(_Value):
    """Points known beforehand.

    ``grid`` visits every combination, the last axis fastest; ``zip`` moves all axes together. ``snake`` turns back at the end
    of a row instead of jumping; ``shuffled`` visits in an order drawn with ``seed``, each repeat in another one.
    """

    axes: tuple[Axis, ...] = Field(min_length=1, description="slowest first")
    combine: Literal["grid", "zip"] = Field("grid", description="every combination, or all axes in step")
    order: Literal["forward", "snake", "shuffled"] = Field("forward", description="in which order points are visited")
    seed: int = Field(0, ge=0, description="of the shuffled order")
    repeats: int = Field(1, ge=1, description="how often all points are visited")
    reference: Reference | None = Field(None, description="a point measured in between")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        lengths = [len(axis.values) for axis in self.axes]
        if len({axis.parameter for axis in self.axes}) < len(self.axes):
            raise ValueError(f"two axes set the same parameter: {[axis.parameter for axis in self.axes]}")
        if self.combine == "zip" and len(set(lengths)) > 1:
            raise ValueError(f"axes moved together need equal lengths, got {lengths}")
        if np.prod(lengths if self.combine == "grid" else lengths[:1], dtype=float) * self.repeats > MAX_POINTS:
            raise ValueError(f"{lengths} points, {self.repeats} times, are more than {MAX_POINTS}")
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """Points along each axis of the grid; axes moved together count as one."""
        lengths = tuple(len(axis.values) for axis in self.axes)
        return lengths if self.combine == "grid" else lengths[:1]

    def points(self) -> tuple[Point, ...]:
        """All points, in the order they are visited."""
        return tuple(self._with_references([self._point(index) for index in self._indices()]))

    def _indices(self) -> list[tuple[int, ...]]:
        rng = np.random.default_rng(self.seed)
        once = list(_snake(self.shape) if self.order == "snake" else product(*map(range, self.shape)))
        visited = []
        for turn in range(self.repeats):
            if self.order == "shuffled":
                visited += [once[k] for k in rng.permutation(len(once))]
            else:
                visited += once[::-1] if self.order == "snake" and turn % 2 else once
        return visited

    def _point(self, index: tuple[int, ...]) -> Point:
        each = index if self.combine == "grid" else index * len(self.axes)
        return Point({axis.parameter: axis.values[k] for axis, k in zip(self.axes, each, strict=True)}, index)

    def _with_references(self, points: list[Point]) -> Iterator[Point]:
        for k, point in enumerate(points):
            if self.reference is not None and k % self.reference.every == 0:
                yield Point(self.reference.values)
            yield point
        if self.reference is not None:
            yield Point(self.reference.values)


def _snake(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Indices of a grid in which neighbours in time are neighbours on the grid."""
    if not shape:
        yield ()
        return
    for k, outer in enumerate(_snake(shape[:-1])):
        row = range(shape[-1])
        yield from ((*outer, i) for i in (reversed(row) if k % 2 else row))


@dataclass(frozen=True, slots=True)
class Told:
    """A point and what was measured there."""

    values: Mapping[str, float] = field(default_factory=dict)
    measured: float = float("nan")


class Search(_Value):
    """Points decided one by one; subclasses are found by ``method`` (shipped, or entry point ``erbia.searches``)."""

    method: str

    @abstractmethod
    def ask(self, told: Sequence[Told]) -> Mapping[str, float] | None:
        """The next point after those told, in order; None: the search is over. Pure."""


class GoldenSection(Search):
    """Narrows a bracket with one extremum by the golden ratio: each point but the first costs one measurement."""

    method: Literal["golden_section"] = "golden_section"
    parameter: str = Field(description="instrument.parameter")
    low: float = Field(description="lower end of the bracket")
    high: float = Field(description="upper end of the bracket")
    tolerance: float = Field(gt=0, description="stop when the bracket is narrower than this")
    goal: Literal["highest", "lowest"] = Field("highest", description="which extremum")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low ({self.low:g}) must lie below high ({self.high:g})")
        return self

    def ask(self, told: Sequence[Told]) -> Mapping[str, float] | None:
        value = self._bracket(told)[2]
        return None if value is None else {self.parameter: value}

    def bracket(self, told: Sequence[Told]) -> tuple[float, float]:
        """Where the extremum lies after the points told."""
        return self._bracket(told)[:2]

    def _bracket(self, told: Sequence[Told]) -> tuple[float, float, float | None]:
        """Ends of the bracket, and the inner point that is to be measured next."""
        low, high = self.low, self.high
        results = iter(told)
        inner: dict[str, float] = {}
        while high - low > self.tolerance:
            left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
            for name, at in (("left", left), ("right", right)):
                if name not in inner:
                    following = next(results, None)
                    if following is None:
                        return low, high, at
                    inner[name] = following.measured if self.goal == "highest" else -following.measured
            if inner["left"] >= inner["right"]:
                high, inner = right, {"right": inner["left"]}
            else:
                low, inner = left, {"left": inner["right"]}
        return low, high, None


def searches() -> dict[str, type[Search]]:
    """Every search by its method name."""
    found: dict[str, type[Search]] = {"golden_section": GoldenSection}
    return found | {point.name: point.load() for point in entry_points(group="erbia.searches")}


def _as_typed(typed: Any) -> Any:
    if isinstance(typed, str):
        typed = points_of(typed)
    if not isinstance(typed, Mapping) or "method" not in typed:
        return typed
    known = searches()
    if typed["method"] not in known:
        raise ValueError(f"no search {typed['method']!r}; there are {', '.join(known)}")
    return known[typed["method"]].model_validate(typed)


#: A scan or a search, from its text or dict or as a value.
Points = Annotated[
    Scan | SerializeAsAny[Search], BeforeValidator(_as_typed), Field(json_schema_extra={"typed": "scan"})
]
