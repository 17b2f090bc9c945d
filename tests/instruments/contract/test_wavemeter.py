"""What every Wavemeter does. The light is at 194.95 THz."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from erbia.instruments import mock
from erbia.instruments.drivers.bristol_871 import Bristol871
from erbia.instruments.drivers.highfinesse_wlm import HighFinesseWlm
from erbia.instruments.emulators.bristol_871 import Bristol871Device
from erbia.instruments.interfaces import Wavemeter


def _bristol(at: Any) -> Any:
    at.bench.values |= {"wavemeter.frequency_hz": 194.95e12, "wavemeter.power_w": 1e-4}
    return Bristol871("wavemeter", at.tcp(Bristol871Device(at.bench, "wavemeter")), visalib="@py")


RIGS = {
    "mock": lambda at: mock.MockWavemeter("wavemeter", at.world, "laser"),
    "bristol": _bristol,
    "highfinesse": lambda at: HighFinesseWlm("wavemeter", at.compiled("fake_wlmdata.c")),
}


def test_wavemeter(instrument: Any, reading_changes_nothing: Callable[[Any], None]) -> None:
    wavemeter = instrument
    assert isinstance(wavemeter, Wavemeter)
    assert (wavemeter.frequency.unit, wavemeter.wavelength.unit) == ("Hz", "m")
    assert wavemeter.frequency.get() == pytest.approx(194.95e12, rel=1e-6)
    assert wavemeter.frequency.get() * wavemeter.wavelength.get() == pytest.approx(299_792_458.0, rel=1e-6)
    assert not wavemeter.frequency.settable
    reading_changes_nothing(wavemeter)
