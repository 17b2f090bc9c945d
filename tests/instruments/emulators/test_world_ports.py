"""Real drivers, on the wire, in the simulated lab: the same knobs the mocks turn, the same clicks they hand out."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest
from qcodes.instrument import Instrument
from qcodes.instrument_drivers.Lakeshore import LakeshoreModel336

from erbia.analysis.records import TimeTags
from erbia.instruments import mock
from erbia.instruments.drivers.composites import Cryostat
from erbia.instruments.drivers.ni_analog_output import NiAnalogOutput
from erbia.instruments.drivers.santec_tsl import SantecTsl
from erbia.instruments.drivers.single_quantum import SingleQuantumWebSq
from erbia.instruments.emulators.lakeshore336 import LakeShore336Device
from erbia.instruments.emulators.nidaqmx_server import NiDaqServer
from erbia.instruments.emulators.santec import SantecDevice
from erbia.instruments.emulators.tcp import TcpHost
from erbia.instruments.emulators.websq import WebSqDevice, WebSqHost
from erbia.instruments.emulators.world_ports import AnalogWire, Wires, WorldPorts
from erbia.instruments.twin import World


@pytest.fixture
def world() -> World:
    return mock.load_world({"preset": "single_er_cavity", "seed": 1})


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        stack.callback(Instrument.close_all)
        yield stack


def test_what_a_driver_sets_is_what_the_mock_shows(world: World, stack: ExitStack) -> None:
    ports = WorldPorts(
        world, Wires({"lake": "cryostat"}, analog={"Dev1/ao0": AnalogWire("alice_memory", "electrode_voltage", 2.0)})
    )
    shown, memory = mock.MockLaser("shown", world, "laser"), mock.MockErbiumMemory("alice_memory", world)
    laser_host = stack.enter_context(TcpHost(SantecDevice(ports, "laser")))
    laser = SantecTsl("laser", laser_host.visa_address, visalib="@py")
    laser.emission(True)
    laser.power(2e-3)
    laser.frequency(194.951e12)
    assert shown.emission.get() is True
    assert shown.power.get() == pytest.approx(2e-3, rel=1e-4)
    assert shown.frequency.get() == pytest.approx(194.951e12, abs=1e6)

    daq = stack.enter_context(NiDaqServer(ports))
    electrode = NiAnalogOutput("electrode", daq.endpoint, slew_rate_v_per_s=1e4)
    electrode.voltage(0.75)
    assert memory.electrode_voltage.get() == pytest.approx(1.5)

    lake_host = stack.enter_context(TcpHost(LakeShore336Device(ports, "lake")))
    lake = LakeshoreModel336("lake", lake_host.visa_address, visalib="@py", device_clear=False)
    cryostat = Cryostat("cold", temperature="lake.A.temperature", setpoint="lake.output_1.setpoint")
    cryostat.setpoint(0.7)
    assert cryostat.setpoint.get() == pytest.approx(0.7)
    assert world.get("cryostat", "setpoint") == pytest.approx(0.7)
    assert lake.A.temperature() == pytest.approx(world.get("cryostat", "temperature"), abs=0.05)


def test_detectors_are_the_worlds(world: World, stack: ExitStack) -> None:
    host = stack.enter_context(WebSqHost(WebSqDevice(WorldPorts(world), "snspd", n_channels=4)))
    snspd = SingleQuantumWebSq("snspd", host.endpoint, counts_port=host.counts.port, bias_slew_a_per_s=1e-3)
    snspd.enabled(True)
    snspd.ch3.bias(18e-6)
    assert world.get("snspd.ch3", "bias") == pytest.approx(18e-6)
    world.set("pair_source", "pump_power", 10e-3)
    world.set("pair_source", "emission", 1.0)
    assert snspd.ch3.count_rate() == pytest.approx(world.expected_rate_hz("ch3"), rel=0.05)
    world.set("snspd.ch3", "latched", 1.0)
    assert snspd.ch3.latched() is True


def test_tags_come_on_the_taggers_own_clock_none_lost(world: World, stack: ExitStack) -> None:
    pytest.importorskip("zmq")
    from erbia.instruments.drivers.id900 import IdqTimeController
    from erbia.instruments.emulators.id900 import Id900Device, Id900Host

    world.set("snspd.ch3", "bias", 18e-6)
    world.set("pair_source", "pump_power", 10e-3)
    world.set("pair_source", "emission", 1.0)
    host = stack.enter_context(Id900Host(Id900Device(WorldPorts(world), "alice_tagger")))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tagger = IdqTimeController(
        "tagger", host.endpoint, datalink=host.datalink, channels=(1,), stream_ports=(port,), timeout=30.0
    )
    tagger.start()
    blocks = []
    while not blocks or blocks[-1].t_stop_ps < 10**12:
        blocks.append(tagger.read(30.0))
        time.sleep(0.02)
    tagger.stop()
    assert not any(block.overflow for block in blocks)
    tags = TimeTags.concatenate(block.tags for block in blocks)
    expected = world.expected_rate_hz("ch3") * blocks[-1].t_stop_ps * 1e-12
    # five standard deviations of a Poisson count: false alarm 6e-7
    assert abs(len(tags) - expected) < 5 * np.sqrt(expected) + 0.02 * expected
    assert np.all(np.diff(tags.t_ps) >= 0)
