"""Timing jitter of a detector and its tagger channel: weak laser pulses against the sync marker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from pydantic import Field

from ...analysis.correlation import correlate
from ...analysis.jitter import fit_jitter
from ...analysis.records import CorrelationHistogram, Int64Array, TagBlock
from ..documents import Result
from .base import Action, Demand, Experiment, ExperimentConfig, Plan, Seconds, Setting, Standing, to_ps
from .light import PROBE_AT_PS, probe_pulses
from .link import HEADER_PS

_NONE = np.empty(0, np.int64)


class TimingJitterConfig(ExperimentConfig):
    """Configuration of ``timing_jitter``."""

    channel: str = Field("detector_a", description="tagger channel of the detector")
    clicks: int = Field(20_000, ge=100, description="clicks to collect")
    max_time_s: Seconds = Field(10.0, gt=0, description="longest lab time")
    period_s: Seconds = Field(2e-6, ge=1.5e-6, description="time between pulses")
    bin_s: Seconds = Field(1e-12, ge=1e-12, description="histogram bin")
    range_s: Seconds = Field(2e-9, gt=0, description="half width of the histogram")
    search_s: Seconds = Field(0.1e-6, gt=0, description="how far from the marker the pulse is searched")


@dataclass
class JitterState:
    """Marker and click times so far, a piece a block."""

    sync_ps: list[Int64Array] = field(default_factory=list)
    click_ps: list[Int64Array] = field(default_factory=list)
    live_ps: int = 0

    def clicks(self) -> int:
        return sum(map(len, self.click_ps))


class TimingJitter(Experiment[TimingJitterConfig, JitterState]):
    """Histogram of clicks after the probe pulse; its width is detector, tagger (twice) and pulse together."""

    name = "timing_jitter"
    title = "Timing jitter of a detector"
    Config = TimingJitterConfig

    def build(self) -> Plan:
        return Plan((Setting("probe", probe_pulses(to_ps(self.config.period_s))),), ("midpoint",))

    def demands(self) -> tuple[Demand, ...]:
        c = self.config
        return (Demand(clicks=c.clicks, channel=f"midpoint.{c.channel}", longest_s=c.max_time_s),)

    def begin(self) -> JitterState:
        return JitterState()

    def step(self, state: JitterState, setting: int, block: TagBlock) -> tuple[JitterState, Action]:
        midpoint = self.nodes["midpoint"]
        state.sync_ps.append(block.tags.on(midpoint.channel("sync")))
        state.click_ps.append(block.tags.on(midpoint.channel(self.config.channel)))
        state.live_ps += block.t_stop_ps - block.t_start_ps
        done = state.clicks() >= self.config.clicks or state.live_ps >= to_ps(self.config.max_time_s)
        return state, Action.FINISH if done else Action.CONTINUE

    def result(self, state: JitterState) -> Result:
        histogram = self._histogram(state)
        if histogram.counts.sum() < 100:
            return Result({}, {"probe": histogram})
        fit = fit_jitter(histogram)
        estimates = {"jitter_ps": fit.fwhm_ps, "jitter_sigma_ps": fit.sigma_ps, "jitter_tau_ps": fit.tau_ps}
        fitted = CorrelationHistogram(
            fit.lag_ps, fit.counts, fit.bin_ps, histogram.singles_a, histogram.singles_b, state.live_ps
        )
        return Result(estimates, {"probe": fitted}, {"probe": fit.expected_counts()})

    def standing(self, state: JitterState) -> Standing:
        n = state.clicks()
        return Standing(min(1.0, n / self.config.clicks), f"{n} of {self.config.clicks} clicks")

    def shortfall(self, state: JitterState) -> str:
        return "" if state.clicks() else "no click came: is the detector biased and inside its gate?"

    def truth_names(self) -> Mapping[str, str]:
        return {"jitter_ps": "jitter_fwhm_ps", "jitter_sigma_ps": "jitter_sigma_ps", "jitter_tau_ps": "jitter_tau_ps"}

    def _histogram(self, state: JitterState) -> CorrelationHistogram:
        """Fine histogram around the pulse, found first on a coarse one."""
        c = self.config
        expected_ps = np.concatenate([_NONE, *state.sync_ps]) + HEADER_PS + PROBE_AT_PS
        click_ps = np.concatenate([_NONE, *state.click_ps])
        search_ps, coarse_ps = to_ps(c.search_s), 1000
        coarse = correlate(expected_ps, click_ps, bin_ps=coarse_ps, range_ps=search_ps - search_ps % coarse_ps)
        centre_ps = int(coarse.lag_ps[np.argmax(coarse.counts)]) if len(click_ps) else 0
        bin_ps = to_ps(c.bin_s)
        fine_ps = to_ps(c.range_s) // bin_ps * bin_ps
        return correlate(expected_ps + centre_ps, click_ps, bin_ps=bin_ps, range_ps=fine_ps, live_time_ps=state.live_ps)
