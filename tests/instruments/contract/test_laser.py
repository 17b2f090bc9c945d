"""What every Laser does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from erbia.instruments import mock
from erbia.instruments.drivers.keysight_816x import KeysightLaser
from erbia.instruments.drivers.santec_tsl import SantecTsl
from erbia.instruments.emulators.dlcpro import DlcProDevice, DlcProHost
from erbia.instruments.emulators.itla import ItlaDevice
from erbia.instruments.emulators.keysight_816x import Keysight816xDevice
from erbia.instruments.emulators.santec import SantecDevice
from erbia.instruments.interfaces import Laser


def _toptica(at: Any) -> Any:
    pytest.importorskip("toptica.lasersdk")
    from erbia.instruments.drivers.toptica_dlcpro import TopticaDlcPro

    return TopticaDlcPro("laser", at.stack.enter_context(DlcProHost(DlcProDevice(at.bench, "laser"))).endpoint)


def _itla(at: Any) -> Any:
    pytest.importorskip("serial")
    from erbia.instruments.drivers.itla import ItlaLaser

    return at.closing(ItlaLaser("laser", at.serial(ItlaDevice(at.bench, "laser")).path))


RIGS = {
    "mock": lambda at: mock.MockLaser("laser", at.world),
    "santec": lambda at: SantecTsl("laser", at.tcp(SantecDevice(at.bench, "laser")), visalib="@py"),
    "keysight": lambda at: KeysightLaser("laser", at.tcp(Keysight816xDevice(at.bench)), slot=1, visalib="@py"),
    "toptica": _toptica,
    "itla": _itla,
}


def test_laser(instrument: Any, reading_changes_nothing: Callable[[Any], None]) -> None:
    laser = instrument
    assert isinstance(laser, Laser)
    assert (laser.power.unit, laser.frequency.unit) == ("W", "Hz")
    assert laser.emission.get() is False
    for on in (True, False):
        laser.emission(on)
        assert laser.emission.get() is on
    laser.power(5e-3)
    assert laser.power.get() == pytest.approx(5e-3, rel=1e-3)
    laser.frequency(195.0e12)
    assert laser.frequency.get() == pytest.approx(195.0e12, abs=1e6)
    with pytest.raises(ValueError, match="frequency"):
        laser.frequency(1e12)
    with pytest.raises(ValueError, match="power"):
        laser.power(-1.0)
    reading_changes_nothing(laser)
