"""Following the offset of two free clocks block by block, and how stable they are against each other (TDEV)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from pydantic import Field

from ...analysis.clock_sync import SyncResult, synchronize
from ...analysis.clock_track import TrackedOffset, TrackerState, phase_series, start_tracking
from ...analysis.clock_track import step as track
from ...analysis.records import PS_PER_S, Estimate, FloatArray, Int64Array, TagBlock
from ...analysis.report_input import Curve
from ...analysis.stability import allan
from ..documents import Result
from .base import Action, Demand, Experiment, ExperimentConfig, Plan, Seconds, Setting, Standing, to_ps
from .clock_truth import offset_when
from .link import NODES

_FEWEST = 16


class ClockTrackingConfig(ExperimentConfig):
    """Configuration of ``clock_tracking``."""

    duration_s: Seconds = Field(20.0, gt=0, description="how long to follow the clocks")
    acquire_s: Seconds = Field(2.0, gt=0, description="record the first offset is searched in")
    block_s: Seconds = Field(0.1, gt=0, description="one offset every so often")
    max_offset_s: Seconds = Field(0.2, gt=0, le=8.0, description="largest clock offset searched, either sign")
    max_ppm: float = Field(1.5, gt=0, le=150.0, description="largest fractional frequency difference searched, in 1e-6")
    max_work: float = Field(3e8, gt=0, description="how long a weak signal is searched for, in histogram operations")


@dataclass
class TrackingState:
    """Photons that wait (until the clocks are found, then for the other node), the tracker, and the offsets so far."""

    waiting: dict[str, list[Int64Array]] = field(default_factory=lambda: {name: [] for name in NODES})
    live_ps: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NODES, 0))
    sync: SyncResult | None = None
    tracker: TrackerState | None = None
    offsets: list[TrackedOffset] = field(default_factory=list)

    def take(self, name: str) -> Int64Array:
        """The waiting photons of a node, int64 (N,) ps; they wait no more."""
        parts, self.waiting[name] = self.waiting[name], []
        return np.concatenate([np.empty(0, np.int64), *parts])


class ClockTracking(Experiment[ClockTrackingConfig, TrackingState]):
    """Finds the clocks once, then follows the correlation peak; a leap or a gap is told, not averaged away."""

    name = "clock_tracking"
    title = "Clock tracking from photon pairs"
    Config = ClockTrackingConfig

    def build(self) -> Plan:
        return Plan((Setting("pairs", None, {"pair_source.emission": True}),), NODES)

    def demands(self) -> tuple[Demand, ...]:
        return (Demand(time_s=self.config.duration_s),)

    def begin(self) -> TrackingState:
        return TrackingState()

    def step(self, state: TrackingState, setting: int, block: TagBlock) -> tuple[TrackingState, Action]:
        state.waiting[block.source].append(block.tags.on(self.nodes[block.source].channel("photon")))
        state.live_ps[block.source] += block.t_stop_ps - block.t_start_ps
        if block.source != NODES[-1]:
            return state, Action.CONTINUE
        taken_ps = min(state.live_ps.values())
        if state.tracker is not None:
            state.tracker, found = track(state.tracker, *(state.take(name) for name in NODES))
            state.offsets.extend(found)
        elif state.sync is None and taken_ps >= to_ps(self.config.acquire_s):
            self._acquire(state)
        lost = state.sync is not None and not state.sync.found
        return state, Action.FINISH if lost or taken_ps >= to_ps(self.config.duration_s) else Action.CONTINUE

    def result(self, state: TrackingState) -> Result:
        seen = [o for o in state.offsets if np.isfinite(o.measured_ps) and o.measured_std_ps > 0]
        if len(seen) < _FEWEST:
            return Result({})
        t_ps = np.array([o.t_ps for o in seen], np.int64)
        measured, std = (np.array([getattr(o, name) for o in seen]) for name in ("measured_ps", "measured_std_ps"))
        estimates, line = _line(t_ps, measured, std, round(sum(o.pairs for o in seen)))
        since_s = (t_ps - t_ps[0]) / PS_PER_S
        off = measured - line
        curves = {
            "clock offset": Curve(since_s, "time (s)", "offset from the mean line (ps)", off, off - std, off + std),
            **self._stability(state),
        }
        statuses = {
            status: sum(o.status == status for o in state.offsets) for status in ("locked", "leap", "gap", "lost")
        }
        return Result(estimates, curves=curves, counts={"blocks": statuses})

    def standing(self, state: TrackingState) -> Standing:
        taken_s = min(state.live_ps.values()) / PS_PER_S
        done = "searching" if state.tracker is None else f"{len(state.offsets)} offsets"
        return Standing(min(1.0, taken_s / self.config.duration_s), done)

    def shortfall(self, state: TrackingState) -> str:
        if state.sync is None:
            return f"stopped before {self.config.acquire_s:g} s were collected"
        if not state.sync.found:
            return f"no clock offset found: {state.sync.reason}"
        return "" if any(o.status == "locked" for o in state.offsets) else "the peak was lost at once"

    def truth_names(self) -> Mapping[str, str]:
        return {"clock_skew": "clock_skew"}

    def derived_truth(self, hidden: Mapping[str, float], estimates: Mapping[str, Estimate]) -> Mapping[str, float]:
        return offset_when("clock_offset_ps", hidden, "clock_offset_ps", estimates.get("clock_offset_at_s"))

    def _acquire(self, state: TrackingState) -> None:
        """Searches the waiting photons and, when the clocks are found, tracks from the beginning of the record."""
        c = self.config
        a_ps, b_ps = (state.take(name) for name in NODES)
        if min(len(a_ps), len(b_ps)) < 2:
            return
        state.sync = synchronize(a_ps, b_ps, max_offset_s=c.max_offset_s, max_ppm=c.max_ppm, max_work=c.max_work)
        if not state.sync.found:
            return
        rate_a_hz = len(a_ps) * PS_PER_S / max(int(a_ps[-1] - a_ps[0]), 1)
        tracker = start_tracking(state.sync, int(a_ps[0]), rate_a_hz=rate_a_hz, block_ps=to_ps(c.block_s))
        state.tracker, found = track(tracker, a_ps, b_ps)
        state.offsets.extend(found)

    def _stability(self, state: TrackingState) -> dict[str, Curve]:
        """Time deviation of the measured offsets against averaging time."""
        stability = allan(phase_series(tuple(state.offsets), to_ps(self.config.block_s)), 1 / self.config.block_s)
        lower, upper = stability.intervals["tdev"]
        good = np.isfinite(stability.tdev)
        columns = (stability.tau_s, stability.tdev, lower, upper)
        tau_s, tdev, low, high = (column[good] for column in columns)
        return {"TDEV": Curve(tau_s, "averaging time (s)", "time deviation (s)", tdev, low, high)}


def _line(
    t_ps: Int64Array, offset_ps: FloatArray, std_ps: FloatArray, pairs: int, confidence: float = 0.95
) -> tuple[dict[str, Estimate], FloatArray]:
    """Offset and skew of the best straight line, at the middle of the record, and the line itself, float64 (K,) ps.

    Where the clocks wander about the line more than the pairs explain, the errors grow with it.
    """
    middle_ps = int(t_ps[0] + t_ps[-1]) // 2
    since_ps = (t_ps - middle_ps).astype(np.float64)
    weight = 1 / std_ps**2
    design = np.column_stack([np.ones_like(since_ps), since_ps])
    covariance = np.linalg.inv((design * weight[:, None]).T @ design)
    offset, skew = found = covariance @ ((design * weight[:, None]).T @ offset_ps)
    covariance *= max(1.0, float(np.sum(weight * (offset_ps - design @ found) ** 2)) / (len(t_ps) - 2))
    z = NormalDist().inv_cdf((1 + confidence) / 2)

    def estimate(value: float, std: float, unit: str) -> Estimate:
        return Estimate(
            value, value - z * std, value + z * std, confidence, std, pairs, "tracked offsets, best line", unit
        )

    offset_std, skew_std = np.sqrt(np.diag(covariance)).tolist()
    estimates = {
        "clock_offset_ps": estimate(float(offset), offset_std, "ps"),
        "clock_skew": estimate(float(skew), skew_std, ""),
        "clock_offset_at_s": estimate(middle_ps / PS_PER_S, 0.0, "s"),
    }
    line: FloatArray = design @ found
    return estimates, line
