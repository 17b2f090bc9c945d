"""The NI drivers through the real nidaqmx package, against the emulated device server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from erbia.instruments.drivers import ni_tasks
from erbia.instruments.drivers.ni_analog_output import NiAnalogOutput
from erbia.instruments.drivers.ni_counter import NiEdgeCounter
from erbia.instruments.drivers.ni_inputs import NiAnalogInput, NiDigitalLines
from erbia.instruments.drivers.ni_tasks import NoSuchDevice, ResourceReserved, task_factory
from erbia.instruments.drivers.ramps import ramp_levels
from erbia.instruments.emulators.nidaqmx_model import DaqDevice
from erbia.instruments.emulators.nidaqmx_server import NiDaqServer
from erbia.instruments.emulators.nidaqmx_task import Gate, Kind
from erbia.instruments.emulators.ports import Bench, Waveform
from erbia.instruments.emulators.wire import Fault
from erbia.instruments.errors import BadReply, ConnectionLost, InstrumentError, LimitError
from erbia.instruments.interfaces import AnalogOutput, EdgeCounter

RATE_HZ = 20_000.0


@pytest.fixture
def bench() -> Bench:
    return Bench(
        signals={"Dev1/ctr0": lambda t_s: np.floor(RATE_HZ * t_s), "Dev1/PFI9": lambda t_s: np.floor(1e3 * t_s)}
    )


@pytest.fixture
def server(bench: Bench) -> Iterator[NiDaqServer]:
    with NiDaqServer(bench) as server:
        yield server


@pytest.fixture
def output(server: NiDaqServer) -> NiAnalogOutput:
    return NiAnalogOutput("ao", server.endpoint, limits_v=(-2, 5), slew_rate_v_per_s=1000, timeout=5.0)


@pytest.fixture
def counter(server: NiDaqServer) -> NiEdgeCounter:
    return NiEdgeCounter("counter", server.endpoint, timeout=5.0)


def test_they_are_what_experiments_ask_for(output: NiAnalogOutput, counter: NiEdgeCounter) -> None:
    assert isinstance(output, AnalogOutput)
    assert isinstance(counter, EdgeCounter)


def test_voltage_reaches_the_world(output: NiAnalogOutput, bench: Bench) -> None:
    output.voltage(1.5)
    assert bench.get("Dev1/ao0") == 1.5
    assert output.voltage.get() == 1.5


def test_connecting_and_reading_change_nothing_and_know_the_level(server: NiDaqServer, bench: Bench) -> None:
    bench.set("Dev1/ao0", 0.75)
    output = NiAnalogOutput("ao", server.endpoint, timeout=5.0)
    output.snapshot(update=True)
    assert output.voltage.get() == 0.75
    assert bench.get("Dev1/ao0") == 0.75


def test_the_voltage_never_moves_faster_than_the_slew_rate(output: NiAnalogOutput, bench: Bench) -> None:
    written: list[tuple[float, float]] = []
    original = bench.set
    bench.set = lambda name, value: (written.append((time.perf_counter(), value)), original(name, value))[1]  # type: ignore
    output.slew_rate(10.0)
    start = time.perf_counter()
    output.voltage(1.0)
    assert time.perf_counter() - start >= 0.09
    levels = np.array([0.0] + [value for _, value in written])
    assert np.all(np.abs(np.diff(levels)) <= 10.0 * 0.005 + 1e-9)
    assert levels[-1] == 1.0


def test_ramp_levels_end_exactly_and_keep_the_step() -> None:
    rng = np.random.default_rng(1)
    for start, stop in rng.uniform(-10, 10, (200, 2)):
        levels = np.concatenate([[start], ramp_levels(start, stop, 7.0, 0.005)])
        assert levels[-1] == stop
        assert np.abs(np.diff(levels)).max() <= 7.0 * 0.005 * (1 + 1e-9)
    assert list(ramp_levels(1.0, 1.0, 1.0, 0.005)) == [1.0]


def test_limits_hold(output: NiAnalogOutput, bench: Bench) -> None:
    with pytest.raises(ValueError, match="must be between"):
        output.voltage(6.0)
    with pytest.raises(ValueError, match="must be between"):
        output.slew_rate(2000.0)
    assert bench.get("Dev1/ao0") == 0.0


def test_count_rate(counter: NiEdgeCounter) -> None:
    counter.integration_time(0.2)
    assert counter.count_rate() == pytest.approx(RATE_HZ, rel=0.05)
    first = counter.counts()
    time.sleep(0.01)
    assert counter.counts() > first


def test_counter_input_can_be_another_terminal(server: NiDaqServer) -> None:
    counter = NiEdgeCounter("pfi", server.endpoint, counter="Dev1/ctr1", terminal="/Dev1/PFI9", timeout=5.0)
    counter.integration_time(0.2)
    assert counter.count_rate() == pytest.approx(1e3, rel=0.1)


def test_a_counter_in_use_is_a_named_error(counter: NiEdgeCounter, server: NiDaqServer) -> None:
    with pytest.raises(ResourceReserved, match=r"second: is in use.*-50103"):
        NiEdgeCounter("second", server.endpoint, timeout=5.0)


@pytest.mark.parametrize(
    ("channel", "text"), [("Dev9/ao0", "no such device"), ("Dev1/ao7", "no such physical channel")]
)
def test_wrong_names_are_named_errors(server: NiDaqServer, channel: str, text: str) -> None:
    with pytest.raises(NoSuchDevice, match=text) as caught:
        NiAnalogOutput("ao", server.endpoint, channel=channel, timeout=5.0)
    assert "\n" not in str(caught.value)


def test_no_server_is_one_clear_line() -> None:
    with pytest.raises(ConnectionLost, match=r"ao: not reachable at 127.0.0.1:1: .*(connect|refused)"):
        NiAnalogOutput("ao", "127.0.0.1:1", timeout=0.5)


def test_no_local_driver_is_one_clear_line() -> None:
    with pytest.raises(InstrumentError, match="driver is not installed here"):
        NiAnalogOutput("ao")


def test_a_hung_server_costs_one_timeout(server: NiDaqServer) -> None:
    counter = NiEdgeCounter("hasty", server.endpoint, timeout=0.5)
    server.faults.inject(Fault.SILENT)
    start = time.perf_counter()
    with pytest.raises(ConnectionLost, match="did not answer in time"):
        counter.counts()
    # the package asks scalar reads with ten seconds of its own; they must not be waited for
    assert time.perf_counter() - start < 1.5
    assert counter.counts() >= 0


def test_a_question_survives_a_restart_of_the_server(
    output: NiAnalogOutput, counter: NiEdgeCounter, server: NiDaqServer
) -> None:
    output.voltage(1.0)
    server.faults.inject(Fault.RESET)
    assert counter.counts() >= 0
    assert output.voltage.get() in (0.0, 1.0)


def test_a_command_is_not_repeated(output: NiAnalogOutput, server: NiDaqServer, bench: Bench) -> None:
    server.trace.clear()
    output.voltage(0.0)
    calls_before_the_write = server.trace.messages().index("WriteAnalogScalarF64")
    server.faults.inject(*[None] * calls_before_the_write, Fault.DROP)
    with pytest.raises(ConnectionLost, match="not sent again"):
        output.voltage(1.0)
    assert bench.get("Dev1/ao0") == 0.0
    output.voltage(1.0)
    assert bench.get("Dev1/ao0") == 1.0


def test_garbage_from_the_server_is_a_bad_reply(counter: NiEdgeCounter, server: NiDaqServer) -> None:
    server.faults.inject(Fault.GARBAGE)
    with pytest.raises(BadReply, match="INTERNAL"):
        counter.counts()


def test_unplugged_and_back(output: NiAnalogOutput, server: NiDaqServer) -> None:
    server.unplug()
    with pytest.raises(ConnectionLost):
        output.voltage(1.0)
    server.plug()
    deadline = time.perf_counter() + 5
    while True:
        try:
            output.voltage(0.5)
            break
        except ConnectionLost:
            assert time.perf_counter() < deadline
            time.sleep(0.05)
    assert output.voltage.get() == 0.5


def test_waits_of_its_own_are_added_to_the_deadline(server: NiDaqServer, monkeypatch: pytest.MonkeyPatch) -> None:
    deadlines_s: dict[str, float] = {}

    class Noted(ni_tasks._CallDetails):
        def __init__(self, details: Any, timeout_s: float) -> None:
            deadlines_s[details.method.rpartition("/")[2]] = timeout_s
            super().__init__(details, timeout_s)

    monkeypatch.setattr(ni_tasks, "_CallDetails", Noted)
    task = task_factory(server.endpoint, 20.0)()
    task.ai_channels.add_ai_voltage_chan("Dev1/_ao0_vs_aognd")
    task.timing.cfg_samp_clk_timing(1000.0, samps_per_chan=10)
    assert len(task.read(10, timeout=30.0)) == 10
    task.close()
    assert deadlines_s["CreateTask"] == 20.0
    assert deadlines_s["ReadAnalogF64"] == 50.0


# -- waveforms, shared clocks, triggers, gates -------------------------------------------------------------------------


@pytest.fixture
def looped(bench: Bench) -> Bench:
    """Input 0 is wired to output 0, input 1 sees half of it."""
    bench.signals["Dev1/ai0"] = lambda t_s: bench.sample("Dev1/ao0", t_s)
    bench.signals["Dev1/ai1"] = lambda t_s: 0.5 * bench.sample("Dev1/ao0", t_s)
    return bench


@pytest.fixture
def inputs(server: NiDaqServer, looped: Bench) -> NiAnalogInput:
    return NiAnalogInput("ai", server.endpoint, channels=["Dev1/ai0", "Dev1/ai1"], timeout=5.0)


def test_present_voltages(output: NiAnalogOutput, inputs: NiAnalogInput) -> None:
    output.voltage(1.5)
    assert inputs.voltage() == 1.5
    assert inputs.voltage2() == 0.75


def test_waveform_input_and_counter_share_one_clock_sample_by_sample(
    output: NiAnalogOutput, inputs: NiAnalogInput, counter: NiEdgeCounter
) -> None:
    waveform = 0.02 * np.arange(101)
    rate_hz = 1000.0
    inputs.arm(101, rate_hz, clock="/Dev1/ao/SampleClock")
    counter.arm(101, "/Dev1/ao/SampleClock")
    output.play(waveform, rate_hz)
    record, counts = inputs.fetch(2.0), counter.fetch(2.0)
    np.testing.assert_allclose(record[0], waveform, atol=1e-12)
    np.testing.assert_allclose(record[1], 0.5 * waveform, atol=1e-12)
    assert np.all(np.abs(np.diff(counts) - RATE_HZ / rate_hz) <= 1)
    output.wait_played(1.0)
    output.stop_playing()
    assert output.voltage.get() == pytest.approx(2.0)
    assert counter.counts() >= 0


def test_a_repeated_waveform_plays_until_stopped_and_the_output_stays(
    output: NiAnalogOutput, inputs: NiAnalogInput
) -> None:
    period = 0.5 + 0.5 * np.sin(2 * np.pi * np.arange(100) / 100)
    output.play(period, 10_000.0, repeats=0)
    inputs.arm(300, 10_000.0, clock="/Dev1/ao/SampleClock")
    record = inputs.fetch(2.0)[0]
    start = np.argmin(np.abs(period - record[0])) if record[1] > record[0] else None
    np.testing.assert_allclose(record[:100], record[100:200], atol=1e-12)
    np.testing.assert_allclose(np.sort(record[:100]), np.sort(period), atol=1e-12)
    assert start is None or 0 <= start < 100
    with pytest.raises(InstrumentError, match="plays a waveform"):
        output.voltage(0.0)
    output.stop_playing()
    held = inputs.voltage()
    time.sleep(0.01)
    assert inputs.voltage() == held
    output.voltage(0.0)


def test_a_trigger_starts_waveform_and_record_together(
    output: NiAnalogOutput, inputs: NiAnalogInput, server: NiDaqServer
) -> None:
    waveform = np.linspace(0.0, 1.0, 51)
    inputs.arm(51, 1000.0, trigger="/Dev1/PFI0")
    output.play(waveform, 1000.0, trigger="/Dev1/PFI0")
    with pytest.raises(ConnectionLost, match="did not finish in time"):
        output.wait_played(0.1)
    server.device.trigger("/Dev1/PFI0")
    np.testing.assert_allclose(inputs.fetch(2.0)[0], waveform, atol=1e-12)


def test_a_start_trigger_can_come_from_another_task(output: NiAnalogOutput, inputs: NiAnalogInput) -> None:
    waveform = np.linspace(0.0, 1.0, 51)
    inputs.arm(51, 1000.0, trigger="/Dev1/ao/StartTrigger")
    output.play(waveform, 1000.0)
    np.testing.assert_allclose(inputs.fetch(2.0)[0], waveform, atol=1e-12)


def test_a_clock_that_does_not_run_is_an_error_in_time(inputs: NiAnalogInput) -> None:
    inputs.arm(10, 1000.0, clock="/Dev1/ao/SampleClock")
    start = time.perf_counter()
    with pytest.raises(ConnectionLost, match="does the sample clock or trigger run"):
        inputs.fetch(0.2)
    assert time.perf_counter() - start < 1.2
    assert inputs.voltage() == 0.0


@pytest.mark.parametrize(
    ("samples_v", "rate_hz", "repeats", "text"),
    [
        ([0.0, 1.0, 5.5], 10.0, 1, "sample 2 is 5.5 V, allowed are -2 to 5 V"),
        ([0.0, 2.0], 1000.0, 1, "2000 V/s after sample 0, the slew rate allows 1000 V/s"),
        ([0.0, 0.5, 1.0, 1.5, 2.0], 600.0, 0, "1200 V/s after sample 4"),
        ([0.0, float("nan")], 1.0, 1, "at least two finite voltages"),
    ],
)
def test_limits_and_slew_rate_hold_for_uploaded_waveforms_too(
    output: NiAnalogOutput, bench: Bench, samples_v: list[float], rate_hz: float, repeats: int, text: str
) -> None:
    with pytest.raises(LimitError, match=text):
        output.play(np.array(samples_v), rate_hz, repeats=repeats)
    assert bench.get("Dev1/ao0") == 0.0


def test_a_gated_counter_counts_only_while_the_gate_is_high(server: NiDaqServer, bench: Bench) -> None:
    bench.set("Dev1/PFI1", True)
    counter = NiEdgeCounter("gated", server.endpoint, gate="/Dev1/PFI1", timeout=5.0)
    counter.integration_time(0.1)
    assert counter.count_rate() == pytest.approx(RATE_HZ, rel=0.1)
    bench.set("Dev1/PFI1", False)
    counter.counts()
    assert counter.count_rate() == 0.0


def test_a_gate_counts_to_the_edge(server: NiDaqServer, bench: Bench) -> None:
    """A line that was high for a known time: counted are the clicks within, not one more."""
    bench.set("Dev1/port0/line0", False)
    counter = NiEdgeCounter("gated", server.endpoint, gate="/Dev1/port0/line0", timeout=5.0)
    assert counter.counts() == 0
    opened_s = bench.now_s()
    bench.set("Dev1/port0/line0", True)
    bench.set("Dev1/port0/line0", False)
    closed_s = bench.now_s()
    assert 0 <= counter.counts() <= RATE_HZ * (closed_s - opened_s) + 1


def test_a_waveform_gates_to_the_edge() -> None:
    """By a clock that stands still between the steps: every edge while the gate is high is counted, no other."""
    now_s = [0.0]
    bench = Bench(signals={"Dev1/ctr0": lambda t_s: np.floor(1e6 * t_s + 0.5)}, clock=lambda: now_s[0])
    bench.set("Dev1/ao0", Waveform(np.array([0.0, 3.0, 3.0, 0.0]), 100.0, 1.0))
    device = DaqDevice(bench)
    bench.set("Dev1/ao0", Waveform(np.array([0.0, 3.0, 3.0, 0.0]), 100.0, 1.0))
    task, _ = device.create("")
    device.add_channels(task, "Dev1/ctr0", "", Kind.CI)
    task.gate = Gate("/Dev1/ao0")
    device.start(task)
    counted = {}
    for t_s in (0.5, 1.0, 1.0100005, 1.015, 1.0299995, 1.03, 2.0):
        now_s[0] = t_s
        counted[t_s] = int(device.read_counts(task, 1, 1.0)[0, 0])
    assert counted == {0.5: 0, 1.0: 0, 1.0100005: 1, 1.015: 5000, 1.0299995: 20_000, 1.03: 20_000, 2.0: 20_000}


def test_digital_lines(server: NiDaqServer, bench: Bench) -> None:
    lines = NiDigitalLines(
        "lines", server.endpoint, lines={"shutter": "Dev1/port0/line0", "flip": "Dev1/port0/line3"}, timeout=5.0
    )
    lines.shutter(True)
    assert bench.get("Dev1/port0/line0") is True
    lines.flip(True)
    lines.shutter(False)
    assert bench.get("Dev1/port0/line0") is False
    assert bench.get("Dev1/port0/line3") is True


def test_a_clocked_output_in_use_is_a_named_error(output: NiAnalogOutput, server: NiDaqServer) -> None:
    output.play(np.array([0.0, 0.1]), 100.0, repeats=0)
    other = NiAnalogOutput("other", server.endpoint, channel="Dev1/ao1", timeout=5.0)
    with pytest.raises(ResourceReserved, match="-50103"):
        other.play(np.array([0.0, 0.1]), 100.0)
