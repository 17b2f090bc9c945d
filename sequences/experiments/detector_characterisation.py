"""What a superconducting detector can do: efficiency, dark counts and jitter against bias, where it latches, where to work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import sqrt

import numpy as np
from pydantic import Field

from ...analysis.correlation import correlate
from ...analysis.detector import DetectorFit, best_working_point, fit_detector, plateau_start_a
from ...analysis.intervals import poisson_interval
from ...analysis.jitter import fit_jitter
from ...analysis.records import PS_PER_S, Estimate, FloatArray, Int64Array, TagBlock
from ...analysis.report_input import Curve
from ..documents import Result
from . import light
from .base import Action, Amperes, Demand, Experiment, ExperimentConfig, Plan, Seconds, Setting, Standing, to_ps
from .link import HEADER_PS

_FEWEST_FOR_JITTER = 2000
_LATCH_MARGIN = 0.95


class DetectorConfig(ExperimentConfig):
    """Configuration of ``detector_characterisation``."""

    channel: str = Field("detector_a", description="tagger channel of the detector")
    lowest_bias_a: Amperes = Field(9e-6, gt=0, description="first bias of the sweep")
    highest_bias_a: Amperes = Field(18.5e-6, gt=0, description="last bias of the sweep, below where it latches")
    points: int = Field(20, ge=4, le=1000, description="bias values of the sweep")
    light_s: Seconds = Field(0.5, gt=0, description="time with probe pulses at each bias")
    dark_s: Seconds = Field(5.0, gt=0, description="time without light at each bias")
    amplitude: float = Field(0.5, gt=0, le=1, description="of the probe pulses")
    full_photons: float = Field(0.2, gt=0, description="photons at the detector in a full probe pulse, as calibrated")
    latch_step_a: Amperes = Field(60e-9, gt=0, description="step of the search for the latch current")
    limit_a: Amperes = Field(22e-6, gt=0, description="no bias above this is ever set")
    max_dark_rate_hz: float = Field(100.0, gt=0, description="darks tolerated at the working point")


@dataclass
class Point:
    """One stretch at one bias: pulses and clicks counted; the jitter where there was light enough."""

    pulses: int = 0
    clicks: int = 0
    live_ps: int = 0
    sync_ps: list[Int64Array] = field(default_factory=list)
    click_ps: list[Int64Array] = field(default_factory=list)
    fwhm: Estimate | None = None
    closed: bool = False


@dataclass
class DetectorState:
    """Settings in order (light and dark at each bias, then the latch search), and whether the detector latched in them.

    ``fit`` is made once, when the sweep is complete.
    """

    points: list[Point] = field(default_factory=list)
    latched: list[bool] = field(default_factory=list)
    fit: DetectorFit | None = None


class DetectorCharacterisation(Experiment[DetectorConfig, DetectorState]):
    """Probe pulses and darkness at each bias; then the bias is raised in small steps until the detector latches."""

    name = "detector_characterisation"
    title = "Characterisation of a superconducting detector"
    Config = DetectorConfig

    @cached_property
    def biases_a(self) -> FloatArray:
        """Bias values of the sweep, float64 (K,)."""
        return np.linspace(self.config.lowest_bias_a, self.config.highest_bias_a, self.config.points)

    @property
    def detector(self) -> str:
        """The detector behind the channel, as ``instrument.channel``."""
        return next(c.detector for c in self.nodes["midpoint"].channels if c.name == self.config.channel)

    def build(self) -> Plan:
        lit, dark = light.probe_pulses(amplitude=self.config.amplitude), light.gate_open()
        settings = [
            Setting(f"{kind} at {a * 1e6:.3f} uA", sequence, {f"{self.detector}.bias": a}, self._latched)
            for a in self.biases_a.tolist()
            for kind, sequence in (("light", lit), ("dark", dark))
        ]
        return Plan(tuple(settings), ("midpoint",))

    def demands(self) -> tuple[Demand, ...]:
        pair = (Demand(time_s=self.config.light_s), Demand(time_s=self.config.dark_s))
        return pair * self.config.points

    def later_s(self) -> None:
        return None

    def begin(self) -> DetectorState:
        return DetectorState()

    def next_setting(self, state: DetectorState) -> Setting | None:
        trials = len(state.latched) - 2 * self.config.points
        bias_a = self._trial_a(trials)
        if state.latched[-1]:  # without current it recovers
            return Setting("recover", None, {f"{self.detector}.bias": 0.0}, self._latched)
        if any(state.latched) or bias_a > self.config.limit_a:
            return None
        return Setting(f"latch search at {bias_a * 1e6:.3f} uA", None, {f"{self.detector}.bias": bias_a}, self._latched)

    def step(self, state: DetectorState, setting: int, block: TagBlock) -> tuple[DetectorState, Action]:
        if setting == len(state.points):
            state.points.append(Point())
        point, midpoint = state.points[setting], self.nodes["midpoint"]
        if point.closed or block.overflow:
            return state, Action.CONTINUE
        sync_ps, click_ps = (block.tags.on(midpoint.channel(name)) for name in ("sync", self.config.channel))
        point.pulses += len(sync_ps)
        point.clicks += len(click_ps)
        point.live_ps += block.t_stop_ps - block.t_start_ps
        if self._lit(setting):
            point.sync_ps.append(sync_ps)
            point.click_ps.append(click_ps)
        if point.live_ps >= self._wanted_ps(setting):
            _close(point)
        return state, Action.NEXT_SETTING if point.closed else Action.CONTINUE

    def take_readings(self, state: DetectorState, setting: int, readings: Mapping[str, float]) -> DetectorState:
        state.latched.append(bool(readings[self._latched[0]]))
        return state

    def result(self, state: DetectorState) -> Result:
        lit, dark = state.points[0 : self._sweep : 2], state.points[1 : self._sweep : 2]
        k = min(sum(p.closed for p in lit), sum(p.closed for p in dark))
        if not any(p.clicks for p in lit[:k]):
            return Result({})
        bias_a, lit, dark = self.biases_a[:k], lit[:k], dark[:k]
        if k < self.config.points:
            return Result({}, curves=self._curves(bias_a, lit, dark, None))
        fit = state.fit = state.fit or self._fit(bias_a, lit, dark)
        estimates = {
            "efficiency": fit.saturated_efficiency,
            "inflection_a": fit.inflection_a,
            "width_a": fit.width_a,
            "plateau_start_a": fit.plateau_start_a,
            "stray_rate_hz": fit.stray_rate_hz,
        }
        if self._latch(state) is not None:
            estimates |= self._with_latch(state, fit)
        return Result(estimates, curves=self._curves(bias_a, lit, dark, fit))

    def standing(self, state: DetectorState) -> Standing:
        done = sum(p.closed for p in state.points)
        return Standing(min(1.0, done / (self._sweep + 10)), f"{done} settings, {self._sweep} of them the sweep")

    def shortfall(self, state: DetectorState) -> str:
        if not any(p.clicks for p in state.points):
            return "no click came: is the probe light on its way to this detector?"
        if self._latch(state) is None:
            return f"the detector did not latch up to {self.config.limit_a * 1e6:g} uA"
        return ""

    def truth_names(self) -> Mapping[str, str]:
        channel = self.detector.split(".")[1]
        names = ("efficiency", "inflection_a", "width_a", "stray_rate_hz", "latch_current_a")
        return {name: f"{channel}_{name}" for name in names}

    def derived_truth(self, hidden: Mapping[str, float], estimates: Mapping[str, Estimate]) -> Mapping[str, float]:
        inflection, width = (f"{self.detector.split('.')[1]}_{name}" for name in ("inflection_a", "width_a"))
        known = inflection in hidden and width in hidden
        return {"plateau_start_a": plateau_start_a(hidden[inflection], hidden[width])} if known else {}

    @property
    def _sweep(self) -> int:
        return 2 * self.config.points

    @property
    def _latched(self) -> tuple[str]:
        return (f"{self.detector}.latched",)

    def _lit(self, setting: int) -> bool:
        return setting < self._sweep and setting % 2 == 0

    def _wanted_ps(self, setting: int) -> int:
        """How long a setting lasts; in the latch search one block is enough."""
        if setting >= self._sweep:
            return 0
        return to_ps(self.config.light_s if self._lit(setting) else self.config.dark_s)

    def _trial_a(self, trial: int) -> float:
        return self.config.highest_bias_a + (trial + 1) * self.config.latch_step_a

    def _latch(self, state: DetectorState) -> Estimate | None:
        """Between the last bias at which it stayed free and the first at which it latched."""
        if not any(state.latched):
            return None
        step_a, first = self.config.latch_step_a, state.latched.index(True) - self._sweep
        if first < 0:
            return None
        upper = self._trial_a(first)
        return Estimate(upper - step_a / 2, upper - step_a, upper, 1.0, step_a / sqrt(12), first + 1, "stepped", "A")

    def _with_latch(self, state: DetectorState, fit: DetectorFit) -> dict[str, Estimate]:
        latch = self._latch(state)
        assert latch is not None
        chosen = best_working_point(fit, latch.lower / _LATCH_MARGIN, self.config.max_dark_rate_hz)
        n, nan = fit.saturated_efficiency.n, float("nan")

        def at_best(value: float, unit: str) -> Estimate:
            return Estimate(
                value, value, value, nan, nan, n, "least sqrt(2 D)/efficiency below the latch current", unit
            )

        return {
            "latch_current_a": latch,
            "working_bias_a": at_best(chosen.bias_a, "A"),
            "working_efficiency": at_best(chosen.efficiency, ""),
            "working_dark_rate_hz": at_best(chosen.dark_rate_hz, "Hz"),
        }

    def _fit(self, bias_a: FloatArray, lit: list[Point], dark: list[Point]) -> DetectorFit:
        photons = self.config.full_photons * self.config.amplitude
        period_s = light.probe_pulses().body.length_ps / PS_PER_S + HEADER_PS / PS_PER_S
        return fit_detector(
            bias_a,
            [p.clicks for p in lit],
            [p.clicks for p in dark],
            [_seen(p) * period_s for p in lit],
            [p.live_ps / PS_PER_S for p in dark],
            photons / period_s,
        )

    def _curves(
        self, bias_a: FloatArray, lit: list[Point], dark: list[Point], fit: DetectorFit | None
    ) -> dict[str, Curve]:
        photons = self.config.full_photons * self.config.amplitude
        pulses = np.array([_seen(p) for p in lit]) * photons
        times_s = np.array([p.live_ps / PS_PER_S for p in dark])
        fine_a = np.linspace(bias_a[0], bias_a[-1], 200 if fit else 0)
        efficiency, dark_hz = (fit.efficiency(fine_a), fit.dark_rate_hz(fine_a)) if fit else (fine_a, fine_a)
        found = {
            "efficiency": _counted(bias_a, lit, pulses, "efficiency", fine_a, efficiency),
            "dark counts": _counted(bias_a, dark, times_s, "dark rate (Hz)", fine_a, dark_hz),
        }
        sharp = [(a, p.fwhm) for a, p in zip(bias_a, lit, strict=True) if p.fwhm is not None]
        if sharp:
            values = np.array([[e.value, e.lower, e.upper] for _, e in sharp])
            at_a = np.array([a for a, _ in sharp])
            found["jitter"] = Curve(at_a, "bias (A)", "timing jitter, FWHM (ps)", *values.T)
        return found


def _close(point: Point) -> None:
    """Ends a setting: what is left of its clicks is their jitter."""
    point.closed = True
    if point.clicks >= _FEWEST_FOR_JITTER and point.sync_ps:
        due_ps = np.concatenate(point.sync_ps) + HEADER_PS + light.PROBE_AT_PS
        histogram = correlate(due_ps, np.concatenate(point.click_ps), bin_ps=2, range_ps=2000)
        if histogram.counts.sum() >= _FEWEST_FOR_JITTER:
            point.fwhm = fit_jitter(histogram).fwhm_ps
    point.sync_ps, point.click_ps = [], []


def _seen(point: Point) -> float:
    """Pulses that could have made each of the clicks: one click hides what else the same pulse would have done."""
    clicked = min(point.clicks / max(point.pulses, 1), 0.99)
    return point.pulses * clicked / -np.log1p(-clicked) if clicked else float(point.pulses)


def _counted(
    bias_a: FloatArray, points: list[Point], exposure: FloatArray, label: str, fit_x: FloatArray, fit: FloatArray
) -> Curve:
    clicks = np.array([p.clicks for p in points])
    lower, upper = poisson_interval(clicks)
    return Curve(bias_a, "bias (A)", label, clicks / exposure, lower / exposure, upper / exposure, fit_x, fit)
