"""Clock offset free of the path's delay: pairs sent from Alice, then from Bob, through the same fibre, again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from pydantic import Field

from ...analysis.clock_legs import fit_legs
from ...analysis.clock_model import offset_at
from ...analysis.clock_sync import SyncResult, synchronize
from ...analysis.clock_two_way import fibre_asymmetry
from ...analysis.records import PS_PER_S, Estimate, Int64Array, TagBlock
from ...analysis.report_input import Curve
from ..documents import Result
from .base import Action, Demand, Experiment, ExperimentConfig, Plan, Seconds, Setting, Standing, to_ps
from .clock_truth import offset_when
from .link import NODES

_FEWEST_LEGS = 4


class ClockTwoWayConfig(ExperimentConfig):
    """Configuration of ``clock_two_way``."""

    rounds: int = Field(3, ge=2, le=1000, description="how often the direction goes there and back")
    leg_s: Seconds = Field(1.0, gt=0, description="record of one direction")
    max_offset_s: Seconds = Field(0.2, gt=0, le=8.0, description="largest clock offset searched, either sign")
    max_ppm: float = Field(1.5, gt=0, le=150.0, description="largest fractional frequency difference searched, in 1e-6")
    max_work: float = Field(3e8, gt=0, description="how long a weak signal is searched for, in histogram operations")
    length_km: float = Field(4.6, ge=0, description="fibre from Alice to Bob, for the bound of its asymmetry")
    wavelength_difference_nm: float = Field(0.0, description="between the two directions")


@dataclass
class Leg:
    """One direction once: photons while it is recorded, then where the correlation peak was."""

    photons: dict[str, list[Int64Array]] = field(default_factory=lambda: {name: [] for name in NODES})
    live_ps: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NODES, 0))
    closed: bool = False
    reason: str = ""
    pairs: int = 0
    t_ps: int = 0
    offset_ps: float = float("nan")
    std_ps: float = float("nan")


class ClockTwoWay(Experiment[ClockTwoWayConfig, list[Leg]]):
    """From Alice the peak lies at the clocks' offset plus the delay, from Bob at the offset minus the delay back.

    One line in time and the clocks' wander about it explain both: the half sum is the offset (told for the last leg), the half
    difference the delay (on Bob's clock). What differs between the directions cannot be seen; its bound is told beside the error.
    """

    name = "clock_two_way"
    title = "Two-way clock synchronisation"
    Config = ClockTwoWayConfig

    def build(self) -> Plan:
        settings = tuple(
            Setting(f"round {k + 1} from {site}", None, {"pair_source.emission": True, "pair_source.site": site})
            for k in range(self.config.rounds)
            for site in NODES
        )
        return Plan(settings, NODES)

    def demands(self) -> tuple[Demand, ...]:
        return (Demand(time_s=self.config.leg_s),) * (2 * self.config.rounds)

    def begin(self) -> list[Leg]:
        return []

    def step(self, state: list[Leg], setting: int, block: TagBlock) -> tuple[list[Leg], Action]:
        if setting == len(state):
            state.append(Leg())
        leg = state[setting]
        leg.photons[block.source].append(block.tags.on(self.nodes[block.source].channel("photon")))
        leg.live_ps[block.source] += block.t_stop_ps - block.t_start_ps
        if block.source != NODES[-1] or min(leg.live_ps.values()) < to_ps(self.config.leg_s):
            return state, Action.CONTINUE
        self._close(leg)
        return state, Action.NEXT_SETTING

    def result(self, state: list[Leg]) -> Result:
        found = [(k % 2, leg) for k, leg in enumerate(state) if leg.pairs]
        counts = {"pairs": {f"leg {k + 1}": leg.pairs for k, leg in enumerate(state) if leg.closed}}
        if len(found) < _FEWEST_LEGS:
            return Result({}, counts=counts)
        sign = np.array([1.0 - 2.0 * site for site, _ in found])
        t_ps = np.array([leg.t_ps for _, leg in found])
        offset_ps, std_ps = (np.array([getattr(leg, name) for _, leg in found]) for name in ("offset_ps", "std_ps"))
        at_s, since_s = t_ps[-1] / PS_PER_S, (t_ps - t_ps[0]) / PS_PER_S
        n = sum(leg.pairs for _, leg in found)
        fit = fit_legs(since_s, self.config.leg_s, sign, offset_ps, std_ps, n)
        bound = fibre_asymmetry(self.config.length_km, self.config.wavelength_difference_nm).offset_bound_ps
        estimates = {
            "two_way_offset_ps": fit.offset_ps,
            "two_way_skew": fit.skew,
            "one_way_delay_ps": fit.delay_ps,
            "two_way_offset_at_s": Estimate(at_s, at_s, at_s, 1.0, 0.0, n, "middle of the last leg", "s"),
            "asymmetry_bound_ps": Estimate(
                bound, 0.0, bound, 1.0, float("nan"), 0, "bound, not seen by the method", "ps"
            ),
        }
        off, label = fit.residuals_ps, "offset from the two-way line (ps)"
        return Result(
            estimates,
            curves={"legs": Curve(since_s, "time (s)", label, off, off - std_ps, off + std_ps)},
            counts=counts,
        )

    def standing(self, state: list[Leg]) -> Standing:
        wanted, done = 2 * self.config.rounds, sum(leg.closed for leg in state)
        return Standing(done / wanted, f"{done} of {wanted} legs")

    def shortfall(self, state: list[Leg]) -> str:
        if sum(leg.pairs > 0 for leg in state) >= _FEWEST_LEGS:
            return ""
        reasons = dict.fromkeys(leg.reason for leg in state if leg.reason)
        return f"fewer than {_FEWEST_LEGS} legs found their peak: {'; '.join(reasons) or 'stopped early'}"

    def truth_names(self) -> Mapping[str, str]:
        return {"one_way_delay_ps": "one_way_delay_ps"}

    def derived_truth(self, hidden: Mapping[str, float], estimates: Mapping[str, Estimate]) -> Mapping[str, float]:
        return offset_when("two_way_offset_ps", hidden, "bare_clock_offset_ps", estimates.get("two_way_offset_at_s"))

    def _close(self, leg: Leg) -> None:
        """Finds the peak of a leg and lets its photons go."""
        c = self.config
        a_ps, b_ps = (np.concatenate(leg.photons[name]) for name in NODES)
        leg.photons, leg.closed = {name: [] for name in NODES}, True
        if min(len(a_ps), len(b_ps)) < 2:
            leg.reason = "no photon at one of the nodes"
            return
        found = synchronize(a_ps, b_ps, max_offset_s=c.max_offset_s, max_ppm=c.max_ppm, max_work=c.max_work)
        if found.model is None or found.response is None:
            leg.reason = found.reason
            return
        leg.t_ps = int(a_ps[0] + a_ps[-1]) // 2
        leg.offset_ps, leg.std_ps, leg.pairs = _mean_offset(found, a_ps, leg.t_ps), _error(found), found.pairs


def _mean_offset(found: SyncResult, a_ps: Int64Array, middle_ps: int) -> float:
    """Of the best straight line through the track, at the middle of the leg, ps."""
    assert found.model is not None
    t_ps = np.linspace(a_ps[0], a_ps[-1], 500).astype(np.int64)
    return float(np.polyfit((t_ps - middle_ps).astype(np.float64), offset_at(t_ps, found.model), 1)[1])


def _error(found: SyncResult) -> float:
    assert found.response is not None
    return float(found.response.std_ps / np.sqrt(found.pairs))
