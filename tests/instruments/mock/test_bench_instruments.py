"""The small instruments around the simulated lab act on its physics: light, voltages, clicks, clocks, heralds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from qcodes.instrument import Instrument

from erbia.instruments import mock
from erbia.instruments.errors import ConfigError
from erbia.instruments.interfaces import HeraldCondition, Pulse, PulseTable, Segment
from erbia.instruments.station import load
from erbia.instruments.twin import World
from erbia.sequences.doctor import examine


@pytest.fixture
def world() -> Iterator[World]:
    yield mock.load_world({"preset": "single_er_cavity", "seed": 3})
    Instrument.close_all()


def _shine(world: World, power_w: float = 1e-3) -> None:
    world.set("laser", "power", power_w)
    world.set("laser", "emission", 1.0)


def test_the_power_meter_reads_what_the_attenuator_lets_through_with_its_noise(world: World) -> None:
    _shine(world)
    meter, voa = mock.MockPowerMeter("meter", world), mock.MockAttenuator("voa", world)
    voa.attenuation(20.0)
    read_w = np.array([meter.power.get() for _ in range(400)])
    # The mean of 400 readings of 0.1 % noise is good to 5e-5; five of that, and the chi-square of 399 at 1e-6.
    assert read_w.mean() == pytest.approx(1e-5, rel=2.5e-4)
    assert 0.8e-8 < read_w.std(ddof=1) < 1.2e-8
    voa.shutter_open(False)
    assert abs(meter.power.get()) < 1e-9


def test_attenuator_shutter_and_switch_act_on_what_the_memories_get(world: World) -> None:
    _shine(world)
    voa, switch = mock.MockAttenuator("voa", world), mock.MockOpticalSwitch("switch", world)
    world.set("alice_memory", "electrode_voltage", 0.0)
    full = world.conditions.excitation_probability(0, 50_000, 1.0)
    assert full > 0
    voa.attenuation(10.0)
    # Far below a pi pulse sin² is the square of the angle: a tenth of the power, about a tenth of the excitation.
    assert 0.05 < world.conditions.excitation_probability(0, 50_000, 1.0) / full < 0.5
    switch.position(2)
    assert world.conditions.excitation_probability(0, 50_000, 1.0) == 0.0
    assert mock.MockPowerMeter("meter", world).power.get() == pytest.approx(1e-4, rel=0.01)
    switch.position(1)
    voa.shutter_open(False)
    assert not world.conditions.lit


def test_an_analog_output_moves_the_line_at_its_slew_rate(world: World) -> None:
    output = mock.MockAnalogOutput("electrode", world, "alice_memory", slew_rate_v_per_s=10.0)
    memory = mock.MockErbiumMemory("alice_memory", world)
    before_hz, before_ps = memory.resonance_frequency.get(), world.now_ps
    output.voltage(2.0)
    assert memory.electrode_voltage.get() == 2.0
    assert memory.resonance_frequency.get() - before_hz == pytest.approx(2 * 1.3e6, rel=0.01)
    assert world.now_ps - before_ps == pytest.approx(0.2e12, abs=0.006e12)


def test_an_analog_input_monitors_an_electrode_in_steps_of_its_converter(world: World) -> None:
    world.set("alice_memory", "electrode_voltage", 1.23456789)
    monitor = mock.MockAnalogInput("ai", world, "alice_memory", quantity="electrode_voltage", volts_per_unit=1.0)
    assert monitor.voltage.get() == pytest.approx(1.23456789, abs=10 / 2**16)
    assert monitor.voltage.get() % (20 / 2**16) == 0
    world.set("alice_memory", "electrode_voltage", 50.0)
    assert 9.99 < monitor.voltage.get() < 10


def test_a_counter_counts_the_very_clicks_the_tagger_records(world: World) -> None:
    world.set("snspd.ch1", "bias", 18e-6)
    world.set("light_source", "emission", 1.0)
    world.set("light_source", "rate", 1e5)
    world.advance(10**10)  # so that both begin in steady light
    tagger = mock.MockTimeTagger("tagger", world)
    tagger.start()
    counter = mock.MockEdgeCounter("counter", world, "snspd.ch1")
    rate_hz = counter.count_rate.get()
    recorded = len(tagger.read(1.0).tags.on(1))
    assert recorded > 1000
    # The tagger's dead time and the 2 µs by which the lab is ahead of its clock make a click or two of difference.
    assert counter.counts.get() == pytest.approx(recorded, abs=10)
    assert rate_hz == pytest.approx(recorded / 0.1, abs=100)


def test_a_reference_sets_its_clock_and_tells_a_lost_lock() -> None:
    lost = {"kind": "lost_reference", "component": "alice_tagger", "at_s": 3.0, "size": 1e-9}
    overrides = {"faults": [lost], "clocks": {"alice": {"skew": 0.0}}}
    world = mock.load_world({"preset": "single_er_cavity", "seed": 3, "overrides": overrides})
    reference = mock.MockFrequencyReference("rb", world, "alice_tagger")
    skew = world.clock_line("alice_tagger")[1]
    reference.frequency_offset(1e-9)
    world.advance(2 * 10**12)
    assert world.clock_line("alice_tagger")[1] - skew == pytest.approx(1e-9, rel=0.5)
    assert reference.locked.get() is True
    world.advance(2 * 10**12)
    assert reference.locked.get() is False
    Instrument.close_all()


def test_herald_logic_changes_what_decides_without_stopping_the_pulses(world: World) -> None:
    pulser, logic = mock.MockPulseGenerator("pulser", world), mock.MockHeraldLogic("logic", world)
    logic.load_condition(None)  # nothing loaded: nothing to decide on
    pulser.load(PulseTable(Segment(0), Segment(10_000_000, (Pulse("gate", 0, 10_000),)), 10, bursts=0))
    pulser.arm()
    pulser.start()
    logic.load_condition(HeraldCondition(("snspd.ch1", "snspd.ch2"), (0, 1000), (0, 0)))
    assert pulser.running.get() is True
    assert world.program is not None
    assert world.program.rule is not None


def test_what_is_wired_to_nothing_is_refused(world: World) -> None:
    with pytest.raises(ConfigError, match=r"no attenuator\.nothing"):
        mock.MockDigitalLines("lines", world, lines={"a": "attenuator.nothing"})
    with pytest.raises(ConfigError, match=r"no nobody\.voltage"):
        mock.MockAnalogOutput("ao", world, "nobody", quantity="voltage")
    with pytest.raises(ConfigError, match=r"no snspd\.ch9"):
        mock.MockEdgeCounter("counter", world, "snspd.ch9")


def test_the_page_on_mocks_loads_as_a_station(tmp_path: Path) -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "instruments" / "mocks.md"
    (yaml,) = [block.split("```")[0] for block in page.read_text(encoding="utf-8").split("```yaml\n")[1:]]
    station = tmp_path / "station.yaml"
    station.write_text(yaml + "twin: {preset: single_er_cavity}\n", encoding="utf-8")
    lab = load(station)
    lab.station.voa.attenuation(3.0)
    lab.station.laser.power(1e-3)
    lab.station.laser.emission(True)
    assert lab.station.power_meter.power.get() == pytest.approx(0.5e-3, rel=0.01)
    assert lab.station.photodiode.voltage.get() == pytest.approx(0.5, rel=0.01)
    lab.station.lines.shutter(False)
    assert lab.station.voa.shutter_open.get() is False
    lab.close()
    listed = {check.name: check.detail for check in examine(str(station))}
    assert "SIMULATED" in listed["voa"]
    assert {"switch", "power_meter", "photodiode", "electrode", "counter", "lines", "rubidium", "logic"} <= set(listed)
