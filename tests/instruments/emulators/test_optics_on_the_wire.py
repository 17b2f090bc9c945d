"""Optics, meters and references on the wire act on the same parts of the simulated lab as the mocks do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from qcodes.instrument import Instrument

from erbia.instruments.drivers.keysight_816x import KeysightAttenuator, KeysightSwitch
from erbia.instruments.drivers.ni_inputs import NiAnalogInput
from erbia.instruments.drivers.thorlabs_pm100d import ThorlabsPm100d
from erbia.instruments.emulators.dlcpro import DlcProDevice
from erbia.instruments.emulators.fs725 import Fs725Device
from erbia.instruments.emulators.serve import serve
from erbia.instruments.emulators.wiring import wires_of
from erbia.instruments.emulators.world_ports import WorldPorts
from erbia.instruments.mock import load_world
from erbia.instruments.station_file import StationFile
from erbia.instruments.twin import World

DRIVERS = "erbia.instruments.drivers"
FRAME, METER, DAQ = "TCPIP::127.52.17.7::5025::SOCKET", "TCPIP::127.52.17.8::5025::SOCKET", "127.52.17.9:31763"
PY = {"visalib": "@py"}
STATION: dict[str, Any] = {
    "instruments": {
        "voa": {"type": f"{DRIVERS}.keysight_816x.KeysightAttenuator", "address": FRAME, "init": {**PY, "slot": 2}},
        "router": {"type": f"{DRIVERS}.keysight_816x.KeysightSwitch", "address": FRAME, "init": {**PY, "slot": 3}},
        "meter": {"type": f"{DRIVERS}.thorlabs_pm100d.ThorlabsPm100d", "address": METER, "init": PY},
        "photodiode": {
            "type": f"{DRIVERS}.ni_inputs.NiAnalogInput",
            "address": DAQ,
            "init": {"channels": ["Dev1/ai3"]},
        },
    },
    "twin": {
        "preset": "single_er_cavity",
        "components": {"voa": "attenuator", "router": "switch", "meter": "laser", "photodiode": "laser"},
    },
}


@pytest.fixture
def world() -> World:
    world = load_world({"preset": "single_er_cavity", "seed": 4})
    world.set("laser", "power", 1e-3)
    world.set("laser", "emission", 1.0)
    return world


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        stack.callback(Instrument.close_all)
        yield stack


def test_attenuator_switch_meter_and_photodiode(world: World, stack: ExitStack) -> None:
    file = StationFile.model_validate(STATION)
    ports = WorldPorts(world, wires_of(file))
    stack.enter_context(serve({n: s.model_dump() for n, s in file.instruments.items()}, ports))
    assert world.get("laser", "emission") == 1.0, "a mainframe without a laser leaves the lab's laser alone"
    voa = KeysightAttenuator("voa", FRAME, slot=2, **PY)
    router = KeysightSwitch("router", FRAME, slot=3, **PY)
    meter, photodiode = ThorlabsPm100d("meter", METER, **PY), NiAnalogInput("photodiode", DAQ, channels=["Dev1/ai3"])
    assert not world.conditions.lit, "its output is closed after switching on"
    voa.shutter_open(True)
    voa.attenuation(10.0)
    meter.averages(10)
    assert meter.power() == pytest.approx(1e-4, rel=0.01)
    assert photodiode.voltage() == pytest.approx(0.1, rel=0.01)
    assert world.conditions.laser_w == pytest.approx(1e-4)
    router.position(2)
    assert not world.conditions.lit
    assert meter.power() == pytest.approx(1e-4, rel=0.01)


def test_the_lock_of_a_laser_is_the_labs_and_a_lost_one_is_seen() -> None:
    lost = {"kind": "lock_loss", "component": "laser", "at_s": 1.0, "size": 1e6}
    world = load_world({"preset": "single_er_cavity", "seed": 4, "overrides": {"faults": [lost]}})
    now_s = [0.0]
    laser = DlcProDevice(WorldPorts(world, clock=lambda: now_s[0]), "laser")
    laser.answer("(param-set! 'laser1:dl:lock:lock-enabled #t)")
    assert world.get("laser", "lock") == 1.0
    assert laser.value("laser1:dl:lock:state-txt") == "Locked"
    for _ in range(8):  # the lab is never far behind
        now_s[0] += 0.2
        laser.value("laser1:dl:lock:state-txt")
    assert laser.value("laser1:dl:lock:state-txt") == "Idle"
    assert world.get("laser", "true_frequency") - world.get("laser", "frequency") == pytest.approx(1e6)


def test_a_rubidium_standard_is_the_clock_of_its_node() -> None:
    lost = {"kind": "lost_reference", "component": "alice_tagger", "at_s": 2.0, "size": 1e-9}
    world = load_world({"preset": "single_er_cavity", "seed": 4, "overrides": {"faults": [lost]}})
    file = StationFile.model_validate(
        {
            "instruments": {"rb": {"type": f"{DRIVERS}.srs_fs725.SrsFs725", "address": "ASRL/dev/nothing::INSTR"}},
            "twin": {"preset": "single_er_cavity", "components": {"rb": "alice_tagger"}},
        }
    )
    now_s = [0.0]
    rubidium = Fs725Device(WorldPorts(world, wires_of(file), clock=lambda: now_s[0]), "rb")
    rubidium.answer("SF 1000")
    assert world.get("alice_tagger", "frequency_offset") == pytest.approx(1e-9)
    assert rubidium.answer("LO?") == "1"
    for _ in range(12):  # the lab is never far behind
        now_s[0] += 0.2
        rubidium.answer("LO?")
    assert rubidium.answer("LO?") == "0"
