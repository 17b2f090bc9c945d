"""HighFinesseWlm over a library built here that has the vendor's interface."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from erbia.instruments.drivers.highfinesse_wlm import PROBLEMS, HighFinesseWlm
from erbia.instruments.errors import ConnectionLost, InstrumentError
from erbia.instruments.interfaces import Wavemeter


@pytest.fixture
def library(tmp_path: Path) -> str:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    path = tmp_path / "libwlmData.so"
    source = Path(__file__).with_name("fake_wlmdata.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-w", "-o", str(path), str(source)], check=True)
    return str(path)


@pytest.fixture
def device(library: str) -> Any:
    device = ctypes.CDLL(library)
    device.plant.argtypes = (ctypes.c_double,)
    return device


def test_it_is_a_wavemeter(library: str) -> None:
    wavemeter = HighFinesseWlm("wlm", library)
    assert isinstance(wavemeter, Wavemeter)
    assert wavemeter.frequency.get() == pytest.approx(194.95e12)
    assert wavemeter.frequency.get() * wavemeter.wavelength.get() == pytest.approx(299_792_458.0, rel=1e-7)
    assert (wavemeter.power.get(), wavemeter.temperature.get()) == pytest.approx((12.5e-6, 23.5))
    assert wavemeter.get_idn()["model"] == "WS8"


@pytest.mark.parametrize(("code", "words"), [(code, words) for code, words in PROBLEMS.items() if code])
def test_what_is_no_reading_is_said_and_not_stored(library: str, device: Any, code: int, words: str) -> None:
    wavemeter = HighFinesseWlm("wlm", library)
    wavemeter.frequency.get()
    device.plant(float(code))
    with pytest.raises(InstrumentError, match=f"wlm: {words}"):
        wavemeter.frequency.get()
    assert wavemeter.frequency.cache.get(False) == pytest.approx(194.95e12)
    device.plant(0.0)
    assert wavemeter.frequency.get() == pytest.approx(194.95e12)


def test_no_library_no_program_no_channel(library: str, device: Any) -> None:
    with pytest.raises(ConnectionLost, match="cannot load HighFinesse's library"):
        HighFinesseWlm("wlm", "/nowhere/libwlmData.so")
    with pytest.raises(InstrumentError, match="has no such channel"):
        HighFinesseWlm("other", library, channel=3).frequency.get()
    wavemeter = HighFinesseWlm("wlm2", library)
    device.quit()
    with pytest.raises(ConnectionLost, match="program has ended"):
        wavemeter.frequency.get()
    with pytest.raises(ConnectionLost, match="program does not run"):
        HighFinesseWlm("wlm3", library)
