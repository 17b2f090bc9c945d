"""What every Attenuator does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from erbia.instruments import mock
from erbia.instruments.drivers.keysight_816x import KeysightAttenuator
from erbia.instruments.emulators.keysight_816x import Keysight816xDevice
from erbia.instruments.interfaces import Attenuator

RIGS = {
    "mock": lambda at: mock.MockAttenuator("voa", at.world),
    "keysight": lambda at: KeysightAttenuator("voa", at.tcp(Keysight816xDevice(at.bench)), slot=2, visalib="@py"),
}


def test_attenuator(instrument: Any, reading_changes_nothing: Callable[[Any], None]) -> None:
    voa = instrument
    assert isinstance(voa, Attenuator)
    assert voa.attenuation.unit == "dB"
    for attenuation_db in (12.5, 0.0):
        voa.attenuation(attenuation_db)
        assert voa.attenuation.get() == pytest.approx(attenuation_db, abs=1e-3)
    for is_open in (True, False):
        voa.shutter_open(is_open)
        assert voa.shutter_open.get() is is_open
    with pytest.raises(ValueError, match="attenuation"):
        voa.attenuation(-1.0)
    reading_changes_nothing(voa)
