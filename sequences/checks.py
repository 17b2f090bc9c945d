"""What is wrong with a sequence, found before anything is armed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from .pulses import SHAPES, Pulse
from .sequence import Block, Branch, Sequence


def check_sequence(sequence: Sequence, *, minimum_pulse_ps: int = 1000) -> list[str]:
    """Problems in words, one line each; an empty list means the sequence can be armed."""
    problems = [p for role, block in sequence.blocks().items() for p in _check_block(role, block, minimum_pulse_ps)]
    if sequence.repetitions < 1:
        problems.append(f"repetitions is {sequence.repetitions}; at least 1 is needed")
    if sequence.branch is not None:
        problems += _check_branch(sequence.branch, sequence.body)
    return [f"sequence {sequence.name}: {problem}" for problem in problems]


def _check_block(role: str, block: Block, minimum_pulse_ps: int) -> Iterator[str]:
    by_channel: dict[str, list[Pulse]] = defaultdict(list)
    for pulse in block.pulses:
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


def _check_pulse(role: str, pulse: Pulse, length_ps: int, minimum_pulse_ps: int) -> Iterator[str]:
    where = f"pulse on {pulse.channel} at {pulse.start_ps} ps in {role}"
    if pulse.duration_ps < minimum_pulse_ps:
        yield f"{where} lasts {pulse.duration_ps} ps; the shortest allowed is {minimum_pulse_ps} ps"
    if pulse.start_ps < 0 or pulse.stop_ps > length_ps:
        yield f"{where} lies outside its block of {length_ps} ps"
    if not 0.0 <= pulse.amplitude <= 1.0:
        yield f"{where} has amplitude {pulse.amplitude:g}; allowed is 0 to 1 of full scale"
    if pulse.shape not in SHAPES:
        yield f"{where} has shape {pulse.shape!r}; allowed are {', '.join(SHAPES)}"


def _check_branch(branch: Branch, body: Block) -> Iterator[str]:
    for name, (start_ps, stop_ps) in (("early", branch.early_ps), ("late", branch.late_ps)):
        if not 0 <= start_ps < stop_ps:
            yield f"the {name} herald window [{start_ps}, {stop_ps}) ps is empty or starts before the attempt"
    if branch.early_ps[1] > branch.late_ps[0]:
        yield "the early herald window reaches into the late one"
    if branch.late_ps[1] > body.length_ps:
        yield (
            f"the late herald window closes at {branch.late_ps[1]} ps, after the attempt of {body.length_ps} ps ended: "
            "the next attempt would overwrite the memory before its herald is known"
        )
