"""What every PolarizationController does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from erbia.instruments import mock
from erbia.instruments.emulators.mpc320 import Mpc320Device
from erbia.instruments.interfaces import PolarizationController


def _mpc320(at: Any) -> Any:
    pytest.importorskip("serial")
    from erbia.instruments.drivers.thorlabs_mpc320 import ThorlabsMpc320

    return at.closing(ThorlabsMpc320("paddles", at.serial(Mpc320Device(at.bench, "paddles")).path))


RIGS = {
    "mock": lambda at: mock.MockPolarizationController("paddles", at.world, "alice_polarization"),
    "mpc320": _mpc320,
}


def test_polarization_controller(instrument: Any, reading_changes_nothing: Callable[[Any], None]) -> None:
    controller = instrument
    assert isinstance(controller, PolarizationController)
    for paddle, degrees in ((controller.angle1, 10.0), (controller.angle2, 45.0), (controller.angle3, 90.0)):
        paddle(degrees)
        assert paddle.get() == pytest.approx(degrees, abs=0.1)  # a step of the motor is an eighth of a degree
    with pytest.raises(ValueError, match="angle1"):
        controller.angle1(1000.0)
    reading_changes_nothing(controller)
