"""TopticaDlcPro through the vendor's SDK, against the emulated controller."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from erbia.instruments.emulators.dlcpro import DlcProDevice, DlcProHost
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.emulators.wire import Fault
from erbia.instruments.errors import BadReply, ConnectionLost, InstrumentError
from erbia.instruments.interfaces import Laser

pytest.importorskip("toptica.lasersdk")
from erbia.instruments.drivers.toptica_dlcpro import TopticaDlcPro


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def host(bench: Bench) -> Iterator[DlcProHost]:
    with DlcProHost(DlcProDevice(bench, "laser")) as host:
        yield host


@pytest.fixture
def laser(host: DlcProHost) -> TopticaDlcPro:
    return TopticaDlcPro("laser", host.endpoint, timeout=0.3)


def test_it_is_a_laser(laser: TopticaDlcPro) -> None:
    assert isinstance(laser, Laser)
    assert laser.get_idn()["firmware"] == "3.2.0"


def test_settings_reach_the_world_in_si_units(laser: TopticaDlcPro, bench: Bench) -> None:
    laser.emission(True)
    laser.power(5e-3)
    laser.frequency(195.2e12)
    laser.current(0.15)
    laser.piezo_voltage(72.5)
    assert bench.get("laser.emission") is True
    assert bench.get("laser.power_w") == pytest.approx(5e-3)
    assert bench.get("laser.frequency_hz") == pytest.approx(195.2e12, rel=1e-12)
    assert bench.get("laser.current_a") == pytest.approx(0.15)
    assert laser.piezo_voltage.get() == 72.5
    assert laser.emission.get() is True
    assert laser.frequency.get() == pytest.approx(195.2e12, rel=1e-12)
    assert laser.measured_current() == pytest.approx(0.15)
    assert laser.measured_power() == pytest.approx(5e-3)


def test_reading_everything_sets_nothing(laser: TopticaDlcPro, host: DlcProHost, bench: Bench) -> None:
    before = dict(bench.values)
    host.device.trace.clear()
    laser.snapshot(update=True)
    assert bench.values == before
    assert not any("set!" in message or "exec" in message for message in host.device.trace.messages())


def test_scan_lock_and_temperature(laser: TopticaDlcPro, bench: Bench) -> None:
    laser.scan(True)
    laser.scan_amplitude(5.0)
    laser.diode_temperature(21.5)
    assert laser.scan.get() is True
    assert laser.scan_amplitude.get() == 5.0
    assert laser.diode_temperature.get() == 21.5
    assert laser.lock_state() == "Idle"
    laser.lock(True)
    assert laser.lock_state() == "Locked"
    bench.set("laser.locked", False)
    assert laser.lock_state() == "Idle"


def test_the_monitoring_line_reports_and_survives_a_reconnection(
    laser: TopticaDlcPro, host: DlcProHost, bench: Bench
) -> None:
    seen: list[float] = []
    laser.watch("dl:pc:voltage-act", float, seen.append)

    def wait_for(value: float) -> None:
        deadline = time.perf_counter() + 2
        while value not in seen and time.perf_counter() < deadline:
            laser.poll()
            time.sleep(0.01)
        assert value in seen

    wait_for(70.0)
    laser.piezo_voltage(72.0)
    wait_for(72.0)
    host.drop_clients()
    time.sleep(0.05)
    assert laser.piezo_voltage.get() == 72.0
    laser.piezo_voltage(75.0)
    wait_for(75.0)


def test_an_open_interlock_is_said(laser: TopticaDlcPro, host: DlcProHost, bench: Bench) -> None:
    laser.emission(True)
    host.device.open_interlock()
    assert laser.emission.get() is False
    assert laser.interlock_open() is True
    with pytest.raises(InstrumentError, match=r"laser: refused the command .*dl:cc:enabled.*-17"):
        laser.emission(True)


def test_limits(laser: TopticaDlcPro) -> None:
    with pytest.raises(ValueError, match="must be between"):
        laser.frequency(100e12)
    with pytest.raises(ValueError, match="must be between"):
        laser.current(0.4)


def test_a_silent_controller_costs_one_timeout_and_no_stale_answer_follows(
    laser: TopticaDlcPro, host: DlcProHost
) -> None:
    host.device.faults.late_s = 0.5
    host.device.faults.inject(Fault.LATE)
    start = time.perf_counter()
    with pytest.raises(ConnectionLost, match="laser1:dl:pc:voltage-set"):
        laser.piezo_voltage.get()
    assert time.perf_counter() - start < 10.0  # no hang
    laser.piezo_voltage(71.0)
    time.sleep(0.3)
    assert laser.piezo_voltage.get() == 71.0


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.PARTIAL, Fault.RESET])
def test_questions_are_repeated_commands_are_not(laser: TopticaDlcPro, host: DlcProHost, fault: Fault) -> None:
    host.device.faults.inject(fault)
    assert laser.piezo_voltage.get() == 70.0
    host.device.trace.clear()
    host.device.faults.inject(fault)
    with pytest.raises(ConnectionLost, match="not sent again"):
        laser.piezo_voltage(71.0)
    assert sum("param-set!" in message for message in host.device.trace.messages()) == 1


def test_garbage_is_a_bad_reply(laser: TopticaDlcPro, host: DlcProHost) -> None:
    host.device.faults.inject(Fault.GARBAGE)
    with pytest.raises(BadReply, match="voltage-set"):
        laser.piezo_voltage.get()
    assert laser.piezo_voltage.get() == 70.0


def test_nobody_there() -> None:
    with pytest.raises(ConnectionLost, match=r"laser: not reachable at 127.0.0.1:1:2"):
        TopticaDlcPro("laser", "127.0.0.1:1:2", timeout=0.3)
