"""Settling and latency of every emulator, on the world's clock; and drivers that wait for it by asking, not by sleeping."""

from __future__ import annotations

import gc
import itertools
import json
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from qcodes.instrument import Instrument
from qcodes.instrument_drivers.Lakeshore import LakeshoreModel336

from erbia.instruments.drivers.keysight_816x import KeysightAttenuator, KeysightLaser, KeysightSwitch
from erbia.instruments.drivers.single_quantum import SingleQuantumWebSq
from erbia.instruments.drivers.thorlabs_pm100d import ThorlabsPm100d
from erbia.instruments.emulators.bristol_871 import Bristol871Device
from erbia.instruments.emulators.dlcpro import DlcProDevice, DlcProHost
from erbia.instruments.emulators.fs725 import WARM_UP_S, Fs725Device
from erbia.instruments.emulators.itla import ItlaDevice
from erbia.instruments.emulators.keysight_816x import Keysight816xDevice
from erbia.instruments.emulators.lakeshore336 import LakeShore336Device
from erbia.instruments.emulators.motion import After, Exponential, Law, Motion, Slew
from erbia.instruments.emulators.mpc320 import Mpc320Device
from erbia.instruments.emulators.nidaqmx_server import NiDaqServer
from erbia.instruments.emulators.pm100d import SAMPLE_S, Pm100dDevice
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.emulators.pulse_streamer import PulseStreamerDevice
from erbia.instruments.emulators.santec import SantecDevice
from erbia.instruments.emulators.sgs100a import Sgs100aDevice
from erbia.instruments.emulators.tcp import TcpHost
from erbia.instruments.emulators.websq import WebSqDevice, WebSqHost
from erbia.instruments.emulators.white_rabbit import WhiteRabbitAgent
from erbia.instruments.errors import BadReply, ConnectionLost

C_M_PER_S = 299_792_458.0


class Clock:
    """Lab time that passes when told."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bench(clock: Clock) -> Bench:
    return Bench({"lake.temperature_k": 4.0, "lake.setpoint_k": 4.0, "meter.power_w": 2e-6}, clock=clock)


@pytest.fixture(autouse=True)
def _close_instruments() -> Iterator[None]:
    yield
    Instrument.close_all()
    gc.collect()  # a motion that is forgotten ends


@pytest.mark.parametrize(
    ("law", "at_half_a_second", "arrives_s"),
    [
        (Slew(2.0), 1.0, 2.0),
        (Exponential(1.0, 4 * math.exp(-3)), 4 * (1 - math.exp(-0.5)), 3.0),
        (After(0.75), 0.0, 0.75),
    ],
)
def test_a_motion_follows_its_law(law: Law, at_half_a_second: float, arrives_s: float) -> None:
    clock, told = Clock(), list[float]()
    motion = Motion(clock, told.append, 0.0)
    motion.go(4.0, law)
    assert motion.remaining_s() == pytest.approx(arrives_s)
    clock.now_s += 0.5
    assert motion.present() == pytest.approx(at_half_a_second)
    clock.now_s += arrives_s
    assert motion.remaining_s() == 0
    assert motion.present() == motion.target == told[-1] == 4.0


def test_the_world_is_told_on_the_way_though_nobody_asks() -> None:
    """Lab time goes on by 10 ms with every look at the clock, so that a busy computer does not matter."""
    looks, told = itertools.count(), list[float]()
    motion = Motion(lambda: 0.01 * next(looks), told.append, 0.0)
    motion.go(1.0, Slew(1.0))
    deadline_s = time.monotonic() + 60
    while told[-1] != 1.0 and time.monotonic() < deadline_s:
        time.sleep(0.005)
    assert told[-1] == 1.0
    assert len(told) > 20
    assert np.all(np.diff(told) > 0)


def test_a_new_target_is_left_for_from_where_it_is() -> None:
    clock = Clock()
    motion = Motion(clock, lambda _: None, 0.0)
    motion.go(10.0, Slew(1.0))
    clock.now_s += 4.0
    motion.go(0.0, Slew(1.0))
    clock.now_s += 1.0
    assert motion.present() == pytest.approx(3.0)


# -- devices -----------------------------------------------------------------------------------------------------------


def test_keysight_modules_take_their_time_and_opc_tells(bench: Bench, clock: Clock) -> None:
    frame = Keysight816xDevice(bench)
    frame.answer("INP2:ATT 30")
    frame.answer("ROUT3:CHAN1 A,3")
    clock.now_s += 0.005
    assert frame.answer("*OPC?") == "0"
    assert bench.get("voa.attenuation_db") == pytest.approx(5.0)
    assert bench.get("switch.position") == 1
    clock.now_s += 0.03
    assert frame.answer("*OPC?") == "1"
    assert (bench.get("voa.attenuation_db"), bench.get("switch.position")) == (30.0, 3)
    frame.answer("SOUR1:WAV 1.542E-6")
    clock.now_s += 0.05
    assert bench.get("laser.frequency_hz") == pytest.approx(C_M_PER_S / 1550e-9)
    assert frame.answer("*OPC?") == "0"
    assert C_M_PER_S / bench.get("laser.frequency_hz") == pytest.approx(1546e-9)  # type: ignore[operator]


def test_keysight_drivers_return_when_it_is_there() -> None:
    bench = Bench()
    with TcpHost(Keysight816xDevice(bench)) as host:
        voa = KeysightAttenuator("voa", host.visa_address, slot=2, visalib="@py")
        switch = KeysightSwitch("switch", host.visa_address, slot=3, visalib="@py")
        laser = KeysightLaser("laser", host.visa_address, slot=1, visalib="@py")
        voa.attenuation(50.0)
        assert bench.get("voa.attenuation_db") == 50.0
        switch.position(4)
        assert bench.get("switch.position") == 4
        laser.wavelength(1546e-9)
        assert bench.get("laser.frequency_hz") == pytest.approx(C_M_PER_S / 1546e-9, rel=1e-12)


def test_what_never_settles_is_named(bench: Bench) -> None:
    with TcpHost(Keysight816xDevice(bench)) as host:  # on a clock that stands still
        voa = KeysightAttenuator("voa", host.visa_address, slot=2, visalib="@py")
        voa.settle_timeout_s = 0.1
        with pytest.raises(ConnectionLost, match=r"voa: still not settled after 0\.1 s.*INP2:ATT 50"):
            voa.attenuation(50.0)


def test_santec_tunes(bench: Bench, clock: Clock) -> None:
    laser = SantecDevice(bench, "laser")
    laser.answer(":WAV 1.56E-6")
    clock.now_s += 0.02
    assert laser.answer("*OPC?") == "0"
    assert laser.answer(":WAV?") == "+1.55400000E-06"
    clock.now_s += 0.04
    assert laser.answer("*OPC?") == "1"


def test_dlc_pro_motor_piezo_and_temperature(bench: Bench, clock: Clock) -> None:
    laser = DlcProDevice(bench, "laser")
    laser.answer("(param-set! 'laser1:ctl:wavelength-set 1540.0)")
    laser.answer("(param-set! 'laser1:dl:pc:voltage-set 80.0)")
    laser.answer("(param-set! 'laser1:dl:tc:temp-set 25.0)")
    clock.now_s += 1e-3
    assert laser.value("laser1:dl:pc:voltage-act") == pytest.approx(80 - 10 / math.e)
    clock.now_s += 0.2
    assert laser.value("laser1:dl:pc:voltage-act") == 80.0
    assert laser.value("laser1:ctl:wavelength-act") == pytest.approx(1538.01)
    assert bench.get("laser.frequency_hz") == pytest.approx(C_M_PER_S / 1538.01e-9)
    clock.now_s += 1.799
    assert laser.value("laser1:dl:tc:temp-act") == pytest.approx(25 - 5 / math.e)
    assert laser.value("laser1:dl:tc:ready") is False
    clock.now_s += 20
    assert laser.value("laser1:dl:tc:ready") is True
    assert laser.value("laser1:ctl:wavelength-act") == 1540.0


def test_toptica_driver_returns_when_the_motor_is_there() -> None:
    pytest.importorskip("toptica.lasersdk")
    from erbia.instruments.drivers.toptica_dlcpro import TopticaDlcPro

    bench = Bench()
    with DlcProHost(DlcProDevice(bench, "laser")) as host:
        laser = TopticaDlcPro("laser", host.endpoint)
        laser.wavelength(1537e-9)
        assert bench.get("laser.frequency_hz") == pytest.approx(C_M_PER_S / 1537e-9, rel=1e-12)
        assert laser.measured_wavelength() == pytest.approx(1537e-9, rel=1e-12)
        laser.diode_temperature(20.5)
        assert laser.temperature_ready() is False
        assert 20.0 <= laser.measured_diode_temperature() < 20.5


def test_websq_bias_ramps_and_flows_only_while_enabled(bench: Bench, clock: Clock) -> None:
    snspd = WebSqDevice(bench, "snspd", n_channels=1)
    snspd.obey({"command": "DetectorEnable", "label": "DetectorEnable", "value": True})
    snspd.obey({"command": "SetAllBiasCurrents", "label": "BiasCurrent", "value": [20.0]})
    clock.now_s += 2e-3
    assert json.loads(snspd.packed("BiasCurrent"))["value"] == [pytest.approx(10.0)]
    assert bench.get("snspd.ch1.bias_a") == pytest.approx(10e-6)
    clock.now_s += 1.0
    snspd.packed("BiasCurrent")
    assert bench.get("snspd.ch1.bias_a") == pytest.approx(20e-6)
    snspd.obey({"command": "DetectorEnable", "label": "DetectorEnable", "value": False})
    assert bench.get("snspd.ch1.bias_a") == 0.0


def test_websq_driver_returns_when_the_current_flows() -> None:
    bench = Bench({"snspd.ch1.latched": False})
    with WebSqHost(WebSqDevice(bench, "snspd", n_channels=1)) as host:
        snspd = SingleQuantumWebSq("snspd", host.endpoint, bias_slew_a_per_s=1.0)
        snspd.enabled(True)
        snspd.ch1.bias(30e-6)
        assert bench.get("snspd.ch1.bias_a") == pytest.approx(30e-6, rel=1e-3)


def test_pm100d_averages_and_ranges(bench: Bench) -> None:
    meter = Pm100dDevice(bench, "meter")
    meter.answer("MEAS:POW?")
    assert meter.answer("SENS:POW:RANG?") == "1.000000E-05"
    meter.answer("SENS:AVER:COUN 100")
    meter.answer("MEAS:POW?")
    assert meter.latency_s == pytest.approx(100 * SAMPLE_S)
    meter.answer("*IDN?")
    assert meter.latency_s == 0
    bench.set("meter.power_w", 2e-3)
    meter.answer("MEAS:POW?")
    assert meter.latency_s > 100 * SAMPLE_S, "three ranges up take longer"
    meter.answer("SENS:POW:RANG 1e-4")
    assert meter.answer("SENS:POW:RANG:AUTO?") == "0"
    assert float(meter.answer("MEAS:POW?") or 0) == 9.9e37


def test_pm100d_driver_waits_for_the_average_and_takes_no_overflow_for_a_power(bench: Bench) -> None:
    with TcpHost(Pm100dDevice(bench, "meter")) as host:
        meter = ThorlabsPm100d("meter", host.visa_address, visalib="@py", timeout=0.3)
        meter.averages(200)  # 0.6 s, twice the timeout
        assert meter.power() == pytest.approx(2e-6)
        assert meter.timeout() == pytest.approx(0.3)
        meter.averages(1)
        meter.range(1e-7)
        with pytest.raises(BadReply, match="MEAS:POW"):
            meter.power()
        meter.auto_range(True)
        assert meter.power() == pytest.approx(2e-6)


def test_lake_shore_ramps_its_set_point(bench: Bench, clock: Clock) -> None:
    with TcpHost(LakeShore336Device(bench, "lake")) as host:
        lake = LakeshoreModel336("lake", host.visa_address, visalib="@py", device_clear=False)
        lake.write("RAMP 1,1,6")  # 0.1 K/s
        lake.output_1.setpoint(5.0)
        assert lake.ask("RAMPST? 1") == "1"
        clock.now_s += 4.0
        assert lake.output_1.setpoint.get() == pytest.approx(4.4)
        assert bench.get("lake.setpoint_k") == pytest.approx(4.4)
        clock.now_s += 7.0
        assert lake.ask("RAMPST? 1") == "0"
        assert bench.get("lake.setpoint_k") == 5.0


def test_sgs100a_settles_and_opc_answers_when_it_has(bench: Bench, clock: Clock) -> None:
    source = Sgs100aDevice(bench, "mw")
    source.answer("SOUR:FREQ 7.1e9")
    assert source.answer("SOUR:FREQ?") == "7100000000.00"
    assert bench.get("mw.frequency_hz") == 1e9
    assert source.answer("*OPC?") == "1"
    assert source.latency_s == pytest.approx(0.5e-3)
    clock.now_s += 0.6e-3
    source.answer("*OPC?")
    assert source.latency_s == 0
    assert bench.get("mw.frequency_hz") == 7.1e9


def test_fs725_locks_when_it_is_warm(bench: Bench, clock: Clock) -> None:
    rubidium = Fs725Device(bench, "rb")
    assert rubidium.answer("LO?") == "1"
    rubidium.power_on()
    assert (rubidium.answer("LO?"), rubidium.answer("ST?")) == ("0", "0,0,0,1,0,0")
    clock.now_s += WARM_UP_S
    assert (rubidium.answer("LO?"), rubidium.answer("ST?")) == ("1", "0,0,0,0,0,0")
    bench.set("rb.locked", False)
    assert rubidium.answer("LO?") == "0"


def test_paddles_turn(bench: Bench, clock: Clock) -> None:
    paddles = Mpc320Device(bench, "pol", speed=100.0)
    paddles.reply_to(b"\x53\x04\x06\x00\xd0\x01\x01\x00" + (1000).to_bytes(4, "little"))
    clock.now_s += 0.5
    assert paddles.reply_to(b"\x90\x04\x01\x00\x50\x01") is not None
    assert bench.get("pol.angle1_deg") == pytest.approx(50.0)


def test_itla_settles(bench: Bench, clock: Clock) -> None:
    laser = ItlaDevice(bench, "laser", settle_s=5.0)
    laser.reply_to(b"\x91\x32\x00\x08")
    pending = laser.reply_to(b"\x00\x00\x00\x00")
    clock.now_s += 5.0
    assert (pending[2], laser.reply_to(b"\x00\x00\x00\x00")[2]) == (1, 0)


LATENT: dict[str, Callable[[Bench, float], Any]] = {
    "bristol": lambda bench, s: Bristol871Device(bench, "w", s),
    "dlcpro": lambda bench, s: DlcProDevice(bench, "laser", s),
    "fs725": lambda bench, s: Fs725Device(bench, "rb", s),
    "itla": lambda bench, s: ItlaDevice(bench, "laser", s),
    "keysight": lambda bench, s: Keysight816xDevice(bench, latency_s=s),
    "lakeshore": lambda bench, s: LakeShore336Device(bench, "lake", s),
    "mpc320": lambda bench, s: Mpc320Device(bench, "pol", s),
    "pm100d": lambda bench, s: Pm100dDevice(bench, "meter", s),
    "pulse streamer": lambda bench, s: PulseStreamerDevice(bench, "pulser", s),
    "santec": lambda bench, s: SantecDevice(bench, "laser", s),
    "sgs100a": lambda bench, s: Sgs100aDevice(bench, "mw", s),
    "websq": lambda bench, s: WebSqDevice(bench, "snspd", 1, s),
}


@pytest.mark.parametrize("make", LATENT.values(), ids=LATENT)
def test_every_device_has_a_latency(make: Callable[[Bench, float], Any], bench: Bench) -> None:
    assert make(bench, 0.02).latency_s == 0.02


def test_latency_is_felt_on_the_wire() -> None:
    pytest.importorskip("nidaqmx")
    from erbia.instruments.drivers.ni_inputs import NiAnalogInput
    from erbia.instruments.drivers.white_rabbit import WhiteRabbitSwitch

    bench = Bench({"Dev1/ai0": 1.0, "wr.timing_ok": True, "meter.power_w": 1e-6})
    with (
        TcpHost(Pm100dDevice(bench, "meter", 0.05)) as host,
        NiDaqServer(bench) as daq,
        WhiteRabbitAgent(bench, "wr", latency_s=0.05) as agent,
    ):
        meter = ThorlabsPm100d("meter", host.visa_address, visalib="@py")
        monitor = NiAnalogInput("ai", daq.endpoint)
        daq.latency_s = 0.05
        for read in (meter.wavelength.get, monitor.voltage.get, WhiteRabbitSwitch("wr", agent.endpoint).timing_ok.get):
            start_s = time.perf_counter()
            read()
            assert time.perf_counter() - start_s >= 0.05


def test_what_has_arrived_has_been_told_however_time_passes_meanwhile() -> None:
    """The clock goes on with every look at it: nothing is called settled that the world does not know of."""
    looks, told = itertools.count(), list[float]()
    motion = Motion(lambda: 1e-3 * next(looks), told.append, 0.0)
    motion.go(1.0, Slew(10.0))
    while motion.remaining_s():
        pass
    assert told[-1] == 1.0
