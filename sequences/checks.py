"""What is wrong with a sequence, found before anything is armed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from ..instruments.shapes import SHAPES, Comb, Sech
from .pulses import Pulse
from .sequence import Block, Branch, Sequence

#: More pulses in a block than any generator here takes; loops are played out when they are compiled.
MAX_PULSES = 500_000
MINIMUM_PULSE_PS = 1000


def check_sequence(sequence: Sequence, *, minimum_pulse_ps: int = MINIMUM_PULSE_PS) -> list[str]:
    """Problems in words, one line each; an empty list means the sequence can be armed."""
    problems = [p for role, block in sequence.blocks().items() for p in _check_block(role, block, minimum_pulse_ps)]
    if sequence.repetitions < 1:
        problems.append(f"repetitions is {sequence.repetitions}; at least 1 is needed")
    if sequence.branch is not None:
        problems += _check_branch(sequence.branch, sequence.body)
    return [f"sequence {sequence.name}: {problem}" for problem in problems]


def _check_block(role: str, block: Block, minimum_pulse_ps: int) -> Iterator[str]:
    problems = list(_check_loops(role, block))
    if problems:
        yield from problems
        return
    if block.pulse_count() > MAX_PULSES:
        yield f"{role} plays {block.pulse_count()} pulses; at most {MAX_PULSES} are allowed"
        return
    by_channel: dict[str, list[Pulse]] = defaultdict(list)
    for pulse in block.played():
        by_channel[pulse.channel].append(pulse)
        yield from _check_pulse(role, pulse, block.length_ps, minimum_pulse_ps)
    for channel, pulses in by_channel.items():
        ordered = sorted(pulses, key=lambda p: p.start_ps)
        for before, after in pairwise(ordered):
            if after.start_ps < before.stop_ps:
                yield (
                    f"pulses on {channel} in {role} overlap: one ends at {before.stop_ps} ps, "
                    f"the next starts at {after.start_ps} ps"
                )


def _check_loops(role: str, block: Block) -> Iterator[str]:
    for loop in block.loops:
        where = f"loop at {loop.start_ps} ps in {role}"
        if loop.count < 1 or loop.block.length_ps <= 0:
            yield f"{where} plays {loop.block.length_ps} ps {loop.count} times; both must be at least 1"
        if loop.start_ps < 0 or loop.stop_ps > block.length_ps:
            yield f"{where} ends at {loop.stop_ps} ps, outside its block of {block.length_ps} ps"
        for pulse in loop.block.pulses:
            if pulse.start_ps < 0 or pulse.stop_ps > loop.block.length_ps:
                yield f"{where} holds a pulse on {pulse.channel} that reaches outside its {loop.block.length_ps} ps"
        yield from _check_loops(f"a loop in {role}", loop.block)


def _check_pulse(role: str, pulse: Pulse, length_ps: int, minimum_pulse_ps: int) -> Iterator[str]:
    where = f"pulse on {pulse.channel} at {pulse.start_ps} ps in {role}"
    if pulse.duration_ps < minimum_pulse_ps:
        yield f"{where} lasts {pulse.duration_ps} ps; the shortest allowed is {minimum_pulse_ps} ps"
    if pulse.start_ps < 0 or pulse.stop_ps > length_ps:
        yield f"{where} lies outside its block of {length_ps} ps"
    if not 0.0 <= pulse.amplitude <= 1.0:
        yield f"{where} has amplitude {pulse.amplitude:g}; allowed is 0 to 1 of full scale"
    yield from (f"{where} {problem}" for problem in _check_shape(pulse))


def _check_shape(pulse: Pulse) -> Iterator[str]:
    shape = pulse.shape
    if not isinstance(shape, tuple(SHAPES.values())):
        yield f"has shape {shape!r}; allowed are {', '.join(SHAPES)}"
    elif isinstance(shape, Sech) and not 0 < shape.edge < 1:
        yield f"is a sech of edge {shape.edge:g}; allowed is between 0 and 1"
    elif isinstance(shape, Comb):
        if shape.count < 1 or not 0 < shape.width_ps <= shape.spacing_ps:
            yield f"is a comb of {shape.count} × {shape.width_ps} ps every {shape.spacing_ps} ps; its pulses overlap"
        elif shape.length_ps > pulse.duration_ps:
            yield f"is a comb of {shape.length_ps} ps in a pulse of {pulse.duration_ps} ps"


def _check_branch(branch: Branch, body: Block) -> Iterator[str]:
    windows = dict(zip(("early", "late"), branch.on.windows_ps, strict=False))
    for name, (start_ps, stop_ps) in windows.items():
        if not 0 <= start_ps < stop_ps:
            yield f"the {name} herald window [{start_ps}, {stop_ps}) ps is empty or starts before the attempt"
    if "late" in windows and windows["early"][1] > windows["late"][0]:
        yield "the early herald window reaches into the late one"
    if branch.on.windows_ps[-1][1] > body.length_ps:
        yield (
            f"the last herald window closes at {branch.on.windows_ps[-1][1]} ps, after the attempt of {body.length_ps} ps "
            "ended: the next attempt would overwrite the memory before its herald is known"
        )
