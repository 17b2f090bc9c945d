"""What the experiments on the memories' photons share: excite in every attempt, watch both midpoint detectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import numpy as np
from pydantic import Field

from ...analysis.records import Int64Array, TagBlock
from ..sequence import Sequence
from . import light
from .attempts import AttemptClock
from .base import Action, Demand, Experiment, ExperimentConfig, Seconds, Standing, Teslas, to_ps
from .link import NODES, photon_delay_ps

MIDPOINT = "midpoint"
DETECTORS = ("detector_a", "detector_b")


class PhotonConfig(ExperimentConfig):
    """Configuration of an experiment on the memories' photons."""

    attempts: int = Field(1_000_000, ge=1000, description="excitations in each setting")
    window_s: Seconds = Field(6e-6, gt=0, description="detection window after the excitation")


class OneNodeConfig(PhotonConfig):
    """Photons of one memory, the other one's line moved away by its magnet."""

    node: Literal["alice", "bob"] = Field("alice", description="whose photons")
    parking_field_t: Teslas = Field(0.5, ge=0, description="field that takes the other memory off resonance")

    def alone(self) -> dict[str, Any]:
        """Parameters under which only the chosen node emits."""
        other = NODES[1 - NODES.index(self.node)]
        return {"laser.emission": True, f"{other}_memory.magnetic_field": self.parking_field_t}


@dataclass
class Photons:
    """Clicks of one setting in the time of its attempts, by detector, a piece a block.

    ``coincidences`` keeps what was counted once the setting is closed.
    """

    clock: AttemptClock
    clicks_ps: dict[str, list[Int64Array]] = field(default_factory=lambda: {name: [] for name in DETECTORS})
    closed: bool = False
    coincidences: tuple[int, float] | None = None

    def times_ps(self, detector: str) -> Int64Array:
        """All clicks of one detector, int64 (N,) ps; attempt k begins at k times the period."""
        return np.concatenate([np.empty(0, np.int64), *self.clicks_ps[detector]])

    def count(self) -> int:
        return sum(len(part) for parts in self.clicks_ps.values() for part in parts)


PC = TypeVar("PC", bound=PhotonConfig)


class PhotonExperiment(Experiment[PC, list[Photons]]):
    """Collects clicks by setting until each has its attempts."""

    def sequence(self) -> Sequence:
        """What every setting plays."""
        return light.excite(self.nodes, to_ps(self.config.window_s))

    def arrival_ps(self) -> int:
        """When the light arrives at the midpoint, ps after the start of an attempt."""
        return light.excitation_ps() + photon_delay_ps(self.nodes)

    def demands(self) -> tuple[Demand, ...]:
        bursts = -(-self.config.attempts // self.sequence().repetitions)
        return (Demand(bursts=bursts),) * len(self.build().settings)

    def begin(self) -> list[Photons]:
        sync = self.nodes[MIDPOINT].channel("sync")
        return [Photons(AttemptClock.of(self.sequence(), sync)) for _ in self.build().settings]

    def step(self, state: list[Photons], setting: int, block: TagBlock) -> tuple[list[Photons], Action]:
        photons, midpoint = state[setting], self.nodes[MIDPOINT]
        if photons.closed or block.overflow:
            return state, Action.CONTINUE
        found = photons.clock.take(block, *(midpoint.channel(name) for name in DETECTORS))
        for name, clicks_ps in zip(DETECTORS, found, strict=True):
            photons.clicks_ps[name].append(clicks_ps)
        photons.closed = photons.clock.attempts >= self.config.attempts
        return state, Action.NEXT_SETTING if photons.closed else Action.CONTINUE

    def standing(self, state: list[Photons]) -> Standing:
        wanted = self.config.attempts * len(state)
        done = sum(min(p.clock.attempts, self.config.attempts) for p in state)
        return Standing(done / wanted, f"{done} of {wanted} attempts")

    def shortfall(self, state: list[Photons]) -> str:
        return (
            "" if any(p.count() for p in state) else "no photon came: is the laser on resonance, are detectors biased?"
        )


def by_attempt(photons: Photons, detector: str, window_ps: tuple[int, int]) -> Int64Array:
    """Attempts with a click of a detector inside a window (ps after the start of the attempt), each once: int64 (N,)."""
    attempt, phase_ps = np.divmod(photons.times_ps(detector), photons.clock.period_ps)
    return np.unique(attempt[(phase_ps >= window_ps[0]) & (phase_ps < window_ps[1])])
