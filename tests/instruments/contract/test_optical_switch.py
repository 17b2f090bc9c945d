"""What every OpticalSwitch does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from erbia.instruments import mock
from erbia.instruments.drivers.keysight_816x import KeysightSwitch
from erbia.instruments.emulators.keysight_816x import Keysight816xDevice
from erbia.instruments.interfaces import OpticalSwitch

RIGS = {
    "mock": lambda at: mock.MockOpticalSwitch("switch", at.world),
    "keysight": lambda at: KeysightSwitch("switch", at.tcp(Keysight816xDevice(at.bench)), slot=3, visalib="@py"),
}


def test_optical_switch(instrument: Any, reading_changes_nothing: Callable[[Any], None]) -> None:
    switch = instrument
    assert isinstance(switch, OpticalSwitch)
    for position in (2, 1):
        switch.position(position)
        assert switch.position.get() == position
    with pytest.raises((ValueError, TypeError), match="position"):
        switch.position(0)
    reading_changes_nothing(switch)
