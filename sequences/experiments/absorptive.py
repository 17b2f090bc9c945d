"""Entanglement of absorptive memories: pair sources fill two combs, one idler click at the midpoint heralds one excitation in both.

After Lago-Rivera et al., Nature 594, 37 (2021). Each memory gives its photon back as an echo at a fixed time; the two echo detectors
say where the excitation was. That it is one and no more shows in their joint clicks, fewer than independent memories would give.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from ...analysis.delocalised import concurrence_limit, delocalised, visibility_needed
from ...analysis.gating import GateStream
from ...analysis.intervals import chance_estimate
from ...analysis.photons import product_ratio
from ...analysis.poisson import poisson_rate
from ...analysis.records import PS_PER_S, Estimate, TagBlock
from ..documents import Result
from ..pulses import Pulse
from ..sequence import Block, Branch, HeraldCondition, Sequence
from .base import Action, Demand, Experiment, ExperimentConfig, Plan, Seconds, Setting, Standing, Volts, to_ps
from .link import GAP_PS, NODES, header, photon_delay_ps
from .link_data import MIDPOINT
from .single_photon import SinglePhotonState, take_attempts

_NO_WINDOW = (0, 0)


class AbsorptiveConfig(ExperimentConfig):
    """Configuration of ``absorptive_entanglement``."""

    heralds: int = Field(20_000, ge=1, description="heralds to collect")
    max_time_s: Seconds = Field(600.0, gt=0, description="longest lab time")
    storage_s: Seconds = Field(1e-6, gt=0, description="from pump pulse to echo, the inverse of the comb's spacing")
    prepare_s: Seconds = Field(4e-6, gt=0, description="light that keeps the comb prepared")
    pump_s: Seconds = Field(10e-9, gt=0, description="pump pulse of the pair sources")
    window_s: Seconds = Field(190e-9, gt=0, description="herald window after the pump pulse")
    gate_s: Seconds = Field(300e-9, gt=0, description="window of the echo detectors, around the echo")
    latency_s: Seconds = Field(5e-9, ge=0, description="herald electronics")
    attempt_s: Seconds = Field(10e-6, gt=0, description="time from one attempt to the next")
    attempts_per_burst: int = Field(100, ge=1, description="attempts between two sync markers")
    electrode_v: Volts = Field(0.0, description="static voltage at which the ions are not split")


class AbsorptiveEntanglement(Experiment[AbsorptiveConfig, SinglePhotonState]):
    """Read-outs along z only: ensembles are not turned, and the echoes are not brought to interference.

    Where the excitation is found tells how well both echoes would have to interfere for the memories to be entangled, and the
    concurrence if they did so perfectly (``analysis.delocalised``); that they do is not measured here.
    """

    name = "absorptive_entanglement"
    title = "Heralded excitation of two absorptive memories"
    Config = AbsorptiveConfig

    def build(self) -> Plan:
        held = {"laser.emission": True} | {f"{n}_memory.electrode_voltage": self.config.electrode_v for n in NODES}
        return Plan((Setting("store", self._sequence(), held),), (MIDPOINT, *NODES))

    def demands(self) -> tuple[Demand, ...]:
        return (Demand(heralds=self.config.heralds, longest_s=self.config.max_time_s),)

    def begin(self) -> SinglePhotonState:
        midpoint, c = self.nodes[MIDPOINT], self.config
        late_ps, length_ps = to_ps(c.latency_s), to_ps(c.window_s)
        herald = midpoint.channel("herald")
        clicks = {
            d: GateStream(herald, midpoint.channel(d), -length_ps - late_ps, -late_ps)
            for d in ("detector_a", "detector_b")
        }
        gate_ps = self._gate_ps()
        readouts = {
            n: GateStream(self.nodes[n].channel("herald"), self.nodes[n].channel("photon"), *gate_ps) for n in NODES
        }
        return SinglePhotonState(clicks, readouts, {})

    def step(self, state: SinglePhotonState, setting: int, block: TagBlock) -> tuple[SinglePhotonState, Action]:
        take_attempts(state, setting, block)
        over = state.live_ps[setting] >= to_ps(self.config.max_time_s)
        if state.matching[setting].used < self.config.heralds and not over:
            return state, Action.CONTINUE
        if block.source == NODES[-1]:
            state.closed.add(setting)
        return state, Action.FINISH

    def result(self, state: SinglePhotonState) -> Result:
        joint = state.matching[0].joint
        counts = {r: joint[1][r] + joint[-1][r] for r in joint[1]}
        n, live_s = sum(counts.values()), state.live_ps[0] / PS_PER_S
        estimates = {"herald_rate_hz": poisson_rate(state.heralds[0], live_s)} if live_s > 0 else {}
        a, b, both = counts["++"] + counts["+-"], counts["++"] + counts["-+"], counts["++"]
        if n:
            estimates["alice_echo_share"] = chance_estimate(a, n)
            estimates["bob_echo_share"] = chance_estimate(b, n)
        if a and b:
            tops, bottoms = {"joint echoes": both, "heralds": n}, {"echoes at Alice": a, "echoes at Bob": b}
            estimates["joint_suppression"] = product_ratio(tops, bottoms, method="joint echoes over independent ones")
        if a + b > 2 * both:
            estimates |= delocalised(counts)
        return Result(estimates, counts={"echoes": counts})

    def standing(self, state: SinglePhotonState) -> Standing:
        used = state.matching[0].used
        return Standing(min(1.0, used / self.config.heralds), f"{used} of {self.config.heralds} heralds")

    def shortfall(self, state: SinglePhotonState) -> str:
        return "" if state.heralds[0] else "no herald came: are the memories ensembles, is the pump light on?"

    def truth_names(self) -> Mapping[str, str]:
        shares = {f"{n}_echo_share": f"{n}_click_after_herald" for n in NODES}
        return {**shares, "herald_rate_hz": "herald_rate_hz"}

    def derived_truth(self, hidden: Mapping[str, float], estimates: Mapping[str, Estimate]) -> Mapping[str, float]:
        """From where the excitations are (ZZ and each node's share) and how read-outs click, which they do independently."""
        if not {"ezz", *(f"{n}_p_bright_click" for n in NODES)} <= hidden.keys():
            return {}
        a, b = (hidden[f"{n}_click_after_herald"] for n in NODES)
        dark = [hidden[f"{n}_p_dark_click"] for n in NODES]
        gain = [hidden[f"{n}_p_bright_click"] - d for n, d in zip(NODES, dark, strict=True)]
        share = [(p - d) / g for p, d, g in zip((a, b), dark, gain, strict=True)]
        both_excited = (hidden["ezz"] + 2 * sum(share) - 1) / 4
        both = dark[0] * b + a * dark[1] - dark[0] * dark[1] + gain[0] * gain[1] * both_excited
        chances = (a - both, b - both, both)
        return {
            "joint_suppression": both / (a * b),
            "visibility_needed": visibility_needed(*chances),
            "concurrence_limit": concurrence_limit(*chances),
        }

    def _pump_ps(self) -> int:
        """Centre of the pump pulse, ps after the start of an attempt."""
        return to_ps(self.config.prepare_s) + 500_000 + to_ps(self.config.pump_s) // 2

    def _window_ps(self) -> tuple[int, int]:
        start_ps = self._pump_ps() + photon_delay_ps(self.nodes) - to_ps(self.config.pump_s)
        return start_ps, start_ps + to_ps(self.config.window_s)

    def _gate_ps(self) -> tuple[int, int]:
        """When the echo detectors look, ps after the herald marker."""
        marker_ps = self._window_ps()[1] + to_ps(self.config.latency_s) + photon_delay_ps(self.nodes)
        start_ps = self._pump_ps() + to_ps(self.config.storage_s) - marker_ps - to_ps(self.config.gate_s) // 2
        return start_ps, start_ps + to_ps(self.config.gate_s)

    def _sequence(self) -> Sequence:
        c, window_ps, gate_ps = self.config, self._window_ps(), self._gate_ps()
        pump_ps = self._pump_ps() - to_ps(c.pump_s) // 2
        body = (
            Pulse("initialise", 0, to_ps(c.prepare_s)),
            Pulse("excitation", pump_ps, to_ps(c.pump_s)),
            Pulse("gate", window_ps[0] - GAP_PS // 10, window_ps[1] - window_ps[0] + GAP_PS // 5),
        )
        then = tuple(Pulse(f"{n}_readout", gate_ps[0], gate_ps[1] - gate_ps[0]) for n in NODES)
        detectors = {d.name: d.detector for d in self.nodes[MIDPOINT].channels}
        condition = HeraldCondition(
            (detectors["detector_a"], detectors["detector_b"]), window_ps, _NO_WINDOW, to_ps(c.latency_s)
        )
        branch = Branch(on=condition, then=Block(gate_ps[1] + 1_000_000, then))
        return Sequence("store and herald", header(), Block(to_ps(c.attempt_s), body), c.attempts_per_burst, branch)
