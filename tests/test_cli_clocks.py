"""``erbia sync`` on files of every format, in both directions; wrong inputs; ``erbia stability`` and its picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from erbia.analysis.errors import ErbiaError
from erbia.analysis.files.convert import convert
from erbia.cli import app

OFFSET_PS = {"later": 50_000_000_000, "earlier": -50_000_000_000}
NARROW = ["--max-offset-s", "0.2", "--max-ppm", "1", "--max-work", "1e7"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A's clicks and B's, later and earlier, with a marker each 10 us on channel 9 of A."""
    path = tmp_path_factory.mktemp("tags")
    rng = np.random.default_rng(3)
    start = 10**11
    pairs = start + rng.uniform(0, 10**12, 5_000)
    clicks = {
        "a": pairs + rng.normal(0, 50, len(pairs)),
        **{name: pairs * (1 + 3e-7) + rng.normal(0, 50, len(pairs)) + off for name, off in OFFSET_PS.items()},
    }
    for name, t in clicks.items():
        dark = start + OFFSET_PS.get(name, 0) + rng.uniform(0, 10**12, 15_000)
        t_ps = np.sort(np.rint(np.concatenate((t, dark))).astype(np.int64))
        np.savez(path / f"{name}.npz", t_ps=t_ps, channel=np.ones(len(t_ps), np.uint8))
        np.save(path / f"{name}.npy", t_ps)
    a = np.load(path / "a.npy")
    marks = np.arange(a[0], a[-1], 10**7)
    both, order = np.concatenate((a, marks)), np.argsort(np.concatenate((a, marks)), kind="stable")
    channel = np.repeat(np.array([1, 9], np.uint8), (len(a), len(marks)))
    np.savez(path / "marked.npz", t_ps=both[order], channel=channel[order])
    return path


def found(*arguments: object, exit_code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["sync", *map(str, arguments), *NARROW, "--json"])
    assert result.exit_code == exit_code, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.mark.parametrize("name", OFFSET_PS)
def test_both_directions(folder: Path, name: str) -> None:
    there, back = found(folder / "a.npz", folder / f"{name}.npz"), found(folder / f"{name}.npz", folder / "a.npz")
    # Six standard errors: false alarm 2e-9.
    assert there["offset_ps"] == pytest.approx(OFFSET_PS[name], abs=6 * there["offset_std_ps"])
    assert back["offset_ps"] == pytest.approx(-OFFSET_PS[name] * (1 - 3e-7), abs=6 * back["offset_std_ps"])
    assert back["skew"] == pytest.approx(-3e-7, abs=1e-11)


@pytest.mark.parametrize("suffix", ["npy", "csv", "ptu", "a1", "a2", "h5", "hdf5"])
def test_every_format(folder: Path, suffix: str) -> None:
    files = [folder / f"{name}.{suffix}" for name in ("a", "earlier")]
    for file in files:
        if not file.exists():
            convert(file.with_suffix(".npz"), file)
    answer = found(*files)
    # 4 ps for the ticks of .a1, .a2 and .ptu.
    assert answer["offset_ps"] == pytest.approx(OFFSET_PS["earlier"], abs=6 * answer["offset_std_ps"] + 4)


def test_a_channel_alone_where_the_file_holds_markers_too(folder: Path) -> None:
    only = found(folder / "marked.npz", folder / "later.npz", "--channel-a", 1)
    assert only["offset_ps"] == pytest.approx(OFFSET_PS["later"], abs=6 * only["offset_std_ps"])
    assert only["pairs"] == found(folder / "a.npz", folder / "later.npz")["pairs"]
    absent = CliRunner().invoke(app, ["sync", str(folder / "marked.npz"), str(folder / "a.npz"), "--channel-a", "4"])
    assert "no clicks on channel 4; it holds 1, 9" in str(absent.exception)


def broken(folder: Path, name: str) -> np.ndarray:
    a: np.ndarray = np.load(folder / "a.npy")
    return {
        "unsorted": a[::-1].copy(),
        "floats": a.astype(np.float64),
        "one_tag": a[:1],
        "elsewhere": a + 10**15,
        "seconds": a // 10**12,
    }[name]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("unsorted", "lies before the one before it"),
        ("floats", "int64"),
        ("one_tag", "too few"),
        ("elsewhere", "no overlap"),
        ("seconds", "are the tags in picoseconds"),
    ],
)
def test_a_wrong_input_is_one_clear_line(folder: Path, tmp_path: Path, name: str, says: str) -> None:
    np.save(tmp_path / f"{name}.npy", broken(folder, name))
    result = CliRunner().invoke(app, ["sync", str(folder / "a.npy"), str(tmp_path / f"{name}.npy"), *NARROW])
    assert isinstance(result.exception, ErbiaError)
    assert says in str(result.exception)
    assert "\n" not in str(result.exception)


def test_the_same_file_twice_is_refused(folder: Path) -> None:
    result = CliRunner().invoke(app, ["sync", str(folder / "a.npy"), str(folder / "a.npy")])
    assert "the same stream" in str(result.exception)


def test_one_file_in_nanoseconds_is_an_error_or_not_found(folder: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "ns.npy", np.load(folder / "later.npy") // 1000)
    result = CliRunner().invoke(app, ["sync", str(folder / "a.npy"), str(tmp_path / "ns.npy"), *NARROW])
    assert result.exit_code
    assert result.exception is not None or "not found" in result.output


def test_both_files_in_nanoseconds_are_told(folder: Path, tmp_path: Path) -> None:
    for name in ("a", "later"):
        np.save(tmp_path / f"{name}.npy", np.load(folder / f"{name}.npy") // 1000)
    answer = found(tmp_path / "a.npy", tmp_path / "later.npy", exit_code=1)
    assert "picoseconds" in answer["reason"]


def test_stability_draws_what_it_prints(tmp_path: Path) -> None:
    phase = np.cumsum(np.random.default_rng(2).normal(size=200)) * 1e-12
    phase[50:60] = np.nan
    file, plot = tmp_path / "phase.txt", tmp_path / "tdev.svg"
    file.write_text("\n".join(map(str, phase)), encoding="utf-8")
    result = CliRunner().invoke(app, ["stability", str(file), "--rate-hz", "1", "--plot", str(plot)])
    assert result.exit_code == 0, result.output
    assert plot.read_text(encoding="utf-8").count("<svg") == 1
    wrong = CliRunner().invoke(app, ["stability", str(file), "--rate-hz", "1", "--plot", "tdev.gif"])
    assert "is not one of .svg .png .pdf" in str(wrong.exception)
