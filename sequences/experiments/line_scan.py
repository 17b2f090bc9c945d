"""The optical line of a memory: fluorescence against laser frequency (photoluminescence excitation)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from pydantic import Field

from ...analysis.gating import GateStream
from ...analysis.intervals import poisson_interval
from ...analysis.lines import LineFit, fit_line
from ...analysis.records import Estimate, FloatArray, Int64Array, TagBlock
from ...analysis.report_input import Curve
from ..documents import Result
from ..scan import Scan, centred
from . import light
from .base import Action, Demand, Experiment, ExperimentConfig, Hertz, Plan, Seconds, Setting, Standing, to_ps

_FEWEST = 5


class LineScanConfig(ExperimentConfig):
    """Configuration of ``line_scan``."""

    node: Literal["alice", "bob"] = Field("alice", description="whose memory")
    centre_hz: Hertz = Field(194.95e12, gt=0, description="middle of the scan")
    span_hz: Hertz = Field(12e6, gt=0, description="width of the scan")
    points: int = Field(25, ge=_FEWEST, le=10_000, description="laser frequencies to visit, in shuffled order")
    shots: int = Field(500, ge=1, description="read-outs at each frequency")
    shape: Literal["lorentz", "gauss", "voigt"] = Field("lorentz", description="of the line")
    readout_s: Seconds = Field(150e-6, gt=0, description="light on the memory in each shot")
    seed: int = Field(0, ge=0, description="of the order")


@dataclass
class LineState:
    """Counts and shots so far, int64 (K,), by setting."""

    gates: list[GateStream]
    counts: Int64Array
    shots: Int64Array


class LineScan(Experiment[LineScanConfig, LineState]):
    """Pump, shine the read-out light, count; frequencies in shuffled order, so that a drift broadens but cannot shift."""

    name = "line_scan"
    title = "Optical line of a memory"
    Config = LineScanConfig

    def frequencies_hz(self) -> FloatArray:
        """Laser frequencies by setting, float64 (K,)."""
        c = self.config
        scan = Scan(axes=(centred("laser.frequency", c.centre_hz, c.span_hz, c.points),), order="shuffled", seed=c.seed)
        return np.array([point.values["laser.frequency"] for point in scan.points()])

    def build(self) -> Plan:
        sequence = light.read_out(self.config.node, to_ps(self.config.readout_s))
        settings = tuple(
            Setting(f"{(f - self.config.centre_hz) / 1e6:+.3f} MHz", sequence, {"laser.frequency": f, "laser.emission": True})
            for f in self.frequencies_hz().tolist()
        )  # fmt: skip
        return Plan(settings, (self.config.node,))

    def demands(self) -> tuple[Demand, ...]:
        return (Demand(bursts=self.config.shots),) * self.config.points

    def begin(self) -> LineState:
        node, n = self.nodes[self.config.node], self.config.points
        window_ps = light.readout_window_ps(to_ps(self.config.readout_s))
        gates = [GateStream(node.channel("sync"), node.channel("photon"), *window_ps) for _ in range(n)]
        return LineState(gates, np.zeros(n, np.int64), np.zeros(n, np.int64))

    def step(self, state: LineState, setting: int, block: TagBlock) -> tuple[LineState, Action]:
        _, counts, valid = state.gates[setting].feed(block)
        state.counts[setting] += counts[valid].sum()
        state.shots[setting] += np.count_nonzero(valid)
        done = state.shots[setting] >= self.config.shots
        return state, Action.NEXT_SETTING if done else Action.CONTINUE

    def result(self, state: LineState) -> Result:
        order = np.argsort(self.frequencies_hz())
        taken = order[state.shots[order] > 0]
        frequency_hz, counts, shots = self.frequencies_hz()[taken], state.counts[taken], state.shots[taken]
        if len(taken) < _FEWEST or counts.sum() < 10:
            return Result({})
        detuning_hz = frequency_hz - self.config.centre_hz
        fit = fit_line(detuning_hz, counts, shots, self.config.shape)
        estimates = {"line_center_hz": _shifted(fit.center_hz, self.config.centre_hz), "line_fwhm_hz": fit.fwhm_hz}
        return Result(estimates, curves={"line": self._curve(detuning_hz, counts, shots, fit)})

    def standing(self, state: LineState) -> Standing:
        wanted = self.config.shots * self.config.points
        done = int(np.minimum(state.shots, self.config.shots).sum())
        return Standing(done / wanted, f"{done} of {wanted} shots")

    def shortfall(self, state: LineState) -> str:
        return "" if state.counts.sum() >= 10 else "next to no fluorescence: is the laser on and the detector biased?"

    def truth_names(self) -> Mapping[str, str]:
        return {
            "line_center_hz": f"{self.config.node}_resonance_hz",
            "line_fwhm_hz": f"{self.config.node}_line_fwhm_hz",
        }

    def _curve(self, detuning_hz: FloatArray, counts: Int64Array, shots: Int64Array, fit: LineFit) -> Curve:
        lower, upper = poisson_interval(counts)
        return Curve(
            x=detuning_hz,
            x_label=f"laser frequency - {self.config.centre_hz / 1e12:.6f} THz (Hz)",
            y_label="clicks per shot",
            measured=counts / shots,
            lower=lower / shots,
            upper=upper / shots,
            fit_x=detuning_hz,
            fit=fit.fit.expected() / shots,
            residuals=fit.fit.residuals(),
        )


def _shifted(detuning: Estimate, by_hz: float) -> Estimate:
    """A detuning as a frequency: fitted around 0, where float64 resolves it."""
    value, lower, upper = (x + by_hz for x in (detuning.value, detuning.lower, detuning.upper))
    return replace(detuning, value=value, lower=lower, upper=upper)
