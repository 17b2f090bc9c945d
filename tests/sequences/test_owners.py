"""One owner per instrument, on one machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from erbia.analysis.errors import UsageError
from erbia.sequences.owners import Ownership

HOLD = """
import sys
from pathlib import Path
from erbia.sequences.owners import Ownership
held = Ownership(Path(sys.argv[1]), {"laser": "COM3"})
print("held", flush=True)
sys.stdin.read()
"""


def test_another_process_is_refused_until_the_owner_is_gone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match=rf"probe \(COM3\) is owned by process {owner.pid}"):
            Ownership(tmp_path, {"other": "COM4", "probe": "COM3"})
        assert len(list(tmp_path.glob("owner-*"))) == 1, "what was taken before the refusal is given back"
        owner.kill()
    mine = Ownership(tmp_path, {"probe": "COM3"})
    (path,) = tmp_path.glob("owner-*.json")
    assert json.loads(path.read_text(encoding="utf-8"))["instrument"] == "probe"
    mine.release()
    assert not list(tmp_path.iterdir())


def test_one_process_may_use_an_address_twice(tmp_path: Path) -> None:
    first, second = (Ownership(tmp_path, {name: "COM3"}) for name in ("a", "b"))
    second.release()
    assert list(tmp_path.iterdir())
    first.release()
    assert not list(tmp_path.iterdir())


def test_whoever_comes_waits_for_one_who_only_switches_off(tmp_path: Path) -> None:
    script = HOLD.replace('"COM3"}', '"COM3", "shutter": "COM3"}, "switching off"').replace("sys.stdin.read()", "")
    script += "import time\ntime.sleep(0.5)\nheld.release()\nsys.stdin.read()\n"
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        mine = Ownership(tmp_path, {"probe": "COM3"})
        assert other.poll() is None
        other.kill()
    assert not mine.left_behind
    mine.release()
