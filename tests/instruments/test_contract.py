"""One suite for every driver of a class: mock, and real driver on its emulator. Same names, same units, same manners."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qcodes.instrument import Instrument
from qcodes.instrument_drivers.Lakeshore import LakeshoreModel336

from erbia.analysis.records import TimeTags
from erbia.instruments import mock
from erbia.instruments.drivers.bristol_871 import Bristol871
from erbia.instruments.drivers.composites import Cryostat, ErbiumMemory, PumpedPairSource
from erbia.instruments.drivers.highfinesse_wlm import HighFinesseWlm
from erbia.instruments.drivers.keysight_816x import KeysightAttenuator, KeysightLaser, KeysightSwitch
from erbia.instruments.drivers.ni_analog_output import NiAnalogOutput
from erbia.instruments.drivers.ni_counter import NiEdgeCounter
from erbia.instruments.drivers.ni_inputs import NiAnalogInput, NiDigitalLines
from erbia.instruments.drivers.replay_tagger import ReplayTagger
from erbia.instruments.drivers.santec_tsl import SantecTsl
from erbia.instruments.drivers.single_quantum import SingleQuantumWebSq
from erbia.instruments.drivers.srs_fs725 import SrsFs725
from erbia.instruments.drivers.swabian_time_tagger import SwabianTimeTagger
from erbia.instruments.drivers.thorlabs_pm100d import ThorlabsPm100d
from erbia.instruments.emulators import swabian_api
from erbia.instruments.emulators.bristol_871 import Bristol871Device
from erbia.instruments.emulators.dlcpro import DlcProDevice, DlcProHost
from erbia.instruments.emulators.fs725 import Fs725Device
from erbia.instruments.emulators.itla import ItlaDevice
from erbia.instruments.emulators.keysight_816x import Keysight816xDevice
from erbia.instruments.emulators.lakeshore336 import LakeShore336Device
from erbia.instruments.emulators.mpc320 import Mpc320Device
from erbia.instruments.emulators.nidaqmx_server import NiDaqServer
from erbia.instruments.emulators.pm100d import Pm100dDevice
from erbia.instruments.emulators.ports import Bench, HeraldWindows
from erbia.instruments.emulators.santec import SantecDevice
from erbia.instruments.emulators.serial_port import LineFrames, SerialHost, has_pseudo_terminals
from erbia.instruments.emulators.tcp import TcpHost
from erbia.instruments.emulators.websq import WebSqDevice, WebSqHost
from erbia.instruments.errors import LimitError
from erbia.instruments.interfaces import (
    AnalogInput,
    AnalogOutput,
    Attenuator,
    DigitalLines,
    EdgeCounter,
    FrequencyReference,
    HeraldCondition,
    HeraldLogic,
    Laser,
    OpticalSwitch,
    PairSource,
    PolarizationController,
    PowerMeter,
    Pulse,
    PulseGenerator,
    PulseTable,
    QuantumMemory,
    Segment,
    SinglePhotonDetector,
    TemperatureController,
    TimeTagger,
    Wavemeter,
)
from erbia.instruments.station import load

Maker = Callable[[Bench, ExitStack], Any]
MAKERS: dict[str, dict[str, Maker]] = {}


def maker(kind: str, name: str) -> Callable[[Maker], Maker]:
    """Registers a way to get an instrument of a class."""

    def register(function: Maker) -> Maker:
        MAKERS.setdefault(kind, {})[name] = function
        return function

    return register


def each(kind: str) -> Any:
    """Runs a test with every instrument of the class."""
    return pytest.mark.parametrize("make", MAKERS[kind].values(), ids=MAKERS[kind])


@pytest.fixture
def bench() -> Bench:
    bench = Bench({"snspd.ch1.latched": False, "snspd.ch2.latched": False})
    bench.values |= {"lake.temperature_k": 0.6, "lake.setpoint_k": 0.5}
    for k in (1, 2):
        bench.signals[f"snspd.ch{k}.clicks"] = lambda t_s: np.floor(1000.0 * t_s)
    bench.signals["Dev1/ctr0"] = lambda t_s: np.floor(1000.0 * t_s)
    bench.taggers["tagger"] = _comb
    return bench


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        stack.callback(Instrument.close_all)
        yield stack


def _comb(t_start_ps: int, t_stop_ps: int) -> TimeTags:
    t_ps = np.arange(-(-t_start_ps // 10**8) * 10**8, t_stop_ps, 10**8, dtype=np.int64)
    return TimeTags(t_ps, np.ones(len(t_ps), np.uint8))


def _world() -> Any:
    return mock.load_world({"preset": "single_er_cavity", "seed": 1})


# -- what there is -----------------------------------------------------------------------------------------------------


@maker("laser", "mock")
def _(bench: Bench, stack: ExitStack) -> Any:
    return mock.MockLaser("laser", _world())


@maker("laser", "santec")
def _(bench: Bench, stack: ExitStack) -> Any:
    host = stack.enter_context(TcpHost(SantecDevice(bench, "laser")))
    return SantecTsl("laser", host.visa_address, visalib="@py")


@maker("laser", "keysight")
def _(bench: Bench, stack: ExitStack) -> Any:
    host = stack.enter_context(TcpHost(Keysight816xDevice(bench)))
    return KeysightLaser("laser", host.visa_address, slot=1, visalib="@py")


@maker("laser", "toptica")
def _(bench: Bench, stack: ExitStack) -> Any:
    pytest.importorskip("toptica.lasersdk")
    from erbia.instruments.drivers.toptica_dlcpro import TopticaDlcPro

    host = stack.enter_context(DlcProHost(DlcProDevice(bench, "laser")))
    return TopticaDlcPro("laser", host.endpoint)


@maker("laser", "itla")
def _(bench: Bench, stack: ExitStack) -> Any:
    pytest.importorskip("serial")
    if not has_pseudo_terminals():
        pytest.skip("no pseudo terminals here")
    from erbia.instruments.drivers.itla import ItlaLaser

    host = stack.enter_context(SerialHost(ItlaDevice(bench, "laser")))
    laser = ItlaLaser("laser", host.path)
    stack.callback(laser.close)
    return laser


@maker("detector", "mock")
def _(bench: Bench, stack: ExitStack) -> Any:
    return mock.MockSnspd("snspd", _world())


@maker("detector", "websq")
def _(bench: Bench, stack: ExitStack) -> Any:
    host = stack.enter_context(WebSqHost(WebSqDevice(bench, "snspd", n_channels=2)))
    return SingleQuantumWebSq("snspd", host.endpoint, counts_port=host.counts.port, bias_slew_a_per_s=1e-3)


@maker("tagger", "mock")
def _(bench: Bench, stack: ExitStack) -> Any:
    return mock.MockTimeTagger("tagger", _world())


@maker("tagger", "swabian")
def _(bench: Bench, stack: ExitStack) -> Any:
    swabian_api.plug(bench, "tagger", "C1")
    stack.callback(swabian_api.unplug, "C1")
    return SwabianTimeTagger("tagger", "C1", module="erbia.instruments.emulators.swabian_api")


@maker("tagger", "id900")
def _(bench: Bench, stack: ExitStack) -> Any:
    pytest.importorskip("zmq")
    import socket

    from erbia.instruments.drivers.id900 import IdqTimeController
    from erbia.instruments.emulators.id900 import Id900Device, Id900Host

    host = stack.enter_context(Id900Host(Id900Device(bench, "tagger")))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return IdqTimeController("tagger", host.endpoint, datalink=host.datalink, channels=(1,), stream_ports=(port,))


@maker("tagger", "multiharp")
def _(bench: Bench, stack: ExitStack) -> Any:
    from erbia.instruments.drivers.picoquant_multiharp import PicoquantMultiHarp

    library = _built("fake_mhlib.c", stack)
    return PicoquantMultiHarp("tagger", library)


@maker("tagger", "replay")
def _(bench: Bench, stack: ExitStack) -> Any:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    np.save(folder / "tags.npy", np.arange(0, 2 * 10**12, 10**8, dtype=np.int64))
    return ReplayTagger("tagger", str(folder / "tags.npy"), pace=1.0)


def _built(source: str, stack: ExitStack) -> str:
    """A stand-in for a vendor's library, compiled here."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    library = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "lib.so"
    path = Path(__file__).parent / "drivers" / source
    subprocess.run([compiler, "-shared", "-fPIC", "-w", "-o", library, path], check=True)
    return str(library)


@maker("pulser", "mock")
def _(bench: Bench, stack: ExitStack) -> Any:
    return mock.MockPulseGenerator("pulser", _world())


@maker("pulser", "pulse streamer")
def _(bench: Bench, stack: ExitStack) -> Any:
    pytest.importorskip("pulsestreamer")
    from erbia.instruments.drivers.pulse_streamer import SwabianPulseStreamer
    from erbia.instruments.emulators.pulse_streamer import PulseStreamerDevice, PulseStreamerHost

    address = f"127.2.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 2}"  # the vendor's ports are fixed
    host = stack.enter_context(PulseStreamerHost(PulseStreamerDevice(bench, "pulser"), address))
    return SwabianPulseStreamer("pulser", host.endpoint, outputs={"excitation": "0", "gate": "1"})


@maker("memory", "mock")
def _(bench: Bench, stack: ExitStack) -> Any:
    return mock.MockErbiumMemory("alice_memory", _world())


@maker("memory", "composite")
def _(bench: Bench, stack: ExitStack) -> Any:
    daq = stack.enter_context(NiDaqServer(bench))
    for name, channel in {"electrode": "Dev1/ao0", "magnet": "Dev1/ao1"}.items():
        stack.callback(NiAnalogOutput(name, daq.endpoint, channel=channel, slew_rate_v_per_s=1e4).close)
    _lakeshore(bench, stack)
    calibration = {"zero_field_hz": 194.95e12, "stark_hz_per_v": 1e6, "zeeman_hz_per_t": 5e9}
    return ErbiumMemory(
        "memory",
        electrode="electrode.voltage",
        magnet="magnet.voltage",
        temperature="lake.A.temperature",
        calibration=calibration,
    )


@maker("temperature", "mock")
def _(bench: Bench, stack: ExitStack) -> Any:
    return mock.MockTemperatureController("cryostat", _world())


@maker("temperature", "lakeshore")
def _(bench: Bench, stack: ExitStack) -> Any:
    _lakeshore(bench, stack)
    return Cryostat("cryostat", temperature="lake.A.temperature", setpoint="lake.output_1.setpoint")


@maker("pair source", "mock")
def _(bench: Bench, stack: ExitStack) -> Any:
    return mock.MockPairSource("pair_source", _world())


@maker("pair source", "pumped")
def _(bench: Bench, stack: ExitStack) -> Any:
    host = stack.enter_context(TcpHost(SantecDevice(bench, "pump")))
    stack.callback(SantecTsl("pump", host.visa_address, visalib="@py").close)
    return PumpedPairSource("pair_source", emission="pump.emission", pump_power="pump.power", transmission=0.5)


@maker("wavemeter", "mock")
def _(bench: Bench, stack: ExitStack) -> Any:
    return mock.MockWavemeter("wavemeter", _world(), "laser")


@maker("wavemeter", "bristol")
def _(bench: Bench, stack: ExitStack) -> Any:
    bench.values |= {"wavemeter.frequency_hz": 194.95e12, "wavemeter.power_w": 1e-4}
    host = stack.enter_context(TcpHost(Bristol871Device(bench, "wavemeter")))
    return Bristol871("wavemeter", host.visa_address, visalib="@py")


@maker("wavemeter", "highfinesse")
def _(bench: Bench, stack: ExitStack) -> Any:
    return HighFinesseWlm("wavemeter", _built("fake_wlmdata.c", stack))


@maker("polarization", "mock")
def _(bench: Bench, stack: ExitStack) -> Any:
    return mock.MockPolarizationController("paddles", _world(), "alice_polarization")


@maker("polarization", "mpc320")
def _(bench: Bench, stack: ExitStack) -> Any:
    pytest.importorskip("serial")
    if not has_pseudo_terminals():
        pytest.skip("no pseudo terminals here")
    from erbia.instruments.drivers.thorlabs_mpc320 import ThorlabsMpc320

    host = stack.enter_context(SerialHost(Mpc320Device(bench, "paddles")))
    controller = ThorlabsMpc320("paddles", host.path)
    stack.callback(controller.close)
    return controller


@maker("power meter", "pm100d")
def _(bench: Bench, stack: ExitStack) -> Any:
    bench.set("meter.power_w", 3.25e-6)
    host = stack.enter_context(TcpHost(Pm100dDevice(bench, "meter")))
    return ThorlabsPm100d("meter", host.visa_address, visalib="@py")


@maker("attenuator", "keysight")
def _(bench: Bench, stack: ExitStack) -> Any:
    host = stack.enter_context(TcpHost(Keysight816xDevice(bench)))
    return KeysightAttenuator("voa", host.visa_address, slot=2, visalib="@py")


@maker("switch", "keysight")
def _(bench: Bench, stack: ExitStack) -> Any:
    host = stack.enter_context(TcpHost(Keysight816xDevice(bench)))
    return KeysightSwitch("switch", host.visa_address, slot=3, visalib="@py")


@maker("reference", "fs725")
def _(bench: Bench, stack: ExitStack) -> Any:
    if not has_pseudo_terminals():
        pytest.skip("no pseudo terminals here")
    bench.values |= {"rb.locked": True, "rb.pps_locked": False}
    host = stack.enter_context(SerialHost(LineFrames(Fs725Device(bench, "rb"))))
    rubidium = SrsFs725("rb", host.visa_address, visalib="@py")
    stack.callback(rubidium.close)
    return rubidium


def _lakeshore(bench: Bench, stack: ExitStack) -> None:
    host = stack.enter_context(TcpHost(LakeShore336Device(bench, "lake")))
    stack.callback(LakeshoreModel336("lake", host.visa_address, visalib="@py", device_clear=False).close)


# -- what each must do -------------------------------------------------------------------------------------------------


@each("laser")
def test_laser(make: Maker, bench: Bench, stack: ExitStack) -> None:
    laser = make(bench, stack)
    assert isinstance(laser, Laser)
    assert (laser.power.unit, laser.frequency.unit) == ("W", "Hz")
    assert laser.emission.get() is False
    for on in (True, False):
        laser.emission(on)
        assert laser.emission.get() is on
    laser.power(5e-3)
    assert laser.power.get() == pytest.approx(5e-3, rel=1e-3)
    laser.frequency(195.0e12)
    assert laser.frequency.get() == pytest.approx(195.0e12, abs=1e6)
    with pytest.raises(ValueError, match="frequency"):
        laser.frequency(1e12)
    with pytest.raises(ValueError, match="power"):
        laser.power(-1.0)
    _reading_changes_nothing(laser)


@each("detector")
def test_detector(make: Maker, bench: Bench, stack: ExitStack) -> None:
    detector = make(bench, stack)
    assert isinstance(detector, SinglePhotonDetector)
    channel = detector.channels[0]
    assert (channel.bias.unit, channel.count_rate.unit) == ("A", "Hz")
    channel.bias(15e-6)
    assert channel.bias.get() == pytest.approx(15e-6, rel=1e-3)
    assert channel.latched.get() is False
    channel.reset()
    assert channel.bias.get() == pytest.approx(15e-6, rel=1e-3)
    assert channel.count_rate.get() >= 0
    with pytest.raises(ValueError, match="bias"):
        channel.bias(1.0)
    _reading_changes_nothing(detector)


@each("tagger")
def test_tagger(make: Maker, bench: Bench, stack: ExitStack) -> None:
    tagger = make(bench, stack)
    assert isinstance(tagger, TimeTagger)
    tagger.start()
    started_s = time.monotonic()
    blocks = []
    while len(blocks) < 5 and not (isinstance(tagger, ReplayTagger) and tagger.finished.get()):
        asked_s = time.monotonic()
        blocks.append(tagger.read(5.0))
        if not isinstance(tagger, mock.MockTimeTagger | ReplayTagger):  # those have a time of their own
            # What was clicked before the call is in the block.
            assert blocks[-1].t_stop_ps > (asked_s - started_s - 0.001) * 1e12
        time.sleep(0.01)
    tagger.stop()
    assert all(a.t_stop_ps == b.t_start_ps for a, b in itertools.pairwise(blocks))
    for block in blocks:
        assert block.t_stop_ps >= block.t_start_ps
        assert not block.overflow
        assert np.all((block.tags.t_ps >= block.t_start_ps) & (block.tags.t_ps < block.t_stop_ps))
        assert np.all(np.diff(block.tags.t_ps) >= 0)


@each("pulser")
def test_pulser(make: Maker, bench: Bench, stack: ExitStack) -> None:
    pulser = make(bench, stack)
    assert isinstance(pulser, PulseGenerator)
    pulses = (Pulse("excitation", 1_000_000, 50_000), Pulse("gate", 2_000_000, 500_000))
    table = PulseTable(Segment(1_000_000), Segment(10_000_000, pulses), attempts_per_burst=10)
    assert pulser.running.get() is False
    pulser.load(table)
    pulser.arm()
    assert pulser.running.get() is False
    pulser.start()
    assert pulser.running.get() is True
    pulser.stop()
    assert pulser.running.get() is False
    for bad in (Pulse("excitation", 500, 50_000), Pulse("nowhere", 1_000_000, 50_000)):
        with pytest.raises(LimitError):
            pulser.load(PulseTable(Segment(1_000_000), Segment(10_000_000, (bad,)), 1))


@each("memory")
def test_memory(make: Maker, bench: Bench, stack: ExitStack) -> None:
    memory = make(bench, stack)
    assert isinstance(memory, QuantumMemory)
    units = {name: memory.parameters[name].unit for name in ("electrode_voltage", "magnetic_field", "temperature")}
    assert units == {"electrode_voltage": "V", "magnetic_field": "T", "temperature": "K"}
    memory.electrode_voltage(1.0)
    memory.magnetic_field(0.01)
    assert memory.electrode_voltage.get() == pytest.approx(1.0)
    assert memory.magnetic_field.get() == pytest.approx(0.01)
    before_hz = memory.resonance_frequency.get()
    memory.electrode_voltage(2.0)
    assert memory.resonance_frequency.get() != before_hz
    assert 0 < memory.temperature.get() < 320
    with pytest.raises(ValueError, match="electrode_voltage"):
        memory.electrode_voltage(11.0)
    _reading_changes_nothing(memory)


@each("temperature")
def test_temperature_controller(make: Maker, bench: Bench, stack: ExitStack) -> None:
    controller = make(bench, stack)
    assert isinstance(controller, TemperatureController)
    assert (controller.temperature.unit, controller.setpoint.unit) == ("K", "K")
    controller.setpoint(0.7)
    assert controller.setpoint.get() == pytest.approx(0.7)
    assert controller.temperature.get() > 0
    _reading_changes_nothing(controller)


@each("pair source")
def test_pair_source(make: Maker, bench: Bench, stack: ExitStack) -> None:
    source = make(bench, stack)
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
    _reading_changes_nothing(source)


@each("wavemeter")
def test_wavemeter(make: Maker, bench: Bench, stack: ExitStack) -> None:
    wavemeter = make(bench, stack)
    assert isinstance(wavemeter, Wavemeter)
    assert (wavemeter.frequency.unit, wavemeter.wavelength.unit) == ("Hz", "m")
    assert wavemeter.frequency.get() == pytest.approx(194.95e12, rel=1e-6)
    assert wavemeter.frequency.get() * wavemeter.wavelength.get() == pytest.approx(299_792_458.0, rel=1e-6)
    assert not wavemeter.frequency.settable
    _reading_changes_nothing(wavemeter)


@each("polarization")
def test_polarization_controller(make: Maker, bench: Bench, stack: ExitStack) -> None:
    controller = make(bench, stack)
    assert isinstance(controller, PolarizationController)
    for paddle, degrees in ((controller.angle1, 10.0), (controller.angle2, 45.0), (controller.angle3, 90.0)):
        paddle(degrees)
        assert paddle.get() == pytest.approx(degrees, abs=0.1)  # a step of the motor is an eighth of a degree
    with pytest.raises(ValueError, match="angle1"):
        controller.angle1(1000.0)
    _reading_changes_nothing(controller)


@each("power meter")
def test_power_meter(make: Maker, bench: Bench, stack: ExitStack) -> None:
    meter = make(bench, stack)
    assert isinstance(meter, PowerMeter)
    assert (meter.power.unit, meter.wavelength.unit) == ("W", "m")
    assert meter.power.get() == pytest.approx(3.25e-6, rel=1e-4)
    meter.wavelength(1537e-9)
    assert meter.wavelength.get() == pytest.approx(1537e-9, rel=1e-6)
    _reading_changes_nothing(meter)


@each("attenuator")
def test_attenuator(make: Maker, bench: Bench, stack: ExitStack) -> None:
    voa = make(bench, stack)
    assert isinstance(voa, Attenuator)
    assert voa.attenuation.unit == "dB"
    voa.attenuation(12.5)
    assert voa.attenuation.get() == pytest.approx(12.5, abs=1e-3)
    for is_open in (True, False):
        voa.shutter_open(is_open)
        assert voa.shutter_open.get() is is_open
    with pytest.raises(ValueError, match="attenuation"):
        voa.attenuation(-1.0)
    _reading_changes_nothing(voa)


@each("switch")
def test_optical_switch(make: Maker, bench: Bench, stack: ExitStack) -> None:
    switch = make(bench, stack)
    assert isinstance(switch, OpticalSwitch)
    for position in (2, 1):
        switch.position(position)
        assert switch.position.get() == position
    with pytest.raises((ValueError, TypeError), match="position"):
        switch.position(0)
    _reading_changes_nothing(switch)


@each("reference")
def test_frequency_reference(make: Maker, bench: Bench, stack: ExitStack) -> None:
    reference = make(bench, stack)
    assert isinstance(reference, FrequencyReference)
    assert reference.locked.get() is True
    reference.frequency_offset(5e-11)
    assert reference.frequency_offset.get() == pytest.approx(5e-11)
    _reading_changes_nothing(reference)


def test_herald_logic(bench: Bench, stack: ExitStack) -> None:
    pytest.importorskip("zmq")
    from erbia.instruments.drivers.id900 import IdqTimeController
    from erbia.instruments.emulators.id900 import Id900Device, Id900Host

    host = stack.enter_context(Id900Host(Id900Device(bench, "tagger")))
    logic = IdqTimeController("logic", host.endpoint, datalink=host.datalink, herald_inputs={"a": 1, "b": 2})
    assert isinstance(logic, HeraldLogic)
    logic.load_condition(HeraldCondition(("a", "b"), (1000, 5000), (7000, 9000), 300))
    assert bench.get("tagger.herald") == HeraldWindows((1000, 5000), (7000, 9000), 300)
    logic.load_condition(None)
    assert bench.get("tagger.herald") == HeraldWindows()


def test_analog_input(bench: Bench, stack: ExitStack) -> None:
    bench.set("Dev1/ai0", -2.75)
    daq = stack.enter_context(NiDaqServer(bench))
    monitor = NiAnalogInput("ai", daq.endpoint)
    assert isinstance(monitor, AnalogInput)
    assert (monitor.voltage.unit, monitor.voltage.get()) == ("V", -2.75)
    _reading_changes_nothing(monitor)


def test_analog_output_and_edge_counter(bench: Bench, stack: ExitStack) -> None:
    daq = stack.enter_context(NiDaqServer(bench))
    output, counter = NiAnalogOutput("ao", daq.endpoint), NiEdgeCounter("counter", daq.endpoint)
    assert isinstance(output, AnalogOutput)
    assert isinstance(counter, EdgeCounter)
    assert (output.voltage.unit, output.slew_rate.unit, counter.count_rate.unit) == ("V", "V/s", "Hz")
    output.voltage(0.5)
    assert output.voltage.get() == 0.5
    assert counter.count_rate.get() == pytest.approx(1000, rel=0.1)
    _reading_changes_nothing(output)


def test_digital_lines(bench: Bench, stack: ExitStack) -> None:
    daq = stack.enter_context(NiDaqServer(bench))
    lines = NiDigitalLines("lines", daq.endpoint, lines={"shutter": "Dev1/port0/line0", "flip": "Dev1/port0/line1"})
    assert isinstance(lines, DigitalLines)
    for level in (True, False, True):
        lines.shutter(level)
        assert bench.get("Dev1/port0/line0") is level
    lines.flip(False)
    assert bench.get("Dev1/port0/line0") is True, "setting one line leaves the others alone"
    with pytest.raises(TypeError):
        lines.shutter(2)
    _reading_changes_nothing(lines)


def _reading_changes_nothing(instrument: Any) -> None:
    """A snapshot with fresh readings twice gives the same settings."""

    def settings() -> dict[str, Any]:
        instrument.snapshot(update=True)
        return {name: p.cache.get(False) for name, p in instrument.parameters.items() if p.settable}

    assert settings() == settings()


#: Units every instrument of a class shows, whoever made it.
UNITS: dict[Any, dict[str, str]] = {
    Laser: {"power": "W", "frequency": "Hz"},
    QuantumMemory: {"electrode_voltage": "V", "magnetic_field": "T", "temperature": "K"},
    TemperatureController: {"temperature": "K", "setpoint": "K"},
    PairSource: {"pump_power": "W"},
    Attenuator: {"attenuation": "dB"},
    PowerMeter: {"power": "W", "wavelength": "m"},
    Wavemeter: {"frequency": "Hz", "wavelength": "m"},
    AnalogOutput: {"voltage": "V", "slew_rate": "V/s"},
    EdgeCounter: {"count_rate": "Hz", "integration_time": "s"},
}


@pytest.mark.hardware
def test_a_real_station_reads_without_effect_and_keeps_its_units() -> None:
    """Run with ERBIA_STATION=my_lab.yaml pytest -m hardware: beyond the file's initial values nothing is set."""
    path = os.environ.get("ERBIA_STATION")
    if path is None:
        pytest.skip("set ERBIA_STATION to a station file")
    lab = load(path)
    try:
        for name in lab.file.instruments:
            instrument = lab.instrument(name)
            for protocol, expected in UNITS.items():
                if isinstance(instrument, protocol):
                    assert {key: instrument.parameters[key].unit for key in expected} == expected, name
            for channel in getattr(instrument, "channels", ()):
                if hasattr(channel, "bias"):
                    assert (channel.bias.unit, channel.count_rate.unit) == ("A", "Hz")
            _reading_changes_nothing(instrument)
            if isinstance(instrument, TimeTagger):
                _blocks_follow(instrument)
    finally:
        lab.close()


def _blocks_follow(tagger: Any) -> None:
    """A second of blocks, one after the other without gap, every tag in its block and in order."""
    tagger.start()
    blocks = [tagger.read(10.0) for _ in range(3)]
    tagger.stop()
    assert all(a.t_stop_ps == b.t_start_ps for a, b in itertools.pairwise(blocks))
    for block in blocks:
        assert np.all((block.tags.t_ps >= block.t_start_ps) & (block.tags.t_ps < block.t_stop_ps))
        assert np.all(np.diff(block.tags.t_ps) >= 0)
