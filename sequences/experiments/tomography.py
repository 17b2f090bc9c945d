"""The whole state of two heralded memories: all nine pairs of read-out axes, reconstructed by maximum likelihood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Literal

from pydantic import Field

from ...analysis.records import Estimate
from ...analysis.tomography import TomographyResult, reconstruct_state
from ..documents import Result
from .link_data import LinkState, as_psi_plus
from .link_match import OUTCOMES
from .link_run import LinkConfig, LinkExperiment

#: The state a result says the memory was in, in the letters of ``reconstruct_state``.
_KETS = {("X", "+"): "D", ("X", "-"): "A", ("Y", "+"): "L", ("Y", "-"): "R", ("Z", "+"): "H", ("Z", "-"): "V"}


class TomographyConfig(LinkConfig):
    """Configuration of ``tomography``."""

    bases: tuple[str, ...] = Field(
        tuple(a + b for a, b in product("XYZ", repeat=2)), min_length=9, description="read-out axes, Alice's then Bob's"
    )
    method: Literal["poisson", "multinomial", "gaussian", "bayes"] = Field("poisson", description="reconstruction")


class Tomography(LinkExperiment[TomographyConfig]):
    """State as read out: nothing is corrected, psi- heralds are folded onto psi+ in the analysis."""

    name = "tomography"
    title = "Tomography of two heralded memories"
    Config = TomographyConfig

    def figures(self, state: LinkState) -> dict[str, Estimate]:
        found = self._reconstruction(state).figures
        return {f"{name}_raw": found[name] for name in ("fidelity", "concurrence", "purity")}

    def result(self, state: LinkState) -> Result:
        result = super().result(state)
        if "fidelity_raw" not in result.estimates:
            return result
        return replace(result, states={"as read out": self._reconstruction(state).rho})

    def truth_names(self) -> Mapping[str, str]:
        figures = ("fidelity_raw", "concurrence_raw", "purity_raw", "herald_rate_hz")
        return dict(zip(figures, figures, strict=True))

    def _reconstruction(self, state: LinkState) -> TomographyResult:
        projectors, counts = [], []
        for basis in self.config.bases:
            joint = as_psi_plus(state.matching[self.setting_of(basis)].joint, basis)
            for result in OUTCOMES:
                projectors.append([_KETS[axis, sign] for axis, sign in zip(basis, result, strict=True)])
                counts.append(joint[result])
        return reconstruct_state({"projectors": projectors, "counts": counts, "target": "psi+"}, self.config.method)
