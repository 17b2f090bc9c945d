"""Station files that extend one another."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from erbia.analysis.files.runfile import open_run
from erbia.cli import app
from erbia.instruments.errors import ConfigError
from erbia.instruments.station_file import find_station, read_station, station_layers, station_text
from erbia.sequences.lab import load_station
from erbia.sequences.validation import problems_of


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_sections_merge_lists_and_values_replace_and_nothing_takes_away(tmp_path: Path) -> None:
    text = """\
extends: mock_lab
instruments:
  laser: {parameters: {power: {limits: [0, 1.0e-3]}}}
  cryostat:
  ours: {type: erbia.instruments.mock.MockWavemeter, init: {component: laser}}
channels:
  tagger: {1: {name: left}}
monitors:
  cold: {parameter: laser.power, maximum: 2.0}
calibrations: null
"""
    ours, base = read_station(write(tmp_path, "ours.yaml", text)), read_station(find_station("mock_lab"))
    assert ours.extends == "mock_lab"
    assert ours.instruments["laser"].parameters["power"] == {"initial_value": 1.0e-3, "limits": [0, 1.0e-3]}
    assert ours.instruments["laser"].parameters["frequency"] == base.instruments["laser"].parameters["frequency"]
    assert set(ours.instruments) == {*base.instruments, "ours"} - {"cryostat"}
    assert ours.channels["tagger"][1].name == "left"
    assert ours.channels["tagger"][1].detector == "snspd.ch1"
    assert ours.channels["tagger"][2] == base.channels["tagger"][2]
    assert ours.calibrations == {}
    assert base.calibrations != {}
    assert ours.twin == base.twin


def test_a_chain_of_files_is_followed_and_told(tmp_path: Path) -> None:
    shutil.copy(find_station("mock_lab"), tmp_path / "bare.yaml")
    write(tmp_path, "middle.yaml", "extends: bare.yaml\ntwin: {seed: 5, pace: 2}\n")
    top = write(tmp_path, "top.yaml", "extends: middle.yaml\ntwin: {seed: 6}\n")
    twin = read_station(top).twin
    assert twin is not None
    assert (twin.seed, twin.pace, twin.preset) == (6, 2, "single_er_cavity")
    assert [path.name for path in station_layers(top).paths] == ["top.yaml", "middle.yaml", "bare.yaml"]
    assert station_layers(top).place(("twin", "pace")) == f"{tmp_path / 'middle.yaml'}:2"
    alone = read_station(write(tmp_path, "alone.yaml", station_text(top)))
    assert alone == read_station(top).model_copy(update={"extends": None})


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ({"a": "extends: moon_lab"}, r"a\.yaml:1: extends: no station 'moon_lab'"),
        ({"a": "twin:\n  seed: 1\nextends: b.yaml"}, r"a\.yaml:3: extends: there is no .*b\.yaml"),
        ({"a": "extends: [mock_lab]"}, r"a\.yaml:1: extends is .*give the name"),
        ({"a": "extends: a.yaml"}, r"a\.yaml:1: extends: a\.yaml → a\.yaml is a circle"),
        (
            {"a": "extends: b.yaml", "b": "extends: c.yaml", "c": "extends: b.yaml"},
            r"c\.yaml:1: extends: b\.yaml → c\.yaml → b\.yaml is a circle",
        ),
        ({"a": "extends: b.yaml", "b": "- 1"}, r"b\.yaml: holds CommentedSeq, expected keys"),
        (
            {"a": "extends: b.yaml\ntwin: {seed: 3}", "b": "extends: mock_lab\n\ntwin: {sead: 1}"},
            r"b\.yaml:3: unknown key 'twin\.sead'; did you mean 'seed'",
        ),
        ({"a": "extends: mock_lab\ntwin: {seed: x}"}, r"a\.yaml:2: 'twin\.seed' = 'x'"),
        ({"a": "extends: mock_lab\ntwin: {preset: }"}, r"a\.yaml:2: key 'twin\.preset' is missing"),
        ({"a": "extends: mock_lab\ninstruments: {tagger: }"}, r"names instrument 'tagger'; the file has"),
    ],
)
def test_what_is_wrong_is_told_with_the_file_it_stands_in(tmp_path: Path, texts: dict[str, str], says: str) -> None:
    for name, text in texts.items():
        write(tmp_path, f"{name}.yaml", text)
    with pytest.raises(ConfigError, match=says):
        read_station(tmp_path / "a.yaml")


def test_the_run_file_holds_the_whole_station(tmp_path: Path) -> None:
    path = write(tmp_path, "ours.yaml", "extends: mock_lab\ninstruments:\n  laser: {parameters: {power: {unit: W}}}\n")
    with load_station(path, seed=1) as lab:
        run = lab.run("timing_jitter", out_dir=tmp_path, clicks=2000)
    with open_run(run.path) as run:
        alone = write(tmp_path, "again.yaml", run.config["station_yaml"])
    assert "extends" not in alone.read_text(encoding="utf-8")
    assert read_station(alone) == read_station(path).model_copy(update={"extends": None})


def test_the_command_line_says_where_things_come_from(tmp_path: Path) -> None:
    path = write(tmp_path, "ours.yaml", "extends: mock_lab\ninstruments:\n  pulser: {type: a.b.C}\n")
    told = json.loads(CliRunner().invoke(app, ["validate", str(path), "--json"]).stdout)
    assert told["extends"] == [str(find_station("mock_lab"))]
    found = CliRunner().invoke(app, ["doctor", "--station", "stable_lab", "--json"])
    checks = {check["name"]: check["detail"] for check in json.loads(found.stdout)["checks"]}
    assert checks["station file"] == "stable_lab.yaml extends mock_lab.yaml"
    assert checks["laser"].endswith("(mock_lab.yaml:6)")


def test_calibrations_that_could_not_be_taken_are_told_beforehand(tmp_path: Path) -> None:
    section = "{experiment: timing_jitter, figure: jitter_ps, expires_after_s: 3600 s, config: {clicks: 1000}, check: {click: 1}}"
    path = write(tmp_path, "ours.yaml", f"extends: mock_lab\ncalibrations: {{jitter: {section}}}\n")
    (problem,) = problems_of(path)
    assert "ours.yaml: calibrations.jitter: unknown key 'click'; did you mean 'clicks'?" in problem
