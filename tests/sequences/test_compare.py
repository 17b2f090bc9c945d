"""A file gives its numbers again; two runs tell what was not the same."""

from __future__ import annotations

import json
from pathlib import Path

from erbia.analysis.records import Estimate
from erbia.sequences.compare import Reproduction, difference, reproduce
from erbia.sequences.documents import Document, SettingStart
from erbia.sequences.lab import Lab

SMALL = {"heralds": 8, "calibration_shots": 200}


def test_a_run_is_reproduced_from_its_file(lab: Lab, tmp_path: Path) -> None:
    run = lab.run("heralded_entanglement", out_dir=tmp_path, **SMALL)
    found = reproduce(run)
    assert found.differing() == []
    assert "fidelity" in found.recorded
    assert set(found.environment) <= {"command", "git_dirty"}


def test_a_number_that_moved_or_is_missing_is_told() -> None:
    estimate = Estimate(1.0, 0.9, 1.1, 0.95, 0.05, 7, "count")
    moved = Estimate(1.0001, 0.9, 1.1, 0.95, 0.05, 7, "count")
    assert Reproduction({"a": estimate, "b": estimate}, {"a": moved}, {}).differing() == ["a", "b"]
    assert Reproduction({"a": estimate}, {"a": estimate}, {}).differing() == []


def test_what_changed_between_two_runs(lab: Lab, tmp_path: Path) -> None:
    first = lab.run("heralded_entanglement", out_dir=tmp_path, **SMALL)
    lab.station.laser.power(0.8e-3)
    second = lab.run("heralded_entanglement", out_dir=tmp_path, heralds=9, calibration_shots=200)
    found = difference(first, second)
    assert found.config == {"config.heralds": (8, 9)}
    assert found.parameters["laser.power"] == (1e-3, 0.8e-3)
    assert found.station == ()


def test_a_change_during_the_run_is_kept_with_its_time(lab: Lab, tmp_path: Path) -> None:
    def turn(document: Document) -> None:
        if isinstance(document, SettingStart) and document.name == "YY":
            lab.station.cryostat.setpoint(0.51)

    run = lab.run("heralded_entanglement", out_dir=tmp_path, subscribers=(turn,), **SMALL)
    rows = [r for r in run.log() if r["level"] == "SET"]
    changes = [(int(r["t_ps"]), json.loads(str(r["text"]))) for r in rows]
    (at_ps,) = [t for t, change in changes if change["parameter"] == "cryostat.setpoint"]
    settings = run.settings()
    begun = dict(zip((str(n) for n in settings["name"]), settings["t_start_ps"].tolist(), strict=True))
    assert begun["YY"] <= at_ps <= begun["ZZ"]
    assert {"parameter": "laser.emission", "value": True, "unit": ""} in [change for _, change in changes]
    assert any("safe end state: verified" in str(r["text"]) for r in run.log())
    simulated = json.loads(run.config["resolved_json"])["instruments"]
    assert simulated["laser"] == {"type": "erbia.instruments.mock.MockLaser", "simulated": True}
