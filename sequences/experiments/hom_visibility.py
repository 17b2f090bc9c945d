"""Are the two memories' photons alike? Hong-Ou-Mandel interference at the midpoint against their detuning."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field

from ...analysis.intervals import poisson_interval
from ...analysis.photons import hom_visibility
from ...analysis.records import FloatArray
from ...analysis.report_input import Curve
from ..documents import Result
from .base import Plan, Setting, Volts, VoltsList, to_ps
from .photon_source import MIDPOINT, PhotonConfig, PhotonExperiment, Photons, by_attempt


class HomVisibilityConfig(PhotonConfig):
    """Configuration of ``hom_visibility``."""

    attempts: int = Field(2_000_000, ge=1000, description="excitations at each detuning")
    tuned_v: Volts = Field(2.0, description="Bob's electrode voltage at which both memories emit at one frequency")
    offsets_v: VoltsList = Field(
        (-1.9, 1.9, -0.4, 0.4, -0.2, 0.2, -0.1, 0.1, 0.0), min_length=2, description="voltages around it, 0 among them"
    )
    far_v: Volts = Field(1.5, gt=0, description="offsets beyond this count as distinguishable")


class HomVisibility(PhotonExperiment[HomVisibilityConfig]):
    """Coincidences over what independent clicks would give, detuned by Bob's electrode: a dip where the photons are alike.

    The rates divide out, so that a detuned laser exciting Bob a little less does not count.
    """

    name = "hom_visibility"
    title = "Interference of two memories' photons"
    Config = HomVisibilityConfig

    def build(self) -> Plan:
        tuned_v = self.config.tuned_v
        settings = tuple(
            Setting(f"{v:+g} V", self.sequence(), {"laser.emission": True, "bob_memory.electrode_voltage": tuned_v + v})
            for v in self.config.offsets_v
        )
        return Plan(settings, (MIDPOINT,))

    def result(self, state: list[Photons]) -> Result:
        counted = np.array([self._coincidences(photons) for photons in state], np.float64)
        offsets_v = np.array(self.config.offsets_v)
        taken = counted[:, 1] > 0
        if not np.any(taken):
            return Result({})
        curves = {"coincidences": _curve(offsets_v[taken], *counted[taken].T)}
        dip, far = (counted[chosen].sum(axis=0) for chosen in (offsets_v == 0, np.abs(offsets_v) > self.config.far_v))
        if not (dip[1] > 0 and far[0] > 0):
            return Result({}, curves=curves)
        return Result(
            {"hom_visibility": hom_visibility(int(dip[0]), int(far[0]), float(far[1] / dip[1]))}, curves=curves
        )

    def truth_names(self) -> Mapping[str, str]:
        return {"hom_visibility": "visibility"}

    def _coincidences(self, photons: Photons) -> tuple[int, float]:
        """Attempts in which both detectors clicked, and how many independent clicks would have made."""
        if photons.coincidences is not None:
            return photons.coincidences
        if not photons.clock.attempts:
            return 0, 0.0
        window_ps = (self.arrival_ps(), self.arrival_ps() + to_ps(self.config.window_s))
        a, b = (by_attempt(photons, d, window_ps) for d in ("detector_a", "detector_b"))
        counted = len(np.intersect1d(a, b, assume_unique=True)), len(a) * len(b) / photons.clock.attempts
        photons.coincidences = counted if photons.closed else None
        return counted


def _curve(offset_v: FloatArray, coincidences: FloatArray, independent: FloatArray) -> Curve:
    order = np.argsort(offset_v)
    x, n, by_chance = offset_v[order], coincidences[order], independent[order]
    lower, upper = poisson_interval(n)
    label = "coincidences over independent clicks"
    return Curve(x, "electrode voltage from resonance (V)", label, n / by_chance, lower / by_chance, upper / by_chance)
