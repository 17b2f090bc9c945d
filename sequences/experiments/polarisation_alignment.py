"""Turning the polarisation of an arm onto its polariser: one paddle after the other to where most light comes through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import Field

from ...analysis.poisson import poisson_rate
from ...analysis.records import FloatArray
from ...analysis.report_input import Curve
from ..documents import Result
from .base import Plan, Setting, Standing
from .photon_source import MIDPOINT
from .two_rates import Rates, TwoRatesConfig, TwoRatesExperiment

_PADDLES = ("angle1", "angle2", "angle3")
#: Constant, and the second and fourth harmonic a wave plate's angle can make.
_UNKNOWNS = 5


class PolarisationAlignmentConfig(TwoRatesConfig):
    """Configuration of ``polarisation_alignment``."""

    node: Literal["alice", "bob"] = Field("alice", description="whose arm")
    light: dict[str, bool | float | str] = Field(
        {"light_source.emission": True, "light_source.rate": 1e5}, description="parameters that shine light"
    )
    kind: str = Field("{node}_arm", description="kind of the light source; {node} is filled in")
    angles: int = Field(8, ge=_UNKNOWNS + 1, le=360, description="angles tried of each paddle, over half a turn")
    rounds: int = Field(2, ge=1, le=20, description="how often all three paddles are gone through")


class PolarisationAlignment(TwoRatesExperiment[PolarisationAlignmentConfig]):
    """What passes is a constant and two harmonics of a paddle's angle; each is fitted, its top is kept, the next follows."""

    name = "polarisation_alignment"
    title = "Polarisation alignment of an arm"
    Config = PolarisationAlignmentConfig

    def build(self) -> Plan:
        first = (self._trial(n, self._kept(Rates(), 0)) for n in range(self.config.angles))
        return Plan(tuple(first), (MIDPOINT,))

    def later_s(self) -> float:
        return (self._trials + 1 - self.config.angles) * self.config.dwell_s

    def next_setting(self, state: Rates) -> Setting | None:
        n = state.closed()
        if n > self._trials:
            return None
        return self._trial(n, self._kept(state, n // self.config.angles))

    def result(self, state: Rates) -> Result:
        counts = self.counts([v for v in state.visits if v.closed])
        if not len(counts):
            return Result({})
        rate_hz, std_hz = _rate(counts)
        trial = np.arange(1.0, len(counts) + 1)
        curves = {
            "alignment": Curve(trial, "trial", "both detectors (Hz)", rate_hz, rate_hz - std_hz, rate_hz + std_hz)
        }
        if len(counts) <= self._trials:
            return Result({}, curves=curves)
        a, b, live_s = counts[-1]
        return Result({"aligned_rate_hz": poisson_rate(int(a + b), float(live_s))}, curves=curves)

    def standing(self, state: Rates) -> Standing:
        wanted = self._trials + 1
        return Standing(min(1.0, state.closed() / wanted), f"{state.closed()} of {wanted} settings")

    def truth_names(self) -> Mapping[str, str]:
        return {"aligned_rate_hz": "midpoint_rate_hz"}

    @property
    def _trials(self) -> int:
        return 3 * self.config.rounds * self.config.angles

    def _trial(self, n: int, kept: Mapping[str, float]) -> Setting:
        """The n-th setting: one paddle at one of its angles, the others where they are best; after all of them, all best."""
        if n < self._trials:
            kept = {**kept, _PADDLES[n // self.config.angles % 3]: float(self._tried_deg()[n % self.config.angles])}
        light = {**self.config.light, "light_source.kind": self.config.kind.format(node=self.config.node)}
        paddles = {f"{self.config.node}_polarization.{name}": angle for name, angle in kept.items()}
        return Setting("aligned" if n == self._trials else f"try {n}", None, {**light, **paddles})

    def _tried_deg(self) -> FloatArray:
        return np.arange(self.config.angles) * 180.0 / self.config.angles

    def _kept(self, state: Rates, sweeps: int) -> dict[str, float]:
        """Angles after so many complete sweeps of a paddle: the top of the fit of each one's latest sweep."""
        kept = dict.fromkeys(_PADDLES, 0.0)
        n = self.config.angles
        for sweep in range(sweeps):
            rate_hz, std_hz = _rate(self.counts(state.visits[sweep * n : (sweep + 1) * n]))
            kept[_PADDLES[sweep % 3]] = _top_deg(self._tried_deg(), rate_hz, std_hz)
        return kept


def _rate(counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    total, live_s = counts[:, 0] + counts[:, 1], counts[:, 2]
    return total / live_s, np.sqrt(np.maximum(total, 1.0)) / live_s


def _top_deg(angle_deg: FloatArray, rate_hz: FloatArray, std_hz: FloatArray) -> float:
    """Where the fitted constant and harmonics 2 and 4 are highest."""

    def design(deg: FloatArray) -> FloatArray:
        turn = np.radians(deg)
        waves = [np.ones_like(turn), *(f(k * turn) for k in (2, 4) for f in (np.cos, np.sin))]
        return np.column_stack(waves)

    fitted, *_ = np.linalg.lstsq(design(angle_deg) / std_hz[:, None], rate_hz / std_hz, rcond=None)
    fine = np.linspace(0.0, 180.0, 3601)
    return float(fine[np.argmax(design(fine) @ fitted)])
