"""ScpiDevice: headers, errors, faults, trace."""

from __future__ import annotations

import socket

import pytest

from erbia.instruments.emulators.scpi import Command, ScpiDevice, in_range, spellings
from erbia.instruments.emulators.tcp import TcpHost
from erbia.instruments.emulators.wire import Fault, FaultPlan, WireTrace


def _device() -> ScpiDevice:
    state = {"power": 1.0}
    return ScpiDevice(
        "ACME,BOX,1,1",
        {
            "POWer:LEVel": Command(
                lambda _: str(state["power"]), lambda text: state.update(power=in_range(float(text), 0, 10))
            )
        },
    )


def test_short_and_long_forms() -> None:
    assert set(spellings("POWer:STATe")) == {"POW:STAT", "POW:STATE", "POWER:STAT", "POWER:STATE"}


@pytest.mark.parametrize("header", ["POW:LEV", ":POW:LEV", "power:level", "POWer:LEVel"])
def test_every_spelling_reaches_the_command(header: str) -> None:
    device = _device()
    assert device.answer(f"{header} 2.5") is None
    assert device.answer(f"{header}?") == "2.5"
    assert device.answer("SYST:ERR?") == '+0,"No error"'


@pytest.mark.parametrize(
    ("message", "code"),
    [("POW:LEV 11", "-222"), ("POW:LEV x", "-104"), ("NONSENSE 1", "-113"), ("POW:NONSENSE?", "-113")],
)
def test_what_it_does_not_know_or_allow_goes_to_the_error_queue_unanswered(message: str, code: str) -> None:
    device = _device()
    assert device.answer(message) is None
    answer = device.answer("SYST:ERR?")
    assert answer is not None
    assert answer.startswith(code)
    assert device.answer("POW:LEV?") == "1.0"


def test_faults_are_taken_in_order_then_the_lasting_one() -> None:
    plan = FaultPlan()
    plan.inject(Fault.DROP, None, Fault.LATE)
    plan.hold(Fault.SILENT)
    assert [plan.take() for _ in range(5)] == [Fault.DROP, None, Fault.LATE, Fault.SILENT, Fault.SILENT]
    plan.clear()
    assert plan.take() is None


def test_the_trace_is_bounded() -> None:
    trace = WireTrace(length=3)
    for k in range(5):
        trace.received(str(k))
    assert trace.messages() == ["2", "3", "4"]


def test_latency_is_kept() -> None:
    device = _device()
    device.latency_s = 0.05
    with TcpHost(device) as host, socket.create_connection((host.host, host.port)) as client:
        client.settimeout(0.02)
        client.sendall(b"*IDN?\n")
        with pytest.raises(TimeoutError):
            client.recv(100)
        client.settimeout(1)
        assert client.recv(100) == b"ACME,BOX,1,1\n"


def test_plugged_in_again_it_listens_at_the_same_port() -> None:
    with TcpHost(_device()) as host:
        port = host.port
        host.unplug()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host.host, port))
        host.plug()
        assert host.port == port
        socket.create_connection((host.host, port)).close()
