"""What every TemperatureController does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from qcodes.instrument_drivers.Lakeshore import LakeshoreModel336

from erbia.instruments import mock
from erbia.instruments.drivers.composites import Cryostat
from erbia.instruments.emulators.lakeshore336 import LakeShore336Device
from erbia.instruments.interfaces import TemperatureController


def _lakeshore(at: Any) -> Any:
    lake = at.tcp(LakeShore336Device(at.bench, "lake"))
    at.closing(LakeshoreModel336("lake", lake, visalib="@py", device_clear=False))
    return Cryostat("cryostat", temperature="lake.A.temperature", setpoint="lake.output_1.setpoint")


RIGS = {"mock": lambda at: mock.MockTemperatureController("cryostat", at.world), "lakeshore": _lakeshore}


def test_temperature_controller(instrument: Any, reading_changes_nothing: Callable[[Any], None]) -> None:
    controller = instrument
    assert isinstance(controller, TemperatureController)
    assert (controller.temperature.unit, controller.setpoint.unit) == ("K", "K")
    controller.setpoint(0.7)
    assert controller.setpoint.get() == pytest.approx(0.7)
    assert controller.temperature.get() > 0
    reading_changes_nothing(controller)
