"""WhiteRabbitSwitch over UDP."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from erbia.instruments.drivers.white_rabbit import WhiteRabbitSwitch, _request
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.emulators.white_rabbit import WhiteRabbitAgent
from erbia.instruments.emulators.wire import Fault
from erbia.instruments.errors import BadReply, ConnectionLost


@pytest.fixture
def bench() -> Bench:
    return Bench({"wr.timing_ok": True})


@pytest.fixture
def agent(bench: Bench) -> Iterator[WhiteRabbitAgent]:
    with WhiteRabbitAgent(bench, "wr") as agent:
        yield agent


def test_a_request_is_what_the_standard_says() -> None:
    """Byte by byte (RFC 3416, X.690): Get of 1.3.6.1.4.1.96.100.6.1.3.0 with request number 7."""
    assert _request(7, b"public", (1, 3, 6, 1, 4, 1, 96, 100, 6, 1, 3, 0)).hex() == (
        "302d02010104067075626c6963a020020500000000070201000201003011300f060b2b060104016064060103000500"
    )


def test_status(agent: WhiteRabbitAgent, bench: Bench) -> None:
    switch = WhiteRabbitSwitch("wr", agent.endpoint, timeout=0.3)
    assert switch.timing_ok() is True
    assert switch.main_status() == "ok"
    bench.set("wr.timing_ok", False)
    assert switch.timing_ok() is False
    assert switch.timing_status() == "error"


def test_faults(agent: WhiteRabbitAgent) -> None:
    switch = WhiteRabbitSwitch("wr", agent.endpoint, timeout=0.2)
    agent.faults.inject(Fault.SILENT)
    with pytest.raises(ConnectionLost, match="did not answer"):
        switch.timing_ok()
    for fault in (Fault.PARTIAL, Fault.GARBAGE):
        agent.faults.inject(fault)
        with pytest.raises(BadReply, match="not an SNMP answer"):
            switch.timing_ok()
    agent.faults.late_s = 0.3
    agent.faults.inject(Fault.LATE)
    with pytest.raises(ConnectionLost):
        switch.timing_ok()
    assert switch.networking_status() == "ok"


def test_nobody_there() -> None:
    start = time.perf_counter()
    with pytest.raises(ConnectionLost):
        WhiteRabbitSwitch("wr", "127.0.0.1:1", timeout=0.2)
    assert time.perf_counter() - start < 10.0  # no hang
