"""Who owns the timing jitter: detectors, tagger, laser and clock, from one stretch of probe pulses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt

import numpy as np
from pydantic import Field

from ...analysis.jitter_budget import quantisation_rms, split_two_channels, three_cornered_hat
from ...analysis.records import Estimate, FloatArray, Int64Array, TagBlock
from ..documents import Result
from .base import Action, Demand, Experiment, ExperimentConfig, Plan, Setting, Standing
from .light import PROBE_AT_PS, probe_pulses
from .link import HEADER_PS

_SOURCES = ("midpoint", "alice")
_DETECTORS = ("detector_a", "detector_b")
#: Clicks further than this from the probe pulse are darks.
_RANGE_PS = 1000
_FEWEST = 100
#: Times are whole picoseconds.
_ROUNDING_PS = quantisation_rms(1.0)
_EXACT_ROUNDING = Estimate(_ROUNDING_PS, _ROUNDING_PS, _ROUNDING_PS, 1.0, 0.0, 0, "rounding", "ps")
_Z = 1.959963984540054


class JitterBudgetConfig(ExperimentConfig):
    """Configuration of ``jitter_budget``."""

    pulses: int = Field(500_000, ge=10_000, description="probe pulses to send")


@dataclass
class BudgetState:
    """Times so far by source and channel, a piece a block."""

    times_ps: dict[tuple[str, str], list[Int64Array]] = field(default_factory=dict)
    closed: bool = False

    def of(self, source: str, channel: str) -> Int64Array:
        return np.concatenate([np.empty(0, np.int64), *self.times_ps.get((source, channel), [])])


class JitterBudget(Experiment[JitterBudgetConfig, BudgetState]):
    """Pairwise differences of marker, detector A and detector B give the jitter of each (three-cornered hat).

    Distances of neighbouring markers give a tagger input, what it leaves of the marker's part is the laser; the same markers
    on Alice's tagger give the two clocks against each other, the straight line between them taken out.
    """

    name = "jitter_budget"
    title = "Timing jitter by its owners"
    Config = JitterBudgetConfig

    def build(self) -> Plan:
        return Plan((Setting("probe", probe_pulses()),), _SOURCES)

    def demands(self) -> tuple[Demand, ...]:
        return (Demand(bursts=self.config.pulses),)

    def begin(self) -> BudgetState:
        return BudgetState()

    def step(self, state: BudgetState, setting: int, block: TagBlock) -> tuple[BudgetState, Action]:
        if state.closed:
            return state, Action.CONTINUE
        channels = ("sync", *_DETECTORS) if block.source == "midpoint" else ("sync",)
        for name in channels:
            clicks_ps = block.tags.on(self.nodes[block.source].channel(name))
            state.times_ps.setdefault((block.source, name), []).append(clicks_ps)
        enough = all(sum(map(len, state.times_ps.get((s, "sync"), []))) >= self.config.pulses for s in _SOURCES)
        state.closed = enough and block.source == _SOURCES[-1]
        return state, Action.FINISH if enough else Action.CONTINUE

    def result(self, state: BudgetState) -> Result:
        sync_ps = state.of("midpoint", "sync")
        clicks = [_after_pulse(sync_ps, state.of("midpoint", d)) for d in _DETECTORS]
        if min(len(k) for k, _ in clicks) < _FEWEST:
            return Result({})
        (k_a, late_a), (k_b, late_b) = clicks
        _, at_a, at_b = np.intersect1d(k_a, k_b, return_indices=True)
        if len(at_a) < _FEWEST:
            return Result({})
        marker, a, b = three_cornered_hat(_rms(late_a), _rms(late_b), _rms(late_a[at_a] - late_b[at_b]))
        tagger = split_two_channels(_rms(np.diff(sync_ps)[::2]))
        estimates = {
            "jitter_detector_a_ps": _less(a, tagger),
            "jitter_detector_b_ps": _less(b, tagger),
            "jitter_tagger_ps": _less(tagger, _EXACT_ROUNDING),
            "jitter_laser_ps": _less(marker, tagger),
            **self._clock(state, tagger),
        }
        counts = {
            "clicks": {"detector_a": len(k_a), "detector_b": len(k_b), "both": len(at_a), "markers": len(sync_ps)}
        }
        return Result(estimates, counts=counts)

    def standing(self, state: BudgetState) -> Standing:
        n = len(state.of("midpoint", "sync"))
        return Standing(min(1.0, n / self.config.pulses), f"{n} of {self.config.pulses} pulses")

    def shortfall(self, state: BudgetState) -> str:
        return "" if self.result(state).estimates else "too few clicks on both detectors: are they biased?"

    def truth_names(self) -> Mapping[str, str]:
        channels = {c.name: c.detector.split(".")[1] for c in self.nodes["midpoint"].channels if c.detector}
        detectors = {f"jitter_{d}_ps": f"{channels[d]}_jitter_rms_ps" for d in _DETECTORS}
        return {**detectors, "jitter_tagger_ps": "tagger_jitter_ps"}

    def _clock(self, state: BudgetState, tagger: Estimate) -> dict[str, Estimate]:
        """Alice's tagger input and clock together: the same markers there and at the midpoint."""
        here, there = (state.of(source, "sync") for source in _SOURCES)
        n = min(len(here), len(there))
        if n < _FEWEST:
            return {}
        apart_ps = (there[:n] - here[:n]).astype(np.float64)
        since_s = (here[:n] - here[0]) * 1e-12
        line = np.polynomial.Polynomial.fit(since_s, apart_ps, 1)
        return {"jitter_clock_and_input_ps": _less(_rms(apart_ps - line(since_s)), tagger)}


def _after_pulse(sync_ps: Int64Array, click_ps: Int64Array) -> tuple[Int64Array, FloatArray]:
    """Which pulse each click belongs to, and how late it came (ps), for clicks near their pulse."""
    due_ps = sync_ps + HEADER_PS + PROBE_AT_PS
    if not len(due_ps):
        return np.empty(0, np.int64), np.empty(0)
    k = np.clip(np.searchsorted(due_ps, click_ps - _RANGE_PS), 0, len(due_ps) - 1)
    late_ps = click_ps - due_ps[k]
    near = np.abs(late_ps) < _RANGE_PS
    pulses, first = np.unique(k[near], return_index=True)
    return pulses, late_ps[near][first].astype(np.float64)


def _rms(values: Int64Array | FloatArray) -> Estimate:
    """Standard deviation of a sample with its error from the fourth moment."""
    centred = np.asarray(values, np.float64) - np.mean(values)
    variance = float(np.mean(centred**2))
    error = sqrt(max(float(np.mean(centred**4)) - variance**2, 0.0) / len(centred))
    value, std = sqrt(variance), error / (2 * sqrt(variance)) if variance else 0.0
    return Estimate(value, value - _Z * std, value + _Z * std, 0.95, std, len(centred), "sample rms", "ps")


def _less(total: Estimate, known: Estimate) -> Estimate:
    """What is left of a jitter without a known part; 0 where the known part may be all there is."""
    variance = total.value**2 - known.value**2
    error = 2 * sqrt((total.value * total.std) ** 2 + (known.value * known.std) ** 2)
    value, lower, upper = (sqrt(max(v, 0.0)) for v in (variance, variance - _Z * error, variance + _Z * error))
    std = error / (2 * value) if value else float("nan")
    return Estimate(value, lower, upper, 0.95, std, total.n, f"{total.method}, known part taken off", "ps")
