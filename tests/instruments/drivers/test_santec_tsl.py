"""SantecTsl through pyvisa-py against the emulated laser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from erbia.instruments.drivers.santec_tsl import SantecTsl
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.emulators.santec import SantecDevice
from erbia.instruments.emulators.tcp import TcpHost
from erbia.instruments.errors import InstrumentError
from erbia.instruments.interfaces import Laser

C_M_PER_S = 299_792_458.0


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def device(bench: Bench) -> SantecDevice:
    return SantecDevice(bench, "laser")


@pytest.fixture
def laser(device: SantecDevice) -> Iterator[SantecTsl]:
    with TcpHost(device) as host:
        yield SantecTsl("laser", host.visa_address, visalib="@py", timeout=0.5)


def test_it_is_a_laser(laser: SantecTsl) -> None:
    assert isinstance(laser, Laser)


def test_connecting_and_reading_everything_sets_nothing(laser: SantecTsl, device: SantecDevice, bench: Bench) -> None:
    before = dict(bench.values)
    device.trace.clear()
    laser.snapshot(update=True)
    assert bench.values == before
    assert all(message.split(" ")[0].endswith("?") for message in device.trace.messages())


def test_emission_and_shutter_reach_the_world(laser: SantecTsl, bench: Bench) -> None:
    laser.emission(True)
    assert bench.get("laser.emission") is True
    laser.power(5e-3)
    assert laser.measured_power() == pytest.approx(5e-3)
    laser.shutter_open(False)
    assert laser.measured_power() < 1e-9
    assert laser.shutter_open.get() is False


@pytest.mark.parametrize("unit", [0, 1])
def test_power_is_in_watts_whatever_unit_the_laser_shows(laser: SantecTsl, bench: Bench, unit: int) -> None:
    laser.write(f":POW:UNIT {unit}")
    laser.power(2.5e-3)
    assert bench.get("laser.power_w") == pytest.approx(2.5e-3, rel=1e-4)
    assert laser.power.get() == pytest.approx(2.5e-3, rel=1e-4)


def test_frequency_and_wavelength_are_one_thing(laser: SantecTsl, bench: Bench) -> None:
    laser.frequency(195.1e12)
    assert bench.get("laser.frequency_hz") == pytest.approx(195.1e12, rel=1e-12)
    assert laser.frequency.get() == pytest.approx(195.1e12, abs=1e5)
    assert laser.wavelength.get() == pytest.approx(C_M_PER_S / 195.1e12, rel=1e-8)
    laser.wavelength(1536.5e-9)
    assert laser.frequency.get() == pytest.approx(C_M_PER_S / 1536.5e-9, rel=1e-8)


def test_settling_is_seen_and_waited_for(laser: SantecTsl, bench: Bench) -> None:
    laser.write(":WAV 1.54e-6")
    assert laser.settled() is False
    laser.wavelength(1560e-9)
    assert laser.settled() is True
    assert bench.get("laser.frequency_hz") == pytest.approx(C_M_PER_S / 1560e-9, rel=1e-12)


def test_limits_are_the_lasers_own(laser: SantecTsl) -> None:
    for end in laser.frequency.vals._valid_values:  # type: ignore[union-attr]
        laser.frequency(end)
    with pytest.raises(ValueError, match="must be between"):
        laser.frequency(170e12)


def test_what_the_device_refuses_is_an_error_with_its_words(laser: SantecTsl, bench: Bench) -> None:
    with pytest.raises(InstrumentError, match=r"laser: refused the command \(asked .:POW.*Data out of range"):
        laser.power(90e-3)
    assert bench.get("laser.power_w") == 1e-3


def test_another_instrument_at_the_address_is_refused() -> None:
    from erbia.instruments.emulators.scpi import ScpiDevice

    class Other(ScpiDevice):
        terminator = answer_end = "\r"

    with TcpHost(Other("ACME,OTHER,1,1", {})) as host, pytest.raises(InstrumentError, match="not a Santec TSL"):
        SantecTsl("laser", host.visa_address, visalib="@py", timeout=0.5)
