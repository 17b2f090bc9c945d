"""Whatever goes over a wire is in its trace: what was asked, and what was said."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from qcodes.instrument import Instrument

from erbia.instruments.drivers.ni_analog_output import NiAnalogOutput
from erbia.instruments.drivers.single_quantum import SingleQuantumWebSq
from erbia.instruments.drivers.srs_fs725 import SrsFs725
from erbia.instruments.drivers.white_rabbit import WhiteRabbitSwitch
from erbia.instruments.emulators.dlcpro import DlcProDevice, DlcProHost
from erbia.instruments.emulators.fs725 import Fs725Device
from erbia.instruments.emulators.nidaqmx_server import NiDaqServer
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.emulators.serial_port import LineFrames, SerialHost, has_pseudo_terminals
from erbia.instruments.emulators.websq import WebSqDevice, WebSqHost
from erbia.instruments.emulators.white_rabbit import WhiteRabbitAgent
from erbia.instruments.emulators.wire import WireTrace

Traced = tuple[WireTrace, Callable[[], Any]]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        stack.callback(Instrument.close_all)
        yield stack


def _websq(bench: Bench, stack: ExitStack) -> Traced:
    host = stack.enter_context(WebSqHost(WebSqDevice(bench, "snspd", n_channels=1)))
    snspd = SingleQuantumWebSq("snspd", host.endpoint)
    return host.device.trace, lambda: snspd.enabled(True)


def _white_rabbit(bench: Bench, stack: ExitStack) -> Traced:
    bench.set("wr.timing_ok", True)
    agent = stack.enter_context(WhiteRabbitAgent(bench, "wr"))
    return agent.trace, WhiteRabbitSwitch("wr", agent.endpoint).timing_ok.get


def _rubidium(bench: Bench, stack: ExitStack) -> Traced:
    if not has_pseudo_terminals():
        pytest.skip("no pseudo terminals here")
    bench.values |= {"rb.locked": True, "rb.pps_locked": False}
    device = Fs725Device(bench, "rb")
    host = stack.enter_context(SerialHost(LineFrames(device)))
    rubidium = SrsFs725("rb", host.visa_address, visalib="@py")
    stack.callback(rubidium.close)
    return device.trace, rubidium.locked.get


def _ni(bench: Bench, stack: ExitStack) -> Traced:
    server = stack.enter_context(NiDaqServer(bench))
    return server.trace, NiAnalogOutput("ao", server.endpoint).voltage.get


@pytest.mark.parametrize("make", [_websq, _white_rabbit, _rubidium, _ni])
def test_questions_and_answers_are_recorded(make: Callable[[Bench, ExitStack], Traced], stack: ExitStack) -> None:
    trace, talk = make(Bench(), stack)
    trace.clear()
    talk()
    assert trace.messages()
    assert trace.answers()


def test_what_a_laser_reports_unasked_is_recorded(stack: ExitStack) -> None:
    pytest.importorskip("toptica.lasersdk")
    from erbia.instruments.drivers.toptica_dlcpro import TopticaDlcPro

    bench = Bench()
    host = stack.enter_context(DlcProHost(DlcProDevice(bench, "laser")))
    laser = TopticaDlcPro("laser", host.endpoint)
    laser.watch("dl:pc:voltage-act", float, lambda value: None)
    deadline = time.monotonic() + 10.0
    while not any("dl:pc:voltage-act" in answer for answer in host.device.trace.answers()):
        laser.poll()
        assert time.monotonic() < deadline, "nothing was reported"
        time.sleep(0.02)
