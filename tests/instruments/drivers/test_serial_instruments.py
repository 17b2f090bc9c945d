"""MPC320 and ITLA on a pseudo terminal; Bristol wavemeter over TCP."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from erbia.instruments.drivers.bristol_871 import Bristol871
from erbia.instruments.emulators.bristol_871 import Bristol871Device
from erbia.instruments.emulators.itla import ItlaDevice
from erbia.instruments.emulators.mpc320 import Mpc320Device
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.emulators.serial_port import SerialHost, has_pseudo_terminals
from erbia.instruments.emulators.tcp import TcpHost
from erbia.instruments.emulators.wire import Fault
from erbia.instruments.errors import BadReply, ConnectionLost, InstrumentError
from erbia.instruments.interfaces import Laser

pytest.importorskip("serial")
from erbia.instruments.drivers.itla import ItlaLaser
from erbia.instruments.drivers.thorlabs_mpc320 import ThorlabsMpc320

needs_pty = pytest.mark.skipif(not has_pseudo_terminals(), reason="no pseudo terminals here")
STEP_DEG = 170 / 1370


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def paddles(bench: Bench) -> Iterator[tuple[ThorlabsMpc320, SerialHost]]:
    with SerialHost(Mpc320Device(bench, "pol", speed=850.0)) as host:
        controller = ThorlabsMpc320("pol", host.path, timeout=0.3)
        yield controller, host
        controller.close()


@needs_pty
def test_paddles_move_and_setting_waits(paddles: tuple[ThorlabsMpc320, SerialHost], bench: Bench) -> None:
    controller, _ = paddles
    assert controller.get_idn()["model"] == "MPC320"
    start = time.perf_counter()
    controller.angle2(85.0)
    assert time.perf_counter() - start >= 0.1
    assert bench.get("pol.angle2_deg") == pytest.approx(85.0, abs=STEP_DEG / 2)
    assert controller.angle2.get() == pytest.approx(85.0, abs=STEP_DEG / 2)
    assert controller.angle1.get() == 0.0
    controller.home()
    assert controller.angle2.get() == 0.0
    with pytest.raises(ValueError, match="must be between"):
        controller.angle3(171)


@needs_pty
@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.PARTIAL, Fault.GARBAGE, Fault.LATE])
def test_paddle_faults_are_named_and_it_recovers(paddles: tuple[ThorlabsMpc320, SerialHost], fault: Fault) -> None:
    controller, host = paddles
    controller.angle1(100.0)
    host.device.faults.late_s = 0.4
    host.device.faults.inject(fault)
    start = time.perf_counter()
    with pytest.raises(ConnectionLost, match="status of paddle 1"):
        controller.angle1.get()
    assert time.perf_counter() - start < 10.0
    deadline = time.perf_counter() + 10.0
    while True:  # a busy machine may miss the first chance
        try:
            assert controller.angle3.get() == 0.0
            break
        except ConnectionLost:
            assert time.perf_counter() < deadline, "the driver did not recover"
            time.sleep(0.05)
    assert controller.angle1.get() == pytest.approx(100.0, abs=STEP_DEG / 2)


@pytest.fixture
def itla(bench: Bench) -> Iterator[tuple[ItlaLaser, SerialHost]]:
    with SerialHost(ItlaDevice(bench, "laser", settle_s=0.1)) as host:
        laser = ItlaLaser("laser", host.path, timeout=0.3)
        yield laser, host
        laser.close()


@needs_pty
def test_itla(itla: tuple[ItlaLaser, SerialHost], bench: Bench) -> None:
    laser, _ = itla
    assert isinstance(laser, Laser)
    assert laser.get_idn()["vendor"] == "PURE PHOTONICS"
    laser.frequency(194.123_456e12)
    assert bench.get("laser.frequency_hz") == pytest.approx(194.123_456e12, abs=1)
    assert laser.frequency.get() == pytest.approx(194.123_456e12, abs=1)
    laser.power(10e-3)
    assert bench.get("laser.power_w") == pytest.approx(10e-3, rel=1e-3)
    start = time.perf_counter()
    laser.emission(True)
    assert time.perf_counter() - start >= 0.1
    assert laser.measured_power() == pytest.approx(10e-3, rel=1e-3)
    laser.frequency(194.123_400e12)  # same grid, within the fine tuning
    assert laser.frequency.get() == pytest.approx(194.123_400e12, abs=1)
    with pytest.raises(InstrumentError, match="not allowed now"):
        laser.frequency(195e12)
    with pytest.raises(ValueError, match="must be between"):
        laser.power(50e-3)


@needs_pty
@pytest.mark.parametrize(
    ("fault", "error"), [(Fault.SILENT, ConnectionLost), (Fault.PARTIAL, ConnectionLost), (Fault.GARBAGE, BadReply)]
)
def test_itla_faults(itla: tuple[ItlaLaser, SerialHost], fault: Fault, error: type) -> None:
    laser, host = itla
    host.device.faults.inject(fault)
    with pytest.raises(error, match="register 0x31"):
        laser.power.get()
    assert laser.power.get() == pytest.approx(10e-3)


@needs_pty
def test_itla_late_answer_is_told_by_its_register(itla: tuple[ItlaLaser, SerialHost]) -> None:
    laser, host = itla
    host.device.faults.late_s = 0.4
    host.device.faults.inject(Fault.LATE)
    with pytest.raises(ConnectionLost):
        laser.power.get()
    time.sleep(0.2)
    assert laser.emission.get() is False
    assert laser.power.get() == pytest.approx(10e-3)


def test_no_such_port() -> None:
    with pytest.raises(ConnectionLost, match="pol: not reachable at /dev/nowhere"):
        ThorlabsMpc320("pol", "/dev/nowhere", timeout=0.3)


def test_wavemeter(bench: Bench) -> None:
    bench.values |= {"wavemeter.frequency_hz": 195.1234567e12, "wavemeter.power_w": 1e-4}
    with TcpHost(Bristol871Device(bench, "wavemeter")) as host:
        wavemeter = Bristol871("wavemeter", host.visa_address, visalib="@py", timeout=0.3)
        assert wavemeter.frequency() == pytest.approx(195.1234567e12, abs=1e3)
        assert wavemeter.wavelength() == pytest.approx(299_792_458.0 / 195.1234567e12, rel=1e-9)
        assert wavemeter.power() == pytest.approx(1e-4)
        bench.set("wavemeter.power_w", 0.0)
        with pytest.raises(InstrumentError, match="sees no light"):
            wavemeter.frequency()
        host.device.faults.inject(Fault.GARBAGE)
        with pytest.raises(BadReply):
            wavemeter.power()
