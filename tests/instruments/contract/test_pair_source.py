"""What every PairSource does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from erbia.instruments import mock
from erbia.instruments.drivers.composites import PumpedPairSource
from erbia.instruments.drivers.santec_tsl import SantecTsl
from erbia.instruments.emulators.santec import SantecDevice
from erbia.instruments.interfaces import PairSource


def _pumped(at: Any) -> Any:
    at.closing(SantecTsl("pump", at.tcp(SantecDevice(at.bench, "pump")), visalib="@py"))
    return PumpedPairSource("pair_source", emission="pump.emission", pump_power="pump.power", transmission=0.5)


RIGS = {"mock": lambda at: mock.MockPairSource("pair_source", at.world), "pumped": _pumped}


def test_pair_source(instrument: Any, reading_changes_nothing: Callable[[Any], None]) -> None:
    source = instrument
    assert isinstance(source, PairSource)
    assert source.pump_power.unit == "W"
    assert source.emission.get() is False
    for on in (True, False):
        source.emission(on)
        assert source.emission.get() is on
    source.pump_power(4e-3)
    assert source.pump_power.get() == pytest.approx(4e-3, rel=1e-4)
    with pytest.raises(ValueError, match="pump_power"):
        source.pump_power(1.0)
    reading_changes_nothing(source)
