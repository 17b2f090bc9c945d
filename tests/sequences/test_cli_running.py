"""The commands around a run's life: resume, reproduce, diff, calibrate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from erbia.analysis.errors import UsageError
from erbia.cli import app
from erbia.sequences.control import RunControl
from erbia.sequences.documents import Document, SettingStart
from erbia.sequences.lab import load_station

SMALL = {"heralds": 5, "calibration_shots": 100}


@pytest.fixture
def erbia(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command with --json; gives (exit code, what it printed)."""
    runner = CliRunner()

    def run(*words: str | Path) -> tuple[int, dict[str, Any]]:
        written: list[dict[str, Any]] = []
        monkeypatch.setattr("erbia.console.print_json", written.append)
        result = runner.invoke(app, [*map(str, words), "--json"], catch_exceptions=True)
        if isinstance(result.exception, UsageError):
            raise result.exception
        return result.exit_code, written[-1] if written else {}

    return run


def stopped_run(folder: Path, seed: int) -> Path:
    control = RunControl()

    def stop(document: Document) -> None:
        if isinstance(document, SettingStart) and document.name == "YY":
            control.request("now")

    with load_station("mock_lab", seed=seed) as lab:
        return lab.run("heralded_entanglement", out_dir=folder, control=control, subscribers=(stop,), **SMALL).path


def test_resume_takes_station_and_seed_from_the_file(erbia: Any, tmp_path: Path) -> None:
    path = stopped_run(tmp_path, seed=42)
    code, told = erbia("run", "--resume", path)
    assert (code, told["status"], told["run"]) == (0, "done", str(path))
    with pytest.raises(UsageError, match="nothing to resume"):
        erbia("run", "--resume", path)
    with pytest.raises(UsageError, match="keeps its own config"):
        erbia("run", "--resume", path, "--set", "heralds=3")
    with pytest.raises(UsageError, match="or --resume"):
        erbia("run")
    code, told = erbia("reproduce", path)
    assert (code, told["same"]) == (0, True)
    assert told["results"]["fidelity"]["same"]


def test_monitors_on_the_command_line(erbia: Any, tmp_path: Path) -> None:
    small = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
    watch = ("--monitor", "cold={parameter: cryostat.temperature, maximum: 1}")
    code, told = erbia("run", "heralded_entanglement", *small, *watch, "--out", tmp_path, "--seed", "1")
    assert code == 0
    with pytest.raises(UsageError, match="is not NAME"):
        erbia("run", "heralded_entanglement", "--monitor", "cold", "--out", tmp_path)
    with pytest.raises(UsageError, match=r"monitor cold: .*maximun"):
        erbia("run", "heralded_entanglement", "--monitor", "cold={parameter: cryostat.temperature, maximun: 1}")
    other = erbia("run", "heralded_entanglement", *small, "--out", tmp_path, "--seed", "2")[1]
    code, found = erbia("diff", told["run"], other["run"])
    assert code == 0
    assert found["config"]["seed"] == (1, 2)
    assert found["config"]["monitors.cold.maximum"] == (1.0, None)


def test_calibrate_tells_and_takes(erbia: Any, tmp_path: Path) -> None:
    code, told = erbia("calibrate", "--out", tmp_path)
    assert code == 1
    assert told["calibrations"]["fidelity"]["state"] == "never"
    code, told = erbia("calibrate", "storage", "--out", tmp_path, "--seed", "1")
    assert (code, told["outcomes"]) == (0, {"storage": "calibrated"})
    assert told["calibrations"]["storage"]["estimate"]["value"] == pytest.approx(1e-3, rel=0.5)
    with pytest.raises(UsageError, match="no calibration 'moon'; the station has jitter, storage, fidelity"):
        erbia("calibrate", "moon", "--out", tmp_path)


def test_a_file_that_is_no_run_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.h5").write_bytes(json.dumps({}).encode())
    for words in (["run", "--resume"], ["reproduce"]):
        result = CliRunner().invoke(app, [*words, str(tmp_path / "x.h5")])
        assert isinstance(result.exception, UsageError)
        assert "not an HDF5 file" in str(result.exception)
