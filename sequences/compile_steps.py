"""Sequence → run-length steps of a Pulse Streamer (8 digital, 2 analog outputs, 1 ns). Pure; nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..instruments.errors import LimitError
from ..instruments.pulse_steps import MAX_STEPS, Steps, Wiring, burst_steps, segment_steps
from ..instruments.pulse_table import PulseTable
from .compile import Quantisation, compile_sequence
from .sequence import Sequence

SAMPLE_PS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class CompiledSteps:
    """One burst and what a herald plays, as steps, with what the 1 ns grid did to the edges."""

    burst: Steps
    on_herald: Steps | None
    quantisation: Quantisation


def compile_steps(sequence: Sequence, wiring: Wiring, generator: str = "pulser") -> CompiledSteps:
    """The sequence on the outputs of a wired generator.

    Raises:
        LimitError: what does not fit, by name: a channel without output, a phase that is not wired, two channels that
            share an output, a level beyond full scale, more steps than the memory holds.
    """
    compiled = compile_sequence(sequence, SAMPLE_PS)
    table = compiled.table
    if (needed := steps_needed(table, wiring, generator)) > MAX_STEPS:
        raise LimitError(generator, f"{needed} steps; the memory holds {MAX_STEPS}: use fewer repetitions")
    burst = burst_steps(table, wiring, SAMPLE_PS, generator)
    herald = None if table.on_herald is None else segment_steps(table.on_herald, wiring, SAMPLE_PS, generator)
    return CompiledSteps(burst, herald, compiled.quantisation)


def steps_needed(table: PulseTable, wiring: Wiring, generator: str = "pulser") -> int:
    """How many steps a table takes, without making them all. Raises LimitError as ``compile_steps``, but for the memory."""
    once = burst_steps(replace(table, attempts_per_burst=1), wiring, SAMPLE_PS, generator)
    attempt = segment_steps(table.attempt, wiring, SAMPLE_PS, generator)
    herald = () if table.on_herald is None else segment_steps(table.on_herald, wiring, SAMPLE_PS, generator)
    return len(once) + (table.attempts_per_burst - 1) * len(attempt) + len(herald)
