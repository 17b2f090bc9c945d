"""Sequence → pulse table on the sample grid of a generator. Pure; the rounding is returned, not hidden."""

from __future__ import annotations

from dataclasses import dataclass

from ..instruments.interfaces import HeraldCondition, PulseTable, Segment, TablePulse
from .pulses import Pulse
from .sequence import Block, Sequence


@dataclass(frozen=True, slots=True)
class Compiled:
    """A pulse table and the largest shift any edge suffered on its way to the sample grid."""

    table: PulseTable
    quantisation_ps: int


def compile_sequence(sequence: Sequence, sample_ps: int) -> Compiled:
    """Rounds every edge to multiples of ``sample_ps`` (starts and stops alike, so neighbours stay neighbours)."""
    shifts: list[int] = [0]

    def grid(t_ps: int) -> int:
        rounded = (2 * t_ps + sample_ps) // (2 * sample_ps) * sample_ps
        shifts.append(abs(rounded - t_ps))
        return rounded

    def segment(block: Block) -> Segment:
        return Segment(grid(block.length_ps), tuple(pulse(p) for p in block.pulses))

    def pulse(p: Pulse) -> TablePulse:
        start_ps = grid(p.start_ps)
        return TablePulse(p.channel, start_ps, grid(p.stop_ps) - start_ps, p.amplitude, p.phase_rad, p.shape)

    branch = sequence.branch
    table = PulseTable(
        header=segment(sequence.header),
        attempt=segment(sequence.body),
        attempts_per_burst=sequence.repetitions,
        condition=None
        if branch is None
        else HeraldCondition(branch.detectors, branch.early_ps, branch.late_ps, branch.latency_ps),
        on_herald=None if branch is None else segment(branch.then),
        sample_ps=sample_ps,
    )
    return Compiled(table, max(shifts))
