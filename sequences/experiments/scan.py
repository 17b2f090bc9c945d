"""Any parameter against any count rate or reading: one axis, several, or points a search decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from pydantic import Field

from ...analysis.poisson import poisson_rate
from ...analysis.records import PS_PER_S, Estimate, TagBlock
from ...analysis.report_input import Curve, Image
from ...instruments.errors import ConfigError
from ..documents import Result
from ..scan import Axis, Point, Points, Scan, Search, Told, linear
from ..sequence import Sequence
from . import light
from .base import Action, Demand, Experiment, ExperimentConfig, Plan, Seconds, Setting, Standing, to_ps
from .visits import Visit, columns, mean_reading, pooled_rate

Key = tuple[int, ...]


class BreakWhen(ExperimentConfig):
    """Ends a scan after the first point at which a measured quantity leaves its bounds."""

    measured: str = Field(description="one of the measured quantities")
    above: float = Field(float("inf"), description="break when it is larger than this")
    below: float = Field(float("-inf"), description="break when it is smaller than this")


class ScanConfig(ExperimentConfig):
    """Configuration of ``scan``."""

    points: Points = Field(
        Scan(axes=(linear("snspd.ch3.bias", 10e-6, 18e-6, 9, "A"),)), description="a scan, or a search by its method"
    )
    measure: tuple[str, ...] = Field(
        ("alice.photon",),
        min_length=1,
        description="node.channel: its count rate; instrument.parameter: its reading",
    )
    dwell_s: Seconds = Field(1.0, gt=0, description="live time at each point")
    settle_s: Seconds = Field(0.0, ge=0, description="time after each change that does not count")
    play: Literal["nothing", "gate", "probe", "excitation", "alice_readout", "bob_readout"] = Field(
        "nothing", description="pulses played at every point"
    )
    parameters: dict[str, bool | float | str] = Field({}, description="set at every point, by instrument.parameter")
    break_when: BreakWhen | None = Field(None, description="condition that ends the scan early")


@dataclass
class ScanState:
    """The points visited so far, in order: one a setting."""

    visits: list[Visit] = field(default_factory=list)


class ScanExperiment(Experiment[ScanConfig, ScanState]):
    """Sets, waits, counts, reads; the curve or the map grows while it runs."""

    name = "scan"
    title = "Scan"
    Config = ScanConfig

    @cached_property
    def _known(self) -> tuple[Point, ...]:
        """The points known beforehand."""
        return self.config.points.points() if isinstance(self.config.points, Scan) else ()

    def build(self) -> Plan:
        for name in self._channels():
            self._counter(name)
        condition = self.config.break_when
        if condition is not None and condition.measured not in self.config.measure:
            raise ConfigError(f"break_when.measured: {condition.measured!r} is not in measure {self.config.measure}")
        known = self._known if condition is None else ()
        sequence = self._sequence()
        return Plan(tuple(self._setting(p, k, sequence) for k, p in enumerate(known)), self._sources())

    def demands(self) -> tuple[Demand, ...]:
        return (Demand(time_s=self.config.dwell_s + self.config.settle_s),) * len(self.build().settings)

    def later_s(self) -> float | None:
        return 0.0 if self._known and self.config.break_when is None else None

    def begin(self) -> ScanState:
        return ScanState()

    def next_setting(self, state: ScanState) -> Setting | None:
        if state.visits and self._broken(state.visits[-1]):
            return None
        point = self._point(state, len(state.visits))
        return None if point is None else self._setting(point, len(state.visits), self._sequence())

    def step(self, state: ScanState, setting: int, block: TagBlock) -> tuple[ScanState, Action]:
        visit = self._visit(state, setting)
        visit.take(block, self._inputs(block.source), to_ps(self.config.settle_s))
        if not visit.closed and visit.dwelt_ps(self._sources()) >= to_ps(self.config.dwell_s):
            visit.closed = block.source == self._sources()[-1]
            return state, Action.NEXT_SETTING
        return state, Action.CONTINUE

    def take_readings(self, state: ScanState, setting: int, readings: Mapping[str, float]) -> ScanState:
        self._visit(state, setting).readings.update(readings)
        return state

    def result(self, state: ScanState) -> Result:
        visits = [v for v in state.visits if v.live_ps]
        points = self.config.points
        data = [v for v in visits if v.index is not None]
        result = Result(self._highest(data))
        if not data:
            return result
        if isinstance(points, Search) or len(points.shape) == 1:
            axis = _search_axis(data) if isinstance(points, Search) else points.axes[0]
            result.curves.update({name: self._curve(name, axis, data) for name in self.config.measure})
        elif len(points.shape) == 2:
            result.images.update({name: self._image(name, points, data) for name in self.config.measure})
        references = [v for v in visits if v.index is None]
        if references:
            result.curves.update({f"reference {n}": self._in_order(n, references) for n in self.config.measure})
        return result

    def standing(self, state: ScanState) -> Standing:
        points, done = self.config.points, sum(v.closed for v in state.visits)
        if isinstance(points, Search):
            over = points.ask(self._told(state)) is None
            return Standing(1.0 if over else done / (done + 10), f"{done} points")
        wanted = len(self._known)
        return Standing(done / wanted, f"{done} of {wanted} points")

    def shortfall(self, state: ScanState) -> str:
        if state.visits and self._broken(state.visits[-1]):
            assert self.config.break_when is not None
            return f"broken off: {self.config.break_when.measured} left its bounds at {dict(state.visits[-1].values)}"
        return "" if any(v.live_ps for v in state.visits) else "no point was measured"

    def truth_names(self) -> Mapping[str, str]:
        node, _, channel = self.config.measure[0].partition(".")
        alone = len(self._known) == 1 and self.config.play == "nothing" and channel == "photon"
        return (
            {"highest_hz": f"{node}_singles_hz"} if alone else {}
        )  # the highest of several is chosen by its luck, too

    def value(self, visit: Visit, name: str) -> float:
        """What was measured at one point: a count rate (Hz) or a reading."""
        if name in self._channels():
            return pooled_rate([visit], *self._counter(name))[0]
        return visit.readings.get(name, float("nan"))

    def _point(self, state: ScanState, number: int) -> Point | None:
        points = self.config.points
        if isinstance(points, Scan):
            return self._known[number] if number < len(self._known) else None
        values = points.ask(self._told(state)[:number])
        return None if values is None else Point(values, (number,))

    def _told(self, state: ScanState) -> list[Told]:
        return [Told(v.values, self.value(v, self.config.measure[0])) for v in state.visits if v.closed]

    def _visit(self, state: ScanState, setting: int) -> Visit:
        if setting == len(state.visits):
            point = self._point(state, setting)
            assert point is not None
            state.visits.append(Visit(point.values, point.index))
        return state.visits[setting]

    def _setting(self, point: Point, number: int, sequence: Sequence | None) -> Setting:
        kind = "point" if point.index is not None else "reference"
        read = tuple(name for name in self.config.measure if name not in self._channels())
        parameters = {**self.config.parameters, **point.values}
        return Setting(f"{kind} {number}", sequence, parameters, read, self._units)

    @cached_property
    def _units(self) -> dict[str, str]:
        """Those the axes were typed in."""
        axes = self.config.points.axes if isinstance(self.config.points, Scan) else ()
        return {axis.parameter: axis.unit for axis in axes if axis.unit}

    def _sequence(self) -> Sequence | None:
        match self.config.play:
            case "nothing":
                return None
            case "gate":
                return light.gate_open()
            case "probe":
                return light.probe_pulses()
            case "excitation":
                return light.excite(self.nodes, 4_000_000)
            case node:
                return light.read_out(node.removesuffix("_readout"), 150_000_000)

    def _channels(self) -> tuple[str, ...]:
        """The measured quantities that are count rates."""
        return tuple(name for name in self.config.measure if name.split(".")[0] in self.nodes)

    def _counter(self, name: str) -> tuple[str, int]:
        node, _, channel = name.partition(".")
        try:
            return node, self.nodes[node].channel(channel)
        except KeyError as error:
            raise ConfigError(f"measure: {name!r}: {error.args[0]}") from error

    def _sources(self) -> tuple[str, ...]:
        counted = dict.fromkeys(name.split(".")[0] for name in self._channels())
        return tuple(counted) or tuple(self.nodes)[:1]

    def _inputs(self, source: str) -> list[int]:
        return [number for node, number in map(self._counter, self._channels()) if node == source]

    def _broken(self, visit: Visit) -> bool:
        condition = self.config.break_when
        return condition is not None and not condition.below <= self.value(visit, condition.measured) <= condition.above

    def _pooled(self, name: str, visits: list[Visit]) -> tuple[float, float, float]:
        return pooled_rate(visits, *self._counter(name)) if name in self._channels() else mean_reading(visits, name)

    def _label(self, name: str) -> str:
        return f"{name} (Hz)" if name in self._channels() else name

    def _curve(self, name: str, axis: Axis, data: list[Visit]) -> Curve:
        at = sorted((float(visits[0].values[axis.parameter]), visits) for visits in _by_index(data).values())
        measured, lower, upper = columns(self._pooled(name, visits) for _, visits in at)
        return Curve(np.array([x for x, _ in at]), axis.label, self._label(name), measured, lower, upper)

    def _in_order(self, name: str, visits: list[Visit]) -> Curve:
        measured, lower, upper = columns(self._pooled(name, [v]) for v in visits)
        return Curve(np.arange(1.0, len(visits) + 1), "visit", self._label(name), measured, lower, upper)

    def _image(self, name: str, scan: Scan, data: list[Visit]) -> Image:
        rows, across = scan.axes
        z = np.full(scan.shape, np.nan)
        for index, visits in _by_index(data).items():
            z[index] = self._pooled(name, visits)[0]
        y, x = np.array(rows.values), np.array(across.values)
        ordered = z[np.ix_(np.argsort(y), np.argsort(x))]
        return Image(np.sort(x), np.sort(y), ordered, across.label, rows.label, self._label(name))

    def _highest(self, data: list[Visit]) -> dict[str, Estimate]:
        """The highest rate of the first measured quantity, over all visits of its point, and where it is."""
        name = self.config.measure[0]
        if not data or name not in self._channels():
            return {}
        best = max(_by_index(data).values(), key=lambda visits: self._pooled(name, visits)[0])
        source, channel = self._counter(name)
        live_s = sum(v.live_ps.get(source, 0) for v in best) / PS_PER_S
        found = {"highest_hz": poisson_rate(sum(v.counts.get((source, channel), 0) for v in best), live_s)}
        for parameter, value in best[0].values.items():
            found[f"highest at {parameter}"] = Estimate(
                value, value, value, float("nan"), float("nan"), len(data), "point of the scan"
            )
        return found


def _by_index(data: list[Visit]) -> dict[Key, list[Visit]]:
    """Visits of the same point together."""
    found: dict[Key, list[Visit]] = defaultdict(list)
    for visit in data:
        assert visit.index is not None
        found[visit.index].append(visit)
    return found


def _search_axis(data: list[Visit]) -> Axis:
    parameter = next(iter(data[0].values))
    return Axis(parameter=parameter, values=tuple(_numbers(data, parameter)))


def _numbers(data: list[Visit], parameter: str) -> Iterator[float]:
    return (float(v.values[parameter]) for v in data)
