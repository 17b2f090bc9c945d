"""Burning a comb and scoring it: which burn strength brings most of the light back, how much leaks, what the comb looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from ...analysis.combs import CombFit, fit_comb
from ...analysis.intervals import poisson_interval
from ...analysis.records import PS_PER_S, Estimate, FloatArray
from ...analysis.report_input import Curve
from ..documents import Result
from ..pulses import Pulse
from ..sequence import Block
from .afc import BIN_PS, INPUT_AT_PS, AfcConfig, AfcExperiment, AfcState
from .base import NumberList, Plan, Seconds, Setting, to_ps

#: How far to either side of the burn the comb is looked at, in spacings: more than two teeth in all.
_REACH = 1.2
#: Time-bandwidth product of a Gaussian pulse, power FWHMs.
_TIME_BANDWIDTH = 0.441
_MARGIN_PS = 100_000


class AfcPreparationConfig(AfcConfig):
    """Configuration of ``afc_preparation``."""

    storage_s: Seconds = Field(5e-6, gt=0, description="inverse of the comb's spacing")
    burn_amplitudes: NumberList = Field(
        (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8), min_length=1, description="burn strengths tried"
    )
    probe_points: int = Field(
        25,
        ge=0,
        le=1000,
        description="frequencies at which the best comb's absorption is seen; 0 where there is no shifter",
    )
    probe_attempts: int = Field(20_000, ge=1000, description="slow input pulses at each of these frequencies")

    @model_validator(mode="after")
    def _fine_enough(self) -> Self:
        if self.probe_points and self.longest_s < 2 * self.storage_s:
            raise ValueError(
                f"input pulses of longest_s = {self.longest_s:g} s are too short to see teeth {1 / self.storage_s:g} Hz apart; "
                f"make it at least {2 * self.storage_s:g} s, or probe_points 0"
            )
        return self


class AfcPreparation(AfcExperiment[AfcPreparationConfig]):
    """Each strength is scored by its first echo. The best comb's absorption is then seen by slow input pulses, shifted in frequency
    and narrower than its teeth; last its echo and leak are measured afresh, free of the choice's luck.
    """

    name = "afc_preparation"
    title = "Preparation of a frequency comb"
    Config = AfcPreparationConfig

    def build(self) -> Plan:
        combs = [self._comb(f"burn at {a:g}", a) for a in self.config.burn_amplitudes]
        return Plan((self.setting("no comb", 0.0, 0.0), *combs), (self.config.node,))

    def attempts_in(self, setting: int) -> int:
        probing = self._first_probe - 1 <= setting < self._last
        return self.config.probe_attempts if probing else self.config.attempts

    def settings_in_all(self) -> int:
        return self._last + 1

    def later_s(self) -> float:
        sequence = self.sequence(self.config.storage_s, 1.0)
        burst_ps = sequence.header.length_ps + sequence.repetitions * sequence.body.length_ps
        later = range(len(self.config.burn_amplitudes) + 1, self._last + 1)
        return sum(-(-self.attempts_in(k) // sequence.repetitions) for k in later) * burst_ps / PS_PER_S

    def next_setting(self, state: AfcState) -> Setting | None:
        n, best = state.closed(), self._best(state)
        if n > self._last:
            return None
        if n == self._last:
            return self._comb("best comb", best)
        if n < self._first_probe:
            return self._probe("slow pulses, no comb", 0.0, 0.0)
        at_hz = float(self._probed_hz()[n - self._first_probe])
        return self._probe(f"best comb at {at_hz / 1e3:+.1f} kHz", best, at_hz)

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
        comb = self._comb_fit(state) if state.closed() >= self._last and self.config.probe_points else None
        if state.closed() > self._first_probe:
            curves["comb"] = self._absorption(state, comb)
        estimates = {} if comb is None else _scores(comb)
        if state.closed() <= self._last:
            return Result(estimates, curves=curves)
        best, last, nan = self._best(state), self._last, float("nan")
        estimates |= {
            "echo_efficiency": self.efficiency(state, last, storage_s),
            "leak": self.efficiency(state, last, 0.0),
            "noise": self.efficiency(state, last, storage_s / 2),
            "burn_amplitude": Estimate(best, best, best, nan, nan, len(tried), "highest first echo of those tried"),
        }
        return Result(estimates, {"best comb": self.histogram(state.settings[last])}, curves=curves)

    def truth_names(self) -> Mapping[str, str]:
        node = self.config.node
        scores = {f"comb_{name}": f"{node}_comb_{name}" for name in ("spacing_hz", "finesse", "depth", "floor_depth")}
        return {"echo_efficiency": f"{node}_first_echo", "leak": f"{node}_leak", **scores}

    @property
    def _first_probe(self) -> int:
        """After the reference, the trials, and a reference of slow pulses."""
        return len(self.config.burn_amplitudes) + 2 if self.config.probe_points else self._last

    @property
    def _last(self) -> int:
        points = self.config.probe_points
        return len(self.config.burn_amplitudes) + 1 + (points + 1 if points else 0)

    def _comb(self, name: str, amplitude: float) -> Setting:
        made = self.setting(name, self.config.storage_s, amplitude)
        return replace(made, parameters={**made.parameters, **self._shifted(0.0)})

    def _probe(self, name: str, amplitude: float, shift_hz: float) -> Setting:
        """Input pulses as long as fit, shifted in frequency."""
        sequence = self.sequence(self.config.storage_s, amplitude)
        slow = Pulse(f"{self.config.node}_input", INPUT_AT_PS, to_ps(self.config.longest_s))
        slowed = replace(sequence, body=Block(sequence.body.length_ps, (slow,)))
        return Setting(name, slowed, {**self.held(), **self._shifted(shift_hz)})

    def _shifted(self, shift_hz: float) -> dict[str, float]:
        return {f"{self.config.node}_shifter.frequency": shift_hz} if self.config.probe_points else {}

    def _probed_hz(self) -> FloatArray:
        return np.linspace(-_REACH, _REACH, self.config.probe_points) / self.config.storage_s

    def _best(self, state: AfcState) -> float:
        tried = self.config.burn_amplitudes
        echoes = [
            self.seen(stored, self.config.storage_s) / stored.clock.attempts
            for stored in state.settings[1 : len(tried) + 1]
        ]
        return tried[int(np.argmax(echoes))]

    def _probed(self, state: AfcState) -> tuple[FloatArray, FloatArray, float, float]:
        """Clicks at each frequency seen so far, those without a comb in as many pulses, clicks behind these, and the stray ones."""
        half_ps = to_ps(self.config.longest_s) // 2
        middle_ps, half_ps = INPUT_AT_PS + half_ps, half_ps + _MARGIN_PS
        closed = [s for s in state.settings[self._first_probe : self._last] if s.closed]
        reference, short = state.settings[self._first_probe - 1], state.settings[0]
        pulses = np.array([s.clock.attempts for s in closed], float)
        stray = (
            (short.counts.sum() - self.seen(short, 0.0))
            / short.clock.attempts
            * 2
            * half_ps
            / len(short.counts)
            / BIN_PS
        )
        light = max(reference.near(middle_ps, half_ps) - stray * reference.clock.attempts, 1.0)
        counts = np.array([s.near(middle_ps, half_ps) for s in closed], float)
        return counts, light / reference.clock.attempts * pulses, light, stray * float(np.mean(pulses))

    def _comb_fit(self, state: AfcState) -> CombFit:
        counts, incident, light, stray = self._probed(state)
        width_hz = _TIME_BANDWIDTH / self.config.longest_s
        spacing_hz = 1 / self.config.storage_s
        return fit_comb(
            self._probed_hz(), counts, incident, spacing_hz,
            teeth="burnt", probe_fwhm_hz=width_hz, stray_counts=stray, reference_counts=light,
        )  # fmt: skip

    def _absorption(self, state: AfcState, comb: CombFit | None) -> Curve:
        """Optical depth against detuning, and that of the fit as the probe sees it."""
        counts, incident, _, stray = self._probed(state)
        at_hz = self._probed_hz()[: len(counts)]
        fewest, most = poisson_interval(counts)
        measured, lower, upper = (-np.log(np.maximum(n - stray, 0.5) / incident) for n in (counts, most, fewest))
        axes = ("detuning from the burn (Hz)", "optical depth")
        if comb is None:
            return Curve(at_hz, *axes, measured, lower, upper)
        seen = -np.log((comb.fit.expected()[: len(at_hz)] - stray) / incident)
        return Curve(at_hz, *axes, measured, lower, upper, at_hz, seen, comb.fit.residuals()[: len(at_hz)])


def _scores(comb: CombFit) -> dict[str, Estimate]:
    return {
        "comb_spacing_hz": comb.spacing_hz,
        "comb_finesse": comb.finesse,
        "comb_depth": comb.optical_depth,
        "comb_floor_depth": comb.floor_depth,
        "promised_efficiency": comb.efficiency,
    }
