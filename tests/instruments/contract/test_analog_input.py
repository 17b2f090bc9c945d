"""What every AnalogInput does. The voltage is 2.75 V."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from erbia.instruments import mock
from erbia.instruments.drivers.ni_inputs import NiAnalogInput
from erbia.instruments.interfaces import AnalogInput


def _mock(at: Any) -> Any:
    at.world.set("laser", "power", 2.75e-3)
    at.world.set("laser", "emission", 1.0)
    return mock.MockAnalogInput("ai", at.world)


def _ni(at: Any) -> Any:
    at.bench.set("Dev1/ai0", 2.75)
    return NiAnalogInput("ai", at.ni)


RIGS = {"mock": _mock, "ni": _ni}


def test_analog_input(instrument: Any, reading_changes_nothing: Callable[[Any], None]) -> None:
    monitor = instrument
    assert isinstance(monitor, AnalogInput)
    assert monitor.voltage.unit == "V"
    assert monitor.voltage.get() == pytest.approx(2.75, rel=0.01)
    assert not monitor.voltage.settable
    reading_changes_nothing(monitor)
