"""A scan over window and delay on the command line, open and blinded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from erbia.cli import app
from erbia.cli_windows import BLIND_SCALE
from erbia.sequences.lab import load_station


@pytest.fixture(scope="module")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lab = load_station("mock_lab")
    run = lab.run("heralded_entanglement", out_dir=tmp_path_factory.mktemp("runs"), heralds=30, calibration_shots=300)
    return Path(run.path)


def rows(run_file: Path, *options: str) -> list[dict[str, object]]:
    arguments = ["scan-windows", str(run_file), "--windows-ps", "2000000,4000000", *options, "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    found: list[dict[str, object]] = json.loads(result.stdout)["rows"]
    return found


def test_scan_open_and_blinded(run_file: Path) -> None:
    clear, hidden = rows(run_file), rows(run_file, "--blind", "our key")
    assert [row["window_ps"] for row in clear] == [2_000_000, 4_000_000]
    moved = [h["corrected"]["value"] - c["corrected"]["value"] for h, c in zip(hidden, clear, strict=True)]  # type: ignore[index]
    assert moved[0] == pytest.approx(moved[1])
    assert 0 < abs(moved[0]) <= BLIND_SCALE


def test_a_window_that_is_no_number_is_named(run_file: Path) -> None:
    result = CliRunner().invoke(app, ["scan-windows", str(run_file), "--windows-ps", "2us"])
    assert "--windows-ps '2us' is not a list of whole numbers" in str(result.exception)


def test_a_blinded_fidelity_shows_no_correlator(tmp_path: Path) -> None:
    counts = {"target": "psi+", "bases": {b: {"++": 9, "+-": 1, "-+": 1, "--": 9} for b in ("XX", "YY")}}
    counts["bases"]["ZZ"] = {"++": 1, "+-": 9, "-+": 9, "--": 1}  # type: ignore[index]
    path = tmp_path / "counts.json"
    path.write_text(json.dumps(counts), encoding="utf-8")
    clear, hidden = (
        json.loads(CliRunner().invoke(app, ["fidelity", str(path), *blind, "--json"]).stdout)
        for blind in ([], ["--blind", "our key"])
    )
    assert set(hidden) == {"target", "fidelity", "raw"}
    assert hidden["fidelity"]["value"] != clear["fidelity"]["value"]
