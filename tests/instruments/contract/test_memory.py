"""What every QuantumMemory does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from qcodes.instrument_drivers.Lakeshore import LakeshoreModel336

from erbia.instruments import mock
from erbia.instruments.drivers.composites import ErbiumMemory
from erbia.instruments.drivers.ni_analog_output import NiAnalogOutput
from erbia.instruments.emulators.lakeshore336 import LakeShore336Device
from erbia.instruments.interfaces import QuantumMemory

CALIBRATION = {"zero_field_hz": 194.95e12, "stark_hz_per_v": 1e6, "zeeman_hz_per_t": 5e9}


def _composite(at: Any) -> Any:
    for name, channel in {"electrode": "Dev1/ao0", "magnet": "Dev1/ao1"}.items():
        at.closing(NiAnalogOutput(name, at.ni, channel=channel, slew_rate_v_per_s=1e4))
    lake = at.tcp(LakeShore336Device(at.bench, "lake"))
    at.closing(LakeshoreModel336("lake", lake, visalib="@py", device_clear=False))
    parts = {"electrode": "electrode.voltage", "magnet": "magnet.voltage", "temperature": "lake.A.temperature"}
    return ErbiumMemory("memory", **parts, calibration=CALIBRATION)


RIGS = {"mock": lambda at: mock.MockErbiumMemory("alice_memory", at.world), "composite": _composite}


def test_memory(instrument: Any, reading_changes_nothing: Callable[[Any], None]) -> None:
    memory = instrument
    assert isinstance(memory, QuantumMemory)
    units = {name: memory.parameters[name].unit for name in ("electrode_voltage", "magnetic_field", "temperature")}
    assert units == {"electrode_voltage": "V", "magnetic_field": "T", "temperature": "K"}
    memory.electrode_voltage(1.0)
    memory.magnetic_field(0.01)
    assert memory.electrode_voltage.get() == pytest.approx(1.0)
    assert memory.magnetic_field.get() == pytest.approx(0.01)
    before_hz = memory.resonance_frequency.get()
    memory.electrode_voltage(2.0)
    assert memory.resonance_frequency.get() != before_hz
    assert 0 < memory.temperature.get() < 320
    with pytest.raises(ValueError, match="electrode_voltage"):
        memory.electrode_voltage(11.0)
    reading_changes_nothing(memory)
