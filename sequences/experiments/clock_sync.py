"""Clock offset and skew between two nodes from the photon pairs they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from pydantic import Field

from ...analysis.clock_limit import cramer_rao
from ...analysis.clock_model import offset_at, to_clock_b
from ...analysis.clock_sync import SyncResult, synchronize
from ...analysis.correlation import correlate
from ...analysis.records import PS_PER_S, ClockModel, CorrelationHistogram, Estimate, Int64Array, TagBlock
from ..documents import Result
from .base import Action, Demand, Experiment, ExperimentConfig, Plan, Seconds, Setting, Standing, to_ps
from .clock_truth import offset_when
from .link import NODES

_TRACK_POINTS = 2000


class ClockSyncConfig(ExperimentConfig):
    """Configuration of ``clock_sync``."""

    duration_s: Seconds = Field(5.0, gt=0, description="how long to collect pairs")
    max_offset_s: Seconds = Field(0.2, gt=0, le=8.0, description="largest clock offset searched, either sign")
    max_ppm: float = Field(1.5, gt=0, le=150.0, description="largest fractional frequency difference searched, in 1e-6")
    max_work: float = Field(3e8, gt=0, description="how long a weak signal is searched for, in histogram operations")
    histogram_range_s: Seconds = Field(5e-9, gt=0, description="half width of the pair histogram")
    histogram_bin_s: Seconds = Field(10e-12, ge=1e-12, description="bin of the pair histogram")


@dataclass
class SyncState:
    """Photon times of each node, in blocks, the live time, and once that suffices what was found."""

    photons: dict[str, list[Int64Array]] = field(default_factory=lambda: {name: [] for name in NODES})
    live_ps: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NODES, 0))
    sync: SyncResult | None = None

    def times_ps(self, name: str) -> Int64Array:
        return np.concatenate(self.photons[name]) if self.photons[name] else np.empty(0, np.int64)


class ClockSync(Experiment[ClockSyncConfig, SyncState]):
    """One source, one photon of each pair to each node: both record, the correlation peak gives offset and skew."""

    name = "clock_sync"
    title = "Clock synchronisation from photon pairs"
    Config = ClockSyncConfig

    def build(self) -> Plan:
        return Plan((Setting("pairs", None, {"pair_source.emission": True}),), NODES)

    def demands(self) -> tuple[Demand, ...]:
        return (Demand(time_s=self.config.duration_s),)

    def begin(self) -> SyncState:
        return SyncState()

    def step(self, state: SyncState, setting: int, block: TagBlock) -> tuple[SyncState, Action]:
        photon = self.nodes[block.source].channel("photon")
        state.photons[block.source].append(block.tags.on(photon))
        state.live_ps[block.source] += block.t_stop_ps - block.t_start_ps
        if min(state.live_ps.values()) < to_ps(self.config.duration_s):
            return state, Action.CONTINUE
        state.sync = self._synchronize(state)
        return state, Action.FINISH

    def result(self, state: SyncState) -> Result:
        counts = {name: {"photons": sum(len(part) for part in state.photons[name])} for name in NODES}
        sync = state.sync
        if sync is None or sync.model is None:
            return Result({}, counts=counts)
        a_ps, b_ps = (state.times_ps(name) for name in NODES)
        estimates = mean_offset_and_skew(sync, a_ps) | statistical_limit(sync, a_ps, b_ps)
        pairs = {"pairs": {"found": sync.pairs}}
        return Result(estimates, {"pairs": self._pair_histogram(a_ps, b_ps, sync.model)}, counts=counts | pairs)

    def truth_names(self) -> Mapping[str, str]:
        return {"clock_skew": "clock_skew"}

    def derived_truth(self, hidden: Mapping[str, float], estimates: Mapping[str, Estimate]) -> Mapping[str, float]:
        return offset_when("clock_offset_ps", hidden, "clock_offset_ps", estimates.get("clock_offset_at_s"))

    def _synchronize(self, state: SyncState) -> SyncResult | None:
        a_ps, b_ps = (state.times_ps(name) for name in NODES)
        if len(a_ps) < 2 or len(b_ps) < 2:
            return None
        c = self.config
        return synchronize(a_ps, b_ps, max_offset_s=c.max_offset_s, max_ppm=c.max_ppm, max_work=c.max_work)

    def _pair_histogram(self, a_ps: Int64Array, b_ps: Int64Array, model: ClockModel) -> CorrelationHistogram:
        """Delays left after A's times were brought to B's clock: what is left is the detectors' jitter."""
        bin_ps = to_ps(self.config.histogram_bin_s)
        range_ps = to_ps(self.config.histogram_range_s) // bin_ps * bin_ps
        return correlate(to_clock_b(a_ps, model), b_ps, bin_ps=bin_ps, range_ps=range_ps)

    def standing(self, state: SyncState) -> Standing:
        taken_s = min(state.live_ps.values()) / PS_PER_S
        return Standing(min(1.0, taken_s / self.config.duration_s), f"{taken_s:.3g} of {self.config.duration_s:g} s")

    def shortfall(self, state: SyncState) -> str:
        if any(not sum(map(len, state.photons[name])) for name in NODES):
            return "no photon at one of the nodes: is the pair source on and are the detectors biased?"
        if state.sync is None:
            return f"stopped before {self.config.duration_s:g} s were collected"
        return "" if state.sync.found else f"no clock offset found: {state.sync.reason}"


def statistical_limit(sync: SyncResult, a_ps: Int64Array, b_ps: Int64Array) -> dict[str, Estimate]:
    """The smallest standard error of the offset that these pairs, their response and the accidentals allow."""
    assert sync.response is not None
    span_ps = float(a_ps[-1] - a_ps[0])
    bound_ps = cramer_rao(sync.response, sync.pairs, span_ps / PS_PER_S, len(a_ps) * len(b_ps) / span_ps).mid_ps
    method = "Cramér-Rao bound of the offset's standard error"
    return {"clock_offset_limit_ps": Estimate(bound_ps, bound_ps, bound_ps, 1.0, 0.0, sync.pairs, method, "ps")}


def mean_offset_and_skew(sync: SyncResult, a_ps: Int64Array, confidence: float = 0.95) -> dict[str, Estimate]:
    """Offset and skew of the best straight line over the record, at its middle, and the time that is on A's clock.

    Free clocks wander: the offset far from the record (at t = 0, say) is not what was measured, and the track of a
    wandering clock is not one line. The line's error is that of its pairs: σ/√N in the middle, √12 σ/(T√N) in slope.
    """
    assert sync.model is not None
    assert sync.response is not None
    t_ps = np.linspace(a_ps[0], a_ps[-1], _TRACK_POINTS).astype(np.int64)
    middle_ps, duration_ps = int(t_ps[0] + t_ps[-1]) // 2, float(t_ps[-1] - t_ps[0])
    skew, offset_ps = np.polyfit((t_ps - middle_ps).astype(np.float64), offset_at(t_ps, sync.model), 1)
    std_ps = sync.response.std_ps / np.sqrt(sync.pairs)
    z = NormalDist().inv_cdf((1 + confidence) / 2)

    def estimate(value: float, std: float, unit: str) -> Estimate:
        return Estimate(
            value, value - z * std, value + z * std, confidence, std, sync.pairs, "pair correlation, ML", unit
        )

    return {
        "clock_offset_ps": estimate(float(offset_ps), float(std_ps), "ps"),
        "clock_skew": estimate(float(skew), float(np.sqrt(12) * std_ps / duration_ps), ""),
        "clock_offset_at_s": estimate(middle_ps / PS_PER_S, 0.0, "s"),
    }
