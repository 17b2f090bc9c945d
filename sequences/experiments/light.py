"""The few pulse sequences that shine light without heralding: for scans, characterisation and calibration."""

from __future__ import annotations

from collections.abc import Mapping

from ...instruments.interfaces import Node
from ..pulses import Pulse
from ..sequence import Block, Sequence
from .link import HEADER_PS, header, photon_delay_ps

#: When the probe pulse leaves, ps after the header.
PROBE_AT_PS = 200_000
PUMPING_PS = 5_000_000
_PULSE_PS = 50_000
_EARLY_PS = 100_000
_GATE_PS = 100_000_000


def gate_open() -> Sequence:
    """Detectors live, no light."""
    return Sequence("gate open", header(), Block(_GATE_PS, (Pulse("gate", 0, _GATE_PS),)), 100)


def probe_pulses(period_ps: int = 2_000_000, amplitude: float = 1.0) -> Sequence:
    """One weak laser pulse on the midpoint detectors every ``period_ps``, with its own sync marker."""
    body_ps = period_ps - HEADER_PS
    pulses = (Pulse("gate", 0, body_ps), Pulse("probe", PROBE_AT_PS, 1000, amplitude))
    return Sequence("probe pulses", header(), Block(body_ps, pulses))


def excitation_ps(early_ps: int = _EARLY_PS) -> int:
    """Centre of the excitation in ``excite``, ps after the start of an attempt."""
    return PUMPING_PS + 100_000 + early_ps + _PULSE_PS // 2


def excite(nodes: Mapping[str, Node], window_ps: int, per_marker: int = 100, early_ps: int = _EARLY_PS) -> Sequence:
    """Pump, excite once, open the gate ``early_ps`` before the light is there; ``per_marker`` attempts follow each marker.

    The excitation waits until the pump light has passed a gate that opens so early. Attempts last whole microseconds, so
    that every generator's sample grid holds them exactly.
    """
    centre_ps = excitation_ps(early_ps)
    arrival_ps = centre_ps + photon_delay_ps(nodes)
    pulses = (
        Pulse("initialise", 0, PUMPING_PS),
        Pulse("excitation", centre_ps - _PULSE_PS // 2, _PULSE_PS),
        Pulse("gate", arrival_ps - early_ps, window_ps + early_ps),
    )
    length_ps = -(-(arrival_ps + window_ps + 100_000) // 1_000_000) * 1_000_000
    return Sequence("excite and look", header(), Block(length_ps, pulses), per_marker)


def read_out(node: str, light_ps: int) -> Sequence:
    """Pump the memory of ``node`` bright and shine the read-out light on it for ``light_ps``; one sync marker each."""
    pulses = (Pulse("initialise", 0, PUMPING_PS), Pulse(f"{node}_readout", PUMPING_PS + 100_000, light_ps))
    return Sequence(f"read out {node}", header(), Block(PUMPING_PS + light_ps + 200_000, pulses))


def readout_window_ps(light_ps: int) -> tuple[int, int]:
    """When the light of ``read_out`` shines, ps after the sync marker."""
    start_ps = HEADER_PS + PUMPING_PS + 100_000
    return start_ps, start_ps + light_ps
