"""How long entanglement keeps in two memories: correlators against storage time, and when the fidelity falls to a bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...analysis.entanglement_storage import EntanglementStorageFit, fit_entanglement_storage
from ...analysis.intervals import linear_interval
from ...analysis.records import FloatArray, TagBlock
from ...analysis.report_input import Curve
from ..documents import Result
from .base import Action, Demand, Experiment, ExperimentConfig, Plan, Seconds, SecondsList, Setting, Standing
from .heralded_entanglement import HeraldedEntanglement, HeraldedEntanglementConfig
from .link import LinkTiming
from .link_data import LinkState, as_psi_plus
from .link_run import CALIBRATIONS

_BASES = ("XX", "YY", "ZZ")


class EntanglementStorageConfig(ExperimentConfig):
    """Configuration of ``entanglement_storage``."""

    storage_s: SecondsList = Field(
        (0.0, 200e-6, 400e-6, 700e-6, 1.1e-3), min_length=3, description="extra storage times to visit"
    )
    heralds: int = Field(150, ge=1, description="heralds in each basis at each time")
    max_time_s: Seconds = Field(600.0, gt=0, description="longest lab time in one basis")
    exponent: float = Field(1.5, gt=0, le=4, description="n of the decay exp[-(t/T)^n]")
    timing: LinkTiming = Field(default=LinkTiming(), description="times of one attempt")


class EntanglementStorage(Experiment[EntanglementStorageConfig, list[LinkState]]):
    """Heralded entanglement at several storage times, every correlator and time in one fit; nothing is corrected.

    The time counts from the superposition to the echo at which the memories are read, heralding included.
    """

    name = "entanglement_storage"
    title = "Entanglement against storage time"
    Config = EntanglementStorageConfig

    def links(self) -> list[HeraldedEntanglement]:
        """The link experiment at each storage time."""
        c = self.config
        configs = [
            HeraldedEntanglementConfig(
                bases=_BASES,
                heralds=c.heralds,
                max_time_s=c.max_time_s,
                timing=c.timing.model_copy(update={"storage_s": storage_s}),
            )
            for storage_s in c.storage_s
        ]
        return [HeraldedEntanglement(config).on(self.nodes) for config in configs]

    def build(self) -> Plan:
        plans = [link.build() for link in self.links()]
        settings = [
            Setting(f"{s.name} after {storage_s * 1e6:g} us", s.sequence, s.parameters)
            for storage_s, plan in zip(self.config.storage_s, plans, strict=True)
            for s in plan.settings[len(CALIBRATIONS) :]
        ]
        return Plan(tuple(settings), plans[0].sources)

    def demands(self) -> tuple[Demand, ...]:
        return tuple(d for link in self.links() for d in link.demands()[len(CALIBRATIONS) :])

    def begin(self) -> list[LinkState]:
        return [link.begin() for link in self.links()]

    def step(self, state: list[LinkState], setting: int, block: TagBlock) -> tuple[list[LinkState], Action]:
        which, basis = divmod(setting, len(_BASES))
        link = self.links()[which]
        state[which], action = link.step(state[which], len(CALIBRATIONS) + basis, block)
        return state, action

    def result(self, state: list[LinkState]) -> Result:
        taken = [
            (
                s.storage_ps * 1e-12,
                [as_psi_plus(s.matching[len(CALIBRATIONS) + k].joint, b) for k, b in enumerate(_BASES)],
            )
            for s in state
            if all(s.matching[len(CALIBRATIONS) + k].used for k in range(len(_BASES)))
        ]
        counts = {
            f"{t * 1e6:.4g} us {b}": table for t, tables in taken for b, table in zip(_BASES, tables, strict=True)
        }
        if len(taken) < 3:
            return Result({}, counts=counts)
        t_s = np.array([t for t, _ in taken])
        same = {b: np.array([tables[k]["++"] + tables[k]["--"] for _, tables in taken]) for k, b in enumerate(_BASES)}
        trials = {b: np.array([sum(tables[k].values()) for _, tables in taken]) for k, b in enumerate(_BASES)}
        fit = fit_entanglement_storage(t_s, same, trials, "psi+", self.config.exponent)
        estimates = {"entanglement_storage_time_s": fit.storage_time, "useful_until_s": fit.crossings[0.5]}
        return Result(estimates, curves={"fidelity": _curve(t_s, same, trials, fit)}, counts=counts)

    def standing(self, state: list[LinkState]) -> Standing:
        links = self.links()
        done = sum(link.standing(s).fraction for link, s in zip(links, state, strict=True)) / len(links)
        return Standing(done, f"{done:.0%} of the heralds")

    def shortfall(self, state: list[LinkState]) -> str:
        return "" if any(s.matching[k].used for s in state for k in list(s.matching)) else "no herald came"

    def herald_rows(self, state: list[LinkState]) -> list[NDArray[Any]]:
        tables = []
        for which, link_state in enumerate(state):
            rows, link_state.rows = link_state.rows, []
            for table in rows:
                table["setting"] += which * len(_BASES) - len(CALIBRATIONS)
            tables += rows
        return tables

    def truth_names(self) -> Mapping[str, str]:
        return {"entanglement_storage_time_s": "entanglement_storage_time_s"}


def _curve(
    t_s: FloatArray, same: Mapping[str, FloatArray], trials: Mapping[str, FloatArray], fit: EntanglementStorageFit
) -> Curve:
    """Fidelity to psi+ from the raw correlators, (1 + XX + YY - ZZ)/4, with exact intervals and the fit."""
    weights = [0.5, 0.5, -0.5]
    rows = []
    for k in range(len(t_s)):
        successes, shots = ([int(table[b][k]) for b in _BASES] for table in (same, trials))
        value = sum(w * s / n for w, s, n in zip(weights, successes, shots, strict=True))
        rows.append((value, *linear_interval(successes, shots, weights)))
    measured, lower, upper = np.array(rows).T
    fine_s = np.linspace(0.0, float(t_s.max()), 200)
    return Curve(t_s, "storage time (s)", "fidelity as read out", measured, lower, upper, fine_s, fit.fidelity(fine_s))
