"""Is it one photon at a time? Correlation of the two midpoint detectors under pulsed excitation of one memory."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from ...analysis.correlation import correlate
from ...analysis.photons import pulsed_g2
from ...analysis.records import CorrelationHistogram
from ..documents import Result
from .base import Plan, Setting
from .photon_source import MIDPOINT, OneNodeConfig, PhotonExperiment, Photons

_BINS_A_PERIOD = 40


class PulsedG2Config(OneNodeConfig):
    """Configuration of ``g2_pulsed``."""

    attempts: int = Field(3_000_000, ge=1000, description="excitations")
    side_peaks: int = Field(10, ge=1, le=100, description="peaks to each side that say what chance gives")


class PulsedG2(PhotonExperiment[PulsedG2Config]):
    """Hanbury Brown and Twiss behind the midpoint's beam splitter; nothing subtracted, so dark counts are in it."""

    name = "g2_pulsed"
    title = "Photon statistics of a memory (pulsed g2)"
    Config = PulsedG2Config

    def build(self) -> Plan:
        return Plan((Setting(f"photons of {self.config.node}", self.sequence(), self.config.alone()),), (MIDPOINT,))

    def result(self, state: list[Photons]) -> Result:
        histogram = self._histogram(state[0])
        if not histogram.counts.sum():
            return Result({}, {"g2": histogram})
        period_ps = state[0].clock.period_ps
        g2 = pulsed_g2(histogram, period_ps, period_ps // 2)
        return Result({"g2_zero": g2}, {"g2": histogram})

    def truth_names(self) -> Mapping[str, str]:
        return {"g2_zero": "g2_zero"}

    def _histogram(self, photons: Photons) -> CorrelationHistogram:
        """Lags between A and B in whole and fractional attempts; markers between attempts are cut out."""
        bin_ps = photons.clock.period_ps // _BINS_A_PERIOD
        range_ps = bin_ps * _BINS_A_PERIOD * (self.config.side_peaks + 1)
        a_ps, b_ps = (photons.times_ps(d) for d in ("detector_a", "detector_b"))
        live_ps = photons.clock.attempts * photons.clock.period_ps
        return correlate(a_ps, b_ps, bin_ps=bin_ps, range_ps=range_ps, live_time_ps=live_ps)
