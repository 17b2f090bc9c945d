"""A process that dies leaves instruments that are switched off by the watchdog."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from erbia.sequences.lab import load_station

BOX = '''
from pathlib import Path
from qcodes.instrument import Instrument
from qcodes.validators import Bool


class Box(Instrument):
    """A laser whose state outlives every process: it lies in a file."""

    def __init__(self, name, address, **kwargs):
        super().__init__(name, **kwargs)
        path = Path(address)
        if not path.exists():
            path.write_text("False")
        self.add_parameter(
            "emission",
            vals=Bool(),
            get_cmd=lambda: path.read_text() == "True",
            set_cmd=lambda on: path.write_text(str(on)),
        )


class Shutter(Instrument):
    """An instrument made of another."""

    def __init__(self, name, laser, **kwargs):
        super().__init__(name, **kwargs)
        emission = Instrument.find_instrument(laser).emission
        self.add_parameter("emission", vals=Bool(), get_cmd=emission.get, set_cmd=emission.set)
'''
OWNER = """
import sys
from erbia.sequences.lab import load_station
with load_station(sys.argv[1]) as lab:
    lab.station.laser.emission(True)
    print(lab._watchdog.pid, flush=True)
    for _ in sys.stdin:
        print(lab._watchdog.pid, flush=True)
    lab.make_safe = lambda: None
"""


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "filebox.py").write_text(BOX, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    path = tmp_path / "box.yaml"
    laser = f"laser: {{type: filebox.Box, address: {tmp_path / 'beam'}}}"
    path.write_text(f"instruments:\n  {laser}\n  shutter: {{type: filebox.Shutter, init: {{laser: laser}}}}\n")
    return path


@contextmanager
def owner(station: Path) -> Iterator[subprocess.Popen[str]]:
    """A process with the laser on; what it says line by line is the pid of its watchdog."""
    command = [sys.executable, "-c", OWNER, str(station)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def watchdog_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def emits(station: Path) -> bool:
    return (station.parent / "beam").read_text(encoding="utf-8") == "True"


def said(station: Path) -> str:
    (log,) = station.parent.rglob("watchdog-box.log")
    return log.read_text(encoding="utf-8")


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


@pytest.mark.slow
def test_what_a_killed_owner_left_on_is_switched_off(station: Path) -> None:
    with owner(station) as process:
        watchdog_of(process)
        assert emits(station)
        process.kill()
        until(lambda: not emits(station))
        until(lambda: "is in its safe state" in said(station))
    assert "not switched off" not in said(station)


@pytest.mark.slow
def test_an_owner_that_leaves_in_order_is_left_alone(station: Path) -> None:
    with owner(station) as process:
        watchdog_of(process)
        process.communicate()
    assert process.returncode == 0
    assert emits(station)
    assert said(station) == ""


@pytest.mark.slow
def test_a_watchdog_that_is_killed_is_replaced(station: Path) -> None:
    with owner(station) as process:
        first = latest = watchdog_of(process)
        os.kill(first, signal.SIGKILL)
        assert process.stdin is not None
        while latest == first:
            process.stdin.write("\n")
            process.stdin.flush()
            latest = watchdog_of(process)
        process.kill()
        until(lambda: not emits(station))


@pytest.mark.slow
def test_without_owner_and_watchdog_the_next_to_come_makes_the_lab_safe(station: Path) -> None:
    with owner(station) as process:
        dog = watchdog_of(process)
        os.kill(process.pid, signal.SIGSTOP)
        os.kill(dog, signal.SIGKILL)
        process.kill()
        process.wait()
    assert emits(station)
    with load_station(station):
        assert not emits(station)
