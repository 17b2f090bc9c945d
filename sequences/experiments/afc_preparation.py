"""Burning a comb and scoring it: which burn strength brings most of the light back, how much leaks, what noise is left."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field

from ...analysis.records import PS_PER_S, Estimate
from ...analysis.report_input import Curve
from ..documents import Result
from .afc import AfcConfig, AfcExperiment, AfcState
from .base import NumberList, Plan, Seconds, Setting


class AfcPreparationConfig(AfcConfig):
    """Configuration of ``afc_preparation``."""

    storage_s: Seconds = Field(5e-6, gt=0, description="inverse of the comb's spacing")
    burn_amplitudes: NumberList = Field(
        (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8), min_length=1, description="burn strengths tried"
    )


class AfcPreparation(AfcExperiment[AfcPreparationConfig]):
    """Each strength is scored by its first echo; the best is burnt once more and measured afresh, free of the choice's luck."""

    name = "afc_preparation"
    title = "Preparation of a frequency comb"
    Config = AfcPreparationConfig

    def build(self) -> Plan:
        combs = [self._comb(f"burn at {a:g}", a) for a in self.config.burn_amplitudes]
        return Plan((self.setting("no comb", 0.0, 0.0), *combs), (self.config.node,))

    def later_s(self) -> float:
        sequence = self.sequence(self.config.storage_s, 1.0)
        burst_ps = sequence.header.length_ps + sequence.repetitions * sequence.attempt.length_ps
        return -(-self.config.attempts // sequence.repetitions) * burst_ps / PS_PER_S

    def next_setting(self, state: AfcState) -> Setting | None:
        if state.closed() > len(self.config.burn_amplitudes) + 1:
            return None
        return self._comb("best comb", self._best(state))

    def result(self, state: AfcState) -> Result:
        tried = self.config.burn_amplitudes[: max(state.closed() - 1, 0)]
        if not tried or not self.seen(state.settings[0], 0.0):
            return Result({})
        storage_s = self.config.storage_s
        curves = {}
        for name, delay_s in (("echo efficiency", storage_s), ("leak", 0.0)):
            found = [self.efficiency(state, 1 + k, delay_s) for k in range(len(tried))]
            measured, lower, upper = np.array([[e.value, e.lower, e.upper] for e in found]).T
            curves[name] = Curve(np.array(tried), "burn amplitude", name, measured, lower, upper)
        last = len(self.config.burn_amplitudes) + 1
        if state.closed() <= last:
            return Result({}, curves=curves)
        best = self._best(state)
        nan = float("nan")
        estimates = {
            "echo_efficiency": self.efficiency(state, last, storage_s),
            "leak": self.efficiency(state, last, 0.0),
            "noise": self.efficiency(state, last, storage_s / 2),
            "burn_amplitude": Estimate(best, best, best, nan, nan, len(tried), "highest first echo of those tried"),
        }
        return Result(estimates, {"best comb": self.histogram(state.settings[last])}, curves=curves)

    def truth_names(self) -> Mapping[str, str]:
        node = self.config.node
        return {"echo_efficiency": f"{node}_first_echo", "leak": f"{node}_leak"}

    def _comb(self, name: str, amplitude: float) -> Setting:
        return self.setting(name, self.config.storage_s, amplitude)

    def _best(self, state: AfcState) -> float:
        tried = self.config.burn_amplitudes
        echoes = [
            self.seen(stored, self.config.storage_s) / stored.clock.attempts
            for stored in state.settings[1 : len(tried) + 1]
        ]
        return tried[int(np.argmax(echoes))]
