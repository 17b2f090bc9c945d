"""What the pulse generator plays, as the physics sees it: frozen segments of pulses, times in ps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pulse:
    """One pulse; ``area`` is the envelope's integral over ``duration_ps`` relative to a full-scale square pulse."""

    channel: str
    start_ps: int
    duration_ps: int
    amplitude: float
    phase_rad: float
    area: float

    @property
    def centre_ps(self) -> int:
        return self.start_ps + self.duration_ps // 2

    @property
    def stop_ps(self) -> int:
        return self.start_ps + self.duration_ps


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of ``length_ps`` with its pulses in order of time."""

    length_ps: int
    pulses: tuple[Pulse, ...] = ()

    def on(self, *channels: str) -> tuple[Pulse, ...]:
        """The pulses on the given outputs."""
        return tuple(p for p in self.pulses if p.channel in channels)


@dataclass(frozen=True, slots=True)
class HeraldRule:
    """One click in each window (half-open, ps after the attempt began), decided ``latency_ps`` after the last one.

    Without a late window one click in the early one heralds: the single-photon scheme.
    """

    early_ps: tuple[int, int]
    late_ps: tuple[int, int] | None
    latency_ps: int

    @property
    def windows_ps(self) -> tuple[tuple[int, int], ...]:
        """The one or two windows."""
        return (self.early_ps,) if self.late_ps is None else (self.early_ps, self.late_ps)

    @property
    def decision_ps(self) -> int:
        """When the herald is known at the midpoint."""
        return self.windows_ps[-1][1] + self.latency_ps


@dataclass(frozen=True, slots=True)
class Program:
    """Bursts of one header and up to ``attempts_per_burst`` attempts; a herald ends the burst and plays ``on_herald``."""

    header: Section
    attempt: Section
    attempts_per_burst: int
    rule: HeraldRule | None = None
    on_herald: Section = Section(0)
    bursts: int = 0

    @property
    def optical_duty(self) -> float:
        """Mean share of time, weighted by amplitude, that laser pulses shine on a chip while no herald comes."""
        light = ("initialise", "excitation", "alice_readout", "bob_readout")
        once, often = (
            sum(p.duration_ps * p.amplitude for p in section.on(*light)) for section in (self.header, self.attempt)
        )
        return (once + often * self.attempts_per_burst) / self.burst_ps

    @property
    def burst_ps(self) -> int:
        return self.header.length_ps + self.attempts_per_burst * self.attempt.length_ps
