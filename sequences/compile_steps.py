"""Sequence → run-length steps of a Pulse Streamer (8 digital, 2 analog outputs, 1 ns). Pure; nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass

from ..instruments.errors import LimitError
from ..instruments.pulse_steps import MAX_STEPS, Steps, Wiring, burst_steps, segment_steps
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
    burst = burst_steps(table, wiring, SAMPLE_PS, generator)
    herald = None if table.on_herald is None else segment_steps(table.on_herald, wiring, SAMPLE_PS, generator)
    needed = len(burst) + (0 if herald is None else len(herald))
    if needed > MAX_STEPS:
        raise LimitError(generator, f"{needed} steps; the memory holds {MAX_STEPS}: use fewer repetitions")
    return CompiledSteps(burst, herald, compiled.quantisation)
