"""Heralded entanglement of two memories: fidelity from the correlators XX, YY, ZZ, and the herald rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf

from pydantic import Field

from ...analysis.fidelity import estimate_fidelity
from ...analysis.records import Estimate
from .base import Action, Demand
from .link_data import LinkState, as_psi_plus
from .link_run import LinkConfig, LinkExperiment


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
        if self.config.precision is not None and self._precise(state, self.config.precision):
            return Action.FINISH
        return super()._next(state, setting)

    def _precise(self, state: LinkState, precision: float) -> bool:
        if not all(state.matching[self.setting_of(basis)].used for basis in self.config.bases):
            return False
        return self.figures(state)["fidelity"].std < precision
