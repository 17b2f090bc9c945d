"""Entanglement heralded by one photon: a weakly bright superposition in each memory, one click says that one of them emitted.

The scheme of Cabrillo et al., PRA 59, 1025 (1999): quicker than two photons by the path's transmission, at the price of an error of
about the bright share, where both emitted, and of a phase between the arms that must be held still.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import acos, pi, sqrt

import numpy as np
from pydantic import Field

from ...analysis.fidelity import estimate_fidelity
from ...analysis.gating import GateStream
from ...analysis.poisson import poisson_rate
from ...analysis.records import PS_PER_S, Estimate, TagBlock
from ..documents import Result
from ..pulses import Pulse, rotation
from ..sequence import Block, Branch, HeraldCondition, Sequence
from . import link
from .base import Action, Demand, Experiment, Plan, Setting, Standing, to_ps
from .link import GAP_PS, NODES
from .link_data import MIDPOINT, as_psi_plus
from .link_match import Matching
from .link_run import CALIBRATIONS, LinkConfig

_NO_WINDOW = (0, 0)


class SinglePhotonTiming(link.LinkTiming):
    """Times of one attempt; only the first of the two windows is used, and the herald comes that much sooner."""

    def marker_ps(self, photon_delay_ps: int) -> int:
        """When the herald marker is back at the nodes, ps after the start of the attempt."""
        return self.windows_ps(photon_delay_ps)[0][1] + to_ps(self.latency_s) + photon_delay_ps


class SinglePhotonConfig(LinkConfig):
    """Configuration of ``single_photon_entanglement``."""

    bases: tuple[str, ...] = Field(("XX", "YY", "ZZ"), min_length=3, description="read-out axes of Alice and Bob")
    bright_share: float = Field(0.1, gt=0, lt=0.5, description="population that can emit")
    parameters: dict[str, bool | float | str] = Field(
        {}, description="held during the run, e.g. the phase shifter's phase"
    )
    timing: SinglePhotonTiming = Field(default=SinglePhotonTiming(), description="times of one attempt")


@dataclass
class SinglePhotonState:
    """Heralds and read-outs matched by count, calibrations, and the time of the entangling settings."""

    clicks: dict[str, GateStream]
    readouts: dict[str, GateStream]
    calibration_gates: dict[str, GateStream]
    matching: dict[int, Matching] = field(default_factory=lambda: defaultdict(lambda: Matching(NODES)))
    calibrations: dict[tuple[str, int], dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: {"+": 0, "-": 0})
    )
    live_ps: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    heralds: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    closed: set[int] = field(default_factory=set)


class SinglePhotonEntanglement(Experiment[SinglePhotonConfig, SinglePhotonState]):
    """Fidelity to psi+ (a click at A) and psi- (at B, folded in the analysis), raw and corrected for read-out errors."""

    name = "single_photon_entanglement"
    title = "Entanglement heralded by one photon"
    Config = SinglePhotonConfig

    def build(self) -> Plan:
        timing, held = self.config.timing, {"laser.emission": True, **self.config.parameters}
        settings = [Setting(f"calibrate {s}", link.calibrate_readout(timing, s), held) for s in CALIBRATIONS]
        settings += [Setting(basis, self._attempts(basis), held) for basis in self.config.bases]
        return Plan(tuple(settings), (MIDPOINT, *NODES))

    def demands(self) -> tuple[Demand, ...]:
        attempts = Demand(heralds=self.config.heralds, longest_s=self.config.max_time_s)
        calibration = Demand(bursts=self.config.calibration_shots)
        return (*(calibration for _ in CALIBRATIONS), *(attempts for _ in self.config.bases))

    def begin(self) -> SinglePhotonState:
        timing, delay_ps = self.config.timing, link.photon_delay_ps(self.nodes)
        (start_ps, stop_ps), _ = timing.windows_ps(delay_ps)
        late_ps = to_ps(timing.latency_s)
        midpoint = self.nodes[MIDPOINT]
        light_ps, calibration_ps = timing.readout_ps(delay_ps), link.calibration_window_ps(timing)
        photon = {n: self.nodes[n].channel("photon") for n in NODES}
        return SinglePhotonState(
            clicks={
                d: GateStream(midpoint.channel("herald"), midpoint.channel(d), start_ps - stop_ps - late_ps, -late_ps)
                for d in ("detector_a", "detector_b")
            },
            readouts={n: GateStream(self.nodes[n].channel("herald"), photon[n], *light_ps) for n in NODES},
            calibration_gates={n: GateStream(self.nodes[n].channel("sync"), photon[n], *calibration_ps) for n in NODES},
        )

    def step(self, state: SinglePhotonState, setting: int, block: TagBlock) -> tuple[SinglePhotonState, Action]:
        if setting < len(CALIBRATIONS):
            return state, self._calibrate(state, setting, block)
        take_attempts(state, setting, block)
        over = state.live_ps[setting] >= to_ps(self.config.max_time_s)
        if state.matching[setting].used < self.config.heralds and not over:
            return state, Action.CONTINUE
        if block.source == NODES[-1]:
            state.closed.add(setting)
        return state, Action.NEXT_SETTING

    def result(self, state: SinglePhotonState) -> Result:
        live_s = sum(state.live_ps.values()) / PS_PER_S
        rate = {"herald_rate_hz": poisson_rate(sum(state.heralds.values()), live_s)} if live_s > 0 else {}
        first = len(CALIBRATIONS)
        found = {b: state.matching[first + k] for k, b in enumerate(self.config.bases)}
        counts = {b: as_psi_plus(matching.joint, b) for b, matching in found.items()}
        if not all(matching.used for matching in found.values()) or not {"XX", "YY", "ZZ"} <= counts.keys():
            return Result(rate, counts=counts)
        return Result(self._fidelity(state, counts) | rate, counts=counts)

    def standing(self, state: SinglePhotonState) -> Standing:
        wanted = self.config.heralds * len(self.config.bases)
        done = sum(min(matching.used, self.config.heralds) for matching in state.matching.values())
        return Standing(done / wanted, f"{done} of {wanted} heralds")

    def shortfall(self, state: SinglePhotonState) -> str:
        return "" if sum(state.heralds.values()) else "no herald came: are detectors biased and the laser on resonance?"

    def truth_names(self) -> Mapping[str, str]:
        return {name: name for name in ("fidelity", "fidelity_raw", "herald_rate_hz")}

    def _fidelity(self, state: SinglePhotonState, counts: dict[str, dict[str, int]]) -> dict[str, Estimate]:
        readout = {
            side: {prepared: dict(state.calibrations[name, k]) for k, prepared in enumerate(CALIBRATIONS)}
            for side, name in zip("ab", NODES, strict=True)
        }
        table = {"target": "psi+", "bases": counts}
        raw, corrected = estimate_fidelity(table), estimate_fidelity({**table, "readout": readout})
        correlators = {f"e_{basis.lower()}": e for basis, e in raw.correlators.items()}
        return {"fidelity": corrected.fidelity, "fidelity_raw": raw.fidelity, **correlators}

    def _calibrate(self, state: SinglePhotonState, setting: int, block: TagBlock) -> Action:
        if block.source in NODES:
            _, counts, good = state.calibration_gates[block.source].feed(block)
            bright = int(np.count_nonzero(counts[good]))
            tally = state.calibrations[block.source, setting]
            tally["+"] += bright
            tally["-"] += int(np.count_nonzero(good)) - bright
        fewest = min(sum(state.calibrations[name, setting].values()) for name in NODES)
        return Action.NEXT_SETTING if fewest >= self.config.calibration_shots else Action.CONTINUE

    def _attempts(self, axes: str) -> Sequence:
        """Attempts until a herald, then both memories are read out at the next echo."""
        timing, delay_ps = self.config.timing, link.photon_delay_ps(self.nodes)
        marker_ps, window_ps = timing.marker_ps(delay_ps), timing.windows_ps(delay_ps)[0]
        flips = list(timing.flips_ps(delay_ps))
        tilt_ps = timing.superposition_ps - timing.rotation_ps // 2
        angle_rad = 2 * acos(sqrt(self.config.bright_share))
        body = (
            Pulse("initialise", 0, to_ps(timing.initialise_s)),
            *(rotation(f"{name}_mw", tilt_ps, angle_rad, 0.0, timing.rotation_ps) for name in NODES),
            link.excite_both(timing, timing.excitation_ps),
            *(p for t in flips if t < marker_ps for p in link.turn(timing, t, pi)),
            Pulse("gate", window_ps[0] - GAP_PS, window_ps[1] - window_ps[0] + 2 * GAP_PS),
        )
        then = (
            *(p for t in flips if t >= marker_ps for p in link.turn(timing, t - marker_ps, pi)),
            *link.measure(timing, axes, timing.echo_ps(delay_ps) - marker_ps),
            *link.read_both(timing, timing.readout_ps(delay_ps)),
        )
        detectors = {c.name: c.detector for c in self.nodes[MIDPOINT].channels}
        condition = HeraldCondition(
            (detectors["detector_a"], detectors["detector_b"]), window_ps, _NO_WINDOW, to_ps(timing.latency_s)
        )
        branch = Branch(on=condition, then=Block(timing.readout_ps(delay_ps)[1] + 1_000_000, then))
        period = Block(to_ps(timing.attempt_period_s), body)
        return Sequence(f"one photon, read {axes}", link.header(), period, timing.attempts_per_burst, branch)


def take_attempts(state: SinglePhotonState, setting: int, block: TagBlock) -> None:
    """Folds a block of an entangling setting in: heralds at the midpoint (+1 a click at A, -1 at B), read-outs at the nodes."""
    matching = state.matching[setting]
    if block.source != MIDPOINT:
        _, counts, good = state.readouts[block.source].feed(block)
        results = zip(counts.tolist(), good.tolist(), strict=True)
        matching.add_readouts(block.source, [n > 0 if ok else None for n, ok in results])
        return
    (_, a, good), (_, b, _) = (gate.feed(block) for gate in state.clicks.values())
    outcomes = np.where(a + b == 1, a - b, 0) * good
    matching.add_heralds(outcomes.tolist())
    if setting not in state.closed and not block.overflow:
        state.live_ps[setting] += block.t_stop_ps - block.t_start_ps
        state.heralds[setting] += int(np.count_nonzero(outcomes))
