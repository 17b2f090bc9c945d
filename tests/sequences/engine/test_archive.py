"""Recorded runs: listed at once, told again with the same numbers, correlated anew from their tags."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import erbia
from erbia.analysis.errors import UsageError
from erbia.analysis.files.runfile import Run, open_run
from erbia.sequences.engine.archive import Archive
from erbia.sequences.engine.client import EngineClient
from erbia.sequences.engine.run_index import RunIndex


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("runs")
    with erbia.load_station("mock_lab", seed=1) as lab:
        return lab.run("heralded_entanglement", heralds=20, calibration_shots=300, out_dir=folder)


@pytest.fixture
def folder(recorded: Run, tmp_path: Path) -> Path:
    """A folder with a copy of the run."""
    shutil.copy(recorded.path, tmp_path)
    return tmp_path


def test_a_run_is_listed_with_its_results(recorded: Run, folder: Path) -> None:
    (run,) = Archive(folder).runs("")
    assert (run.run_id, run.experiment, run.status, run.simulated) == (
        recorded.run_id,
        "heralded_entanglement",
        "done",
        True,
    )
    assert run.size_bytes == recorded.path.stat().st_size
    assert {n: e["value"] for n, e in run.results.items()} == {n: e.value for n, e in recorded.results.items()}


def test_a_file_is_looked_into_once_until_it_changes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = RunIndex(folder)
    (before,) = index.runs()
    monkeypatch.setattr("erbia.sequences.engine.run_index.open_run", lambda path: pytest.fail("looked again"))
    assert index.runs() == [before]
    assert RunIndex(folder).runs() == [before], "another process remembers too"


def test_corrupt_interrupted_and_vanished_runs(folder: Path) -> None:
    index = RunIndex(folder)
    (good,) = index.runs()
    (folder / "9-broken.h5").write_bytes(b"not a run")
    broken, same = index.runs()
    assert (broken.run_id, broken.status, same) == ("9-broken", "corrupt", good)
    with index._database as database:
        database.execute("UPDATE runs SET status = 'running' WHERE run_id = ?", (good.run_id,))
    assert index.runs()[1].status == "interrupted"
    assert index.runs(active_path=good.path)[1].status == "running"
    (folder / "9-broken.h5").unlink()
    assert len(index.runs()) == 1


def test_notes_stay_with_the_run(folder: Path) -> None:
    index = RunIndex(folder)
    (run,) = index.runs()
    index.annotate(run.run_id, True, "best so far")
    (noted,) = RunIndex(folder).runs()
    assert (noted.star, noted.note) == (True, "best so far")
    with pytest.raises(UsageError, match="no run r9"):
        index.path("r9")


def test_told_again_it_says_the_same(recorded: Run, folder: Path) -> None:
    told = list(Archive(folder).recorded(recorded.run_id, pace=0.0))
    assert (told[0]["type"], told[-1]) == ("RunStart", {"type": "RunStop", "status": "done", "reason": ""})
    assert [m["name"] for m in told if m["type"] == "SettingStart"][-3:] == ["XX", "YY", "ZZ"]
    clicks = sum(m["n"] for m in told if m["type"] == "Tags")
    assert clicks == sum(len(recorded.tags(source)) for source in recorded.sources)
    last = [m for m in told if m["type"] == "Result"][-1]["estimates"]
    assert {n: e["value"] for n, e in last.items()} == {n: e.value for n, e in recorded.results.items()}
    assert [m["fraction"] for m in told if m["type"] == "Progress"][-1] == 1.0


def test_a_correlation_from_the_tags(recorded: Run, folder: Path) -> None:
    histogram = Archive(folder).correlate(
        recorded.run_id, "midpoint", "detector_a", "detector_b", 1_000_000, 50_500_000
    )
    numbers = {name: n for n, name in recorded.channels("midpoint").items()}
    tags = recorded.tags("midpoint")
    a, b = tags.on(numbers["detector_a"]), tags.on(numbers["detector_b"])
    lags = (b[None, :] - a[:, None]).ravel()
    expected, _ = np.histogram(lags, np.arange(-50, 51) * 1_000_000)
    inside = lags[(lags >= -50_000_000) & (lags < 50_000_000)]
    assert histogram.counts.sum() == len(inside) > 0
    assert np.array_equal(histogram.counts[:-1], expected[:-1]), "the last bin of numpy is closed, ours is half-open"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("midpoint", "detector_a", "nobody", 100, 1000), "it has sync, detector_a, detector_b, herald"),
        (("midpoint", "detector_a", "detector_b", 0, 1000), "at least 1 ps"),
        (("midpoint", "detector_a", "detector_b", 1, 10**12), "bins"),
    ],
)
def test_what_cannot_be_correlated(recorded: Run, folder: Path, arguments: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Archive(folder).correlate(recorded.run_id, *arguments)


def test_the_same_over_the_wire(recorded: Run, tmp_path: Path, client: EngineClient) -> None:
    shutil.copy(recorded.path, tmp_path)
    (run,) = client.runs()
    assert run.run_id == recorded.run_id
    assert run.results["fidelity"]["value"] == recorded.results["fidelity"].value
    client.annotate(run.run_id, True, "hm")
    assert client.runs()[0].note == "hm"
    told = [d.content["type"] for d in client.recorded(run.run_id)]
    assert (told[0], told[-1]) == ("RunStart", "RunStop")
    lag_ps, counts, bin_ps = client.correlate(run.run_id, "midpoint", "detector_a", "detector_a", 1000, 10_000)
    assert (len(lag_ps), len(counts), bin_ps) == (20, 20, 1000)
    with pytest.raises(UsageError, match="no run r9"):
        next(client.recorded("r9"))
    assert open_run(run.path).run_id == run.run_id
