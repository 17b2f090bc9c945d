"""What a sequence costs while it plays: time, clicks, heat, duty, and light on detectors. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import expm1

from ..instruments.expected import ExpectedDetector, ExpectedNode, ExpectedOutput, ExpectedSection
from ..instruments.interfaces import Node
from .budget_link import Arm, LinkBudget, photon_clicks
from .pulses import Pulse
from .sequence import Block, Sequence

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Playing:
    """A sequence as it plays on average.

    Attributes:
        blocks: each block with how often it comes in a burst.
        burst_s: mean duration of a burst.
        herald_rate_hz: 0 without a branch.
    """

    blocks: tuple[tuple[Block, float], ...]
    burst_s: float
    herald_rate_hz: float

    def on_s(self, channel: str, power: float = 0.0) -> float:
        """Mean time a second an output is on, each pulse weighted with its amplitude to the ``power``."""
        return self._sum(channel, lambda p: p.duration_ps * p.amplitude**power) * 1e-12

    def pulses_hz(self, channel: str) -> float:
        """Pulses a second on an output."""
        return self._sum(channel, lambda p: 1.0)

    def channels(self) -> set[str]:
        """Every output that is used."""
        return {p.channel for block, _ in self.blocks for p in block.played()}

    def _sum(self, channel: str, of: Callable[[Pulse], float]) -> float:
        """Mean over time of ``of`` the pulses on a channel, a second."""
        pulses = ((times, p) for block, times in self.blocks for p in block.played() if p.channel == channel)
        return sum(times * of(p) for times, p in pulses) / self.burst_s


@dataclass(frozen=True, slots=True)
class Steady:
    """Light that shines all the time: pump power of the pair source, and photons a second on each detector."""

    pump_w: float = 0.0
    photons_hz: Mapping[str, float] = field(default_factory=dict)


#: No sequence is played.
STILL = Playing((), 1.0, 0.0)


def playing(sequence: Sequence, link: LinkBudget | None) -> Playing:
    """How the sequence plays; ``link`` is its budget when it branches on heralds."""
    if link is None or sequence.branch is None:
        attempts = float(sequence.repetitions)
        burst_s = (sequence.header.length_ps + attempts * sequence.attempt.length_ps) * 1e-12
        return Playing(((sequence.header, 1.0), (sequence.attempt, attempts)), burst_s, 0.0)
    parts = (
        (sequence.header, 1.0),
        (sequence.attempt, link.attempts_per_burst),
        (sequence.branch.then, link.heralds_per_burst),
    )
    return Playing(parts, 1 / link.burst_rate_hz, link.rate_hz)


def channel_rates_hz(
    node: Node, played: Playing, arms: tuple[Arm, ...], expected: ExpectedSection, steady: Steady
) -> dict[str, float]:
    """Expected tags a second on every named channel of a node's tagger."""
    rates = {}
    for channel in node.channels:
        if channel.detector:
            rates[channel.name] = _detector_rate_hz(node, channel.detector, played, arms, expected, steady)
        elif channel.name == "herald":
            rates[channel.name] = played.herald_rate_hz
        else:
            rates[channel.name] = played.pulses_hz(channel.name)
    return rates


def _detector_rate_hz(
    node: Node, name: str, played: Playing, arms: tuple[Arm, ...], expected: ExpectedSection, steady: Steady
) -> float:
    detector = expected.detectors.get(name)
    if detector is None:
        return 0.0
    rate_hz = detector.dark_rate_hz * (played.on_s(detector.gate) if detector.gate else 1.0)
    rate_hz += _stray_rate_hz(name, detector, played, expected.outputs)
    rate_hz += steady.photons_hz.get(name, 0.0) * detector.efficiency
    known = expected.nodes.get(node.name)
    if known is not None:
        return rate_hz + _local_rate_hz(node.name, known, played, steady.pump_w)
    if expected.midpoint is None:
        return rate_hz
    clicks = sum(times * photon_clicks(block, arms, expected.midpoint, detector) for block, times in played.blocks)
    return rate_hz + clicks / played.burst_s


def _local_rate_hz(name: str, known: ExpectedNode, played: Playing, pump_w: float) -> float:
    """Read-out of the memory (bright, the upper bound) and photons of the pair source."""
    return known.readout_bright_hz * played.on_s(f"{name}_readout") + known.pairs_hz_per_w * pump_w


def _stray_rate_hz(
    name: str, detector: ExpectedDetector, played: Playing, outputs: Mapping[str, ExpectedOutput]
) -> float:
    """Clicks of the light that outputs send to a detector while it looks; at most one a pulse."""
    clicks = 0.0
    for block, times in played.blocks:
        for pulse, seen_ps in _lit(block, name, detector, outputs):
            photons = outputs[pulse.channel].photons_hz[name] * pulse.amplitude * seen_ps * 1e-12
            clicks += times * -expm1(-photons * detector.efficiency)
    return clicks / played.burst_s


def brightest_hz(
    name: str, detector: ExpectedDetector, played: Playing, outputs: Mapping[str, ExpectedOutput]
) -> tuple[float, str]:
    """Brightest light (photons/s) that falls on a detector while it looks, and the output it comes from."""
    lit = (
        (outputs[pulse.channel].photons_hz[name] * pulse.amplitude, pulse.channel)
        for block, _ in played.blocks
        for pulse, _ in _lit(block, name, detector, outputs)
    )
    return max(lit, default=(0.0, ""))


def _lit(
    block: Block, name: str, detector: ExpectedDetector, outputs: Mapping[str, ExpectedOutput]
) -> Iterator[tuple[Pulse, int]]:
    """Pulses whose light meets a looking detector, with for how long (ps); a block follows itself or its like."""
    if not any(name in output.photons_hz for output in outputs.values()):
        return
    pulses = tuple(block.played())
    gates = [(p.start_ps, p.stop_ps) for p in pulses if p.channel == detector.gate]
    if detector.gate and not gates:
        return
    for pulse in pulses:
        output = outputs.get(pulse.channel)
        if output is None or name not in output.photons_hz:
            continue
        if not detector.gate:
            yield pulse, pulse.duration_ps
            continue
        arrives = pulse.start_ps + round(output.delay_s * 1e12)
        seen_ps = sum(
            _overlap((arrives - turn, arrives + pulse.duration_ps - turn), gate)
            for gate in gates
            for turn in _turns(arrives + pulse.duration_ps, block.length_ps)
        )
        if seen_ps:
            yield pulse, seen_ps


def _turns(until_ps: int, length_ps: int) -> range:
    """Starts of the blocks that light until ``until_ps`` reaches into, the same block played again and again."""
    return range(0, until_ps, length_ps) if length_ps > 0 else range(0)


def _overlap(a: Interval, b: Interval) -> int:
    return max(0, min(a[1], b[1]) - max(a[0], b[0]))


def heat_w(played: Playing, outputs: Mapping[str, ExpectedOutput]) -> float:
    """Mean heat at the cold stage: power goes with the square of the amplitude."""
    return sum(o.heat_w * played.on_s(channel, power=2.0) for channel, o in outputs.items() if o.heat_w)
