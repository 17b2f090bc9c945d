"""Heralded entanglement of two memories: fidelity from the correlators XX, YY, ZZ, and the herald rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf, prod

from pydantic import Field

from ...analysis.fidelity import estimate_fidelity
from ...analysis.records import Estimate
from .base import Action, Demand
from .link_data import LinkState, as_psi_plus
from .link_run import CALIBRATIONS, LinkConfig, LinkExperiment

#: With fewer heralds a basis does not know its own variance.
_FEWEST = 50
#: Of the wanted variance that bases may use up before the last one.
_SHARE = 0.9


class HeraldedEntanglementConfig(LinkConfig):
    """Configuration of ``heralded_entanglement``."""

    bases: tuple[str, ...] = Field(("XX", "YY", "ZZ"), min_length=1, description="read-out axes of Alice and Bob")
    precision: float | None = Field(
        None, gt=0, lt=1, description="stop when the fidelity's standard error is below this"
    )


class HeraldedEntanglement(LinkExperiment[HeraldedEntanglementConfig]):
    """Fidelity to psi+, both herald outcomes together, raw and corrected for the calibrated read-out errors."""

    name = "heralded_entanglement"
    title = "Heralded entanglement of two memories"
    Config = HeraldedEntanglementConfig

    def demands(self) -> tuple[Demand, ...]:
        return tuple(replace(d, fidelity_std=self.config.precision or inf) for d in super().demands())

    def figures(self, state: LinkState) -> dict[str, Estimate]:
        counts = {
            basis: as_psi_plus(state.matching[self.setting_of(basis)].joint, basis) for basis in self.config.bases
        }
        if not {"XX", "ZZ"} <= counts.keys():
            return {}
        table = {"target": "psi+", "bases": counts}
        raw = estimate_fidelity(table)
        corrected = estimate_fidelity({**table, "readout": self.readout_calibration(state)})
        correlators = {f"e_{basis.lower()}": e for basis, e in raw.correlators.items()}
        return {"fidelity": corrected.fidelity, "fidelity_raw": raw.fidelity, **correlators}

    def truth_names(self) -> Mapping[str, str]:
        return {"fidelity": "fidelity", "fidelity_raw": "fidelity_raw", "herald_rate_hz": "herald_rate_hz"}

    def _next(self, state: LinkState, setting: int) -> Action:
        precision = self.config.precision
        if precision is not None and self._precise(state, precision):
            return Action.FINISH
        last = setting == self.setting_of(self.config.bases[-1])
        if precision is not None and not last and self._has_its_share(state, setting, precision):
            return Action.NEXT_SETTING
        return super()._next(state, setting)

    def _has_its_share(self, state: LinkState, setting: int, precision: float) -> bool:
        """Whether a basis adds no more than its equal share to the variance; the last one makes up for what is missing."""
        joint = as_psi_plus(state.matching[setting].joint, self.config.bases[setting - len(CALIBRATIONS)])
        n = sum(joint.values())
        if n < _FEWEST:
            return False
        alike = (joint["++"] + joint["--"] + 1) / (n + 2)
        contrast = prod(_contrast(side) for side in self.readout_calibration(state).values())
        variance = alike * (1 - alike) / (4 * n * contrast**2)  # (1 - E²)/16n, the read-out error taken out
        return variance < _SHARE * precision**2 / len(self.config.bases)

    def _precise(self, state: LinkState, precision: float) -> bool:
        if any(state.matching[self.setting_of(basis)].used < _FEWEST for basis in self.config.bases):
            return False
        return self.figures(state)["fidelity"].std < precision


def _contrast(calibration: Mapping[str, Mapping[str, int]]) -> float:
    """Chance of '+' for a bright memory less that for a dark one."""
    bright, dark = (calibration[prepared] for prepared in CALIBRATIONS)
    return bright["+"] / max(1, sum(bright.values())) - dark["+"] / max(1, sum(dark.values()))
