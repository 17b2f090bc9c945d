"""Light in an ensemble memory: what the experiments with atomic frequency combs share.

Pairs of burn pulses before every burst make a comb whose teeth lie ``1/spacing`` apart; weak pulses then enter the memory, and
what was absorbed comes back ``spacing`` later. Without burn pulses all light passes: that is the reference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log1p
from typing import Any, Literal, TypeVar

import numpy as np
from pydantic import Field

from ...analysis.photons import poisson_ratio
from ...analysis.records import CorrelationHistogram, Estimate, Int64Array, TagBlock
from ..pulses import Pulse
from ..sequence import Block, Sequence
from .attempts import AttemptClock
from .base import Action, Demand, Experiment, ExperimentConfig, Seconds, Setting, Standing, Volts, to_ps

_BURN_AT_PS = 2_000_000
INPUT_AT_PS = 1_000_000
BIN_PS = 10_000


class AfcConfig(ExperimentConfig):
    """Configuration of an experiment on an ensemble memory."""

    node: Literal["alice", "bob"] = Field("alice", description="whose memory")
    attempts: int = Field(100_000, ge=1000, description="input pulses in each setting")
    longest_s: Seconds = Field(40e-6, gt=0, description="longest storage time that fits into an attempt")
    input_s: Seconds = Field(20e-9, gt=0, description="length of the input pulse")
    burn_s: Seconds = Field(100e-9, gt=0, description="length of a burn pulse")
    attempts_per_burst: int = Field(100, ge=1, description="input pulses after each pair of burn pulses")
    electrode_v: Volts = Field(0.0, description="static voltage at which the ions are not split")


@dataclass
class Stored:
    """One setting: clicks by time in the attempt, int64 (B,), in bins of 10 ns."""

    clock: AttemptClock
    counts: Int64Array
    closed: bool = False

    def near(self, at_ps: int, half_ps: int) -> int:
        """Clicks around a time of the attempt."""
        return int(self.counts[(at_ps - half_ps) // BIN_PS : -(-(at_ps + half_ps) // BIN_PS)].sum())


AC = TypeVar("AC", bound=AfcConfig)


@dataclass
class AfcState:
    """The settings so far, in order; the first is the reference without a comb."""

    settings: list[Stored] = field(default_factory=list)

    def closed(self) -> int:
        return sum(stored.closed for stored in self.settings)


class AfcExperiment(Experiment[AC, AfcState]):
    """Counts light by the time in the attempt."""

    def attempts_in(self, setting: int) -> int:
        """Input pulses wanted in a setting."""
        return self.config.attempts

    def demands(self) -> tuple[Demand, ...]:
        settings = range(len(self.build().settings))
        return tuple(Demand(bursts=-(-self.attempts_in(k) // self.config.attempts_per_burst)) for k in settings)

    def settings_in_all(self) -> int:
        """Those of the plan and those decided later."""
        return len(self.build().settings)

    def begin(self) -> AfcState:
        return AfcState()

    def step(self, state: AfcState, setting: int, block: TagBlock) -> tuple[AfcState, Action]:
        node = self.nodes[self.config.node]
        if setting == len(state.settings):
            clock = AttemptClock.of(self.sequence(0.0, 0.0), node.channel("sync"))
            state.settings.append(Stored(clock, np.zeros(clock.period_ps // BIN_PS, np.int64)))
        stored = state.settings[setting]
        if stored.closed or block.overflow:
            return state, Action.CONTINUE
        (clicks_ps,) = stored.clock.take(block, node.channel("photon"))
        stored.counts += np.bincount(clicks_ps % stored.clock.period_ps // BIN_PS, minlength=len(stored.counts))
        stored.closed = stored.clock.attempts >= self.attempts_in(setting)
        return state, Action.NEXT_SETTING if stored.closed else Action.CONTINUE

    def sequence(self, spacing_s: float, amplitude: float) -> Sequence:
        """A pair of burn pulses ``spacing_s`` apart (none with amplitude 0), then input pulses."""
        c = self.config
        burn_ps, spacing_ps = to_ps(c.burn_s), to_ps(spacing_s)
        burns = tuple(
            Pulse(f"{c.node}_burn", _BURN_AT_PS + k * spacing_ps, burn_ps, amplitude) for k in range(2) if amplitude > 0
        )
        head = Block(_BURN_AT_PS + to_ps(c.longest_s) + 1_000_000, (Pulse("sync", 0, 100_000), *burns))
        half_ps = to_ps(c.input_s) // 2
        body = Block(to_ps(c.longest_s) + 3_000_000, (Pulse(f"{c.node}_input", INPUT_AT_PS - half_ps, 2 * half_ps),))
        return Sequence(f"store for {spacing_s * 1e6:g} us", head, body, c.attempts_per_burst)

    def setting(self, name: str, spacing_s: float, amplitude: float) -> Setting:
        """One setting of the plan: the laser on, the static electrode at rest."""
        return Setting(name, self.sequence(spacing_s, amplitude), self.held())

    def held(self) -> dict[str, Any]:
        """Parameters of every setting."""
        return {"laser.emission": True, f"{self.config.node}_memory.electrode_voltage": self.config.electrode_v}

    def seen(self, stored: Stored, delay_s: float) -> int:
        """Clicks of light that left the memory ``delay_s`` after it came."""
        return stored.near(INPUT_AT_PS + to_ps(delay_s), to_ps(self.config.input_s) // 2 + BIN_PS)

    def efficiency(self, state: AfcState, setting: int, delay_s: float) -> Estimate:
        """Light that comes ``delay_s`` late over all light of the reference; photons hidden by a click before them put back."""
        reference, stored = state.settings[0], state.settings[setting]
        late, all_of_it = self.seen(stored, delay_s), self.seen(reference, 0.0)
        n, n_reference = max(stored.clock.attempts, 1), max(reference.clock.attempts, 1)
        scale = n_reference / n * _hidden(late / n) / _hidden(all_of_it / n_reference)
        return poisson_ratio(late, all_of_it, scale, method="echo over input")

    def histogram(self, stored: Stored) -> CorrelationHistogram:
        """Clicks against time after the input pulse."""
        lag_ps = np.arange(len(stored.counts), dtype=np.int64) * BIN_PS - INPUT_AT_PS
        n, live_ps = stored.clock.attempts, stored.clock.attempts * stored.clock.period_ps
        return CorrelationHistogram(lag_ps, stored.counts.copy(), BIN_PS, n, int(stored.counts.sum()), live_ps)

    def standing(self, state: AfcState) -> Standing:
        wanted = sum(self.attempts_in(k) for k in range(self.settings_in_all()))
        done = sum(min(s.clock.attempts, self.attempts_in(k)) for k, s in enumerate(state.settings))
        return Standing(min(1.0, done / wanted), f"{done} of {wanted} input pulses")

    def shortfall(self, state: AfcState) -> str:
        if not state.settings or not self.seen(state.settings[0], 0.0):
            return "no light came through without a comb: is it an ensemble memory, is its detector biased?"
        return ""


def _hidden(clicked: float) -> float:
    """Photons for each click when a pulse clicks at most once, Poisson light."""
    return -log1p(-min(clicked, 0.99)) / clicked if clicked else 1.0
