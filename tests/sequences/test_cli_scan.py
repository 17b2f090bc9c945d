"""The same scan from the command line: points as JSON, the QCoDeS database beside, and the run exported once more."""

import json
import sqlite3
import sys
from pathlib import Path

import pytest

from erbia.cli import app


def erbia(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, object]:
    """Runs a command with ``--json`` and returns what it printed."""
    before, sys.argv = sys.argv, ["erbia", *map(str, arguments), "--json"]
    try:
        app(standalone_mode=False)
    finally:
        sys.argv = before
    printed: dict[str, object] = json.loads(capsys.readouterr().out)
    return printed


def test_a_scan_from_the_command_line_lands_in_qcodes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    axis = {"parameter": "snspd.ch3.bias", "unit": "A", "start": "14 uA", "stop": "18 uA", "points": 3}
    settings = {"points": {"axes": [axis]}, "dwell_s": "20 ms", "parameters": {"pair_source.emission": True}}
    options = [f"--set={key}={json.dumps(value)}" for key, value in settings.items()]
    database = tmp_path / "lab.db"
    told = erbia(capsys, "run", "scan", *options, "--seed", 3, "--out", tmp_path, "--qcodes-db", database)
    assert told["status"] == "done"
    assert told["results"]["highest at snspd.ch3.bias"]["value"] == pytest.approx(18e-6)  # type: ignore[index]
    exported = erbia(capsys, "export", told["run"], "--qcodes-db", database)
    assert exported["qcodes_run_ids"] == [3, 4]
    with sqlite3.connect(database) as raw:
        assert [name for (name,) in raw.execute("select name from runs")] == ["settings", "alice.photon"] * 2
