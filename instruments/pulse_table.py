"""What a pulse generator plays, as plain frozen values: no QCoDeS, no device."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from .shapes import SQUARE, Shape


@dataclass(frozen=True, slots=True)
class Pulse:
    """One pulse on one named output.

    Attributes:
        channel: output name, e.g. ``excitation`` (the station maps names to device outputs).
        start_ps, duration_ps: relative to the start of what it belongs to.
        amplitude: 0..1 of full scale (a digital line is 1).
        phase_rad: carrier phase; 0 for digital lines.
        shape: envelope over the duration.
    """

    channel: str
    start_ps: int
    duration_ps: int
    amplitude: float = 1.0
    phase_rad: float = 0.0
    shape: Shape = SQUARE

    @property
    def stop_ps(self) -> int:
        return self.start_ps + self.duration_ps


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of ``length_ps`` in which pulses are played, every edge on the generator's sample grid."""

    length_ps: int
    pulses: tuple[Pulse, ...] = ()


@dataclass(frozen=True, slots=True)
class HeraldCondition:
    """The herald electronics' rule: exactly one click in the early and exactly one in the late window.

    Windows are half-open, in ps after the start of the attempt, at the midpoint detectors named in ``detectors``
    (first = A, second = B). An empty late window means that one click in the early one is enough. The decision leaves the
    electronics ``latency_ps`` after the last window closes.
    """

    detectors: tuple[str, str]
    early_ps: tuple[int, int]
    late_ps: tuple[int, int]
    latency_ps: int = 0

    @property
    def windows_ps(self) -> tuple[tuple[int, int], ...]:
        """The one or two windows that each need a click."""
        return (self.early_ps,) if self.late_ps[0] >= self.late_ps[1] else (self.early_ps, self.late_ps)

    @property
    def decision_ps(self) -> int:
        """When the decision leaves the electronics, ps after the start of the attempt."""
        return self.windows_ps[-1][1] + self.latency_ps


@dataclass(frozen=True, slots=True)
class PulseTable:
    """What is loaded into a pulse generator: bursts of one header and up to ``attempts_per_burst`` attempts.

    A burst is: ``header`` (usually the sync marker), then ``attempt`` again and again. When the herald condition is met
    the rest of the burst is dropped, the herald marker goes out, ``on_herald`` is played once, and the next burst starts.
    Without a condition every burst runs to its end. Bursts repeat until ``stop()`` or after ``bursts`` (0: until stopped).
    The n-th attempt of a burst starts at ``header.length_ps + n·attempt.length_ps`` after the burst.
    """

    header: Segment
    attempt: Segment
    attempts_per_burst: int
    condition: HeraldCondition | None = None
    on_herald: Segment | None = None
    bursts: int = 0
    sample_ps: int = 1000

    def describe(self) -> dict[str, Any]:
        """Plain nested dict of numbers and strings."""
        return asdict(self)

    def fingerprint(self) -> str:
        """Short hash of the content: equal tables have equal fingerprints."""
        return hashlib.sha256(json.dumps(self.describe(), sort_keys=True).encode()).hexdigest()[:16]
