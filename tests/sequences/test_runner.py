import json
import threading
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from erbia.analysis.errors import UsageError
from erbia.analysis.files.runfile import Run, RunWriter, open_run
from erbia.analysis.records import TagBlock
from erbia.instruments.errors import ConnectionLost
from erbia.sequences.control import RunControl
from erbia.sequences.documents import Document, Progress, Result, RunStart, RunStop, SettingStart, Tags, as_message
from erbia.sequences.lab import Lab, load_station
from erbia.sequences.replay import analyze, scan_link_windows
from erbia.sequences.telling import Unanalysable

SMALL = {"heralds": 8, "calibration_shots": 200}


def _tags(run: Run) -> list[np.ndarray]:
    return [a for s in run.sources for t in [run.tags(s)] for a in (t.t_ps, t.channel)]


def test_documents_come_in_order_after_the_data_are_on_disk(lab: Lab, tmp_path: Path) -> None:
    seen: list[Document] = []
    run = lab.run("heralded_entanglement", out_dir=tmp_path, subscribers=(seen.append,), **SMALL)
    kinds = [type(d) for d in seen]
    assert kinds[0] is RunStart
    assert kinds[-1] is RunStop
    assert {SettingStart, Tags, Progress, Result} <= set(kinds)
    assert sum(len(d.block.tags) for d in seen if isinstance(d, Tags)) == sum(len(run.tags(s)) for s in run.sources)
    for document in seen:
        json.dumps(as_message(document), allow_nan=False)
    assert run.status == "done"
    assert [str(s["name"], "utf-8") if isinstance(s["name"], bytes) else str(s["name"]) for s in run.settings()] == [
        "calibrate bright", "calibrate dark", "XX", "YY", "ZZ",
    ]  # fmt: skip
    assert len(run.heralds()) >= 24
    assert set(run.heralds()["outcome"]) <= {-1, 1}


def test_where_rounds_are_slow_what_is_told_is_durable(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks, durable, told = 0, 0, 0
    append, flush = RunWriter.append_tags, RunWriter.flush

    def count(self: RunWriter, block: TagBlock) -> None:
        nonlocal blocks
        append(self, block)
        blocks += 1

    def keep(self: RunWriter) -> None:
        nonlocal durable
        flush(self)
        durable = blocks

    def slow(document: Document) -> None:
        nonlocal told
        if isinstance(document, Tags):
            told += 1
            assert told <= durable
            time.sleep(0.2)

    monkeypatch.setattr(RunWriter, "append_tags", count)
    monkeypatch.setattr(RunWriter, "flush", keep)
    failures: list[str] = []
    monkeypatch.setattr("erbia.sequences.telling.log.exception", lambda *words: failures.append(str(words)))
    lab.run("heralded_entanglement", out_dir=tmp_path, subscribers=(slow,), heralds=1, calibration_shots=20)
    assert told >= 15
    assert not failures


def test_live_and_offline_give_the_same_numbers(lab: Lab, tmp_path: Path) -> None:
    run = lab.run("heralded_entanglement", out_dir=tmp_path, **SMALL)
    again = analyze(run)
    assert dict(run.results) == again.estimates


def test_same_seed_same_tags_another_seed_others(tmp_path: Path) -> None:
    def record(seed: int) -> list[np.ndarray]:
        with load_station("mock_lab", seed=seed) as lab:
            return _tags(lab.run("heralded_entanglement", out_dir=tmp_path, **SMALL))

    first, second, other = record(3), record(3), record(4)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_laser_held_off_gives_no_herald_and_says_so(lab: Lab, tmp_path: Path) -> None:
    lab.hold("laser.emission", False)
    seen: list[Document] = []
    run = lab.run("heralded_entanglement", out_dir=tmp_path, subscribers=(seen.append,), max_time_s=2, **SMALL)
    assert len(run.heralds()) == 0
    assert run.status == "done"
    assert seen[-1] == RunStop("done", seen[-1].reason)  # type: ignore[union-attr]
    assert "no herald in" in seen[-1].reason  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["checkpoint", "now", "emergency"])
def test_stopping_leaves_a_sound_file_and_a_safe_lab(lab: Lab, tmp_path: Path, kind: Any) -> None:
    control = RunControl()

    def stop(document: Document) -> None:
        if isinstance(document, SettingStart) and document.name == "XX":
            control.request(kind)

    run = lab.run("heralded_entanglement", out_dir=tmp_path, control=control, subscribers=(stop,), **SMALL)
    assert run.status == "aborted"
    assert len(run.settings()) == (3 if kind == "checkpoint" else 2)
    enough = len(run.heralds()) >= SMALL["heralds"]
    assert enough == (kind == "checkpoint")
    assert not lab.station.laser.emission()
    assert not lab.station.pulser.running()


def test_a_failing_instrument_fails_the_run_safely(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = lab.station.alice_tagger.read
    calls = iter(range(100))

    def unplugged(timeout_s: float) -> TagBlock:
        if next(calls) == 5:
            raise ConnectionLost("alice_tagger", f"no answer within {timeout_s} s")
        return read(timeout_s)  # type: ignore[no-any-return]

    monkeypatch.setattr(lab.station.alice_tagger, "read", unplugged)
    with pytest.raises(ConnectionLost, match="alice_tagger: no answer"):
        lab.run("heralded_entanglement", out_dir=tmp_path, **SMALL)
    (path,) = tmp_path.glob("*.h5")
    run = open_run(path)
    assert run.status == "failed"
    assert len(run.tags("midpoint")) > 0
    assert not lab.station.laser.emission()


def test_a_failing_subscriber_does_not_hurt_the_run(lab: Lab, tmp_path: Path) -> None:
    def broken(document: Document) -> None:
        raise RuntimeError("plot window gone")

    assert lab.run("heralded_entanglement", out_dir=tmp_path, subscribers=(broken,), **SMALL).status == "done"


def test_an_impossible_plan_switches_nothing_on(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="overwrite the memory"):
        lab.run("heralded_entanglement", out_dir=tmp_path, **{"timing.attempt_period_s": "20 us"}, **SMALL)
    assert not list(tmp_path.iterdir())


def test_the_file_keeps_config_snapshot_and_truth(lab: Lab, tmp_path: Path) -> None:
    run = lab.run("heralded_entanglement", out_dir=tmp_path, operator="ada", **SMALL)
    with h5py.File(run.path) as raw:
        assert raw.attrs["erbia_schema"] == 1
        assert bool(raw.attrs["simulated"])
        assert raw.attrs["operator"] in ("ada", b"ada")
    assert "laser" in json.loads(run.snapshot("start"))["instruments"]
    assert json.loads(run.config["resolved_json"])["config"]["heralds"] == 8
    assert 0.5 < float(run.truth()["fidelity"]) < 1


def test_tighter_windows_can_be_chosen_afterwards(lab: Lab, tmp_path: Path) -> None:
    run = lab.run("heralded_entanglement", out_dir=tmp_path, heralds=60, calibration_shots=300)
    whole = analyze(run)
    same = analyze(run, **{"selection.window_s": "4 us"})
    tight = analyze(run, **{"selection.window_s": "1 us"})
    assert same.estimates == whole.estimates == dict(run.results)
    kept = tight.estimates["herald_rate_hz"].n / whole.estimates["herald_rate_hz"].n
    both_early = (1 - np.exp(-1 / 0.8)) ** 2  # two photons of 0.8 us lifetime within 1 us each
    assert abs(kept - both_early) < 5 * np.sqrt(both_early * (1 - both_early) / 180)  # false alarm 6e-7
    scan = scan_link_windows(run, [1_000_000, 2_000_000], [0, 100_000])
    assert scan.values().shape == (2, 2)
    assert scan.corrected[0][0] == tight.estimates["fidelity"]
    with pytest.raises(UsageError, match="did you mean 'window_s'"):
        analyze(run, **{"selection.windw_s": "1 us"})


def test_an_analysis_that_fails_is_named_and_costs_no_data(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object, state: object) -> Result:
        raise ZeroDivisionError("no counts")

    monkeypatch.setattr("erbia.sequences.experiments.heralded_entanglement.HeraldedEntanglement.result", broken)
    with pytest.raises(Unanalysable, match=r"recorded \(done\), but the analysis failed: ZeroDivisionError: no counts"):
        lab.run("heralded_entanglement", out_dir=tmp_path, **SMALL)
    (path,) = tmp_path.glob("*.h5")
    run = open_run(path)
    assert run.status == "done"
    assert len(run.settings()) == 5


def test_a_pause_in_the_middle_of_a_long_setting(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("erbia.sequences.runner._CHECKPOINT_S", 0.0)
    control = RunControl()
    blocks = 0
    emission_in_pause: list[bool] = []

    def go_on() -> None:
        while not control.waiting():
            time.sleep(0.01)
        emission_in_pause.append(lab.station.laser.emission())
        control.resume()

    helper = threading.Thread(target=go_on)

    def pause(document: Document) -> None:
        nonlocal blocks
        blocks += isinstance(document, Tags)
        if blocks == 18 and not helper.is_alive() and not emission_in_pause:
            control.pause()
            helper.start()

    config = {"bases": ["XX", "ZZ"], "heralds": 80, "calibration_shots": 200}
    run = lab.run("heralded_entanglement", out_dir=tmp_path, control=control, subscribers=(pause,), **config)
    helper.join()
    assert emission_in_pause == [False]
    assert run.status == "done"
    assert [str(name) for name in run.settings()["name"]] == ["calibrate bright", "calibrate dark", "XX", "ZZ"]
    assert analyze(run).estimates == dict(run.results)
    assert run.results["fidelity"].value > 0.65  # matching slipped by one would give 0.25
