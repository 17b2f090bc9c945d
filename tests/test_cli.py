"""The command line as a shell sees it: a process, its exit code, stdout and stderr."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

DELFT_2015 = {
    "settings": {
        "00": {"same": 46, "different": 7},
        "01": {"same": 63, "different": 16},
        "10": {"same": 46, "different": 16},
        "11": {"same": 10, "different": 41},
    },
    "signs": [1, 1, 1, -1],
}
PSI_PLUS = {
    "target": "psi+",
    "bases": {
        "XX": {"++": 90, "+-": 10, "-+": 8, "--": 92},
        "YY": {"++": 90, "+-": 10, "-+": 8, "--": 92},
        "ZZ": {"++": 5, "+-": 95, "-+": 97, "--": 3},
    },
    "confidence": 0.95,
}


def erbia(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "erbia", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)


def answer(*arguments: object, cwd: Path, exit_code: int = 0) -> dict[str, Any]:
    """The one JSON object of a command that ended as expected."""
    done = erbia(*arguments, "--json", cwd=cwd)
    assert done.returncode == exit_code, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def complaint(*arguments: object, cwd: Path, exit_code: int = 2) -> str:
    """The one line on stderr of a command that failed as expected."""
    done = erbia(*arguments, cwd=cwd)
    assert done.returncode == exit_code, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0]


@pytest.fixture(scope="module")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    settings = ("--set", "heralds=10", "--set", "calibration_shots=200")
    done = answer("run", "heralded_entanglement", "--seed", 5, "--out", folder, *settings, cwd=folder)
    assert done["status"] == "done"
    assert done["simulated"] is True
    assert {"fidelity", "herald_rate_hz"} <= done["results"].keys()
    return Path(done["run"])


def test_fidelity(tmp_path: Path) -> None:
    (tmp_path / "counts.json").write_text(json.dumps(PSI_PLUS))
    found = answer("fidelity", "counts.json", cwd=tmp_path)["fidelity"]
    assert found["value"] == pytest.approx((1 + 0.82 + 0.82 + 0.92) / 4)
    assert found["lower"] < found["value"] < found["upper"]
    assert list(found) == ["value", "lower", "upper", "confidence", "std", "n", "method", "unit"]


def test_chsh_gives_the_published_numbers(tmp_path: Path) -> None:
    (tmp_path / "counts.json").write_text(json.dumps(DELFT_2015))
    found = answer("chsh", "counts.json", "--win-bound", 0.75003240034992, cwd=tmp_path)
    assert (found["n"], found["wins"]) == (245, 196)
    assert found["s"] == pytest.approx(2.42250, abs=1e-5)
    assert found["s_std"] == pytest.approx(0.20383, abs=1e-5)
    assert found["p_value"] == pytest.approx(0.039175, abs=1e-6)


def test_correlate_and_coincidences(tmp_path: Path) -> None:
    t_ps = np.array([0, 150, 10_000, 10_150], np.int64)
    np.savez(tmp_path / "tags.npz", t_ps=t_ps, channel=np.array([1, 2, 1, 2], np.uint8))
    found = answer("correlate", "tags.npz", "--a", 1, "--b", 2, "--bin-ps", 100, "--range-ps", 300, cwd=tmp_path)
    assert found["lag_ps"] == [-300, -200, -100, 0, 100, 200]
    assert found["counts"] == [0, 0, 0, 0, 2, 0]
    assert found["singles"] == {"a": 2, "b": 2}
    found = answer("coincidences", "tags.npz", "--channels", "1,2", "--window-ps", 400, cwd=tmp_path)
    assert found["counts"] == {"1,2": 2}


def test_sync_finds_a_known_offset_and_says_when_there_is_none(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    pairs = np.sort(rng.integers(0, 10**12, 20_000))
    b = np.sort(pairs + 123_456_789 + rng.normal(0, 50, len(pairs)).astype(np.int64))
    np.save(tmp_path / "a.npy", pairs)
    np.save(tmp_path / "b.npy", b)
    found = answer("sync", "a.npy", "b.npy", "--max-offset-s", 0.01, "--max-ppm", 1, cwd=tmp_path)
    assert found["found"] is True
    assert found["offset_ps"] == pytest.approx(123_456_789, abs=6 * found["offset_std_ps"])
    np.save(tmp_path / "c.npy", np.sort(rng.integers(0, 10**12, 2_000)))
    narrow = ("--max-offset-s", 0.001, "--max-ppm", 1, "--max-work", 1e7)
    none = answer("sync", "a.npy", "c.npy", *narrow, cwd=tmp_path, exit_code=1)
    assert none["found"] is False


def test_laser_held_off_is_an_honest_negative(tmp_path: Path) -> None:
    settings = ("--set", "laser.emission=false", "--set", "max_time_s=1 s", "--set", "heralds=5")
    found = answer("run", "heralded_entanglement", *settings, cwd=tmp_path, exit_code=1)
    assert found["heralds"] == 0
    assert "no herald in" in found["reason"]


def test_a_run_can_be_looked_at_analysed_again_and_reported(run_file: Path, tmp_path: Path) -> None:
    facts = answer("info", run_file, cwd=tmp_path)
    assert facts["status"] == "done"
    assert facts["heralds"] >= 30
    assert set(facts["sources"]) == {"midpoint", "alice", "bob"}
    again = answer("analyze", run_file, cwd=tmp_path)
    assert again["results"] == facts["results"]
    assert answer("runs", run_file.parent, cwd=tmp_path)["runs"][0]["run"] == run_file.name
    assert answer("validate", run_file, cwd=tmp_path)["problems"] == []
    answer("report", run_file, "-o", tmp_path / "r.html", cwd=tmp_path)
    page = (tmp_path / "r.html").read_text()
    assert "SIMULATED" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<script src" not in page
    found = answer(
        "correlate", f"{run_file}:midpoint", "--a", 1, "--b", 2, "--bin-ps", 1000, "--range-ps", 100_000, cwd=tmp_path
    )
    assert len(found["counts"]) == 200


def test_bad_input_is_one_line_and_exit_2(run_file: Path, tmp_path: Path) -> None:
    (tmp_path / "half.h5").write_bytes(run_file.read_bytes()[: run_file.stat().st_size // 2])
    (tmp_path / "bad.json").write_text("{")
    before = (tmp_path / "half.h5").read_bytes()
    assert "half.h5" in complaint("info", "half.h5", cwd=tmp_path)
    assert "half.h5" in complaint("analyze", "half.h5", cwd=tmp_path)
    assert (tmp_path / "half.h5").read_bytes() == before
    assert "none.h5" in complaint("info", "none.h5", cwd=tmp_path)
    assert "bad.json:1: not valid JSON" in complaint("fidelity", "bad.json", cwd=tmp_path)
    assert "did you mean 'heralds'" in complaint("run", "heralded_entanglement", "--set", "herald=3", cwd=tmp_path)
    assert "expected s" in complaint("run", "clock_sync", "--set", "duration_s=3 W", cwd=tmp_path)
    assert "expected W" in complaint("run", "clock_sync", "--set", "laser.power=3 s", cwd=tmp_path)
    assert "no station 'moon'" in complaint("run", "clock_sync", "--station", "moon", cwd=tmp_path)
    assert not (tmp_path / "runs").exists()


def test_an_unreachable_instrument_is_one_line_and_exit_3(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(
        "instruments:\n"
        "  laser:\n"
        "    type: erbia.instruments.drivers.santec_tsl.SantecTsl\n"
        "    address: TCPIP::127.0.0.1::9::SOCKET\n"
        "    init: {visalib: '@py'}\n"
    )
    line = complaint("run", "clock_sync", "--station", "lab.yaml", cwd=tmp_path, exit_code=3)
    assert line.startswith("erbia: laser")


def test_presets(tmp_path: Path) -> None:
    settings = ("--preset", "quick_entanglement", "--set", "heralds=3", "--set", "calibration_shots=100")
    assert answer("run", "heralded_entanglement", *settings, cwd=tmp_path)["status"] == "done"
    assert "expected one key 'clock_sync'" in complaint(
        "run", "clock_sync", "--preset", "quick_entanglement", cwd=tmp_path
    )
    assert "give a .yaml file or one of" in complaint("run", "clock_sync", "--preset", "slow", cwd=tmp_path)


def test_doctor_finds_what_is_needed(tmp_path: Path) -> None:
    found = answer("doctor", cwd=tmp_path)
    assert found["ok"] is True
    assert {"numpy", "qcodes", "h5py"} <= {check["name"] for check in found["checks"]}
