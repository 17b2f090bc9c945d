"""The two-photon time-bin link: timing of one attempt and its read-out, shared by the experiments that herald.

One attempt (Barrett and Kok, PRA 71, 060310, 2005): pump both spins to |0>, bring them to (|0>+|1>)/√2, excite, flip,
excite again. A photon from |0> marks the early or the late bin; one click in each bin heralds |01> ± |10>. Flips follow
every two bin spacings (Carr and Purcell) until the herald has come back, and the spins are read out at an echo.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import pi

from pydantic import Field

from ...instruments.interfaces import Node
from ..pulses import Pulse, measure_along, rotation
from ..sequence import Block, Branch, HeraldCondition, Sequence
from .base import ExperimentConfig, Seconds, to_ps

Window = tuple[int, int]
NODES = ("alice", "bob")
HEADER_PS = 1_000_000
_SYNC_PS = 100_000
GAP_PS = 100_000
_CALIBRATION_PUMPING = 4


class LinkTiming(ExperimentConfig):
    """Times of one attempt; all as typed, e.g. ``"20 us"``."""

    attempt_period_s: Seconds = Field(60e-6, gt=0, description="time from one attempt to the next")
    attempts_per_burst: int = Field(1000, ge=1, description="attempts between two sync markers")
    initialise_s: Seconds = Field(5e-6, gt=0, description="optical pumping to the bright state")
    pi_pulse_s: Seconds = Field(100e-9, gt=0, description="spin rotation pulse (π at full amplitude)")
    excitation_s: Seconds = Field(50e-9, gt=0, description="optical π pulse")
    bin_spacing_s: Seconds = Field(6e-6, gt=0, description="early to late excitation")
    window_s: Seconds = Field(4e-6, gt=0, description="detection window after each excitation")
    gate_delay_s: Seconds = Field(0.0, description="extra delay of gates and windows (0: where the light is)")
    latency_s: Seconds = Field(100e-9, ge=0, description="herald electronics")
    storage_s: Seconds = Field(0.0, ge=0, description="extra storage before the read-out")
    readout_s: Seconds = Field(150e-6, gt=0, description="fluorescence read-out")

    @property
    def rotation_ps(self) -> int:
        return to_ps(self.pi_pulse_s)

    @property
    def spacing_ps(self) -> int:
        return to_ps(self.bin_spacing_s)

    @property
    def superposition_ps(self) -> int:
        """Centre of the pulse that makes the superposition, ps after the start of the attempt."""
        return to_ps(self.initialise_s) + 1_000_000

    @property
    def excitation_ps(self) -> int:
        """Start of the early excitation, right after the superposition is made."""
        return self.superposition_ps + self.rotation_ps // 2 + GAP_PS

    def windows_ps(self, photon_delay_ps: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Early and late detection windows at the midpoint, ps after the start of the attempt."""
        first = self.excitation_ps + to_ps(self.excitation_s) // 2 + photon_delay_ps + to_ps(self.gate_delay_s)
        length = to_ps(self.window_s)
        return (first, first + length), (first + self.spacing_ps, first + self.spacing_ps + length)

    def marker_ps(self, photon_delay_ps: int) -> int:
        """When the herald marker is back at the nodes, ps after the start of the attempt."""
        return self.windows_ps(photon_delay_ps)[1][1] + to_ps(self.latency_s) + photon_delay_ps

    def echo_ps(self, photon_delay_ps: int) -> int:
        """The first echo after marker and extra storage: where the analysis rotation is centred."""
        earliest = self.marker_ps(photon_delay_ps) + to_ps(self.storage_s) + self.rotation_ps + GAP_PS
        echoes = -(-(earliest - self.superposition_ps) // (2 * self.spacing_ps))
        return self.superposition_ps + 2 * echoes * self.spacing_ps

    def flips_ps(self, photon_delay_ps: int) -> Iterator[int]:
        """Centres of the flips from the superposition to the echo."""
        first = self.superposition_ps + self.spacing_ps
        return iter(range(first, self.echo_ps(photon_delay_ps), 2 * self.spacing_ps))

    def readout_ps(self, photon_delay_ps: int) -> tuple[int, int]:
        """When the read-out light shines, ps after the herald marker."""
        start = self.echo_ps(photon_delay_ps) - self.marker_ps(photon_delay_ps) + self.rotation_ps // 2 + GAP_PS
        return start, start + to_ps(self.readout_s)


class Selection(ExperimentConfig):
    """Which of the heralds count: those that would also have been heralds with these windows. For analysis only."""

    window_s: Seconds | None = Field(None, gt=0, description="length of both windows (none: as in hardware)")
    delay_s: Seconds = Field(0.0, description="start of both windows after those of the hardware")


def photon_delay_ps(nodes: Mapping[str, Node]) -> int:
    """Delay from the nodes to the midpoint. The two photons must arrive together, so both arms are taken as equal."""
    return max(nodes[name].photon_delay_ps for name in NODES)


def entangle(timing: LinkTiming, nodes: Mapping[str, Node], axes: str, detectors: tuple[str, str]) -> Sequence:
    """Attempts until a herald, then read out Alice along ``axes[0]`` and Bob along ``axes[1]``."""
    delay_ps = photon_delay_ps(nodes)
    marker_ps = timing.marker_ps(delay_ps)
    early, late = timing.windows_ps(delay_ps)
    flips = list(timing.flips_ps(delay_ps))
    body = (
        Pulse("initialise", 0, to_ps(timing.initialise_s)),
        *turn(timing, timing.superposition_ps, pi / 2),
        *(p for t in flips if t < marker_ps for p in turn(timing, t, pi)),
        *(excite_both(timing, timing.excitation_ps + k * timing.spacing_ps) for k in range(2)),
        *(Pulse("gate", start - GAP_PS, stop - start + 2 * GAP_PS) for start, stop in (early, late)),
    )
    then = (
        *(p for t in flips if t >= marker_ps for p in turn(timing, t - marker_ps, pi)),
        *measure(timing, axes, timing.echo_ps(delay_ps) - marker_ps),
        *read_both(timing, timing.readout_ps(delay_ps)),
    )
    branch = Branch(
        on=HeraldCondition(detectors, early, late, to_ps(timing.latency_s)),
        then=Block(timing.readout_ps(delay_ps)[1] + 1_000_000, then),
    )
    period = Block(to_ps(timing.attempt_period_s), body)
    return Sequence(f"entangle and read {axes}", header(), period, timing.attempts_per_burst, branch)


def calibrate_readout(timing: LinkTiming, state: str) -> Sequence:
    """Prepare both memories bright (|0>) or dark (|1>) and read them out, once a burst.

    Pumped four times as long as in an attempt: what is left unpumped would be taken for a read-out error.
    """
    start, stop = (t - HEADER_PS for t in calibration_window_ps(timing))
    pumped_ps = _CALIBRATION_PUMPING * to_ps(timing.initialise_s)
    flip = turn(timing, start - GAP_PS - timing.rotation_ps // 2, pi) if state == "dark" else ()
    pulses = (Pulse("initialise", 0, pumped_ps), *flip, *read_both(timing, (start, stop)))
    return Sequence(f"read-out of {state}", header(), Block(stop + 1_000_000, pulses))


def calibration_window_ps(timing: LinkTiming) -> tuple[int, int]:
    """When read-out light falls on the memories in ``calibrate_readout``, ps after the sync marker."""
    start = HEADER_PS + _CALIBRATION_PUMPING * to_ps(timing.initialise_s) + timing.rotation_ps + 2 * GAP_PS
    return start, start + to_ps(timing.readout_s)


def header() -> Block:
    """The sync marker that opens every burst."""
    return Block(HEADER_PS, (Pulse("sync", 0, _SYNC_PS),))


def turn(timing: LinkTiming, centre_ps: int, angle_rad: float) -> tuple[Pulse, ...]:
    """The same rotation about x of both spins, centred at ``centre_ps``."""
    start_ps = centre_ps - timing.rotation_ps // 2
    return tuple(rotation(f"{name}_mw", start_ps, angle_rad, 0.0, timing.rotation_ps) for name in NODES)


def measure(timing: LinkTiming, axes: str, centre_ps: int) -> tuple[Pulse, ...]:
    """The rotations that turn each node's axis onto z, centred at ``centre_ps``."""
    start_ps = centre_ps - timing.rotation_ps // 2
    sides = zip(NODES, axes, strict=True)
    return tuple(p for name, axis in sides for p in measure_along(axis, f"{name}_mw", start_ps, timing.rotation_ps))


def read_both(timing: LinkTiming, light_ps: tuple[int, int]) -> tuple[Pulse, ...]:
    """Read-out light on both memories."""
    return tuple(Pulse(f"{name}_readout", light_ps[0], light_ps[1] - light_ps[0]) for name in NODES)


def excite_both(timing: LinkTiming, start_ps: int) -> Pulse:
    """One optical π pulse on both memories."""
    return Pulse("excitation", start_ps, to_ps(timing.excitation_s))
