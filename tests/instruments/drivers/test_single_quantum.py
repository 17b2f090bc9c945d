"""SingleQuantumWebSq against the emulated electronics."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from erbia.instruments.drivers.single_quantum import SingleQuantumWebSq
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.emulators.websq import WebSqDevice, WebSqHost
from erbia.instruments.emulators.wire import Fault
from erbia.instruments.errors import BadReply, ConnectionLost, InstrumentError
from erbia.instruments.interfaces import DetectorChannel, SinglePhotonDetector

RATES_HZ = (1000.0, 20_000.0)


@pytest.fixture
def bench() -> Bench:
    bench = Bench({"snspd.ch1.latched": False, "snspd.ch2.latched": False})
    for k, rate_hz in enumerate(RATES_HZ, 1):
        bench.signals[f"snspd.ch{k}.clicks"] = lambda t_s, rate_hz=rate_hz: np.floor(rate_hz * t_s)
    return bench


@pytest.fixture
def host(bench: Bench) -> Iterator[WebSqHost]:
    with WebSqHost(WebSqDevice(bench, "snspd", n_channels=2)) as host:
        yield host


@pytest.fixture
def snspd(host: WebSqHost) -> SingleQuantumWebSq:
    return SingleQuantumWebSq("snspd", host.endpoint, counts_port=host.counts.port, bias_slew_a_per_s=1e-3, timeout=0.3)


def test_it_is_a_detector_with_its_channels(snspd: SingleQuantumWebSq) -> None:
    assert isinstance(snspd, SinglePhotonDetector)
    assert len(snspd.channels) == 2
    assert all(isinstance(channel, DetectorChannel) for channel in snspd.channels)


def test_reading_everything_switches_nothing_on(snspd: SingleQuantumWebSq, host: WebSqHost, bench: Bench) -> None:
    host.device.trace.clear()
    before = dict(bench.values)
    snspd.snapshot(update=True)
    assert bench.values == before
    assert not any("command" in message for message in host.device.trace.messages())


def test_bias_of_one_channel_leaves_the_other(snspd: SingleQuantumWebSq, bench: Bench) -> None:
    snspd.enabled(True)
    snspd.ch1.bias(20e-6)
    snspd.ch2.bias(15e-6)
    assert bench.get("snspd.ch1.bias_a") == pytest.approx(20e-6)
    assert bench.get("snspd.ch2.bias_a") == pytest.approx(15e-6)
    assert snspd.ch1.bias.get() == pytest.approx(20e-6)


def test_bias_is_ramped(snspd: SingleQuantumWebSq, bench: Bench) -> None:
    snspd.enabled(True)
    seen: list[float] = [0.0]
    original = bench.set

    def spy(name: str, value: object) -> None:
        if name == "snspd.ch1.bias_a":
            seen.append(float(value))  # type: ignore[arg-type]
        original(name, value)  # type: ignore[arg-type]

    bench.set = spy  # type: ignore[method-assign]
    snspd.ch1.bias(30e-6)
    assert np.abs(np.diff(seen)).max() <= 1e-3 * 0.01 * 1.001
    assert seen[-1] == pytest.approx(30e-6)


def test_limits_hold(snspd: SingleQuantumWebSq) -> None:
    with pytest.raises(ValueError, match="must be between"):
        snspd.ch1.bias(50e-6)


def test_enable_period_and_trigger_level(snspd: SingleQuantumWebSq, bench: Bench) -> None:
    snspd.enabled(True)
    assert bench.get("snspd.enabled") is True
    snspd.measurement_period(0.05)
    assert snspd.measurement_period.get() == 0.05
    snspd.ch2.trigger_level(0.02)
    assert snspd.ch2.trigger_level.get() == pytest.approx(0.02)
    assert snspd.ch1.trigger_level.get() == pytest.approx(0.01)


def test_no_current_flows_while_not_enabled(snspd: SingleQuantumWebSq, bench: Bench) -> None:
    snspd.ch1.bias(20e-6)
    assert bench.get("snspd.ch1.bias_a") == 0.0
    snspd.enabled(True)
    assert bench.get("snspd.ch1.bias_a") == pytest.approx(20e-6)
    snspd.enabled(False)
    assert bench.get("snspd.ch1.bias_a") == 0.0
    assert snspd.ch1.bias.get() == pytest.approx(20e-6), "what is set stays set"


def test_count_rates(snspd: SingleQuantumWebSq) -> None:
    snspd.measurement_period(0.1)
    assert snspd.ch2.count_rate() == pytest.approx(RATES_HZ[1], rel=0.02)
    assert snspd.count_rates_hz() == pytest.approx(RATES_HZ, rel=0.02)


def test_a_latched_wire_is_seen_and_a_reset_takes_the_bias_away_and_back(
    snspd: SingleQuantumWebSq, bench: Bench
) -> None:
    snspd.enabled(True)
    snspd.ch1.bias(20e-6)
    assert snspd.ch1.latched() is False
    bench.set("snspd.ch1.latched", True)
    assert snspd.ch1.latched() is True
    lowest: list[float] = []
    original = bench.set

    def unlatch_without_bias(name: str, value: object) -> None:
        original(name, value)  # type: ignore[arg-type]
        if name == "snspd.ch1.bias_a" and value == 0.0:
            lowest.append(0.0)
            original("snspd.ch1.latched", False)

    bench.set = unlatch_without_bias  # type: ignore[method-assign]
    snspd.ch1.reset()
    assert lowest
    assert snspd.ch1.latched() is False
    assert snspd.ch1.bias.get() == pytest.approx(20e-6)


def test_a_setting_the_electronics_do_not_take_is_an_error(host: WebSqHost) -> None:
    box = SingleQuantumWebSq("box", host.endpoint, max_bias_a=1e-3, bias_slew_a_per_s=1.0, timeout=0.3)
    with pytest.raises(InstrumentError, match="box: did not take BiasCurrent"):
        box.ch1.bias(500e-6)


def test_broadcasts_of_others_are_no_answers(snspd: SingleQuantumWebSq, host: WebSqHost) -> None:
    other = SingleQuantumWebSq("other", host.endpoint, counts_port=host.counts.port, timeout=0.3, bias_slew_a_per_s=1.0)
    for k in range(20):
        other.ch1.bias(k * 1e-6)
        assert snspd.measurement_period.get() == 0.1
        assert snspd.ch1.bias.get() == pytest.approx(k * 1e-6)


@pytest.mark.parametrize(("fault", "error"), [(Fault.SILENT, ConnectionLost), (Fault.GARBAGE, BadReply)])
def test_faults_are_named_and_it_recovers(
    snspd: SingleQuantumWebSq, host: WebSqHost, fault: Fault, error: type
) -> None:
    snspd.ch1.bias(10e-6)
    host.device.faults.inject(fault)
    start = time.perf_counter()
    with pytest.raises(error, match="BiasCurrent"):
        snspd.ch1.bias.get()
    assert time.perf_counter() - start < 10.0  # no hang
    assert snspd.ch1.bias.get() == pytest.approx(10e-6)


def test_a_late_answer_is_not_taken_for_the_next(snspd: SingleQuantumWebSq, host: WebSqHost) -> None:
    host.device.faults.late_s = 0.5
    host.device.faults.inject(Fault.LATE)
    with pytest.raises(ConnectionLost):
        snspd.ch1.bias.get()
    snspd.ch1.bias(5e-6)
    time.sleep(0.4)
    assert snspd.ch1.bias.get() == pytest.approx(5e-6)


def test_a_dead_counts_port_is_named(snspd: SingleQuantumWebSq, host: WebSqHost) -> None:
    host.counts.unplug()
    with pytest.raises(ConnectionLost, match="no counts from port"):
        snspd.ch1.count_rate()


def test_nobody_there() -> None:
    with pytest.raises(ConnectionLost, match=r"snspd: not reachable at 127.0.0.1:1"):
        SingleQuantumWebSq("snspd", "127.0.0.1:1", timeout=0.3)
