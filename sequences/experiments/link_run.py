"""What the experiments on a heralded link share: calibrate both read-outs, then herald and read out in each basis."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, TypeVar

from numpy.typing import NDArray
from pydantic import Field, field_validator

from ...analysis.poisson import poisson_rate
from ...analysis.records import Estimate, TagBlock
from ..documents import Result
from ..pulses import AXES
from . import link, link_data
from .base import Action, Demand, Experiment, ExperimentConfig, Plan, Seconds, Setting, Standing, to_ps
from .link_data import LinkState

CALIBRATIONS = ("bright", "dark")


class LinkConfig(ExperimentConfig):
    """Configuration of an experiment on a heralded link."""

    bases: tuple[str, ...] = Field(min_length=1, description="read-out axes of Alice and Bob")
    heralds: int = Field(300, ge=1, description="heralds to collect in each basis")
    max_time_s: Seconds = Field(600.0, gt=0, description="longest lab time in one basis")
    calibration_shots: int = Field(2000, ge=1, description="read-outs of each prepared state before the run")
    selection: link.Selection = Field(default=link.Selection(), description="tighter windows, for analysis only")
    timing: link.LinkTiming = Field(default=link.LinkTiming(), description="times of one attempt")

    @field_validator("bases")
    @classmethod
    def _known_axes(cls, bases: tuple[str, ...]) -> tuple[str, ...]:
        for basis in bases:
            if len(basis) != 2 or any(axis not in AXES for axis in basis):
                raise ValueError(f"basis {basis!r} is not two of {', '.join(AXES)}")
        return bases


LC = TypeVar("LC", bound=LinkConfig)


class LinkExperiment(Experiment[LC, LinkState]):
    """A link experiment; a subclass says which figures it draws from the joint counts."""

    @abstractmethod
    def figures(self, state: LinkState) -> dict[str, Estimate]:
        """The experiment's own estimates; only called when every basis has a read-out herald."""

    def build(self) -> Plan:
        timing, light = self.config.timing, {"laser.emission": True}
        detectors = self._detectors()
        settings = [Setting(f"calibrate {s}", link.calibrate_readout(timing, s), light) for s in CALIBRATIONS]
        settings += [Setting(b, link.entangle(timing, self.nodes, b, detectors), light) for b in self.config.bases]
        return Plan(tuple(settings), (link_data.MIDPOINT, *link.NODES))

    def demands(self) -> tuple[Demand, ...]:
        attempts = Demand(heralds=self.config.heralds, longest_s=self.config.max_time_s)
        calibration = Demand(bursts=self.config.calibration_shots)
        return (*(calibration for _ in CALIBRATIONS), *(attempts for _ in self.config.bases))

    def begin(self) -> LinkState:
        return link_data.begin(self.config.timing, self.config.selection, self.nodes)

    def step(self, state: LinkState, setting: int, block: TagBlock) -> tuple[LinkState, Action]:
        if setting < len(CALIBRATIONS):
            link_data.take_calibration(state, setting, block)
            fewest = state.calibrated(setting)
            return state, Action.NEXT_SETTING if fewest >= self.config.calibration_shots else Action.CONTINUE
        link_data.take_attempts(state, setting, block)
        action = self._next(state, setting)
        if action is not Action.CONTINUE and block.source == link.NODES[-1]:
            state.closed.add(setting)
        return state, action

    def result(self, state: LinkState) -> Result:
        live_s = link_data.live_s(state)
        estimates = {"herald_rate_hz": poisson_rate(self._heralds(state), live_s)} if live_s > 0 else {}
        if all(state.matching[self.setting_of(basis)].used for basis in self.config.bases):
            estimates = {**self.figures(state), **estimates}
        counts = {b: _labelled(state.matching[self.setting_of(b)].joint) for b in self.config.bases}
        heralds = {b: state.matching[self.setting_of(b)].selected for b in self.config.bases}
        return Result(estimates, {"arrival": link_data.arrival_histogram(state)}, counts={**counts, "heralds": heralds})

    def standing(self, state: LinkState) -> Standing:
        wanted = self.config.heralds * len(self.config.bases)
        done = sum(min(state.matching[self.setting_of(b)].used, self.config.heralds) for b in self.config.bases)
        return Standing(done / wanted, f"{done} of {wanted} heralds")

    def shortfall(self, state: LinkState) -> str:
        return "" if self._heralds(state) else f"no herald in {sum(state.attempts.values())} attempts"

    def herald_rows(self, state: LinkState) -> list[NDArray[Any]]:
        rows, state.rows = state.rows, []
        return rows

    def setting_of(self, basis: str) -> int:
        """Index in the plan of a basis."""
        return len(CALIBRATIONS) + self.config.bases.index(basis)

    def readout_calibration(self, state: LinkState) -> dict[str, dict[str, dict[str, int]]]:
        """Calibration counts by side (a: Alice, b: Bob) and prepared state."""
        return {
            side: {prepared: dict(state.calibrations[name, k]) for k, prepared in enumerate(CALIBRATIONS)}
            for side, name in zip("ab", link.NODES, strict=True)
        }

    def _next(self, state: LinkState, setting: int) -> Action:
        enough = state.matching[setting].used >= self.config.heralds
        too_long = state.live_ps[setting] >= to_ps(self.config.max_time_s)
        return Action.NEXT_SETTING if enough or too_long else Action.CONTINUE

    def _heralds(self, state: LinkState) -> int:
        return sum(matching.selected for matching in state.matching.values())

    def _detectors(self) -> tuple[str, str]:
        midpoint = {c.name: c.detector for c in self.nodes[link_data.MIDPOINT].channels}
        return midpoint["detector_a"], midpoint["detector_b"]


def _labelled(joint: dict[int, dict[str, int]]) -> dict[str, int]:
    """Counts as ``psi+ ++`` and so on, flat, for display."""
    names = {1: "psi+", -1: "psi-"}
    return {f"{names[outcome]} {result}": n for outcome, counts in joint.items() for result, n in counts.items()}
