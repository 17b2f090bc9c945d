"""The wires of a lab are read from its station file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from erbia.instruments.emulators.ports import Waveform
from erbia.instruments.emulators.wiring import wires_of
from erbia.instruments.emulators.world_ports import AnalogWire, WorldPorts
from erbia.instruments.errors import ConfigError
from erbia.instruments.mock import load_world
from erbia.instruments.station_file import StationFile, find_station, read_station

DRIVERS = "erbia.instruments.drivers"


def test_the_wire_lab() -> None:
    wires = wires_of(read_station(find_station("wire_lab")))
    assert wires.components == {"lakeshore": "cryostat", "wavemeter": "laser"}
    assert wires.knobs["pump.power_w"] == ("pair_source", "pump_power")
    assert wires.analog["Dev1/ao3"] == AnalogWire("bob_memory", "magnetic_field", 0.1)
    assert wires.inputs["alice_tagger"] == {1: 1, 3: 0, 4: 7}
    pulser = wires.pulsers["pulser"]
    assert pulser.switches == {"alice_readout": "Dev1/port0/line0", "bob_readout": "Dev1/port0/line1"}
    assert pulser.herald_logic == "tagger"


def _file(**more: Any) -> StationFile:
    instruments = {
        "snspd": {"type": f"{DRIVERS}.single_quantum.SingleQuantumWebSq", "address": "127.0.0.2"},
        "counter": {
            "type": f"{DRIVERS}.ni_counter.NiEdgeCounter", "address": "127.0.0.3:1", "init": {"terminal": "/Dev1/PFI8"},
        },
        "pulser": {"type": f"{DRIVERS}.pulse_streamer.SwabianPulseStreamer", "address": "127.0.0.4", **more},
    }  # fmt: skip
    link = {"source": "snspd.ch3", "target": "counter.input", "kind": "electrical"}
    return StationFile.model_validate({"instruments": instruments, "wiring": [link]})


def test_a_counter_wired_to_a_detector_counts_its_clicks_exactly() -> None:
    wires = wires_of(_file())
    assert wires.counters == {"Dev1/PFI8": "ch3"}
    now_s = [0.0]
    world = load_world({"preset": "single_er_cavity", "seed": 2})
    ports = WorldPorts(world, wires, clock=lambda: now_s[0])
    for component, quantity, value in (
        ("snspd.ch3", "bias", 18e-6), ("pair_source", "pump_power", 10e-3), ("pair_source", "emission", 1.0),
    ):  # fmt: skip
        world.set(component, quantity, value)
    counts = []
    for now_s[0] in np.arange(1, 41) / 10:
        counts.append(int(ports.sample("Dev1/PFI8", np.array([now_s[0]]))[0]))
    block = world.read_tagger("alice_tagger", 0)
    assert len(block.tags) == 0  # the ports have taken them all
    assert counts == sorted(counts)
    assert counts[-1] == pytest.approx(4 * world.expected_rate_hz("ch3"), rel=0.01)
    tagged = ports.clicks("alice_tagger", ports.tagger_now_ps("alice_tagger") - 10**12, 10**15).on(1)
    times_s = np.array([3.5, 4.0])
    within = ports.sample("Dev1/PFI8", times_s)
    offset_ps = ports.tagger_now_ps("alice_tagger") - 4 * 10**12
    assert np.diff(within)[0] == np.count_nonzero((tagged >= 3.5e12 + offset_ps) & (tagged < 4e12 + offset_ps))


def test_a_lab_that_cannot_keep_up_goes_slower_and_never_backwards() -> None:
    wall_s = [0.0]
    world = load_world({"preset": "single_er_cavity"})
    ports = WorldPorts(world, pace=2.0, clock=lambda: wall_s[0])
    wall_s[0] = 0.1
    ports.tick()
    assert world.now_ps == pytest.approx(0.2e12, rel=1e-6)
    wall_s[0] = 60.1  # the computer was busy for a minute
    before_s = ports.now_s()
    ports.tick()
    assert before_s <= ports.now_s() + 1e-9
    assert world.now_ps == pytest.approx(0.45e12, rel=1e-6)  # a quarter of a second further, no more
    wall_s[0] = 60.2
    ports.tick()
    ports.tick()
    assert 0.65e12 <= world.now_ps <= 0.96e12
    assert ports.now_s() >= before_s


def test_a_wavemeter_sees_light_only_while_the_laser_is_on() -> None:
    world = load_world({"preset": "single_er_cavity"})
    ports = WorldPorts(world, wires_of(read_station(find_station("wire_lab"))))
    ports.set("laser.power_w", 2e-3)
    ports.set("laser.frequency_hz", 194.96e12)
    assert ports.get("wavemeter.power_w") == 0.0
    ports.set("laser.emission", True)
    assert ports.get("wavemeter.power_w") == pytest.approx(2e-3)
    assert ports.get("wavemeter.frequency_hz") == pytest.approx(194.96e12, rel=1e-6)
    ports.set("Dev1/ao1", Waveform(np.array([1.0, 2.0]), 1.0, ports.now_s() + 100))
    assert world.get("bob_memory", "electrode_voltage") == 1.0


def test_a_switch_that_is_no_line_is_said() -> None:
    with pytest.raises(ConfigError, match=r"'lines.alice' is no digital line"):
        wires_of(_file(init={"outputs": {}, "switches": {"alice_readout": "lines.alice"}}))
