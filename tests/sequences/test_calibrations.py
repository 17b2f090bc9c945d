"""Calibrations know their age and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from erbia.analysis.errors import DataError, UsageError
from erbia.analysis.records import Estimate
from erbia.instruments.errors import ConnectionLost
from erbia.instruments.monitored import CalibrationSection
from erbia.sequences.calibrations import CalibrationBook, calibrate, describe_states
from erbia.sequences.lab import Lab

SECTIONS = {
    "fidelity": CalibrationSection(level=2, needs=("delay",), experiment="link", figure="f", expires_after_s=1000),
    "delay": CalibrationSection(
        level=1, needs=("bias",), experiment="pairs", figure="d", check={"quick": True}, expires_after_s=100
    ),
    "bias": CalibrationSection(experiment="counts", figure="b", expires_after_s=1000, sets="snspd.ch1.bias"),
}


class Bench:
    """Experiments that give what they are told to; keeps what was played and set."""

    def __init__(self, path: Path) -> None:
        self.now_s = 0.0
        self.value, self.std = 1.0, 0.1
        self.played: list[tuple[str, dict[str, Any]]] = []
        self.applied: dict[str, float] = {}
        self.broken = ""
        self.book = CalibrationBook(SECTIONS, path / "calibrations.json", lambda: self.now_s)

    def play(self, experiment: str, config: Mapping[str, Any]) -> tuple[dict[str, Estimate], str]:
        self.now_s += 1.0
        self.played.append((experiment, dict(config)))
        if experiment == self.broken:
            raise ConnectionLost("tagger", "unplugged")
        v = self.value
        estimate = Estimate(v, v - self.std, v + self.std, 0.95, self.std, 10, "bench")
        return dict.fromkeys("bdf", estimate), f"{experiment}.h5"

    def calibrate(self, *names: str) -> dict[str, str]:
        return calibrate(self.book, names, self.play, self.applied.__setitem__)

    def states(self) -> dict[str, str]:
        return {name: self.book.state(name)[0] for name in self.book.names()}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_all_are_taken_lowest_level_first_and_applied(bench: Bench) -> None:
    assert bench.states() == {"bias": "never", "delay": "never", "fidelity": "never"}
    assert bench.calibrate() == dict.fromkeys(("bias", "delay", "fidelity"), "calibrated")
    assert [name for name, _ in bench.played] == ["counts", "pairs", "link"]
    assert set(bench.states().values()) == {"fresh"}
    assert bench.applied == {"snspd.ch1.bias": 1.0}
    assert bench.calibrate() == {}


def test_an_expired_parent_makes_what_rests_on_it_stale(bench: Bench) -> None:
    bench.calibrate()
    bench.now_s += 200
    assert bench.states() == {"bias": "fresh", "delay": "expired", "fidelity": "stale"}
    assert bench.book.state("fidelity")[1] == "delay is expired"
    assert describe_states(bench.book)["fidelity"]["state"] == "stale"


def test_a_check_that_agrees_spares_the_run(bench: Bench) -> None:
    bench.calibrate()
    bench.now_s += 200
    bench.value = 1.5  # 5 sigma of one, 3.5 of the difference
    assert bench.calibrate("delay") == {"delay": "checked"}
    assert bench.played[-1] == ("pairs", {"quick": True})
    kept = bench.book.taken("delay").estimate
    assert kept is not None
    assert kept.value == 1.0
    bench.now_s += 200
    bench.value = 1.7
    assert bench.calibrate("delay") == {"delay": "calibrated"}
    assert [config for _, config in bench.played[-2:]] == [{"quick": True}, {}]


def test_naming_one_takes_what_it_needs(bench: Bench) -> None:
    assert list(bench.calibrate("delay")) == ["bias", "delay"]
    assert bench.states()["fidelity"] == "never"
    bench.calibrate("fidelity")
    assert bench.calibrate("bias") == {"bias": "calibrated"}, "a named one is taken though it is fresh"
    assert bench.book.state("delay") == ("stale", "bias was taken anew since")


def test_a_failure_stops_what_rests_on_it(bench: Bench) -> None:
    bench.calibrate()
    bench.broken = "pairs"
    bench.now_s += 200
    outcomes = bench.calibrate()
    assert outcomes["delay"] == "failed: tagger: unplugged"
    assert outcomes["fidelity"] == "not taken: delay is not fresh"
    assert bench.states() == {"bias": "fresh", "delay": "failed", "fidelity": "stale"}


def test_wrong_lists_and_files_are_refused(tmp_path: Path) -> None:
    bias = SECTIONS["bias"]
    with pytest.raises(UsageError, match="needs 'moon'"):
        CalibrationBook({"a": bias.model_copy(update={"needs": ("moon",)})}, tmp_path / "c.json")
    with pytest.raises(UsageError, match="must have a lower level"):
        CalibrationBook({"a": bias, "b": bias.model_copy(update={"needs": ("a",)})}, tmp_path / "c.json")
    (tmp_path / "c.json").write_text("[]", encoding="utf-8")
    with pytest.raises(DataError, match="not a calibration file"):
        CalibrationBook(SECTIONS, tmp_path / "c.json").state("bias")


def test_a_run_says_what_was_not_fresh(lab: Lab, tmp_path: Path) -> None:
    run = lab.run("heralded_entanglement", out_dir=tmp_path, heralds=2, calibration_shots=50)
    said = [str(row["text"]) for row in run.log() if row["level"] == "WARNING"]
    assert "calibration jitter is never: never taken" in said
