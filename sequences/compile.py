"""Sequence → pulse table on the sample grid of a generator. Pure; the rounding is returned, not hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..instruments.pulse_table import Pulse, PulseTable, Segment
from .sequence import Block, Sequence


@dataclass(frozen=True, slots=True)
class Edge:
    """Where an edge was asked for and where it is played, ps from the start of its block.

    Attributes:
        block: header, attempt or then.
        channel: output; empty for the end of the block itself.
        played_ps: float, for a sample period need not be whole ps.
    """

    block: str
    channel: str
    asked_ps: int
    played_ps: float

    @property
    def error_ps(self) -> float:
        return self.played_ps - self.asked_ps


@dataclass(frozen=True, slots=True)
class Quantisation:
    """What the sample grid did to every edge."""

    edges: tuple[Edge, ...]

    @property
    def largest_ps(self) -> float:
        """Largest shift of any edge, either way."""
        return max((abs(edge.error_ps) for edge in self.edges), default=0.0)

    def by_channel(self) -> dict[str, float]:
        """Largest shift of the edges of each output; the ends of blocks under an empty name."""
        largest: dict[str, float] = {}
        for edge in self.edges:
            largest[edge.channel] = max(largest.get(edge.channel, 0.0), abs(edge.error_ps))
        return largest

    def drift_ps(self, repetitions: int) -> float:
        """How late the end of a burst comes: what one block's length lost or gained adds up over the repetitions."""
        ends = {edge.block: edge.error_ps for edge in self.edges if not edge.channel}
        return ends.get("header", 0.0) + repetitions * ends.get("attempt", 0.0)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A pulse table, and what the sample grid did to its edges."""

    table: PulseTable
    quantisation: Quantisation


def compile_sequence(sequence: Sequence, sample_ps: int) -> Compiled:
    """Rounds every edge to multiples of ``sample_ps`` (starts and stops alike, so neighbours stay neighbours).

    Loops are played out; what a branch plays ``otherwise`` becomes the end of the attempt, which a herald cuts off.
    """
    edges: list[Edge] = []

    def grid(block: str, channel: str, t_ps: int) -> int:
        played_ps = (2 * t_ps + sample_ps) // (2 * sample_ps) * sample_ps
        edges.append(Edge(block, channel, t_ps, played_ps))
        return played_ps

    def segment(name: str, block: Block) -> Segment:
        pulses = tuple(pulse(name, p) for p in block.played())
        return Segment(grid(name, "", block.length_ps), pulses)

    def pulse(name: str, p: Pulse) -> Pulse:
        start_ps = grid(name, p.channel, p.start_ps)
        return replace(p, start_ps=start_ps, duration_ps=grid(name, p.channel, p.stop_ps) - start_ps)

    branch = sequence.branch
    table = PulseTable(
        header=segment("header", sequence.header),
        attempt=segment("attempt", sequence.attempt),
        attempts_per_burst=sequence.repetitions,
        condition=None if branch is None else branch.on,
        on_herald=None if branch is None else segment("then", branch.then),
        sample_ps=sample_ps,
    )
    return Compiled(table, Quantisation(tuple(edges)))
