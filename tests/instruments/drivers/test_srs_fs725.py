"""SrsFs725 on a pseudo terminal, as on a serial port."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from erbia.instruments.drivers.srs_fs725 import SrsFs725
from erbia.instruments.emulators.fs725 import Fs725Device
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.emulators.serial_port import LineFrames, SerialHost, has_pseudo_terminals
from erbia.instruments.emulators.wire import Fault
from erbia.instruments.errors import BadReply, ConnectionLost

pytest.importorskip("serial")
pytestmark = pytest.mark.skipif(not has_pseudo_terminals(), reason="no pseudo terminals here")


@pytest.fixture
def bench() -> Bench:
    return Bench({"rb.locked": True, "rb.pps_locked": False})


@pytest.fixture
def host(bench: Bench) -> Iterator[SerialHost]:
    with SerialHost(LineFrames(Fs725Device(bench, "rb"))) as host:
        yield host


@pytest.fixture
def rubidium(host: SerialHost) -> Iterator[SrsFs725]:
    rubidium = SrsFs725("rb", host.visa_address, visalib="@py", timeout=0.3)
    yield rubidium
    rubidium.close()


def test_identity_lock_and_offset(rubidium: SrsFs725, bench: Bench) -> None:
    assert rubidium.get_idn()["serial"] == "25317"
    assert rubidium.locked() is True
    assert rubidium.pps_locked() is False
    assert rubidium.trouble() == ""
    bench.set("rb.locked", False)
    assert rubidium.locked() is False
    assert rubidium.trouble() == "frequency lock"
    rubidium.frequency_offset(-1.23e-10)
    assert bench.get("rb.frequency_offset") == pytest.approx(-1.23e-10)
    assert rubidium.frequency_offset.get() == pytest.approx(-1.23e-10)
    with pytest.raises(ValueError, match="must be between"):
        rubidium.frequency_offset(1e-8)


def test_a_late_answer_on_a_serial_line_is_thrown_away(rubidium: SrsFs725, host: SerialHost) -> None:
    rubidium.frequency_offset(5e-12)
    host.device.faults.late_s = 0.4
    host.device.faults.inject(Fault.LATE)
    with pytest.raises(ConnectionLost, match=r"SF\?"):
        rubidium.frequency_offset.get()
    assert rubidium.locked() is True  # asked while the late answer is still to come
    assert rubidium.frequency_offset.get() == pytest.approx(5e-12)


@pytest.mark.parametrize(
    ("fault", "error"), [(Fault.SILENT, ConnectionLost), (Fault.PARTIAL, ConnectionLost), (Fault.GARBAGE, BadReply)]
)
def test_faults_are_named(rubidium: SrsFs725, host: SerialHost, fault: Fault, error: type) -> None:
    host.device.faults.inject(fault)
    start = time.perf_counter()
    with pytest.raises(error, match=r"rb: .*SF\?"):
        rubidium.frequency_offset.get()
    assert time.perf_counter() - start < 10.0  # no hang
    assert rubidium.frequency_offset.get() == 0.0


def test_no_such_port() -> None:
    with pytest.raises(ConnectionLost, match="rb: not reachable at ASRL/dev/nowhere"):
        SrsFs725("rb", "ASRL/dev/nowhere::INSTR", visalib="@py", timeout=0.3)
