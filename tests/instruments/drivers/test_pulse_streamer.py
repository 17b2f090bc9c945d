"""SwabianPulseStreamer through the vendor's client, against the emulated device."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from qcodes.instrument import Instrument

from erbia.instruments.emulators.ports import Bench, PulseProgram
from erbia.instruments.emulators.wire import Fault
from erbia.instruments.errors import BadReply, ConnectionLost, InstrumentError, LimitError
from erbia.instruments.interfaces import HeraldCondition, Pulse, PulseGenerator, PulseTable, Segment
from erbia.instruments.pulse_steps import PhaseOutput, Wiring, burst_steps, segment_steps
from erbia.instruments.shapes import Gaussian

pytest.importorskip("pulsestreamer")
from erbia.instruments.drivers.pulse_streamer import SwabianPulseStreamer
from erbia.instruments.emulators.pulse_streamer import PulseStreamerDevice, PulseStreamerHost

OUTPUTS = {"sync": "0", "excitation": "A0", "gate": "3"}
TABLE = PulseTable(
    header=Segment(1_000_000, (Pulse("sync", 0, 100_000),)),
    attempt=Segment(
        500_000,
        (Pulse("excitation", 100_000, 50_000, amplitude=0.5), Pulse("gate", 200_000, 250_000)),
    ),
    attempts_per_burst=20,
    bursts=3,
)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def host(bench: Bench) -> Iterator[PulseStreamerHost]:
    # The vendor's ports are fixed, so every process takes a loopback address of its own.
    with PulseStreamerHost(
        PulseStreamerDevice(bench, "pulser"), f"127.1.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 2}"
    ) as host:
        yield host


@pytest.fixture
def pulser(host: PulseStreamerHost) -> SwabianPulseStreamer:
    return SwabianPulseStreamer("pulser", host.endpoint, outputs=OUTPUTS, timeout=0.4)


def _program(bench: Bench) -> PulseProgram:
    program = bench.get("pulser.program")
    assert isinstance(program, PulseProgram)
    return program


def test_it_is_a_pulse_generator(pulser: SwabianPulseStreamer) -> None:
    assert isinstance(pulser, PulseGenerator)
    assert pulser.get_idn()["firmware"] == "2.1.2"


def test_steps_say_what_the_table_says() -> None:
    """Every output at every nanosecond, compared with the table read pulse by pulse."""
    rng = np.random.default_rng(3)
    wiring = Wiring(OUTPUTS, {"excitation": PhaseOutput("A1", 0.1)})
    for _ in range(50):
        pulses = tuple(
            Pulse(
                str(rng.choice(["sync", "gate", "excitation"])),
                start_ps=int(rng.integers(0, 50)) * 1000,
                duration_ps=int(rng.integers(1, 50)) * 1000,
                amplitude=0.2,
                phase_rad=0.0,
            )
            for _ in range(4)
        )
        steps = segment_steps(Segment(100_000, pulses), wiring, 1000, "p")
        digital = np.repeat(steps.digital, steps.duration_ps // 1000)
        analog = np.repeat(steps.analog_v[:, 0], steps.duration_ps // 1000)
        assert len(digital) == 100
        for t_ns in range(100):
            on = [p for p in pulses if p.start_ps <= 1000 * t_ns < p.start_ps + p.duration_ps]
            assert bool(digital[t_ns] & 1) == any(p.channel == "sync" for p in on)
            assert bool(digital[t_ns] & 8) == any(p.channel == "gate" for p in on)
            assert analog[t_ns] == pytest.approx(0.2 * sum(p.channel == "excitation" for p in on))


def test_a_gaussian_is_sampled_and_a_phase_goes_to_its_modulator() -> None:
    wiring = Wiring(OUTPUTS, {"excitation": PhaseOutput("A1", 0.1)})
    pulse = Pulse("excitation", 10_000, 60_000, 0.8, phase_rad=2.0, shape=Gaussian())
    steps = segment_steps(Segment(100_000, (pulse,)), wiring, 1000, "p")
    analog = np.repeat(steps.analog_v, steps.duration_ps // 1000, axis=0)
    assert analog[:, 0].max() == pytest.approx(0.8, rel=2e-3)
    assert analog[40, 0] == analog[39, 0] == analog[:, 0].max()
    assert analog[20, 0] == pytest.approx(0.8 * np.exp(-0.5 * (19.5 / 10) ** 2))
    assert set(np.unique(analog[:, 1])) == {0.0, 0.2}


def test_a_burst_is_the_header_and_its_attempts() -> None:
    steps = burst_steps(TABLE, Wiring(OUTPUTS, {}), 1000, "p")
    assert steps.duration_ps.sum() == 1_000_000 + 20 * 500_000


def test_nothing_plays_before_start_and_the_world_gets_the_decoded_steps(
    pulser: SwabianPulseStreamer, bench: Bench
) -> None:
    pulser.load(TABLE)
    pulser.arm()
    assert _program(bench).slots == ()
    assert pulser.running() is False
    before_s = bench.now_s()
    pulser.start()
    program = _program(bench)
    assert before_s <= program.t_start_s <= bench.now_s()
    expected = burst_steps(TABLE, Wiring(OUTPUTS, {}), 1000, "p")
    (slot,) = program.slots
    assert slot.runs == 3
    np.testing.assert_array_equal(1000 * slot.duration_ns, expected.duration_ps)
    np.testing.assert_array_equal(slot.digital, expected.digital)
    np.testing.assert_allclose(slot.analog_v, expected.analog_v, atol=1 / 0x7FFF)


def test_it_runs_until_stopped_and_can_be_armed_again(pulser: SwabianPulseStreamer, bench: Bench) -> None:
    endless = PulseTable(TABLE.header, TABLE.attempt, 20)
    pulser.load(endless)
    pulser.start()
    time.sleep(0.02)
    assert pulser.running() is True
    pulser.stop()
    assert pulser.running() is False
    assert bench.get("pulser.constant") == 0
    pulser.arm()
    pulser.start()
    assert pulser.running() is True


def test_starting_with_nothing_to_play_is_an_error(pulser: SwabianPulseStreamer) -> None:
    with pytest.raises(InstrumentError, match="nothing is loaded"):
        pulser.arm()
    with pytest.raises(InstrumentError, match="did not start"):
        pulser.start()


def test_a_herald_condition_needs_herald_logic_and_uses_two_slots(host: PulseStreamerHost, bench: Bench) -> None:
    class Logic(Instrument):
        def load_condition(self, condition: Any) -> None:
            self.condition = condition

    condition = HeraldCondition(("A", "B"), (0, 1000), (2000, 3000), 500)
    branching = PulseTable(
        TABLE.header, TABLE.attempt, 20, condition, on_herald=Segment(200_000, (Pulse("gate", 0, 100_000),))
    )
    alone = SwabianPulseStreamer("alone", host.endpoint, outputs=OUTPUTS, timeout=0.4)
    with pytest.raises(LimitError, match="cannot decide on heralds by itself"):
        alone.load(branching)
    logic = Logic("logic")
    pulser = SwabianPulseStreamer("pulser", host.endpoint, outputs=OUTPUTS, herald_logic="logic", timeout=0.4)
    pulser.load(branching)
    assert logic.condition == condition
    pulser.start()
    burst, herald = _program(bench).slots
    assert burst.runs == -1
    assert herald.runs == 1
    assert herald.duration_ns.sum() == 200


@pytest.mark.parametrize(
    ("segment", "text"),
    [
        (Segment(1_000_500), "not on the grid of 1000 ps"),
        (Segment(1_000_000, (Pulse("nowhere", 0, 1000),)), "no output for channel 'nowhere'"),
        (Segment(1_000_000, (Pulse("sync", 999_000, 2000),)), "leaves its segment"),
        (Segment(1_000_000, (Pulse("excitation", 0, 1000, phase_rad=1.0),)), "has a phase"),
        (Segment(1_000_000, (Pulse("excitation", 0, 1000, amplitude=1.2),)), "at most 1 V"),
    ],
)
def test_what_the_device_cannot_do_is_said_before_anything_is_sent(
    pulser: SwabianPulseStreamer, host: PulseStreamerHost, segment: Segment, text: str
) -> None:
    host.device.trace.clear()
    with pytest.raises(LimitError, match=text):
        pulser.load(PulseTable(segment, TABLE.attempt, 1))
    assert host.device.trace.messages() == []


def test_too_many_steps_are_refused(pulser: SwabianPulseStreamer) -> None:
    with pytest.raises(LimitError, match="the memory holds 2000000"):
        pulser.load(PulseTable(TABLE.header, TABLE.attempt, 600_000))


def test_reading_everything_changes_nothing(pulser: SwabianPulseStreamer, host: PulseStreamerHost) -> None:
    host.device.trace.clear()
    pulser.snapshot(update=True)
    assert all(message.startswith(("get", "is")) for message in host.device.trace.messages())


def test_a_silent_device_costs_one_timeout(pulser: SwabianPulseStreamer, host: PulseStreamerHost) -> None:
    host.device.faults.inject(Fault.SILENT)
    start = time.perf_counter()
    with pytest.raises(ConnectionLost, match="isStreaming"):
        pulser.running()
    assert time.perf_counter() - start < 10.0  # no hang
    assert pulser.running() is False


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.RESET])
def test_a_broken_question_is_asked_again_but_a_command_is_not(
    pulser: SwabianPulseStreamer, host: PulseStreamerHost, fault: Fault
) -> None:
    host.device.faults.inject(fault)
    assert pulser.running() is False
    host.device.trace.clear()
    host.device.faults.inject(fault)
    with pytest.raises(ConnectionLost):
        pulser.stop()
    assert host.device.trace.messages().count("constant") == 1


def test_half_an_answer_is_named(pulser: SwabianPulseStreamer, host: PulseStreamerHost) -> None:
    host.device.faults.inject(Fault.PARTIAL)
    with pytest.raises(BadReply, match="isStreaming"):
        pulser.running()
    assert pulser.running() is False


def test_an_upload_that_breaks_is_reported(pulser: SwabianPulseStreamer, host: PulseStreamerHost) -> None:
    host.device.faults.inject(None, Fault.DROP)
    with pytest.raises(ConnectionLost, match="stream"):
        pulser.load(TABLE)
    pulser.load(TABLE)
    pulser.start()


def test_nobody_there() -> None:
    with pytest.raises(ConnectionLost, match=r"pulser: not reachable at 127.0.0.77"):
        SwabianPulseStreamer("pulser", "127.0.0.77", outputs={}, timeout=0.4)
