"""Faults on the wire, over all drivers: no wrong value, no hang, a named error, and recovery.

A few for each driver here; ``python benchmarks/faults.py`` injects more than a thousand.

After each injected fault one parameter is set or read. Whatever comes back must be true (the world's own value), or an
InstrumentError within a second of the driver's timeout; when the fault is over the driver must work again by itself.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from qcodes.instrument import Instrument
from qcodes.instrument_drivers.Lakeshore import LakeshoreModel336

from erbia.instruments.drivers.bristol_871 import Bristol871
from erbia.instruments.drivers.composites import ErbiumMemory, PumpedPairSource
from erbia.instruments.drivers.keysight_816x import KeysightAttenuator, KeysightLaser, KeysightSwitch
from erbia.instruments.drivers.ni_analog_output import NiAnalogOutput
from erbia.instruments.drivers.ni_counter import NiEdgeCounter
from erbia.instruments.drivers.ni_inputs import NiAnalogInput, NiDigitalLines
from erbia.instruments.drivers.robust_qcodes import RobustLakeshore336, RobustSgs100a
from erbia.instruments.drivers.santec_tsl import SantecTsl
from erbia.instruments.drivers.single_quantum import SingleQuantumWebSq
from erbia.instruments.drivers.srs_fs725 import SrsFs725
from erbia.instruments.drivers.thorlabs_pm100d import ThorlabsPm100d
from erbia.instruments.drivers.white_rabbit import WhiteRabbitSwitch
from erbia.instruments.emulators.bristol_871 import Bristol871Device
from erbia.instruments.emulators.dlcpro import DlcProDevice, DlcProHost
from erbia.instruments.emulators.fs725 import Fs725Device
from erbia.instruments.emulators.itla import ItlaDevice
from erbia.instruments.emulators.keysight_816x import Keysight816xDevice
from erbia.instruments.emulators.lakeshore336 import LakeShore336Device
from erbia.instruments.emulators.mpc320 import Mpc320Device
from erbia.instruments.emulators.nidaqmx_server import NiDaqServer
from erbia.instruments.emulators.pm100d import Pm100dDevice
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.emulators.santec import SantecDevice
from erbia.instruments.emulators.serial_port import LineFrames, SerialHost, has_pseudo_terminals
from erbia.instruments.emulators.sgs100a import Sgs100aDevice
from erbia.instruments.emulators.tcp import TcpHost
from erbia.instruments.emulators.websq import WebSqDevice, WebSqHost
from erbia.instruments.emulators.white_rabbit import WhiteRabbitAgent
from erbia.instruments.emulators.wire import Fault, FaultPlan
from erbia.instruments.errors import ConnectionLost, InstrumentError

TIMEOUT_S = 0.15
#: How long after the timeout an error may come; the campaign of benchmarks/faults.py asks for 1.
WITHIN_S = float(os.environ.get("ERBIA_WITHIN_S", "10"))
FAULTS_EACH = int(os.environ.get("ERBIA_FAULTS_EACH", "12"))


@dataclass
class Subject:
    """One parameter of one driver, and where the world keeps its true value."""

    parameter: Any
    device: Any  # the emulator: ``faults`` and ``trace``
    truth: Callable[[], float]
    values: tuple[float, ...] = ()
    tolerance: float = 1e-6
    answers: int = 2  # a fault meets one of the first so many answers
    said_by: str = ""  # the instrument that errors name, when it is a part of the one that is asked

    @property
    def faults(self) -> FaultPlan:
        plan: FaultPlan = self.device.faults
        return plan

    def agrees(self, value: float) -> bool:
        return abs(value - self.truth()) <= self.tolerance * max(abs(self.truth()), 1e-15) + 1e-15


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        stack.callback(Instrument.close_all)
        yield stack


def _santec(bench: Bench, stack: ExitStack) -> Subject:
    host = stack.enter_context(TcpHost(SantecDevice(bench, "laser")))
    laser = SantecTsl("laser", host.visa_address, visalib="@py", timeout=TIMEOUT_S)
    return Subject(laser.power, host.device, lambda: bench.get("laser.power_w"), (1e-3, 2e-3, 7e-3), 1e-4)


def _attenuator(bench: Bench, stack: ExitStack) -> Subject:
    host = stack.enter_context(TcpHost(Keysight816xDevice(bench)))
    voa = KeysightAttenuator("voa", host.visa_address, slot=2, visalib="@py", timeout=TIMEOUT_S)
    return Subject(voa.attenuation, host.device, lambda: bench.get("voa.attenuation_db"), (0.0, 12.5, 30.0), 1e-4)


def _power_meter(bench: Bench, stack: ExitStack) -> Subject:
    bench.set("meter.power_w", 3.25e-6)
    host = stack.enter_context(TcpHost(Pm100dDevice(bench, "meter")))
    meter = ThorlabsPm100d("meter", host.visa_address, visalib="@py", timeout=TIMEOUT_S)
    return Subject(meter.power, host.device, lambda: bench.get("meter.power_w"))


def _wavemeter(bench: Bench, stack: ExitStack) -> Subject:
    bench.values |= {"wavemeter.frequency_hz": 195.123e12, "wavemeter.power_w": 1e-4}
    host = stack.enter_context(TcpHost(Bristol871Device(bench, "wavemeter")))
    wavemeter = Bristol871("wavemeter", host.visa_address, visalib="@py", timeout=TIMEOUT_S)
    return Subject(wavemeter.frequency, host.device, lambda: bench.get("wavemeter.frequency_hz"))


def _rubidium(bench: Bench, stack: ExitStack) -> Subject:
    bench.values |= {"rb.locked": True, "rb.pps_locked": False}
    host = stack.enter_context(SerialHost(LineFrames(Fs725Device(bench, "rb"))))
    rubidium = SrsFs725("rb", host.visa_address, visalib="@py", timeout=TIMEOUT_S)
    stack.callback(rubidium.close)
    return Subject(
        rubidium.frequency_offset, host.device, lambda: bench.get("rb.frequency_offset"), (0.0, 5e-11, -1.7e-10)
    )


def _snspd(bench: Bench, stack: ExitStack) -> Subject:
    bench.values |= {"snspd.ch1.latched": False, "snspd.ch2.latched": False}
    host = stack.enter_context(WebSqHost(WebSqDevice(bench, "snspd", n_channels=2)))
    snspd = SingleQuantumWebSq("snspd", host.endpoint, bias_slew_a_per_s=1.0, timeout=TIMEOUT_S)
    return Subject(snspd.ch1.bias, host.device, lambda: host.device.bias_set_a(0), (0.0, 10e-6, 22e-6), 1e-3)


def _dlcpro(bench: Bench, stack: ExitStack) -> Subject:
    pytest.importorskip("toptica.lasersdk")
    from erbia.instruments.drivers.toptica_dlcpro import TopticaDlcPro

    host = stack.enter_context(DlcProHost(DlcProDevice(bench, "laser")))
    laser = TopticaDlcPro("laser", host.endpoint, timeout=TIMEOUT_S)
    return Subject(
        laser.piezo_voltage,
        host.device,
        lambda: host.device.value("laser1:dl:pc:voltage-set"),
        (10.0, 70.5, 120.25),
    )


def _pulse_streamer(bench: Bench, stack: ExitStack) -> Subject:
    pytest.importorskip("pulsestreamer")
    from erbia.instruments.drivers.pulse_streamer import SwabianPulseStreamer
    from erbia.instruments.emulators.pulse_streamer import PulseStreamerDevice, PulseStreamerHost

    address = f"127.3.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 2}"  # the vendor's ports are fixed
    host = stack.enter_context(PulseStreamerHost(PulseStreamerDevice(bench, "pulser"), address))
    pulser = SwabianPulseStreamer("pulser", host.endpoint, outputs={}, timeout=TIMEOUT_S)
    return Subject(pulser.temperature, host.device, lambda: 41.5)


def _id900(bench: Bench, stack: ExitStack) -> Subject:
    pytest.importorskip("zmq")
    from erbia.instruments.drivers.id900 import IdqTimeController
    from erbia.instruments.emulators.id900 import Id900Device, Id900Host

    host = stack.enter_context(Id900Host(Id900Device(bench, "tagger")))
    tagger = IdqTimeController("tagger", host.endpoint, datalink=host.datalink, channels=(1, 2), timeout=TIMEOUT_S)
    return Subject(tagger.ch1.delay, host.device, lambda: float(host.device.settings["DELA1:VALU"]), (0, 1500, 22_000))


def _analog_output(bench: Bench, stack: ExitStack) -> Subject:
    server = stack.enter_context(NiDaqServer(bench))
    output = NiAnalogOutput("ao", server.endpoint, slew_rate_v_per_s=1e6, timeout=TIMEOUT_S)
    return Subject(output.voltage, server, lambda: bench.get("Dev1/ao0"), (0.0, 1.25, -3.5), answers=8)


def _paddle(bench: Bench, stack: ExitStack) -> Subject:
    pytest.importorskip("serial")
    from erbia.instruments.drivers.thorlabs_mpc320 import ThorlabsMpc320

    host = stack.enter_context(SerialHost(Mpc320Device(bench, "pol")))
    controller = ThorlabsMpc320("pol", host.path, timeout=TIMEOUT_S)
    stack.callback(controller.close)
    steps = tuple(n * 170 / 1370 for n in (0, 300, 1100))
    return Subject(controller.angle1, host.device, lambda: bench.get("pol.angle1_deg"), steps)


def _itla(bench: Bench, stack: ExitStack) -> Subject:
    pytest.importorskip("serial")
    from erbia.instruments.drivers.itla import ItlaLaser

    host = stack.enter_context(SerialHost(ItlaDevice(bench, "laser")))
    laser = ItlaLaser("laser", host.path, timeout=TIMEOUT_S)
    stack.callback(laser.close)
    return Subject(laser.power, host.device, lambda: bench.get("laser.power_w"), (5e-3, 10e-3, 15e-3), 1e-3)


def _keysight_laser(bench: Bench, stack: ExitStack) -> Subject:
    host = stack.enter_context(TcpHost(Keysight816xDevice(bench)))
    laser = KeysightLaser("laser", host.visa_address, slot=1, visalib="@py", timeout=TIMEOUT_S)
    return Subject(laser.power, host.device, lambda: bench.get("laser.power_w"), (1e-3, 2e-3, 5e-3), 1e-4)


def _optical_switch(bench: Bench, stack: ExitStack) -> Subject:
    host = stack.enter_context(TcpHost(Keysight816xDevice(bench)))
    switch = KeysightSwitch("switch", host.visa_address, slot=3, visalib="@py", timeout=TIMEOUT_S)
    return Subject(switch.position, host.device, lambda: bench.get("switch.position"), (1, 2))


def _analog_input(bench: Bench, stack: ExitStack) -> Subject:
    bench.set("Dev1/ai0", -2.75)
    server = stack.enter_context(NiDaqServer(bench))
    monitor = NiAnalogInput("ai", server.endpoint, timeout=TIMEOUT_S)
    return Subject(monitor.voltage, server, lambda: bench.get("Dev1/ai0"), answers=1)


def _edge_counter(bench: Bench, stack: ExitStack) -> Subject:
    """The counter starts again with its task, so the true number since then is what the signal has grown by: nothing."""
    bench.signals["Dev1/ctr0"] = lambda t_s: np.full(len(t_s), 4242.0)
    server = stack.enter_context(NiDaqServer(bench))
    counter = NiEdgeCounter("counter", server.endpoint, timeout=TIMEOUT_S)
    return Subject(counter.counts, server, lambda: 0.0, answers=1)


def _white_rabbit(bench: Bench, stack: ExitStack) -> Subject:
    bench.set("switch.timing_ok", True)
    agent = stack.enter_context(WhiteRabbitAgent(bench, "switch"))
    switch = WhiteRabbitSwitch("switch", agent.endpoint, timeout=TIMEOUT_S)
    return Subject(switch.timing_ok, agent, lambda: float(bench.get("switch.timing_ok")), answers=1)


def _memory(bench: Bench, stack: ExitStack) -> Subject:
    """The composite over an analog output: the electrode of the chip."""
    server = stack.enter_context(NiDaqServer(bench))
    bench.values |= {"lake.temperature_k": 0.6, "lake.setpoint_k": 0.5}
    for name, channel in {"electrode": "Dev1/ao0", "magnet": "Dev1/ao1"}.items():
        output = NiAnalogOutput(name, server.endpoint, channel=channel, slew_rate_v_per_s=1e6, timeout=TIMEOUT_S)
        stack.callback(output.close)
    lake = stack.enter_context(TcpHost(LakeShore336Device(bench, "lake")))
    stack.callback(LakeshoreModel336("lake", lake.visa_address, visalib="@py", device_clear=False).close)
    parts = {"electrode": "electrode.voltage", "magnet": "magnet.voltage", "temperature": "lake.A.temperature"}
    memory = ErbiumMemory(
        "memory", **parts, calibration={"zero_field_hz": 194.95e12, "stark_hz_per_v": 1e6, "zeeman_hz_per_t": 5e9}
    )
    return Subject(
        memory.electrode_voltage,
        server,
        lambda: bench.get("Dev1/ao0"),
        (0.0, 1.25, -3.5),
        answers=8,
        said_by="electrode",
    )


def _pair_source(bench: Bench, stack: ExitStack) -> Subject:
    """The composite over a pump laser."""
    host = stack.enter_context(TcpHost(SantecDevice(bench, "pump")))
    stack.callback(SantecTsl("pump", host.visa_address, visalib="@py", timeout=TIMEOUT_S).close)
    source = PumpedPairSource("pair_source", emission="pump.emission", pump_power="pump.power", transmission=0.5)
    truth = lambda: 0.5 * bench.get("pump.power_w")  # noqa: E731
    return Subject(source.pump_power, host.device, truth, (1e-3, 2e-3, 5e-3), 1e-4, said_by="pump")


def _lakeshore(bench: Bench, stack: ExitStack) -> Subject:
    bench.values |= {"lake.temperature_k": 3.125, "lake.setpoint_k": 3.0}
    host = stack.enter_context(TcpHost(LakeShore336Device(bench, "lake")))
    lake = RobustLakeshore336("lake", host.visa_address, visalib="@py", timeout=TIMEOUT_S)
    return Subject(lake.A.temperature, host.device, lambda: bench.get("lake.temperature_k"), answers=1)


def _microwave(bench: Bench, stack: ExitStack) -> Subject:
    host = stack.enter_context(TcpHost(Sgs100aDevice(bench, "mw")))
    source = RobustSgs100a("mw", host.visa_address, visalib="@py", timeout=TIMEOUT_S)
    return Subject(
        source.frequency,
        host.device,
        lambda: float(host.device.answer("SOUR:FREQ?")),
        (1e9, 5e9, 7.1e9),
        answers=1,
    )


SUBJECTS = [
    _santec, _attenuator, _power_meter, _wavemeter, _rubidium, _snspd, _dlcpro, _pulse_streamer, _id900, _analog_output,
    _paddle, _itla, _keysight_laser, _optical_switch, _analog_input, _edge_counter, _white_rabbit,
    _memory, _pair_source, _lakeshore, _microwave,
]  # fmt: skip


@pytest.mark.parametrize("make", SUBJECTS, ids=lambda make: make.__name__.strip("_"))
def test_every_emulator_keeps_a_trace_of_what_was_asked_and_said(
    make: Callable[[Bench, ExitStack], Subject], stack: ExitStack
) -> None:
    if make in (_rubidium, _paddle, _itla) and not has_pseudo_terminals():
        pytest.skip("no pseudo terminals here")
    subject = _standing(make, stack)
    subject.device.trace.clear()
    subject.parameter.get()
    assert subject.device.trace.messages()
    assert subject.device.trace.answers()


@pytest.mark.slow
@pytest.mark.parametrize("make", SUBJECTS, ids=lambda make: make.__name__.strip("_"))
def test_faults_on_the_wire(make: Callable[[Bench, ExitStack], Subject], stack: ExitStack) -> None:
    if make in (_rubidium, _paddle, _itla) and not has_pseudo_terminals():
        pytest.skip("no pseudo terminals here")
    subject = _standing(make, stack)
    rng = np.random.default_rng(2026)
    subject.faults.late_s = 1.6 * TIMEOUT_S
    injected, named = Counter[str](), 0
    for fault in _kinds(rng):
        injected[fault.value] += 1
        subject.faults.inject(*[None] * int(rng.integers(subject.answers)), fault)
        wanted = subject.values[rng.integers(len(subject.values))] if subject.values and rng.random() < 0.5 else None
        named += _attempt(subject, wanted)
        subject.faults.clear()
        _recover(subject)
    _report(make.__name__.strip("_"), injected, named)
    assert named > FAULTS_EACH / 8  # the campaign did bite


def _standing(make: Callable[[Bench, ExitStack], Subject], stack: ExitStack) -> Subject:
    """The subject; its timeout is so short that a busy computer may not even connect in time at the first attempt."""
    for _ in range(50):
        try:
            return make(Bench(), stack)
        except ConnectionLost:
            Instrument.close_all()
            time.sleep(0.1)
    return make(Bench(), stack)


def _kinds(rng: np.random.Generator) -> list[Fault]:
    """Every kind as often as every other, in random order."""
    kinds = [kind for _, kind in zip(range(FAULTS_EACH), itertools.cycle(Fault), strict=False)]
    return [kinds[k] for k in rng.permutation(len(kinds))]


def _report(driver: str, injected: Counter[str], named: int) -> None:
    """A line for benchmarks/faults.py."""
    sys.stdout.write(f"FAULTS {json.dumps({'driver': driver, 'injected': injected, 'named': named})}\n")


def _attempt(subject: Subject, wanted: float | None) -> int:
    """Sets or reads once; 1 when that failed, and then in the right way."""
    parameter, start = subject.parameter, time.perf_counter()
    try:
        if wanted is None:
            assert subject.agrees(parameter.get())
        else:
            parameter.set(wanted)
            assert subject.agrees(wanted)
        return 0
    except InstrumentError as caught:
        text = str(caught)
    assert time.perf_counter() - start < TIMEOUT_S + WITHIN_S
    assert text.startswith(subject.said_by or parameter.root_instrument.name)
    assert "\n" not in text
    return 1


def _recover(subject: Subject) -> None:
    deadline = time.perf_counter() + 10.0
    value, before = None, object()
    while value is None or value != before:  # what was set off by a command that failed comes to rest first
        try:
            before, value = value, subject.parameter.get()
        except InstrumentError:
            assert time.perf_counter() < deadline, "the driver did not recover"
        time.sleep(0.01)
    assert subject.agrees(value)
    assert subject.agrees(subject.parameter.cache.get(False))


@pytest.mark.slow
def test_faults_on_the_wire_of_digital_lines(stack: ExitStack) -> None:
    """Digital lines cannot be read back by their driver: the device tells what became of each command."""
    bench = Bench({"Dev1/port0/line0": False})
    server = stack.enter_context(NiDaqServer(bench))
    lines = NiDigitalLines("lines", server.endpoint, lines={"shutter": "Dev1/port0/line0"}, timeout=TIMEOUT_S)
    rng = np.random.default_rng(2026)
    told, injected = list[str](), Counter[str]()
    server.faults.late_s = 1.6 * TIMEOUT_S
    for fault in _kinds(rng):
        injected[fault.value] += 1
        server.faults.inject(*[None] * int(rng.integers(12)), fault)
        wanted = bool(rng.random() < 0.5)
        start_s = time.perf_counter()
        try:
            lines.shutter(wanted)
            assert bench.get("Dev1/port0/line0") is wanted
        except InstrumentError as caught:
            told.append(str(caught))
            assert time.perf_counter() - start_s < TIMEOUT_S + WITHIN_S
        server.faults.clear()
        deadline = time.perf_counter() + 10.0
        while True:
            try:
                lines.shutter(not wanted)
                break
            except InstrumentError:
                assert time.perf_counter() < deadline, "the driver did not recover"
        assert bench.get("Dev1/port0/line0") is not wanted
    assert len(told) > FAULTS_EACH / 8
    assert all(text.startswith("lines: ") for text in told)
    _report("digital_lines", injected, len(told))


Pairs = tuple[tuple[Any, float], tuple[Any, float]]


def _two_voa(bench: Bench, stack: ExitStack) -> Pairs:
    host = stack.enter_context(TcpHost(Keysight816xDevice(bench)))
    voa = KeysightAttenuator("voa", host.visa_address, slot=2, visalib="@py")
    voa.attenuation(12.5)
    return (voa.attenuation, 12.5), (voa.wavelength, 1550e-9)


def _two_dlcpro(bench: Bench, stack: ExitStack) -> Pairs:
    pytest.importorskip("toptica.lasersdk")
    from erbia.instruments.drivers.toptica_dlcpro import TopticaDlcPro

    host = stack.enter_context(DlcProHost(DlcProDevice(bench, "laser")))
    laser = TopticaDlcPro("laser", host.endpoint, timeout=10.0)
    return (laser.piezo_voltage, 70.0), (laser.current, 0.1)


def _two_snspd(bench: Bench, stack: ExitStack) -> Pairs:
    bench.values |= {"snspd.ch1.latched": False, "snspd.ch2.latched": False}
    host = stack.enter_context(WebSqHost(WebSqDevice(bench, "snspd", n_channels=2)))
    snspd = SingleQuantumWebSq("snspd", host.endpoint, timeout=10.0)
    snspd.ch1.bias(10e-6)
    return (snspd.ch1.bias, 10e-6), (snspd.measurement_period, 0.1)


def _two_id900(bench: Bench, stack: ExitStack) -> Pairs:
    pytest.importorskip("zmq")
    from erbia.instruments.drivers.id900 import IdqTimeController
    from erbia.instruments.emulators.id900 import Id900Device, Id900Host

    host = stack.enter_context(Id900Host(Id900Device(bench, "tagger")))
    tagger = IdqTimeController("tagger", host.endpoint, datalink=host.datalink, channels=(1, 2), timeout=10.0)
    tagger.ch2.delay(1500)
    return (tagger.ch1.threshold, 0.5), (tagger.ch2.delay, 1500)


def _two_inputs(bench: Bench, stack: ExitStack) -> Pairs:
    bench.values |= {"Dev1/ai0": 1.25, "Dev1/ai1": -2.5}
    server = stack.enter_context(NiDaqServer(bench))
    monitor = NiAnalogInput("ai", server.endpoint, channels=("Dev1/ai0", "Dev1/ai1"), timeout=10.0)
    return (monitor.parameters["voltage"], 1.25), (monitor.parameters["voltage2"], -2.5)


def _swapped(pairs: Pairs, calls: int) -> list[float]:
    """Two threads read one parameter each, as often; what was not their own answer."""
    wrong: list[float] = []

    def ask(parameter: Any, expected: float) -> None:
        for _ in range(calls // 2):
            if (value := parameter.get()) != pytest.approx(expected, rel=1e-9):
                wrong.append(value)

    threads = [threading.Thread(target=ask, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


@pytest.mark.parametrize("make", [_two_voa, _two_dlcpro, _two_snspd, _two_id900, _two_inputs])
def test_two_threads_on_one_instrument_get_their_own_answers(
    make: Callable[[Bench, ExitStack], Pairs], stack: ExitStack
) -> None:
    assert _swapped(make(Bench(), stack), 600) == []


@pytest.mark.slow
def test_two_threads_a_hundred_thousand_questions_no_swapped_answer(stack: ExitStack) -> None:
    assert _swapped(_two_voa(Bench(), stack), int(os.environ.get("ERBIA_CALLS", "20000"))) == []
