"""From a PulseTable to run-length steps on digital and analog outputs: pure, nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import pi

import numpy as np
from numpy.typing import NDArray

from ..analysis.records import FloatArray, Int64Array
from .errors import LimitError
from .pulse_table import Pulse, PulseTable, Segment
from .shapes import Square

N_DIGITAL, N_ANALOG = 8, 2
#: What the memory of a Pulse Streamer holds.
MAX_STEPS = 2_000_000
PHASE_SLACK_RAD = 1e-6


@dataclass(frozen=True, slots=True)
class PhaseOutput:
    """Where the carrier phase of a channel goes: an analog output that drives a phase modulator."""

    output: str
    volt_per_rad: float


@dataclass(frozen=True, slots=True)
class Wiring:
    """Channel name → output: ``"0"`` … ``"7"`` digital, ``"A0"``, ``"A1"`` analog; carrier phases where wired.

    A phase goes to an analog output (``phases``), or, in quarter turns only, to the sign of the channel's own analog
    output and a digital line that shifts the carrier by 90° (``quadratures``: channel name → digital output).
    """

    outputs: Mapping[str, str]
    phases: Mapping[str, PhaseOutput]
    quadratures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Constant stretches one after the other.

    Attributes:
        duration_ps: int64 (N,).
        digital: uint8 (N,), bit k is output k.
        analog_v: float64 (N, 2) V.
    """

    duration_ps: Int64Array
    digital: NDArray[np.uint8]
    analog_v: FloatArray

    def __len__(self) -> int:
        return len(self.duration_ps)

    def repeated(self, n: int) -> Steps:
        return Steps(np.tile(self.duration_ps, n), np.tile(self.digital, n), np.tile(self.analog_v, (n, 1)))

    def then(self, other: Steps) -> Steps:
        return Steps(
            np.concatenate([self.duration_ps, other.duration_ps]),
            np.concatenate([self.digital, other.digital]),
            np.concatenate([self.analog_v, other.analog_v]),
        )


def burst_steps(table: PulseTable, wiring: Wiring, sample_ps: int, instrument: str) -> Steps:
    """One burst: the header and all its attempts. Raises LimitError for what the outputs cannot do."""
    _check_shared_outputs(table, wiring, instrument)
    header = segment_steps(table.header, wiring, sample_ps, instrument)
    attempt = segment_steps(table.attempt, wiring, sample_ps, instrument)
    return header.then(attempt.repeated(table.attempts_per_burst))


def segment_steps(segment: Segment, wiring: Wiring, sample_ps: int, instrument: str) -> Steps:
    """The segment as steps that change only where an output changes."""
    for time_ps in (segment.length_ps, *(t for p in segment.pulses for t in (p.start_ps, p.duration_ps))):
        if time_ps % sample_ps:
            raise LimitError(instrument, f"{time_ps} ps is not on the grid of {sample_ps} ps")
    edges_ps = _edges(segment, wiring, sample_ps)
    starts_ps = edges_ps[:-1]
    digital = np.zeros(len(starts_ps), np.uint8)
    analog_v = np.zeros((len(starts_ps), N_ANALOG))
    for pulse in segment.pulses:
        _check_inside(pulse, segment, instrument)
        during = (starts_ps >= pulse.start_ps) & (starts_ps < pulse.start_ps + pulse.duration_ps)
        sign = _draw_phase(pulse, wiring, during, digital, analog_v, instrument)
        _draw(pulse, _output(pulse, wiring, instrument), during, starts_ps, sample_ps, digital, analog_v, sign)
    if np.abs(analog_v).max(initial=0.0) > 1.0:
        raise LimitError(instrument, f"analog level {np.abs(analog_v).max():.3f} V; the outputs give at most 1 V")
    return _merged(Steps(np.diff(edges_ps), digital, analog_v))


def _edges(segment: Segment, wiring: Wiring, sample_ps: int) -> Int64Array:
    edges = {0, segment.length_ps}
    for pulse in segment.pulses:
        stop_ps = pulse.start_ps + pulse.duration_ps
        edges |= {pulse.start_ps, stop_ps}
        if not isinstance(pulse.shape, Square) and wiring.outputs.get(pulse.channel, "").startswith("A"):
            edges |= set(range(pulse.start_ps, stop_ps, sample_ps))
    return np.array(sorted(edges), np.int64)


def _check_inside(pulse: Pulse, segment: Segment, instrument: str) -> None:
    if pulse.start_ps < 0 or pulse.start_ps + pulse.duration_ps > segment.length_ps:
        raise LimitError(instrument, f"pulse on {pulse.channel} leaves its segment of {segment.length_ps} ps")


def _output(pulse: Pulse, wiring: Wiring, instrument: str) -> str:
    if pulse.channel not in wiring.outputs:
        known = ", ".join(wiring.outputs) or "none"
        raise LimitError(instrument, f"no output for channel {pulse.channel!r}; outputs: is set for {known}")
    return wiring.outputs[pulse.channel]


def _draw(
    pulse: Pulse,
    output: str,
    during: NDArray[np.bool_],
    starts_ps: Int64Array,
    sample_ps: int,
    digital: NDArray[np.uint8],
    analog_v: FloatArray,
    sign: float,
) -> None:
    if not output.startswith("A"):
        if pulse.amplitude > 0:
            digital[during] |= np.uint8(1 << int(output))
        return
    level = np.full(int(during.sum()), pulse.amplitude)
    if not isinstance(pulse.shape, Square):
        within_ps: FloatArray = (starts_ps[during] - pulse.start_ps).astype(np.float64) + sample_ps / 2
        level = level * np.abs(pulse.shape.envelope(within_ps, pulse.duration_ps))
    analog_v[during, int(output[1:])] += sign * level


def _draw_phase(
    pulse: Pulse,
    wiring: Wiring,
    during: NDArray[np.bool_],
    digital: NDArray[np.uint8],
    analog_v: FloatArray,
    instrument: str,
) -> float:
    """Puts the carrier phase where it is wired to; the sign of the pulse's own level."""
    if pulse.phase_rad == 0.0:
        return 1.0
    if pulse.channel in wiring.quadratures:
        quarters = round(2 * pulse.phase_rad / pi)
        if abs(pulse.phase_rad - quarters * pi / 2) > PHASE_SLACK_RAD:
            what = f"phase {pulse.phase_rad:g} rad on {pulse.channel!r}; its wiring gives multiples of pi/2 only"
            raise LimitError(instrument, what)
        if quarters % 2:
            digital[during] |= np.uint8(1 << int(wiring.quadratures[pulse.channel]))
        return 1.0 if quarters % 4 in (0, 1) else -1.0
    if pulse.channel not in wiring.phases:
        raise LimitError(instrument, f"channel {pulse.channel!r} has a phase but no phases: entry says where it goes")
    phase = wiring.phases[pulse.channel]
    analog_v[during, int(phase.output[1:])] += phase.volt_per_rad * pulse.phase_rad
    return 1.0


def channels_of(table: PulseTable) -> set[str]:
    """Every channel the table plays a pulse on."""
    return {pulse.channel for segment in _segments(table) for pulse in segment.pulses}


def _segments(table: PulseTable) -> tuple[Segment, ...]:
    return (table.header, table.attempt, *([table.on_herald] if table.on_herald else []))


def _check_shared_outputs(table: PulseTable, wiring: Wiring, instrument: str) -> None:
    """Channels that share an output must play the same pulses on it, if any."""
    for segment in _segments(table):
        played: dict[str, dict[str, set[tuple[int, int]]]] = {}
        for pulse in segment.pulses:
            output = wiring.outputs.get(pulse.channel, pulse.channel)
            played.setdefault(output, {}).setdefault(pulse.channel, set()).add((pulse.start_ps, pulse.duration_ps))
        for output, channels in played.items():
            if len({frozenset(times) for times in channels.values()}) > 1:
                shared = " and ".join(channels)
                raise LimitError(instrument, f"{shared} share output {output}, so their pulses must coincide")


def _merged(steps: Steps) -> Steps:
    """Neighbours with equal outputs joined; empty steps left out."""
    kept = steps.duration_ps > 0
    duration_ps, digital, analog_v = steps.duration_ps[kept], steps.digital[kept], steps.analog_v[kept]
    if not len(duration_ps):
        return Steps(duration_ps, digital, analog_v)
    changes = (np.diff(digital) != 0) | np.any(np.diff(analog_v, axis=0) != 0, axis=1)
    first = np.concatenate([[0], 1 + np.flatnonzero(changes)])
    return Steps(np.add.reduceat(duration_ps, first), digital[first], analog_v[first])
