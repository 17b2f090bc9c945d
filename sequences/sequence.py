"""A sequence: what a pulse generator shall play, as a frozen value that can be stored, compared, drawn and compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .pulses import Pulse


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of ``length_ps`` with its pulses."""

    length_ps: int
    pulses: tuple[Pulse, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """On exactly one click in each window (ps after the attempt's start) leave the loop and play ``then`` once."""

    detectors: tuple[str, str]
    early_ps: tuple[int, int]
    late_ps: tuple[int, int]
    then: Block
    latency_ps: int = 0


@dataclass(frozen=True, slots=True)
class Sequence:
    """Bursts of ``header`` and then ``repetitions`` times ``body``; a ``branch`` ends the burst when its herald comes."""

    name: str
    header: Block
    body: Block
    repetitions: int = 1
    branch: Branch | None = None

    def describe(self) -> dict[str, Any]:
        """Plain nested dict; ``Sequence.from_description`` is its inverse."""
        return asdict(self)

    @classmethod
    def from_description(cls, plain: Mapping[str, Any]) -> Sequence:
        branch = plain["branch"]
        return cls(
            name=plain["name"],
            header=_block(plain["header"]),
            body=_block(plain["body"]),
            repetitions=plain["repetitions"],
            branch=None
            if branch is None
            else Branch(
                detectors=tuple(branch["detectors"]),
                early_ps=tuple(branch["early_ps"]),
                late_ps=tuple(branch["late_ps"]),
                then=_block(branch["then"]),
                latency_ps=branch["latency_ps"],
            ),
        )

    def blocks(self) -> dict[str, Block]:
        """The blocks by role: header, body and, with a branch, then."""
        named = {"header": self.header, "body": self.body}
        return named if self.branch is None else named | {"then": self.branch.then}


def _block(plain: Mapping[str, Any]) -> Block:
    return Block(plain["length_ps"], tuple(Pulse(**pulse) for pulse in plain["pulses"]))
