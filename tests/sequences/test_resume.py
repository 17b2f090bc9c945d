"""A run that was cut off goes on in its file, with nothing lost and nothing twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from erbia.analysis.errors import UsageError
from erbia.analysis.files.runfile import Run, RunWriter, open_run
from erbia.sequences.compare import reproduce
from erbia.sequences.control import RunControl
from erbia.sequences.documents import Document, RunStop, Tags
from erbia.sequences.experiments.scan import ScanExperiment
from erbia.sequences.lab import Lab, load_station
from erbia.sequences.replay import analyze, experiment_of, refold
from erbia.sequences.scan import Search, Told

CONFIG = {"heralds": 60, "calibration_shots": 300}


class Cut(BaseException):
    """What a killed process looks like from inside: nothing is closed."""


def cut_off(
    lab: Lab, folder: Path, at_block: int, monkeypatch: pytest.MonkeyPatch, experiment: str, config: dict[str, Any]
) -> Path:
    """Plays until a block, then drops everything as a kill would; the copy has no living writer."""
    seen = 0

    def count(document: Document) -> None:
        nonlocal seen
        seen += isinstance(document, Tags)
        if seen == at_block:
            raise Cut

    flushed = RunWriter.append_tags

    def durable(self: RunWriter, block: Any) -> None:
        flushed(self, block)
        self.flush()

    with monkeypatch.context() as patched:
        patched.setattr(RunWriter, "append_tags", durable)
        patched.setattr(RunWriter, "close", lambda self, status="done": None)
        patched.setattr("erbia.analysis.files.runwriter._writer_identity", _nobody)
        with pytest.raises(Cut):
            lab.run(experiment, out_dir=folder, subscribers=(count,), **config)
    (path,) = folder.glob("*.h5")
    (folder / "cut").mkdir()
    return Path(shutil.copy(path, folder / "cut"))


def _nobody() -> dict[str, Any]:
    return {"writer_host": os.uname().nodename, "writer_pid": 2**22 + 1, "writer_started": 0.0}


@pytest.mark.parametrize("at_block", [1, 2, 9, 14, 20])
def test_a_killed_run_goes_on_from_its_last_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_block: int
) -> None:
    with load_station("mock_lab", seed=3) as lab:
        path = cut_off(lab, tmp_path, at_block, monkeypatch, "heralded_entanglement", CONFIG)
    with open_run(path) as before:
        assert before.status == "interrupted"
        kept = {source: before.tags(source) for source in before.sources}
        settings = before.settings()
    with load_station("mock_lab", seed=3) as lab:
        run = lab.resume(path)
    assert run.status == "done"
    names = [str(name) for name in run.settings()["name"]]
    assert names == ["calibrate bright", "calibrate dark", "XX", "YY", "ZZ"]
    assert np.array_equal(run.settings()[: len(settings)], settings)
    for source, tags in kept.items():
        after = run.tags(source)
        assert np.array_equal(after.t_ps[: len(tags)], tags.t_ps)
        assert np.all(np.diff(after.t_ps) >= 0)
    assert len({len(run.blocks(source)) for source in run.sources}) == 1
    assert analyze(run).estimates == dict(run.results)
    heralds = run.heralds()
    assert len(np.unique(heralds["t_ps"])) == len(heralds)
    # Matching heralds to read-outs survives the break: a slip by one herald would give 0.25. False alarm < 1e-6.
    assert run.results["fidelity"].value > 0.65


def test_a_run_stopped_in_a_setting_goes_on(tmp_path: Path) -> None:
    control = RunControl()
    seen: list[Document] = []

    def stop(document: Document) -> None:
        seen.append(document)
        if sum(isinstance(d, Tags) for d in seen) == 12:
            control.request("now")

    with load_station("mock_lab", seed=4) as lab:
        run = lab.run("heralded_entanglement", out_dir=tmp_path, control=control, subscribers=(stop,), **CONFIG)
        assert run.status == "aborted"
        first = len(run.tags("midpoint"))
        again = lab.resume(run.path)  # the same process: the lab's time has gone on by itself
    assert again.path == run.path
    assert again.status == "done"
    assert len(again.tags("midpoint")) > first
    assert len(again.settings()) == 5
    assert "RESUMED" in [str(level) for level in again.log()["level"]]
    assert reproduce(again).differing() == []


def test_what_cannot_be_resumed_is_refused(tmp_path: Path) -> None:
    control = RunControl()
    control.request("now")
    with load_station("mock_lab", seed=7) as lab:
        run = lab.run("heralded_entanglement", out_dir=tmp_path, heralds=2, calibration_shots=50)
        with pytest.raises(UsageError, match="is done; there is nothing to resume"):
            lab.resume(run.path)
        stopped = lab.run("heralded_entanglement", out_dir=tmp_path, control=control, **CONFIG)
    with load_station("mock_lab", seed=8) as other, pytest.raises(UsageError, match="simulated with seed 7"):
        other.resume(stopped.path)


def test_held_parameters_are_held_again(tmp_path: Path) -> None:
    control = RunControl()
    control.request("now")
    with load_station("mock_lab", seed=5) as lab:
        lab.hold("laser.emission", False)
        run = lab.run("heralded_entanglement", out_dir=tmp_path, control=control, max_time_s=1, **CONFIG)
    seen: list[Document] = []
    with load_station("mock_lab", seed=5) as lab:
        again = lab.resume(run.path, subscribers=(seen.append,))
    assert len(again.heralds()) == 0
    stop = seen[-1]
    assert isinstance(stop, RunStop)
    assert "no herald" in stop.reason


LINE = {"parameter": "laser.frequency", "unit": "Hz", "centre": 194.95e12, "span": "8 MHz", "points": 6}
SEARCH = {"method": "golden_section", "parameter": "laser.frequency", "tolerance": 2e6}
SCAN = {"play": "alice_readout", "measure": ["alice.photon"], "parameters": {"laser.emission": True}, "dwell_s": 1.2}
DECIDED = {
    "search": {**SCAN, "points": {**SEARCH, "low": 194.95e12 - 6e6, "high": 194.95e12 + 5e6}},
    "condition": {**SCAN, "points": {"axes": [LINE]}, "break_when": {"measured": "alice.photon", "above": 1e9}},
}


def visited_as_told(run: Run) -> None:
    """Every setting is the one that follows from those before it, was dwelt on in full, and stands there once."""
    experiment = experiment_of(run)
    assert isinstance(experiment, ScanExperiment)
    visits, points = refold(experiment, run).visits, experiment.config.points
    rows = [json.loads(text)["parameters"] for text in run.settings()["parameters"]]
    assert [row["laser.frequency"] for row in rows] == [visit.values["laser.frequency"] for visit in visits]
    assert [int(index) for index in run.settings()["index"]] == list(range(len(visits)))
    assert all(visit.closed and visit.dwelt_ps(("alice",)) >= 1.2e12 for visit in visits)
    if isinstance(points, Search):
        told = [Told(visit.values, experiment.value(visit, "alice.photon")) for visit in visits]
        asked = [points.ask(told[:k]) for k in range(len(told) + 1)]
        assert [dict(visit.values) for visit in visits] == asked[:-1]
        assert asked[-1] is None
    else:
        assert [dict(visit.values) for visit in visits] == [dict(point.values) for point in points.points()]
    names = [str(name) for name in run.settings()["name"]]
    assert names == [f"point {k}" for k in range(len(visits))]


@pytest.mark.parametrize("at_block", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("decided", DECIDED)
def test_settings_decided_from_data_go_on_where_they_were_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decided: str, at_block: int
) -> None:
    with load_station("mock_lab", seed=3) as lab:
        path = cut_off(lab, tmp_path, at_block, monkeypatch, "scan", DECIDED[decided])
    with load_station("mock_lab", seed=3) as lab:
        run = lab.resume(path)
    assert run.status == "done"
    visited_as_told(run)
    assert reproduce(run).differing() == []


KILLED = """
import json, os, signal, sys, time
import erbia
from erbia.sequences.documents import Tags
def count(document, seen=[]):
    seen.append(isinstance(document, Tags))
    if sum(seen) == int(sys.argv[1]):
        time.sleep(0.6)  # rows are made durable every half second, at the next one
    if sum(seen) == int(sys.argv[1]) + 1:
        os.kill(os.getpid(), signal.SIGKILL)
with erbia.load_station("mock_lab", seed=3) as lab:
    lab.run("scan", out_dir=sys.argv[2], subscribers=(count,), **json.loads(sys.argv[3]))
"""


@pytest.mark.slow
def test_a_search_survives_the_death_of_its_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, "4", str(tmp_path), json.dumps(DECIDED["search"])]
    assert subprocess.run(command, check=False, capture_output=True).returncode == -signal.SIGKILL
    (path,) = tmp_path.glob("*.h5")
    with open_run(path) as before:
        assert before.status == "interrupted"
        assert len(before.settings()) == 1
        assert sum(len(before.blocks(source)) for source in before.sources) in (4, 5)
    with load_station("mock_lab", seed=3) as lab:
        visited_as_told(lab.resume(path))


def test_a_run_cut_before_its_answer_was_kept_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(*_: object) -> None:
        raise Cut

    with load_station("mock_lab", seed=3) as lab:
        with monkeypatch.context() as patched:
            patched.setattr("erbia.sequences.telling.keep_result", cut)
            with pytest.raises(Cut):
                lab.run("timing_jitter", out_dir=tmp_path, clicks=2000)
        (path,) = tmp_path.glob("*.h5")
        with open_run(path) as before:
            assert (before.status, dict(before.results)) == ("done", {})
        seen: list[Document] = []
        run = lab.resume(path, subscribers=(seen.append,))
        assert dict(run.results) == analyze(run).estimates
        assert [type(document).__name__ for document in seen] == ["RunStart", "Result", "RunStop"]
        with pytest.raises(UsageError, match="is done; there is nothing to resume"):
            lab.resume(path)
