"""Photon statistics of steady light: correlation of the two midpoint detectors against delay (Hanbury Brown and Twiss)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from pydantic import Field

from ...analysis.antibunching import fit_antibunching
from ...analysis.correlation import correlate
from ...analysis.records import PS_PER_S, CorrelationHistogram, Int64Array, TagBlock
from ..documents import Result
from .base import Action, Demand, Experiment, ExperimentConfig, Plan, Seconds, Setting, Standing, to_ps
from .photon_source import DETECTORS, MIDPOINT

_FEWEST = 100


class CwG2Config(ExperimentConfig):
    """Configuration of ``g2_cw``."""

    light: dict[str, bool | float | str] = Field(
        {"light_source.emission": True, "light_source.kind": "single_photon", "light_source.rate": 5e5},
        description="parameters that shine the light, by instrument.parameter",
    )
    duration_s: Seconds = Field(10.0, gt=0, description="how long to record")
    bin_s: Seconds = Field(500e-12, ge=1e-12, description="histogram bin")
    range_s: Seconds = Field(60e-9, gt=0, description="half width of the histogram")
    jitter_s: Seconds = Field(27e-12, ge=0, description="rms timing jitter of the two detectors together")


@dataclass
class CwState:
    """Correlation so far: counts by bin, clicks of each detector, live time, and the last clicks, which wait for partners."""

    counts: Int64Array
    singles: list[int] = field(default_factory=lambda: [0, 0])
    live_ps: int = 0
    held_ps: list[Int64Array] = field(default_factory=lambda: [np.empty(0, np.int64), np.empty(0, np.int64)])


class CwG2(Experiment[CwG2Config, CwState]):
    """Fitted with ``1 - (1 - g0) exp(-|t|/tau)``, the detectors' jitter taken out; g0 above 1 is bunching."""

    name = "g2_cw"
    title = "Photon statistics of steady light (g2)"
    Config = CwG2Config

    def build(self) -> Plan:
        return Plan((Setting("light", None, self.config.light),), (MIDPOINT,))

    def demands(self) -> tuple[Demand, ...]:
        return (Demand(time_s=self.config.duration_s),)

    def begin(self) -> CwState:
        return CwState(np.zeros(2 * self._range_ps // to_ps(self.config.bin_s), np.int64))

    def step(self, state: CwState, setting: int, block: TagBlock) -> tuple[CwState, Action]:
        numbers = [self.nodes[MIDPOINT].channel(name) for name in DETECTORS]
        new_ps = [block.tags.on(number) for number in numbers]
        if not block.overflow:
            self._correlate(state, new_ps)
            state.live_ps += block.t_stop_ps - block.t_start_ps
        done = state.live_ps >= to_ps(self.config.duration_s)
        return state, Action.FINISH if done else Action.CONTINUE

    def result(self, state: CwState) -> Result:
        histogram = self._histogram(state)
        if histogram.counts.sum() < _FEWEST:
            return Result({}, {"g2": histogram})
        fit = fit_antibunching(histogram, self.config.jitter_s * PS_PER_S)
        estimates = {"g2_zero": fit.g2_zero, "correlation_time_s": fit.correlation_time, "g2_zero_raw": fit.raw_g2_zero}
        return Result(estimates, {"g2": histogram}, {"g2": fit.fit.expected()})

    def standing(self, state: CwState) -> Standing:
        taken_s = state.live_ps / PS_PER_S
        return Standing(min(1.0, taken_s / self.config.duration_s), f"{taken_s:.3g} of {self.config.duration_s:g} s")

    def shortfall(self, state: CwState) -> str:
        return "" if min(state.singles) else "one of the detectors saw nothing: is the light on, are both biased?"

    def truth_names(self) -> Mapping[str, str]:
        return {"g2_zero": "source_g2_zero", "correlation_time_s": "source_correlation_time_s"}

    @property
    def _range_ps(self) -> int:
        bin_ps = to_ps(self.config.bin_s)
        return to_ps(self.config.range_s) // bin_ps * bin_ps

    def _correlate(self, state: CwState, new_ps: list[Int64Array]) -> None:
        """Adds the pairs the new clicks make with each other and with those held; pairs of held clicks are counted already."""
        held = state.held_ps
        both = [np.concatenate(pair) for pair in zip(held, new_ps, strict=True)]
        options = {"bin_ps": to_ps(self.config.bin_s), "range_ps": self._range_ps}
        state.counts += correlate(both[0], both[1], **options).counts - correlate(held[0], held[1], **options).counts
        state.singles = [n + len(t) for n, t in zip(state.singles, new_ps, strict=True)]
        last_ps = max((int(t[-1]) for t in both if len(t)), default=0)
        state.held_ps = [t[np.searchsorted(t, last_ps - self._range_ps - 1) :] for t in both]

    def _histogram(self, state: CwState) -> CorrelationHistogram:
        bin_ps = to_ps(self.config.bin_s)
        lag_ps = np.arange(-self._range_ps, self._range_ps, bin_ps, dtype=np.int64)
        a, b = state.singles
        return CorrelationHistogram(lag_ps, state.counts.copy(), bin_ps, a, b, state.live_ps)
