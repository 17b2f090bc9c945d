"""An engine that dies leaves instruments that are switched off by the watchdog."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

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
        self.add_parameter("power", get_cmd=None, set_cmd=None, initial_value=0.0)
'''
ENGINE = """
import sys, time
from pathlib import Path
from erbia.sequences.engine.watchdog import watched
with watched(sys.argv[1], Path(sys.argv[2])):
    Path(sys.argv[3]).write_text("True")
    print("on", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "filebox.py").write_text(BOX, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    path = tmp_path / "box.yaml"
    path.write_text(f"instruments:\n  laser: {{type: filebox.Box, address: {tmp_path / 'laser'}}}\n", encoding="utf-8")
    return path


def play(station: Path, folder: Path, end: signal.Signals | None) -> str:
    """An engine's life with its emission on; ended by a signal, or in order."""
    command = [sys.executable, "-c", ENGINE, str(station), str(folder / "dog.log"), str(folder / "laser")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == "on\n"
        if end is not None:
            os.kill(engine.pid, end)
    return (folder / "laser").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_killed_engine_is_switched_off(station: Path, tmp_path: Path) -> None:
    play(station, tmp_path, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while (tmp_path / "laser").read_text(encoding="utf-8") != "False":
        assert time.monotonic() < deadline, (tmp_path / "dog.log").read_text(encoding="utf-8")
        time.sleep(0.05)


@pytest.mark.slow
def test_an_engine_that_leaves_in_order_is_left_alone(station: Path, tmp_path: Path) -> None:
    assert play(station, tmp_path, None) == "True"
    assert "switching off" not in (tmp_path / "dog.log").read_text(encoding="utf-8")
