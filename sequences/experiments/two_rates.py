"""What experiments with steady light share: count both midpoint detectors for a while at each setting."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from pydantic import Field

from ...analysis.records import PS_PER_S, FloatArray, TagBlock
from .base import Action, Demand, Experiment, ExperimentConfig, Seconds, to_ps
from .photon_source import DETECTORS, MIDPOINT
from .visits import Visit


class TwoRatesConfig(ExperimentConfig):
    """Configuration of an experiment with steady light."""

    light: dict[str, bool | float | str] = Field(description="parameters that shine the light, by instrument.parameter")
    dwell_s: Seconds = Field(0.1, gt=0, description="live time at each setting")


@dataclass
class Rates:
    """One visit a setting, in order."""

    visits: list[Visit] = field(default_factory=list)

    def closed(self) -> int:
        return sum(visit.closed for visit in self.visits)


TC = TypeVar("TC", bound=TwoRatesConfig)


class TwoRatesExperiment(Experiment[TC, Rates]):
    """Counts; subclasses say what is set and what the rates mean."""

    def demands(self) -> tuple[Demand, ...]:
        return (Demand(time_s=self.config.dwell_s),) * len(self.build().settings)

    def begin(self) -> Rates:
        return Rates()

    def step(self, state: Rates, setting: int, block: TagBlock) -> tuple[Rates, Action]:
        if setting == len(state.visits):
            state.visits.append(Visit({}, (setting,)))
        visit = state.visits[setting]
        visit.take(block, self._channels(), 0)
        visit.closed = visit.dwelt_ps((MIDPOINT,)) >= to_ps(self.config.dwell_s)
        return state, Action.NEXT_SETTING if visit.closed else Action.CONTINUE

    def counts(self, visits: list[Visit]) -> FloatArray:
        """Clicks of detector A, of B, and live time in s, a row a visit: float64 (K, 3)."""
        a, b = self._channels()
        rows = [
            (v.counts.get((MIDPOINT, a), 0), v.counts.get((MIDPOINT, b), 0), v.live_ps.get(MIDPOINT, 0) / PS_PER_S)
            for v in visits
        ]
        return np.array(rows, np.float64).reshape(-1, 3)

    def shortfall(self, state: Rates) -> str:
        return (
            ""
            if self.counts(state.visits)[:, :2].sum()
            else "no click came: is the light on, are the detectors biased?"
        )

    def _channels(self) -> tuple[int, int]:
        a, b = (self.nodes[MIDPOINT].channel(name) for name in DETECTORS)
        return a, b
