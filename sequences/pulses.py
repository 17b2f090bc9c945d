"""The few ways to make pulses that experiments need; what a pulse and its shape are is said in ``instruments``."""

from __future__ import annotations

import math

from ..instruments.pulse_table import Pulse as Pulse
from ..instruments.shapes import Chirp as Chirp
from ..instruments.shapes import Comb as Comb
from ..instruments.shapes import Gaussian as Gaussian
from ..instruments.shapes import Sech as Sech
from ..instruments.shapes import Square as Square

#: Read-out axes in the x-z plane and y as (angle from z, phase of the rotation that brings the axis to z):
#: P and M are the diagonal axes (z+x)/√2 and (z-x)/√2 of an optimal Bell test.
_AXES = {
    "Z": (0.0, 0.0),
    "X": (math.pi / 2, -math.pi / 2),
    "Y": (math.pi / 2, 0.0),
    "P": (math.pi / 4, -math.pi / 2),
    "M": (math.pi / 4, math.pi / 2),
}
AXES = tuple(_AXES)


def rotation(channel: str, start_ps: int, angle_rad: float, phase_rad: float, pi_pulse_ps: int) -> Pulse:
    """Square pulse turning the spin by ``angle_rad`` about ``(cos φ, sin φ, 0)``; ``pi_pulse_ps`` long for any angle.

    The angle is set by the amplitude, so all rotations take the same time and none is cut by the sample grid.
    """
    return Pulse(channel, start_ps, pi_pulse_ps, amplitude=angle_rad / math.pi, phase_rad=phase_rad)


def measure_along(axis: str, channel: str, start_ps: int, pi_pulse_ps: int) -> tuple[Pulse, ...]:
    """The pulse (if any) that turns ``axis`` onto z, where the read-out looks. Raises KeyError for an unknown axis."""
    angle_rad, phase_rad = _AXES[axis]
    return () if angle_rad == 0 else (rotation(channel, start_ps, angle_rad, phase_rad, pi_pulse_ps),)
