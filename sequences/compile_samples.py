"""Block → arrays for sampled outputs: digital port words and analog volts of a DAQ, I/Q codes of an AWG. Pure.

A pulse covers the samples from the one nearest to its start to the one before the one nearest to its stop; shapes are
taken in the middle of each sample, where the sample stands for them best. Sample periods need not be whole picoseconds.
What an output cannot do is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from ..analysis.errors import UsageError
from ..analysis.records import PS_PER_S, FloatArray
from .compile import Edge, Quantisation
from .pulses import Pulse, Square
from .sequence import Block

MAX_SAMPLES = 200_000_000
PORT_LINES = 32


@dataclass(frozen=True, slots=True)
class AnalogRange:
    """A pulse of full amplitude is ``high_v``, no pulse is ``low_v``; ``bits`` is the converter's resolution."""

    low_v: float = 0.0
    high_v: float = 1.0
    bits: int = 16


@dataclass(frozen=True, slots=True)
class Carrier:
    """How an AWG makes a channel: I and Q about ``if_hz`` for a mixer, ``bits`` each, full amplitude = full scale.

    With ``if_hz`` 0 the envelope itself comes out. The carrier's phase is that of a clock that starts with the block.
    """

    if_hz: float = 0.0
    bits: int = 14


@dataclass(frozen=True, slots=True, eq=False)
class DigitalSamples:
    """``words`` uint32 (N,): bit k is line k during that sample."""

    words: NDArray[np.uint32]
    quantisation: Quantisation


@dataclass(frozen=True, slots=True, eq=False)
class AnalogSamples:
    """``volts`` float64 (N,) for each channel, on the converter's levels; ``error_v`` is the largest rounding of each."""

    volts: Mapping[str, FloatArray]
    error_v: Mapping[str, float]
    quantisation: Quantisation


@dataclass(frozen=True, slots=True, eq=False)
class IqSamples:
    """``codes`` int16 (N, 2) for each channel: I and Q; full scale is 2^(bits-1) - 1.

    Attributes:
        error: largest distance of a code from the ideal sample, as share of full scale.
        phase_slip_rad: by how much the carrier misses itself when the block is played again at once.
    """

    codes: Mapping[str, NDArray[np.int16]]
    error: Mapping[str, float]
    phase_slip_rad: Mapping[str, float]
    quantisation: Quantisation


def digital_samples(block: Block, lines: Mapping[str, int], rate_hz: float) -> DigitalSamples:
    """The pulses of the channels in ``lines`` (channel → line 0…31) as port words.

    Raises:
        UsageError: a line outside the port, a pulse that is not square, or too many samples.
    """
    for channel, line in lines.items():
        if not 0 <= line < PORT_LINES:
            raise UsageError(f"channel {channel} is on line {line}; a port has lines 0 to {PORT_LINES - 1}")
    grid = _Grid(block, rate_hz)
    words = np.zeros(grid.samples, np.uint32)
    for pulse, first, stop in grid.place(lines):
        if not isinstance(pulse.shape, Square):
            raise UsageError(f"pulse on {pulse.channel} at {pulse.start_ps} ps is {pulse.shape.kind}; a line is square")
        if pulse.amplitude > 0:
            words[first:stop] |= np.uint32(1 << lines[pulse.channel])
    return DigitalSamples(words, grid.quantisation())


def analog_samples(block: Block, outputs: Mapping[str, AnalogRange], rate_hz: float) -> AnalogSamples:
    """The pulses of the channels in ``outputs`` as voltages.

    Raises:
        UsageError: a pulse with a phase or a chirp, which one voltage cannot hold, or too many samples.
    """
    grid = _Grid(block, rate_hz)
    levels = {channel: np.zeros(grid.samples) for channel in outputs}
    for pulse, first, stop in grid.place(outputs):
        shaped = grid.envelope(pulse, first, stop)
        if pulse.phase_rad or np.any(shaped.imag != 0):
            raise UsageError(f"pulse on {pulse.channel} at {pulse.start_ps} ps has a phase; an analog output has none")
        levels[pulse.channel][first:stop] += pulse.amplitude * shaped.real
    volts, errors = {}, {}
    for channel, spread in outputs.items():
        ideal = spread.low_v + (spread.high_v - spread.low_v) * levels[channel]
        step_v = abs(spread.high_v - spread.low_v) / (2**spread.bits - 1)
        volts[channel] = spread.low_v + step_v * np.round((ideal - spread.low_v) / step_v)
        errors[channel] = float(np.abs(volts[channel] - ideal).max(initial=0.0))
    return AnalogSamples(volts, errors, grid.quantisation())


def iq_samples(block: Block, outputs: Mapping[str, Carrier], rate_hz: float) -> IqSamples:
    """The pulses of the channels in ``outputs`` as I and Q codes.

    Raises:
        UsageError: a carrier above half the sample rate, a sum beyond full scale, or too many samples.
    """
    grid = _Grid(block, rate_hz)
    ideal = {channel: np.zeros(grid.samples, np.complex128) for channel in outputs}
    for channel, carrier in outputs.items():
        if abs(carrier.if_hz) >= rate_hz / 2:
            raise UsageError(f"carrier of {channel} is {carrier.if_hz:g} Hz; below {rate_hz / 2:g} Hz is allowed")
    for pulse, first, stop in grid.place(outputs):
        turns = outputs[pulse.channel].if_hz / rate_hz * (np.arange(first, stop) + 0.5)
        rotated = np.exp(1j * (2 * pi * (turns % 1.0) + pulse.phase_rad))
        ideal[pulse.channel][first:stop] += pulse.amplitude * grid.envelope(pulse, first, stop) * rotated
    codes, errors = {}, {}
    for channel, carrier in outputs.items():
        full = 2 ** (carrier.bits - 1) - 1
        if (largest := float(np.abs(ideal[channel]).max(initial=0.0))) > 1 + 1e-9:
            raise UsageError(f"pulses on {channel} add up to {largest:.3g} of full scale")
        scaled = full * np.stack([ideal[channel].real, ideal[channel].imag], axis=1)
        codes[channel] = np.round(scaled).astype(np.int16)
        errors[channel] = float(np.abs(codes[channel] - scaled).max(initial=0.0)) / full
    slips = {channel: _slip_rad(carrier.if_hz * grid.samples / rate_hz) for channel, carrier in outputs.items()}
    return IqSamples(codes, errors, slips, grid.quantisation())


def _slip_rad(turns: float) -> float:
    return 2 * pi * (turns - round(turns))


class _Grid:
    """Samples of one block at one rate, and what they did to its edges."""

    def __init__(self, block: Block, rate_hz: float) -> None:
        self.block, self.rate_hz = block, rate_hz
        self.edges: list[Edge] = []
        self.samples = self._nearest("", block.length_ps)
        if self.samples > MAX_SAMPLES:
            raise UsageError(
                f"{self.samples} samples at {rate_hz:g} Hz; at most {MAX_SAMPLES}: play slower or in parts"
            )

    def place(self, channels: Iterable[str]) -> Iterator[tuple[Pulse, int, int]]:
        """Every pulse on these channels with its samples [first, stop); refuses pulses no sample is left of."""
        wanted = set(channels)
        for pulse in self.block.played():
            if pulse.channel not in wanted:
                continue
            first, stop = self._nearest(pulse.channel, pulse.start_ps), self._nearest(pulse.channel, pulse.stop_ps)
            if first == stop:
                what = f"pulse on {pulse.channel} at {pulse.start_ps} ps lasts {pulse.duration_ps} ps"
                raise UsageError(f"{what}; at {self.rate_hz:g} Hz nothing is left of it")
            if first < 0 or stop > self.samples:
                raise UsageError(f"pulse on {pulse.channel} at {pulse.start_ps} ps lies outside its block")
            yield pulse, first, stop

    def envelope(self, pulse: Pulse, first: int, stop: int) -> NDArray[np.complex128]:
        """Of the pulse in the middle of its samples, complex128; shapes are not moved, only the edges of the whole are."""
        within_ps = (np.arange(first, stop) + 0.5) * PS_PER_S / self.rate_hz - pulse.start_ps
        return pulse.shape.envelope(np.clip(within_ps, 0, pulse.duration_ps), pulse.duration_ps)

    def quantisation(self) -> Quantisation:
        return Quantisation(tuple(self.edges))

    def _nearest(self, channel: str, t_ps: int) -> int:
        sample = round(t_ps * self.rate_hz / PS_PER_S)
        self.edges.append(Edge("block", channel, t_ps, sample * PS_PER_S / self.rate_hz))
        return sample
