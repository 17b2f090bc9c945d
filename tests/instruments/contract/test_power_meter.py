"""What every PowerMeter does. The light has 3.25 µW."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from erbia.instruments import mock
from erbia.instruments.drivers.thorlabs_pm100d import ThorlabsPm100d
from erbia.instruments.emulators.pm100d import Pm100dDevice
from erbia.instruments.interfaces import PowerMeter


def _mock(at: Any) -> Any:
    at.world.set("laser", "power", 3.25e-6)
    at.world.set("laser", "emission", 1.0)
    return mock.MockPowerMeter("meter", at.world)


def _pm100d(at: Any) -> Any:
    at.bench.set("meter.power_w", 3.25e-6)
    return ThorlabsPm100d("meter", at.tcp(Pm100dDevice(at.bench, "meter")), visalib="@py")


RIGS = {"mock": _mock, "pm100d": _pm100d}


def test_power_meter(instrument: Any, reading_changes_nothing: Callable[[Any], None]) -> None:
    meter = instrument
    assert isinstance(meter, PowerMeter)
    assert (meter.power.unit, meter.wavelength.unit) == ("W", "m")
    assert meter.power.get() == pytest.approx(3.25e-6, rel=0.01)
    meter.wavelength(1537e-9)
    assert meter.wavelength.get() == pytest.approx(1537e-9, rel=1e-6)
    assert not meter.power.settable
    reading_changes_nothing(meter)
