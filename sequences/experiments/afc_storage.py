"""How long an atomic frequency comb keeps light: echo efficiency against the inverse of the comb's spacing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field

from ...analysis.echoes import fit_afc_decay
from ...analysis.report_input import Curve
from ..documents import Result
from .afc import AfcConfig, AfcExperiment, AfcState
from .base import Plan, SecondsList


class AfcStorageConfig(AfcConfig):
    """Configuration of ``afc_storage``."""

    storage_times_s: SecondsList = Field(
        (1e-6, 2e-6, 4e-6, 7e-6, 11e-6, 16e-6, 22e-6, 30e-6), min_length=4, description="storage times to visit"
    )
    burn_amplitude: float = Field(0.5, gt=0, le=1, description="of the burn pulses")


class AfcStorage(AfcExperiment[AfcStorageConfig]):
    """A comb for each storage time; the first echoes fall with ``exp(-4 t/T2)``."""

    name = "afc_storage"
    title = "Storage time of a frequency comb (AFC echo)"
    Config = AfcStorageConfig

    def build(self) -> Plan:
        combs = [
            self.setting(f"store {t * 1e6:g} us", t, self.config.burn_amplitude) for t in self.config.storage_times_s
        ]
        return Plan((self.setting("no comb", 0.0, 0.0), *combs), (self.config.node,))

    def result(self, state: AfcState) -> Result:
        times_s = self.config.storage_times_s[: max(state.closed() - 1, 0)]
        if len(times_s) < 4 or not self.seen(state.settings[0], 0.0):
            return Result({})
        found = [self.efficiency(state, 1 + k, t) for k, t in enumerate(times_s)]
        counts = [self.seen(state.settings[1 + k], t) for k, t in enumerate(times_s)]
        pulses = np.array([state.settings[1 + k].clock.attempts for k in range(len(times_s))], float)
        fit = fit_afc_decay(times_s, counts, pulses)
        per_input = found[0].value / max(counts[0] / pulses[0], 1e-300)
        measured, lower, upper = np.array([[e.value, e.lower, e.upper] for e in found]).T
        t_s = np.array(times_s)
        curve = Curve(
            t_s, "storage time (s)", "echo efficiency", measured, lower, upper,
            t_s, fit.fit.expected() / pulses * per_input, fit.fit.residuals(),
        )  # fmt: skip
        estimates = {"optical_t2_s": fit.estimates["coherence_time"], "shortest_echo_efficiency": found[0]}
        return Result(estimates, {"shortest": self.histogram(state.settings[1])}, curves={"afc echo": curve})

    def truth_names(self) -> Mapping[str, str]:
        return {"optical_t2_s": f"{self.config.node}_optical_t2_s"}
