"""The part of the contract that can be asked of a real lab, and that every class of instrument has a contract at all."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from erbia.instruments import interfaces
from erbia.instruments.interfaces import (
    AnalogInput,
    AnalogOutput,
    Attenuator,
    EdgeCounter,
    Laser,
    PairSource,
    PowerMeter,
    QuantumMemory,
    TemperatureController,
    TimeTagger,
    Wavemeter,
)
from erbia.instruments.station import load

#: Units every instrument of a class shows, whoever made it.
UNITS: dict[Any, dict[str, str]] = {
    Laser: {"power": "W", "frequency": "Hz"},
    QuantumMemory: {"electrode_voltage": "V", "magnetic_field": "T", "temperature": "K"},
    TemperatureController: {"temperature": "K", "setpoint": "K"},
    PairSource: {"pump_power": "W"},
    Attenuator: {"attenuation": "dB"},
    PowerMeter: {"power": "W", "wavelength": "m"},
    Wavemeter: {"frequency": "Hz", "wavelength": "m"},
    AnalogOutput: {"voltage": "V", "slew_rate": "V/s"},
    AnalogInput: {"voltage": "V"},
    EdgeCounter: {"count_rate": "Hz", "integration_time": "s"},
}
#: Classes of instrument without a driver, and those that are part of another.
WITHOUT = {"MagnetSupply", "DetectorChannel", "LabClock"}


def test_every_class_of_instrument_has_a_contract_over_mock_and_wire() -> None:
    classes = {name for name, cls in vars(interfaces).items() if getattr(cls, "_is_protocol", False)} - WITHOUT
    modules = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")]
    kept = [text for text in modules if "\nRIGS = " in text and '"mock": ' in text and "instruments.drivers." in text]
    missing = [name for name in classes - {"Protocol"} if not any(f", {name})" in text for text in kept)]
    assert missing == []


@pytest.mark.hardware
def test_a_real_station_reads_without_effect_and_keeps_its_units(
    reading_changes_nothing: Callable[[Any], None],
) -> None:
    """Run with ERBIA_STATION=my_lab.yaml pytest -m hardware: beyond the file's initial values nothing is set."""
    path = os.environ.get("ERBIA_STATION")
    if path is None:
        pytest.skip("set ERBIA_STATION to a station file")
    lab = load(path)
    try:
        for name in lab.file.instruments:
            instrument = lab.instrument(name)
            for protocol, expected in UNITS.items():
                if isinstance(instrument, protocol):
                    assert {key: instrument.parameters[key].unit for key in expected} == expected, name
            for channel in getattr(instrument, "channels", ()):
                if hasattr(channel, "bias"):
                    assert (channel.bias.unit, channel.count_rate.unit) == ("A", "Hz")
            reading_changes_nothing(instrument)
            if isinstance(instrument, TimeTagger):
                _blocks_follow(instrument)
    finally:
        lab.close()


def _blocks_follow(tagger: Any) -> None:
    """A second of blocks, one after the other without gap, every tag in its block and in order."""
    tagger.start()
    blocks = [tagger.read(10.0) for _ in range(3)]
    tagger.stop()
    assert all(a.t_stop_ps == b.t_start_ps for a, b in itertools.pairwise(blocks))
    for block in blocks:
        assert np.all((block.tags.t_ps >= block.t_start_ps) & (block.tags.t_ps < block.t_stop_ps))
        assert np.all(np.diff(block.tags.t_ps) >= 0)
