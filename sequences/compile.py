"""Sequence → pulse table on the sample grid of a generator. Pure; the rounding is returned, not hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..instruments.pulse_table import Pulse, PulseTable, Segment
from .sequence import Block, Sequence


@dataclass(frozen=True, slots=True)
class Compiled:
    """A pulse table and the largest shift any edge suffered on its way to the sample grid."""

    table: PulseTable
    quantisation_ps: int


def compile_sequence(sequence: Sequence, sample_ps: int) -> Compiled:
    """Rounds every edge to multiples of ``sample_ps`` (starts and stops alike, so neighbours stay neighbours).

    Loops are played out; what a branch plays ``otherwise`` becomes the end of the attempt, which a herald cuts off.
    """
    shifts: list[int] = [0]

    def grid(t_ps: int) -> int:
        rounded = (2 * t_ps + sample_ps) // (2 * sample_ps) * sample_ps
        shifts.append(abs(rounded - t_ps))
        return rounded

    def segment(block: Block) -> Segment:
        return Segment(grid(block.length_ps), tuple(pulse(p) for p in block.played()))

    def pulse(p: Pulse) -> Pulse:
        start_ps = grid(p.start_ps)
        return replace(p, start_ps=start_ps, duration_ps=grid(p.stop_ps) - start_ps)

    branch = sequence.branch
    table = PulseTable(
        header=segment(sequence.header),
        attempt=segment(sequence.attempt),
        attempts_per_burst=sequence.repetitions,
        condition=None if branch is None else branch.on,
        on_herald=None if branch is None else segment(branch.then),
        sample_ps=sample_ps,
    )
    return Compiled(table, max(shifts))
