"""Power meter, Keysight laser, attenuator and switch over TCP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from erbia.instruments.drivers.keysight_816x import KeysightAttenuator, KeysightLaser, KeysightSwitch
from erbia.instruments.drivers.thorlabs_pm100d import ThorlabsPm100d
from erbia.instruments.emulators.keysight_816x import Keysight816xDevice
from erbia.instruments.emulators.pm100d import Pm100dDevice
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.emulators.tcp import TcpHost
from erbia.instruments.emulators.wire import Fault
from erbia.instruments.errors import BadReply, ConnectionLost, InstrumentError
from erbia.instruments.interfaces import Laser

C_M_PER_S = 299_792_458.0


@pytest.fixture
def bench() -> Bench:
    return Bench({"meter.power_w": 2.5e-6})


@pytest.fixture
def meter_host(bench: Bench) -> Iterator[TcpHost]:
    with TcpHost(Pm100dDevice(bench, "meter")) as host:
        yield host


@pytest.fixture
def frame(bench: Bench) -> Iterator[TcpHost]:
    with TcpHost(Keysight816xDevice(bench)) as host:
        yield host


def test_power_meter(meter_host: TcpHost, bench: Bench) -> None:
    meter = ThorlabsPm100d("meter", meter_host.visa_address, visalib="@py", timeout=0.3)
    assert meter.power() == pytest.approx(2.5e-6)
    bench.set("meter.power_w", 1e-9)
    assert meter.power() == pytest.approx(1e-9)
    meter.write("SENS:POW:UNIT DBM")
    assert meter.power() == pytest.approx(1e-9)
    meter.wavelength(1536.5e-9)
    assert meter.wavelength.get() == pytest.approx(1536.5e-9)
    meter.averages(10)
    assert meter.averages.get() == 10
    meter.auto_range(False)
    assert meter.auto_range.get() is False
    with pytest.raises(InstrumentError, match=r"refused the command .*SENS:CORR:WAV.*out of range"):
        meter.wavelength(300e-9)


def test_power_meter_faults(meter_host: TcpHost) -> None:
    meter = ThorlabsPm100d("meter", meter_host.visa_address, visalib="@py", timeout=0.3)
    faults = meter_host.device.faults
    faults.inject(None, Fault.SILENT)
    with pytest.raises(ConnectionLost):
        meter.power()
    faults.inject(None, Fault.GARBAGE)
    with pytest.raises(BadReply):
        meter.power()
    assert meter.power() == pytest.approx(2.5e-6)


def test_over_range_is_no_power(meter_host: TcpHost, bench: Bench) -> None:
    meter = ThorlabsPm100d("meter", meter_host.visa_address, visalib="@py", timeout=0.3)
    bench.set("meter.power_w", 9.91e37)
    with pytest.raises(BadReply, match=r"MEAS:POW"):
        meter.power()


@pytest.mark.parametrize("unit", [0, 1])
def test_keysight_laser(frame: TcpHost, bench: Bench, unit: int) -> None:
    laser = KeysightLaser("laser", frame.visa_address, slot=1, visalib="@py", timeout=0.3)
    assert isinstance(laser, Laser)
    laser.write(f"SOUR1:POW:UNIT {unit}")
    laser.power(3e-3)
    assert bench.get("laser.power_w") == pytest.approx(3e-3)
    assert laser.power.get() == pytest.approx(3e-3)
    laser.frequency(195.1e12)
    assert bench.get("laser.frequency_hz") == pytest.approx(195.1e12, rel=1e-11)
    assert laser.frequency.get() == pytest.approx(195.1e12, rel=1e-11)
    laser.emission(True)
    assert laser.emission.get() is True
    with pytest.raises(InstrumentError, match="out of range"):
        laser.power(50e-3)


def test_attenuator(frame: TcpHost, bench: Bench) -> None:
    voa = KeysightAttenuator("voa", frame.visa_address, slot=2, visalib="@py", timeout=0.3)
    voa.attenuation(12.5)
    voa.shutter_open(True)
    assert bench.get("voa.attenuation_db") == 12.5
    assert bench.get("voa.shutter_open") is True
    assert voa.attenuation.get() == 12.5
    with pytest.raises(ValueError, match="must be between"):
        voa.attenuation(61)


def test_switch(frame: TcpHost, bench: Bench) -> None:
    switch = KeysightSwitch("switch", frame.visa_address, slot=3, visalib="@py", timeout=0.3)
    switch.position(3)
    assert bench.get("switch.position") == 3
    assert switch.position.get() == 3
    with pytest.raises(ValueError, match="must be between"):
        switch.position(5)


def test_reading_everything_sets_nothing(frame: TcpHost, bench: Bench) -> None:
    modules = [
        KeysightLaser("laser", frame.visa_address, slot=1, visalib="@py", timeout=0.3),
        KeysightAttenuator("voa", frame.visa_address, slot=2, visalib="@py", timeout=0.3),
        KeysightSwitch("switch", frame.visa_address, slot=3, visalib="@py", timeout=0.3),
    ]
    frame.device.trace.clear()
    for module in modules:
        module.snapshot(update=True)
    assert all(message.split(" ")[0].endswith("?") for message in frame.device.trace.messages())
