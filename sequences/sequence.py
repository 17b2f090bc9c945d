"""A sequence: what a pulse generator shall play, as a frozen value that can be stored, compared, drawn and compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..instruments.pulse_table import HeraldCondition as HeraldCondition
from ..instruments.pulse_table import Pulse
from ..instruments.shapes import shape_from

Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of ``length_ps`` with its pulses and loops; all times are from its start."""

    length_ps: int
    pulses: tuple[Pulse, ...] = ()
    loops: tuple[Loop, ...] = ()

    def pulse_count(self) -> int:
        """How many pulses are played, loops included; quick however often a loop runs."""
        return len(self.pulses) + sum(loop.count * loop.block.pulse_count() for loop in self.loops)

    def played(self, from_ps: int = 0) -> Iterator[Pulse]:
        """Every pulse as it is played, loops unrolled, shifted by ``from_ps``."""
        for pulse in self.pulses:
            yield replace(pulse, start_ps=pulse.start_ps + from_ps) if from_ps else pulse
        for loop in self.loops:
            for k in range(loop.count):
                yield from loop.block.played(from_ps + loop.start_ps + k * loop.block.length_ps)

    def then(self, other: Block) -> Block:
        """This block and ``other`` right after it, as one."""
        if other.length_ps == 0:
            return self
        return Block(self.length_ps + other.length_ps, self.pulses, (*self.loops, Loop(self.length_ps, other, 1)))


@dataclass(frozen=True, slots=True)
class Loop:
    """``block`` played ``count`` times without a gap; loops may hold loops."""

    start_ps: int
    block: Block
    count: int

    @property
    def stop_ps(self) -> int:
        return self.start_ps + self.count * self.block.length_ps


@dataclass(frozen=True, slots=True)
class Branch:
    """After a body in which ``on`` was met leave the repetitions and play ``then`` once; else play ``otherwise``.

    The herald's decision falls before ``otherwise`` begins, so a heralded attempt never sees it.
    """

    on: HeraldCondition
    then: Block
    otherwise: Block = Block(0)


@dataclass(frozen=True, slots=True)
class Sequence:
    """Bursts of ``header`` and then ``repetitions`` times ``body``; a ``branch`` ends the burst when its herald comes.

    ``settings`` are parameters (``instrument.parameter``, value) that belong to the sequence and are set before it plays.
    """

    name: str
    header: Block
    body: Block
    repetitions: int = 1
    branch: Branch | None = None
    settings: tuple[tuple[str, Value], ...] = ()

    def describe(self) -> dict[str, Any]:
        """Plain nested dict; ``Sequence.from_description`` is its inverse."""
        return asdict(self)

    @classmethod
    def from_description(cls, plain: Mapping[str, Any]) -> Sequence:
        """The sequence of a description. Raises KeyError or TypeError where the description is none."""
        branch = plain["branch"]
        return cls(
            name=plain["name"],
            header=_block(plain["header"]),
            body=_block(plain["body"]),
            repetitions=plain["repetitions"],
            branch=None if branch is None else _branch(branch),
            settings=tuple((name, value) for name, value in plain["settings"]),
        )

    @property
    def attempt(self) -> Block:
        """What is played when no herald comes: the body and the branch's ``otherwise``."""
        return self.body if self.branch is None else self.body.then(self.branch.otherwise)

    def blocks(self) -> dict[str, Block]:
        """The blocks by role: header, body and, with a branch, then (and otherwise, if it is any)."""
        named = {"header": self.header, "body": self.body}
        if self.branch is None:
            return named
        named["then"] = self.branch.then
        return named if self.branch.otherwise == Block(0) else named | {"otherwise": self.branch.otherwise}


def _block(plain: Mapping[str, Any]) -> Block:
    return Block(
        plain["length_ps"],
        tuple(Pulse(**{**pulse, "shape": shape_from(pulse["shape"])}) for pulse in plain["pulses"]),
        tuple(Loop(loop["start_ps"], _block(loop["block"]), loop["count"]) for loop in plain["loops"]),
    )


def _branch(plain: Mapping[str, Any]) -> Branch:
    on = plain["on"]
    condition = HeraldCondition(tuple(on["detectors"]), tuple(on["early_ps"]), tuple(on["late_ps"]), on["latency_ps"])
    return Branch(condition, _block(plain["then"]), _block(plain["otherwise"]))
