"""How long the excited state of a memory lives: arrival times of its photons after the excitation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field

from ...analysis.lifetime import fit_lifetime
from ...analysis.records import CorrelationHistogram
from ..documents import Result
from .base import Plan, Seconds, Setting, to_ps
from .photon_source import DETECTORS, MIDPOINT, OneNodeConfig, PhotonExperiment, Photons


class PhotonLifetimeConfig(OneNodeConfig):
    """Configuration of ``photon_lifetime``."""

    attempts: int = Field(300_000, ge=1000, description="excitations")
    bin_s: Seconds = Field(20e-9, ge=1e-12, description="histogram bin")


class PhotonLifetime(PhotonExperiment[PhotonLifetimeConfig]):
    """Histogram of both detectors' clicks after the excitation, fitted with an exponential on a background."""

    name = "photon_lifetime"
    title = "Lifetime of a memory's excited state"
    Config = PhotonLifetimeConfig

    def build(self) -> Plan:
        return Plan((Setting(f"photons of {self.config.node}", self.sequence(), self.config.alone()),), (MIDPOINT,))

    def result(self, state: list[Photons]) -> Result:
        decay = self._decay(state[0])
        if decay.counts.sum() < 100:
            return Result({}, {"decay": decay})
        fit = fit_lifetime(decay)
        return Result({"lifetime_s": fit.lifetime}, {"decay": decay}, {"decay": fit.fit.expected()})

    def truth_names(self) -> Mapping[str, str]:
        return {"lifetime_s": f"{self.config.node}_lifetime_s"}

    def _decay(self, photons: Photons) -> CorrelationHistogram:
        """Clicks against time since the light could arrive."""
        bin_ps, window_ps = to_ps(self.config.bin_s), to_ps(self.config.window_s)
        since_ps = [photons.times_ps(d) % photons.clock.period_ps - self.arrival_ps() for d in DETECTORS]
        edges_ps = np.arange(-(100_000 // bin_ps) * bin_ps, window_ps // bin_ps * bin_ps + 1, bin_ps, dtype=np.int64)
        counts = np.histogram(np.concatenate(since_ps), edges_ps)[0].astype(np.int64)
        n, clicks = photons.clock.attempts, int(counts.sum())
        return CorrelationHistogram(edges_ps[:-1], counts, bin_ps, n, clicks, n * photons.clock.period_ps)
