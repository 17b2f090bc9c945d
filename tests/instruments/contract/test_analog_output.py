"""What every AnalogOutput does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from erbia.instruments import mock
from erbia.instruments.drivers.ni_analog_output import NiAnalogOutput
from erbia.instruments.interfaces import AnalogOutput

RIGS = {
    "mock": lambda at: mock.MockAnalogOutput("ao", at.world, "alice_memory", quantity="electrode_voltage"),
    "ni": lambda at: NiAnalogOutput("ao", at.ni),
}


def test_analog_output(instrument: Any, reading_changes_nothing: Callable[[Any], None]) -> None:
    output = instrument
    assert isinstance(output, AnalogOutput)
    assert (output.voltage.unit, output.slew_rate.unit) == ("V", "V/s")
    for level_v in (0.5, -0.25):
        output.voltage(level_v)
        assert output.voltage.get() == pytest.approx(level_v)
    with pytest.raises(ValueError, match="voltage"):
        output.voltage(11.0)
    with pytest.raises(ValueError, match="slew_rate"):
        output.slew_rate(0.0)
    reading_changes_nothing(output)
