"""Keeping the interferometer between the arms at one phase: measure the fringe, then follow its drift with a phase shifter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
from pydantic import Field
from scipy.optimize import brentq

from ...analysis.records import Estimate, FloatArray
from ...analysis.report_input import Curve
from ..documents import Result
from .base import Plan, Seconds, Setting, Standing
from .photon_source import MIDPOINT
from .two_rates import Rates, TwoRatesConfig, TwoRatesExperiment
from .visits import Visit

_Z = 1.959963984540054
_ROUNDS = 4
_LARGEST_STEP = 1.0


class PhaseLockConfig(TwoRatesConfig):
    """Configuration of ``phase_lock``."""

    light: dict[str, bool | float | str] = Field(
        {"light_source.emission": True, "light_source.kind": "interferometer", "light_source.rate": 1e5},
        description="parameters that shine light through both arms",
    )
    dwell_s: Seconds = Field(0.02, gt=0, description="live time of one step")
    actuator: str = Field("phase_shifter.phase", description="parameter that shifts the phase, in rad")
    fringe_points: int = Field(12, ge=5, le=1000, description="phases of the fringe scan before")
    steps: int = Field(60, ge=1, description="steps of the lock")
    gain: float = Field(0.7, gt=0, le=1, description="share of the error corrected in each step")


@dataclass(frozen=True, slots=True)
class Fringe:
    """Imbalance of the detectors ``offset + contrast cos(phase + start)``, at the end of the scan, and the contrast's standard error."""

    offset: float
    contrast: float
    start_rad: float
    contrast_std: float


class PhaseLock(TwoRatesExperiment[PhaseLockConfig]):
    """Side-of-fringe lock: the detectors' imbalance is zero a quarter turn from the top, where it says most about the phase."""

    name = "phase_lock"
    title = "Phase lock of the interferometer"
    Config = PhaseLockConfig

    def build(self) -> Plan:
        phases = self._scanned_rad()
        return Plan(tuple(self._setting(f"fringe {phase:.2f} rad", phase) for phase in phases.tolist()), (MIDPOINT,))

    def later_s(self) -> float:
        return self.config.steps * self.config.dwell_s

    def next_setting(self, state: Rates) -> Setting | None:
        done = state.closed() - self.config.fringe_points
        if done >= self.config.steps:
            return None
        return self._setting(f"lock {done}", float(self._locked_rad(state)[0][-1]))

    def result(self, state: Rates) -> Result:
        if state.closed() < self.config.fringe_points:
            return Result({})
        imbalance, _ = self._imbalance(self._scan(state))
        fringe = self._fringe(state)
        fine = np.linspace(0, 2 * pi, 200)
        model = fringe.offset + fringe.contrast * np.cos(fine + fringe.start_rad)  # as it lies at the end of the scan
        none = np.full(len(imbalance), np.nan)
        curves = {
            "fringe": Curve(self._scanned_rad(), "phase shifter (rad)", "imbalance of the detectors", imbalance, none, none, fine, model)
        }  # fmt: skip
        c, std = fringe.contrast, fringe.contrast_std
        contrast = Estimate(c, c - _Z * std, c + _Z * std, 0.95, std, len(imbalance), "fringe, weighted least squares")
        _, errors = self._locked_rad(state)
        if not len(errors):
            return Result({"fringe_contrast": contrast}, curves=curves)
        n = len(errors)
        rms = float(np.sqrt(np.mean(errors**2)))
        spread = rms / sqrt(2 * n)
        residual = Estimate(
            rms, max(rms - _Z * spread, 0.0), rms + _Z * spread, 0.95, spread, n, "rms of the lock's error", "rad"
        )
        step, none = np.arange(1.0, n + 1), np.full(n, np.nan)
        curves["phase error"] = Curve(step, "step of the lock", "phase error (rad)", errors, none, none)
        return Result({"fringe_contrast": contrast, "locked_rms_rad": residual}, curves=curves)

    def standing(self, state: Rates) -> Standing:
        wanted = self.config.fringe_points + self.config.steps
        return Standing(min(1.0, state.closed() / wanted), f"{state.closed()} of {wanted} settings")

    def truth_names(self) -> Mapping[str, str]:
        return {"fringe_contrast": "fringe_contrast"}

    def _setting(self, name: str, phase_rad: float) -> Setting:
        return Setting(name, None, {**self.config.light, self.config.actuator: phase_rad})

    def _scanned_rad(self) -> FloatArray:
        return np.arange(self.config.fringe_points) * 2 * pi / self.config.fringe_points

    def _scan(self, state: Rates) -> list[Visit]:
        return state.visits[: self.config.fringe_points]

    def _imbalance(self, visits: list[Visit]) -> tuple[FloatArray, FloatArray]:
        """(A - B)/(A + B) of each visit and its standard error."""
        a, b, _ = self.counts(visits).T
        total = np.maximum(a + b, 1.0)
        return (a - b) / total, 2 * np.sqrt(np.maximum(a * b, 1.0) / total**3)

    def _fringe(self, state: Rates) -> Fringe:
        """Weighted least squares of a constant, a cosine and a sine of a phase that drifts meanwhile, as a random walk.

        How far it drifts is told from what counting alone leaves unexplained on the sides of the fringe; its tops hardly move.
        """
        imbalance, std = self._imbalance(self._scan(state))
        phase, drift = self._scanned_rad(), np.zeros(len(imbalance))
        walk = np.minimum.outer(np.arange(len(phase)), np.arange(len(phase))).astype(np.float64)
        found = np.linalg.lstsq(_waves(phase) / std[:, None], imbalance / std, rcond=None)[0]
        for _ in range(_ROUNDS):
            design = _waves(phase + drift)
            slope = found[2] * design[:, 1] - found[1] * design[:, 2]
            seen = imbalance + slope * drift
            moves = slope[:, None] * walk * slope
            step = _drift_variance(design, seen, np.diag(std**2), moves)
            total = np.diag(std**2) + step * moves
            found, covariance = _least_squares(design, seen, total)
            drift = step * walk @ (slope * np.linalg.solve(total, seen - design @ found))
        offset, cosine, sine = found
        contrast = float(np.hypot(cosine, sine))
        along = np.array([0.0, cosine, sine]) / contrast
        start_rad = float(np.arctan2(-sine, cosine) + drift[-1])
        return Fringe(float(offset), contrast, start_rad, float(np.sqrt(along @ covariance @ along)))

    def _locked_rad(self, state: Rates) -> tuple[list[float], FloatArray]:
        """Actuator value of every lock step, the next one included, and the phase error seen in each step done."""
        fringe = self._fringe(state)
        phases, errors = [float((pi / 2 - fringe.start_rad) % (2 * pi))], []
        done = [v for v in state.visits[self.config.fringe_points :] if v.closed]
        for imbalance in self._imbalance(done)[0] if done else ():
            error = -float(np.arcsin(np.clip((imbalance - fringe.offset) / fringe.contrast, -1.0, 1.0)))
            errors.append(error)
            phases.append(phases[-1] - self.config.gain * error)
        return phases, np.array(errors)


def _waves(phase_rad: FloatArray) -> FloatArray:
    return np.column_stack([np.ones_like(phase_rad), np.cos(phase_rad), np.sin(phase_rad)])


def _least_squares(design: FloatArray, seen: FloatArray, errors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Coefficients and their covariance, from values with this covariance."""
    weighted = np.linalg.solve(errors, design)
    covariance: FloatArray = np.asarray(np.linalg.inv(weighted.T @ design), np.float64)
    found: FloatArray = covariance @ (weighted.T @ seen)
    return found, covariance


def _drift_variance(design: FloatArray, seen: FloatArray, errors: FloatArray, moves: FloatArray) -> float:
    """The least variance a step (rad²) with which the points scatter no more than they should."""

    def excess(step: float) -> float:
        total = errors + step * moves
        left = seen - design @ _least_squares(design, seen, total)[0]
        return float(np.dot(left, np.linalg.solve(total, left))) - (len(seen) - int(design.shape[1]))

    if excess(0.0) <= 0:
        return 0.0
    return float(brentq(excess, 0.0, _LARGEST_STEP)) if excess(_LARGEST_STEP) < 0 else _LARGEST_STEP
