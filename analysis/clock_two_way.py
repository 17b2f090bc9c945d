"""Two-way synchronisation: pairs exchanged in both directions give the clocks' offset and the round trip apart.

Photons from A's source reach B with ``x_ab = theta + d_ab``, those from B's source reach A with ``x_ba = -theta + d_ba``;
so ``theta = (x_ab - x_ba)/2 - (d_ab - d_ba)/2`` and ``round trip = x_ab + x_ba``. The asymmetry ``d_ab - d_ba`` cannot be
measured this way: it is a systematic, stated beside the standard error and never added into it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import hypot, sqrt

import numpy as np

from .clock_model import offset_at, offset_std_at, to_clock_b
from .errors import UsageError
from .records import ClockModel, FloatArray, Int64Array

BLIND_SPOT = (
    "A change that leaves the round trip as it was (longer one way, shorter the other) moves the offset by half the "
    "difference and cannot be seen from the round trip."
)


@dataclass(frozen=True, slots=True)
class Asymmetry:
    """Budget of ``d_ab - d_ba`` in ps, each term a bound (not a standard deviation).

    Attributes:
        dispersion_ps: chromatic dispersion times the two directions' difference in wavelength.
        pmd_ps: differential group delay of the fibre.
        sagnac_ps: rotation of the earth along the path.
        equipment_ps: detectors, fibres and delays not shared by both directions.
    """

    dispersion_ps: float = 0.0
    pmd_ps: float = 0.0
    sagnac_ps: float = 0.0
    equipment_ps: float = 0.0

    @property
    def offset_bound_ps(self) -> float:
        """Largest error of the offset the budget allows: half of all terms added up."""
        terms = (self.dispersion_ps, self.pmd_ps, self.sagnac_ps, self.equipment_ps)
        return 0.5 * sum(abs(term) for term in terms)


def fibre_asymmetry(
    length_km: float,
    wavelength_difference_nm: float,
    *,
    dispersion_ps_per_nm_km: float = 17.0,
    pmd_ps_per_sqrt_km: float = 0.1,
    sagnac_ps: float = 0.0,
    equipment_ps: float = 0.0,
) -> Asymmetry:
    """Budget of one fibre used both ways; 17 ps/(nm km) is standard single-mode fibre at 1550 nm.

    Raises:
        UsageError: a negative length.
    """
    if length_km < 0:
        raise UsageError(f"length_km={length_km:g} must not be negative")
    dispersion = dispersion_ps_per_nm_km * abs(wavelength_difference_nm) * length_km
    return Asymmetry(dispersion, pmd_ps_per_sqrt_km * sqrt(length_km), sagnac_ps, equipment_ps)


@dataclass(frozen=True, slots=True, eq=False)
class TwoWay:
    """Offset of B's clock and the round trip at A's times, all float64 (N,) ps.

    Attributes:
        offset_ps, offset_std_ps: clock offset and its statistical standard error.
        round_trip_ps, round_trip_std_ps: both delays together.
        systematic_ps: bound on the offset's error from asymmetry; not part of ``offset_std_ps``.
        note: what the method cannot see.
    """

    t_a_ps: Int64Array
    offset_ps: FloatArray
    offset_std_ps: FloatArray
    round_trip_ps: FloatArray
    round_trip_std_ps: FloatArray
    systematic_ps: float
    note: str = BLIND_SPOT


def two_way(a_to_b: ClockModel, b_to_a: ClockModel, t_a_ps: Int64Array, asymmetry: Asymmetry) -> TwoWay:
    """Combine both directions at A's times ``t_a_ps`` int64 (N,).

    ``a_to_b`` maps A's clock to B's from photons sent by A; ``b_to_a`` maps B's clock to A's from photons sent by B.
    """
    _, _, round_trip, _ = _both_ways(a_to_b, b_to_a, t_a_ps)
    # A photon that reaches B at t_a left A half a round trip before; B's clock has moved on meanwhile.
    sent_ps = t_a_ps - np.rint(0.5 * round_trip).astype(np.int64)
    offset, offset_std, round_trip, std = _both_ways(a_to_b, b_to_a, sent_ps)
    return TwoWay(t_a_ps, offset, offset_std, round_trip, std, asymmetry.offset_bound_ps)


def _both_ways(
    a_to_b: ClockModel, b_to_a: ClockModel, sent_ps: Int64Array
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Offset when photons sent by A at ``sent_ps`` reach B, its error, the round trip, its error."""
    forward = offset_at(sent_ps, a_to_b)
    received_ps = to_clock_b(sent_ps, a_to_b)
    backward = offset_at(received_ps, b_to_a)
    std = np.hypot(offset_std_at(sent_ps, a_to_b), offset_std_at(received_ps, b_to_a))
    return 0.5 * (forward - backward), 0.5 * std, forward + backward, std


@dataclass(frozen=True, slots=True)
class RoundTripAlarm:
    """What one round-trip value says about the path: ``sigmas`` from the reference; ``note`` when quiet or not."""

    t_ps: int
    change_ps: float
    sigmas: float
    alarm: bool
    note: str


@dataclass(frozen=True, slots=True)
class DelayMonitor:
    """Reference round trip and its standard error; feed with ``watch``."""

    round_trip_ps: float
    std_ps: float
    values: int = 1
    alarm_sigmas: float = 5.0


def watch(monitor: DelayMonitor, t_ps: int, round_trip_ps: float, std_ps: float) -> tuple[DelayMonitor, RoundTripAlarm]:
    """Compare the next round trip with the reference, which quiet values refine and alarming ones leave alone.

    One added delay ``D`` on one direction shows as ``D`` here and moves the offset by ``D/2``; silence is not proof of a
    clean path, and the note says so.
    """
    change = round_trip_ps - monitor.round_trip_ps
    sigmas = change / hypot(monitor.std_ps, std_ps)
    if abs(sigmas) >= monitor.alarm_sigmas:
        note = (
            f"round trip changed by {change:.1f} ps: an offset error of up to {abs(change) / 2:.1f} ps if on one side"
        )
        return monitor, RoundTripAlarm(t_ps, change, sigmas, True, note)
    weight, more = 1 / monitor.std_ps**2, 1 / std_ps**2
    mean = (weight * monitor.round_trip_ps + more * round_trip_ps) / (weight + more)
    calm = replace(monitor, round_trip_ps=mean, std_ps=1 / sqrt(weight + more), values=monitor.values + 1)
    return calm, RoundTripAlarm(t_ps, change, sigmas, False, BLIND_SPOT)
