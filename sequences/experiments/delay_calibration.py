"""How long light takes from each memory to the midpoint: the number the heralding windows rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from pydantic import Field

from ...analysis.lifetime import fit_lifetime
from ...analysis.records import CorrelationHistogram
from ..documents import Result
from ..sequence import Sequence
from . import light
from .base import Plan, Seconds, Setting, Teslas, to_ps
from .link import NODES, photon_delay_ps
from .photon_source import DETECTORS, MIDPOINT, PhotonConfig, PhotonExperiment, Photons

_FEWEST = 1000
_COARSE = 10


class DelayCalibrationConfig(PhotonConfig):
    """Configuration of ``delay_calibration``."""

    attempts: int = Field(300_000, ge=1000, description="excitations of each memory")
    search_s: Seconds = Field(3e-6, gt=0, description="how far from the station's value the light is looked for")
    bin_s: Seconds = Field(5e-9, ge=1e-12, description="histogram bin")
    working_field_t: Teslas = Field(0.3, ge=0, description="field at which a memory is on resonance")
    parking_field_t: Teslas = Field(0.5, ge=0, description="field that takes it off resonance")


class DelayCalibration(PhotonExperiment[DelayCalibrationConfig]):
    """Photons of one memory, then of the other: the onset of each decay after its excitation is the delay."""

    name = "delay_calibration"
    title = "Delay from the memories to the midpoint"
    Config = DelayCalibrationConfig

    def sequence(self) -> Sequence:
        c = self.config
        return light.excite(self.nodes, to_ps(c.window_s + c.search_s), early_ps=to_ps(c.search_s))

    def build(self) -> Plan:
        c = self.config
        settings = tuple(
            Setting(
                f"photons of {name}",
                self.sequence(),
                {"laser.emission": True}
                | {f"{n}_memory.magnetic_field": c.working_field_t if n == name else c.parking_field_t for n in NODES},
            )
            for name in NODES
        )
        return Plan(settings, (MIDPOINT,))

    def result(self, state: list[Photons]) -> Result:
        result = Result({})
        for name, photons in zip(NODES, state, strict=True):
            histogram = self._arrivals(photons)
            result.histograms[name] = histogram
            if histogram.counts.sum() >= _FEWEST:
                fit = fit_lifetime(_around_onset(histogram))
                result.estimates[f"{name}_photon_delay_ps"] = fit.delay_ps
        return result

    def truth_names(self) -> Mapping[str, str]:
        return {f"{name}_photon_delay_ps": f"{name}_photon_delay_ps" for name in NODES}

    def _arrivals(self, photons: Photons) -> CorrelationHistogram:
        """Clicks of both detectors against time since the excitation."""
        bin_ps, reach_ps = to_ps(self.config.bin_s), to_ps(self.config.search_s)
        first_ps = (photon_delay_ps(self.nodes) - reach_ps) // bin_ps * bin_ps
        bins = (2 * reach_ps + to_ps(self.config.window_s)) // bin_ps
        edges_ps = first_ps + np.arange(bins + 1, dtype=np.int64) * bin_ps
        since_ps = [photons.times_ps(d) % photons.clock.period_ps - light.excitation_ps(reach_ps) for d in DETECTORS]
        counts = np.histogram(np.concatenate(since_ps), edges_ps)[0].astype(np.int64)
        n, clicks = photons.clock.attempts, int(counts.sum())
        return CorrelationHistogram(edges_ps[:-1], counts, bin_ps, n, clicks, n * photons.clock.period_ps)


def _around_onset(histogram: CorrelationHistogram) -> CorrelationHistogram:
    """The bins near the rise, found on coarser bins: what lies far from it says nothing about when the light came."""
    counts = histogram.counts[: len(histogram.counts) // _COARSE * _COARSE].reshape(-1, _COARSE).sum(axis=1)
    rise = int(np.argmax(counts > counts.max() / 2)) * _COARSE
    near = slice(max(0, rise - 2 * _COARSE), rise + 20 * _COARSE)
    return replace(histogram, lag_ps=histogram.lag_ps[near], counts=histogram.counts[near])
