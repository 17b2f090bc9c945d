"""From the steps a pulse generator was sent back to pulses on named outputs, as the simulated lab plays them.

The wire carries flat lists of levels. What repeats in them is found again: a header, and one attempt played N times.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import pi

import numpy as np

from ...analysis.records import BoolArray, FloatArray, Int64Array
from ..twin import HeraldRule, Program, Pulse, Section
from .ports import HeraldWindows, PulseProgram, PulseSteps

PS_PER_TICK = 1000


@dataclass(frozen=True, slots=True)
class PulseWires:
    """What the outputs of a pulse generator are wired to.

    Attributes:
        outputs: output of the lab (``gate``, ``alice_mw`` …) → ``"0"`` … ``"7"`` or ``"A0"``, ``"A1"``.
        quadratures: output of the lab → digital line that shifts its carrier by a quarter turn.
        switches: output of the lab → port of a slow line that must be high for light to pass.
        start: output whose pulse begins an attempt.
        herald_logic: tagger whose output is wired to the trigger input.
    """

    outputs: Mapping[str, str]
    quadratures: Mapping[str, str] = field(default_factory=dict)
    switches: Mapping[str, str] = field(default_factory=dict)
    start: str = "initialise"
    herald_logic: str = ""


def program_of(played: PulseProgram, wires: PulseWires, open_: frozenset[str], herald: HeraldWindows) -> Program:
    """The program of the lab for what a generator plays.

    Args:
        open_: outputs of the lab whose switches let light pass, all others with a switch are dark.
        herald: what the herald logic is set for; only matters when there is a second slot.
    """
    burst = played.slots[0]
    length_ps = PS_PER_TICK * int(burst.duration_ns.sum())
    rule = None
    if len(played.slots) > 1 and herald != HeraldWindows():
        single = herald.late_ps[0] >= herald.late_ps[1]
        rule = HeraldRule(herald.early_ps, None if single else herald.late_ps, herald.latency_ps)
    on_herald = Section(0)
    if rule is not None:
        after = played.slots[1]
        on_herald = Section(PS_PER_TICK * int(after.duration_ns.sum()), pulses_of(after, wires, open_))
    pulses = pulses_of(burst, wires, open_)
    header_ps, attempt_ps, n = fold(pulses, length_ps, wires.start)
    first = [p for p in pulses if header_ps <= p.start_ps < header_ps + attempt_ps]
    return Program(
        header=Section(header_ps, tuple(p for p in pulses if p.start_ps < header_ps)),
        attempt=Section(attempt_ps, tuple(replace(p, start_ps=p.start_ps - header_ps) for p in first)),
        attempts_per_burst=n,
        rule=rule,
        on_herald=on_herald,
        bursts=max(burst.runs, 0),
    )


def pulses_of(steps: PulseSteps, wires: PulseWires, open_: frozenset[str]) -> tuple[Pulse, ...]:
    """The pulses on every output that is wired, in order of time. Neighbours without a gap are one pulse."""
    edges_ps = PS_PER_TICK * np.concatenate([[0], np.cumsum(steps.duration_ns)])
    found: list[Pulse] = []
    for channel, output in wires.outputs.items():
        if channel in wires.switches and channel not in open_:
            continue
        shifted = _line(steps, wires.quadratures[channel]) if channel in wires.quadratures else None
        level = (
            steps.analog_v[:, int(output[1:])] if output.startswith("A") else _line(steps, output).astype(np.float64)
        )
        found += _stretches(channel, level, shifted, edges_ps)
    return tuple(sorted(found, key=lambda p: p.start_ps))


def fold(pulses: tuple[Pulse, ...], length_ps: int, start: str) -> tuple[int, int, int]:
    """A burst as (length of the header, length of an attempt, attempts): what everything but the header repeats with.

    There are as many attempts as pulses on ``start`` (or as many as all outputs agree on), if they are alike.
    """
    by_channel: dict[str, list[Pulse]] = {}
    for pulse in pulses:
        by_channel.setdefault(pulse.channel, []).append(pulse)
    starts = by_channel.get(start, [])
    most = len(starts) or int(np.gcd.reduce([len(found) for found in by_channel.values() if len(found) > 1] or [1]))
    for n in range(most, 1, -1):
        if most % n == 0 and (period_ps := _common_period_ps(by_channel, length_ps, n)):
            return length_ps - n * period_ps, period_ps, n
    header_ps = starts[0].start_ps if starts else 0
    return header_ps, length_ps - header_ps, 1


def _common_period_ps(by_channel: Mapping[str, list[Pulse]], length_ps: int, n: int) -> int:
    """The period with which everything but a header is played ``n`` times; 0 when there is none."""
    often = [found for found in by_channel.values() if len(found) % n == 0]
    periods = {_period_ps(found, n) for found in often}
    if len(periods) != 1:
        return 0
    (period_ps,) = periods
    header_ps = length_ps - n * period_ps
    once = [found for found in by_channel.values() if len(found) % n]
    fits = all(found[-1].stop_ps <= header_ps for found in once) and all(
        found[0].start_ps >= header_ps for found in often
    )
    return period_ps if header_ps >= 0 and fits else 0


def _period_ps(found: list[Pulse], n: int) -> int:
    """The time after which these pulses come again, 0 when they do not."""
    per_period = len(found) // n
    table = np.array([(p.start_ps, p.duration_ps) for p in found], np.int64).reshape(n, per_period, 2)
    shape = [(p.amplitude, p.phase_rad, p.area) for p in found]
    steps = np.diff(table[:, :, 0], axis=0)
    same = np.all(table[:, :, 1] == table[0, :, 1]) and all(
        shape[k] == shape[k % per_period] for k in range(len(found))
    )
    return int(steps.flat[0]) if same and np.all(steps == steps.flat[0]) else 0


def _line(steps: PulseSteps, output: str) -> BoolArray:
    high: BoolArray = (steps.digital >> int(output) & 1) == 1
    return high


def _stretches(channel: str, level: FloatArray, shifted: BoolArray | None, edges_ps: Int64Array) -> list[Pulse]:
    """Where the level is not zero, with one sign and one quadrature."""
    quadrature = np.zeros(len(level), np.int8) if shifted is None else shifted.astype(np.int8)
    kind = np.where(level == 0, 0, np.sign(level) * (1 + quadrature)).astype(np.int8)
    bounds = np.concatenate([[0], 1 + np.flatnonzero(np.diff(kind)), [len(kind)]])
    found = []
    for first, last in itertools.pairwise(bounds):
        if first == last or not kind[first]:
            continue
        start_ps, stop_ps = int(edges_ps[first]), int(edges_ps[last])
        held_ps = np.diff(edges_ps[first : last + 1])
        strength = np.abs(level[first:last])
        area = float(strength @ held_ps) / (stop_ps - start_ps)
        turned = pi / 2 if abs(kind[first]) == 2 else 0.0
        phase = turned if kind[first] > 0 else turned - pi
        found.append(Pulse(channel, start_ps, stop_ps - start_ps, float(strength.max()), phase, area))
    return found
