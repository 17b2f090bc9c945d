"""An open interlock: the laser goes dark, refuses to come on, says so, and the driver passes it on in the laser's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from qcodes.instrument import Instrument

from erbia.instruments.drivers.keysight_816x import KeysightLaser
from erbia.instruments.drivers.santec_tsl import SantecTsl
from erbia.instruments.emulators.dlcpro import DlcProDevice, DlcProHost
from erbia.instruments.emulators.itla import ItlaDevice
from erbia.instruments.emulators.keysight_816x import Keysight816xDevice
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.emulators.santec import SantecDevice
from erbia.instruments.emulators.serial_port import SerialHost, has_pseudo_terminals
from erbia.instruments.emulators.tcp import TcpHost
from erbia.instruments.errors import InstrumentError

Pair = tuple[Any, Any]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        stack.callback(Instrument.close_all)
        yield stack


def _santec(bench: Bench, stack: ExitStack) -> Pair:
    host = stack.enter_context(TcpHost(SantecDevice(bench, "laser")))
    return SantecTsl("laser", host.visa_address, visalib="@py"), host.device


def _keysight(bench: Bench, stack: ExitStack) -> Pair:
    host = stack.enter_context(TcpHost(Keysight816xDevice(bench)))
    return KeysightLaser("laser", host.visa_address, slot=1, visalib="@py"), host.device


def _toptica(bench: Bench, stack: ExitStack) -> Pair:
    pytest.importorskip("toptica.lasersdk")
    from erbia.instruments.drivers.toptica_dlcpro import TopticaDlcPro

    host = stack.enter_context(DlcProHost(DlcProDevice(bench, "laser")))
    return TopticaDlcPro("laser", host.endpoint), host.device


def _itla(bench: Bench, stack: ExitStack) -> Pair:
    pytest.importorskip("serial")
    if not has_pseudo_terminals():
        pytest.skip("no pseudo terminals here")
    from erbia.instruments.drivers.itla import ItlaLaser

    device = ItlaDevice(bench, "laser")
    host = stack.enter_context(SerialHost(device))
    laser = ItlaLaser("laser", host.path)
    stack.callback(laser.close)
    return laser, device


@pytest.mark.parametrize("make", [_santec, _keysight, _toptica, _itla])
def test_an_open_interlock(make: Callable[[Bench, ExitStack], Pair], stack: ExitStack) -> None:
    bench = Bench()
    laser, device = make(bench, stack)
    laser.emission(True)
    device.open_interlock()
    assert bench.get("laser.emission") is False
    assert laser.emission.get() is False
    with pytest.raises(InstrumentError, match="laser"):
        laser.emission(True)
    assert bench.get("laser.emission") is False
    device.interlock_open = False
    laser.emission(True)
    assert laser.emission.get() is True
