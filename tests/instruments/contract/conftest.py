"""The contract of each class of instrument, one module a class: what mock, emulated and real instruments all do alike.

A module lists its instruments in ``RIGS``: name → function that puts one up, given a Rigging. Each test of the module
that asks for ``instrument`` runs with every one of them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qcodes.instrument import Instrument

from erbia.analysis.records import TimeTags
from erbia.instruments import mock
from erbia.instruments.emulators.nidaqmx_server import NiDaqServer
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.emulators.serial_port import SerialHost, has_pseudo_terminals
from erbia.instruments.emulators.tcp import TcpHost
from erbia.instruments.twin import World

DRIVER_TESTS = Path(__file__).parents[1] / "drivers"


def _comb(t_start_ps: int, t_stop_ps: int) -> TimeTags:
    """A click on input 1 every 0.1 ms."""
    t_ps = np.arange(-(-t_start_ps // 10**8) * 10**8, t_stop_ps, 10**8, dtype=np.int64)
    return TimeTags(t_ps, np.ones(len(t_ps), np.uint8))


@dataclass
class Rigging:
    """What an instrument is put up with: a bench behind emulators, a simulated lab behind mocks.

    Attributes:
        bench: values and signals the emulators show; a detector clicks a thousand times a second.
        stack: what is closed after the test, last opened first.
    """

    stack: ExitStack
    bench: Bench = field(default_factory=Bench)

    @cached_property
    def world(self) -> World:
        return mock.load_world({"preset": "single_er_cavity", "seed": 1})

    @cached_property
    def ni(self) -> str:
        """Address of an NI DAQ."""
        return self.stack.enter_context(NiDaqServer(self.bench)).endpoint

    def tcp(self, device: Any) -> str:
        """VISA address at which the device answers."""
        return self.stack.enter_context(TcpHost(device)).visa_address

    def serial(self, device: Any) -> SerialHost:
        """The device behind a serial port (``path``, ``visa_address``)."""
        if not has_pseudo_terminals():
            pytest.skip("no pseudo terminals here")
        return self.stack.enter_context(SerialHost(device))

    def closing(self, instrument: Any) -> Any:
        """The instrument, closed before what it is connected to."""
        self.stack.callback(instrument.close)
        return instrument

    def folder(self) -> Path:
        return Path(self.stack.enter_context(tempfile.TemporaryDirectory()))

    def compiled(self, source: str) -> str:
        """A stand-in for a vendor's library, compiled here."""
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler is None:
            pytest.skip("no C compiler")
        library = self.folder() / "lib.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-w", "-o", library, DRIVER_TESTS / source], check=True)
        return str(library)

    def loopback(self) -> str:
        """An address nobody else uses, for clients with ports built in."""
        return f"127.2.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 2}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "rig" in metafunc.fixturenames:
        rigs: dict[str, Callable[[Rigging], Any]] = metafunc.module.RIGS
        metafunc.parametrize("rig", rigs.values(), ids=rigs)


@pytest.fixture
def rigging() -> Iterator[Rigging]:
    with ExitStack() as stack:
        stack.callback(Instrument.close_all)
        rigging = Rigging(stack)
        bench = rigging.bench
        bench.values |= {"snspd.ch1.latched": False, "snspd.ch2.latched": False}
        bench.values |= {"lake.temperature_k": 0.6, "lake.setpoint_k": 0.5}
        for signal in ("snspd.ch1.clicks", "snspd.ch2.clicks", "Dev1/ctr0"):
            bench.signals[signal] = lambda t_s: np.floor(1000.0 * t_s)
        bench.taggers["tagger"] = _comb
        yield rigging


@pytest.fixture
def instrument(rig: Callable[[Rigging], Any], rigging: Rigging) -> Any:
    """Each instrument of the module's RIGS."""
    return rig(rigging)


def _settings(instrument: Any) -> dict[str, Any]:
    instrument.snapshot(update=True)
    return {name: p.cache.get(False) for name, p in instrument.parameters.items() if p.settable}


@pytest.fixture
def reading_changes_nothing() -> Callable[[Any], None]:
    """A snapshot with fresh readings twice gives the same settings."""

    def check(instrument: Any) -> None:
        assert _settings(instrument) == _settings(instrument)

    return check
