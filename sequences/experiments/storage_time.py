"""How long the memory keeps a superposition: echo contrast against storage time, read out bright or dark."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import pi
from typing import Literal

import numpy as np
from pydantic import Field

from ...analysis.gating import GateStream
from ...analysis.intervals import linear_interval
from ...analysis.records import FloatArray, Int64Array, TagBlock
from ...analysis.report_input import Curve
from ...analysis.storage_time import StorageTimeFit, fit_storage_time
from ...instruments.expected import ExpectedSection
from ..documents import Result
from ..pulses import Pulse, rotation
from ..sequence import Block, Sequence
from .base import Action, Demand, Experiment, ExperimentConfig, Plan, Seconds, SecondsList, Setting, Standing, to_ps
from .link import HEADER_PS, header


class StorageTimeConfig(ExperimentConfig):
    """Configuration of ``storage_time``."""

    node: Literal["alice", "bob"] = Field("alice", description="whose memory")
    storage_times_s: SecondsList = Field(
        (20e-6, 100e-6, 200e-6, 400e-6, 600e-6, 800e-6, 1.2e-3, 1.6e-3, 2.4e-3),
        min_length=4,
        description="storage times to visit",
    )
    shots: int = Field(1000, ge=1, description="read-outs at each storage time")
    model: Literal["exponential", "gaussian", "stretched"] = Field("stretched", description="shape of the decay")
    initialise_s: Seconds = Field(5e-6, gt=0, description="optical pumping to the bright state")
    pi_pulse_s: Seconds = Field(100e-9, gt=0, description="spin rotation pulse (π at full amplitude)")
    readout_s: Seconds = Field(150e-6, gt=0, description="fluorescence read-out")


@dataclass
class StorageState:
    """Read-outs so far, by setting."""

    gates: dict[int, GateStream]
    shots: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    bright: dict[int, int] = field(default_factory=lambda: defaultdict(int))


class StorageTime(Experiment[StorageTimeConfig, StorageState]):
    """π/2 – wait – π – wait – π/2, then read out: the echo brings the spin back to bright, decoherence does not."""

    name = "storage_time"
    title = "Storage time of a memory"
    Config = StorageTimeConfig

    def build(self) -> Plan:
        settings = tuple(
            Setting(f"store {storage_s * 1e6:g} us", self._echo(storage_s), {"laser.emission": True})
            for storage_s in self.config.storage_times_s
        )
        return Plan(settings, (self.config.node,))

    def demands(self) -> tuple[Demand, ...]:
        return (Demand(bursts=self.config.shots),) * len(self.config.storage_times_s)

    def predict(self, expected: ExpectedSection) -> Mapping[str, float]:
        node = expected.nodes.get(self.config.node)
        return {} if node is None else {"storage_time_s": node.coherence_s}

    def begin(self) -> StorageState:
        node = self.nodes[self.config.node]
        sync, photon = node.channel("sync"), node.channel("photon")
        return StorageState(
            {k: GateStream(sync, photon, *self._window_ps(s)) for k, s in enumerate(self.config.storage_times_s)}
        )

    def step(self, state: StorageState, setting: int, block: TagBlock) -> tuple[StorageState, Action]:
        _, counts, valid = state.gates[setting].feed(block)
        state.shots[setting] += int(np.count_nonzero(valid))
        state.bright[setting] += int(np.count_nonzero(counts[valid]))
        done = state.shots[setting] >= self.config.shots
        return state, Action.NEXT_SETTING if done else Action.CONTINUE

    def result(self, state: StorageState) -> Result:
        taken = [k for k in range(len(self.config.storage_times_s)) if state.shots[k]]
        counts = {
            f"{self.config.storage_times_s[k]:.6g} s": {"bright": state.bright[k], "shots": state.shots[k]}
            for k in taken
        }
        if len(taken) < 4:
            return Result({}, counts=counts)
        t_s = np.array([self.config.storage_times_s[k] for k in taken])
        bright, shots = (np.array([counted[k] for k in taken], np.int64) for counted in (state.bright, state.shots))
        fit = fit_storage_time(t_s, bright, shots, model=self.config.model, floor=None)
        return Result(
            {"storage_time_s": fit.storage_time}, curves={"echo": _curve(t_s, bright, shots, fit)}, counts=counts
        )

    def standing(self, state: StorageState) -> Standing:
        wanted = self.config.shots * len(self.config.storage_times_s)
        done = sum(min(n, self.config.shots) for n in state.shots.values())
        return Standing(done / wanted, f"{done} of {wanted} read-outs")

    def shortfall(self, state: StorageState) -> str:
        return "" if any(state.bright.values()) else "no read-out ever saw the bright state: is the laser on?"

    def truth_names(self) -> Mapping[str, str]:
        return {"storage_time_s": f"{self.config.node}_storage_time_s"}

    def _echo(self, storage_s: float) -> Sequence:
        """The final rotation continues the first two (π/2, π, π/2 make a full turn), so a kept spin ends bright."""
        c = self.config
        mw, pulse_ps = f"{c.node}_mw", to_ps(c.pi_pulse_s)
        first_ps = to_ps(c.initialise_s)
        half_ps = to_ps(storage_s) // 2
        light_ps = self._light_ps(storage_s)
        pulses = (
            Pulse("initialise", 0, first_ps),
            rotation(mw, first_ps, pi / 2, 0.0, pulse_ps),
            rotation(mw, first_ps + half_ps, pi, 0.0, pulse_ps),
            rotation(mw, first_ps + 2 * half_ps, pi / 2, 0.0, pulse_ps),
            Pulse(f"{c.node}_readout", light_ps, to_ps(c.readout_s)),
        )
        return Sequence(
            f"echo after {storage_s * 1e6:g} us", header(), Block(light_ps + to_ps(c.readout_s) + 5_000_000, pulses)
        )

    def _light_ps(self, storage_s: float) -> int:
        """Start of the read-out light, ps after the start of the attempt."""
        return to_ps(self.config.initialise_s) + 2 * (to_ps(storage_s) // 2) + 2 * to_ps(self.config.pi_pulse_s)

    def _window_ps(self, storage_s: float) -> tuple[int, int]:
        start_ps = HEADER_PS + self._light_ps(storage_s)
        return start_ps, start_ps + to_ps(self.config.readout_s)


def _curve(t_s: FloatArray, bright: Int64Array, shots: Int64Array, fit: StorageTimeFit) -> Curve:
    """Probability of bright against storage time, with exact intervals and the fit."""
    bounds = np.array([linear_interval([int(k)], [int(n)], [1.0]) for k, n in zip(bright, shots, strict=True)])
    fine_s = np.linspace(0.0, float(t_s.max()), 200)
    return Curve(
        x=t_s,
        x_label="storage time (s)",
        y_label="probability of bright",
        measured=bright / shots,
        lower=bounds[:, 0],
        upper=bounds[:, 1],
        fit_x=fine_s,
        fit=fit.curve(fine_s),
        residuals=fit.fit.residuals(),
    )
