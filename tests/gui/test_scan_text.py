"""Scans typed as one line: what will be visited is said while one types, what cannot be read is said at the field."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from typer.testing import CliRunner

from erbia.analysis.errors import UsageError
from erbia.cli import app
from erbia.gui.form import ConfigForm
from erbia.gui.queue_times import differences
from erbia.gui.recipes import changed, command, script
from erbia.gui.scan_text import preview, read_points, span
from erbia.gui.schema import Field, fields
from erbia.sequences.experiments.scan import ScanConfig
from erbia.sequences.experiments.storage_time import StorageTimeConfig

LINE = "laser.frequency = 194.95 THz ± 5 MHz/5; snake"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a.b = -5..5 MHz/21", "21 points: a.b -5 … 5 MHz"),
        ("a.b = 1 mW", "1 point: a.b 1 mW"),
        ("a.b = 1, 2, 5 ms; 3 times", "9 points: a.b 1 … 5 ms"),
        ("a.b = 1..2 V/3; c.d = log 1..100 uW/5", "15 points: a.b 1 … 2 V, 3\n× c.d 1 … 100 µW, 5"),
        ("a.b = 1..2 V/3; c.d = 1..3 W/3; zip", "3 points: a.b 1 … 2 V, 3\nwith c.d 1 … 3 W, 3"),
        ("highest of a.b = -5..5 MHz to 100 kHz", "a search: golden section"),
    ],
)
def test_what_will_be_visited_in_words(text: str, words: str) -> None:
    assert preview(text) == words


@pytest.mark.parametrize("text", ["a.b = 1..2 MHz", "a.b", "{", "a.b = 1..2 V/3; c.d = 1..3 W/4; zip", "a.b = 1 kg"])
def test_what_cannot_be_read_is_said_in_one_line(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_points(text)
    assert "\n" not in str(caught.value)


def test_spans() -> None:
    assert span((1e-6, 5e-3), "s") == "1 µs … 5 ms"
    assert span((3.0, 1.0, 2.0), "") == "1 … 3"


def shown(qtbot: Any, config: type[Any]) -> ConfigForm:
    form = ConfigForm(fields(config.model_json_schema()))
    qtbot.addWidget(form)
    form.show()
    qtbot.waitExposed(form)
    return form


def type_into(qtbot: Any, form: ConfigForm, path: str, text: str) -> Any:
    entry = form.entries[path]
    qtbot.mouseClick(entry.editor, Qt.MouseButton.LeftButton)
    entry.editor.selectAll()  # type: ignore[attr-defined]
    qtbot.keyClicks(entry.editor, text)
    return entry


def test_a_scan_is_typed_with_a_preview(qtbot: Any) -> None:
    form = shown(qtbot, ScanConfig)
    entry = form.entries["points"]
    assert entry.editor.text() == "snspd.ch3.bias = 10 µA..18 µA/9"  # type: ignore[attr-defined]
    assert entry.note.text() == "9 points: snspd.ch3.bias 10 … 18 µA"
    type_into(qtbot, form, "points", LINE.replace("±", "+-"))
    assert entry.note.text() == "5 points: laser.frequency 194.949995 … 194.950005 THz"
    config = form.config()
    assert config is not None
    assert ScanConfig(**config).points == ScanConfig(points=LINE).points  # type: ignore[arg-type]
    form.show_config({"points": config["points"]})
    assert form.config() == config
    form.show_config({"points": LINE})  # as a preset has it
    assert form.config() == config, "what a run recorded is shown as it is typed, and is the same"


def test_a_scan_that_cannot_be_read_is_marked(qtbot: Any) -> None:
    form = shown(qtbot, ScanConfig)
    entry = type_into(qtbot, form, "points", "laser.frequency = 1..2 MHz")
    assert not entry.note.isVisible()
    assert form.config() is None
    assert "how many points" in entry.wrong.text()


def test_a_range_of_numbers_is_typed_with_a_preview(qtbot: Any) -> None:
    form = shown(qtbot, StorageTimeConfig)
    entry = type_into(qtbot, form, "storage_times_s", "log 20..2000 us/5")
    assert entry.note.text() == "5 values: 20 µs … 2 ms"
    config = form.config()
    assert config is not None
    assert config["storage_times_s"] == pytest.approx([2e-5, 6.3246e-5, 2e-4, 6.3246e-4, 2e-3], rel=1e-4)
    entry = type_into(qtbot, form, "storage_times_s", "1..5 us")
    assert form.config() is None
    assert "how many points" in entry.wrong.text()


def set_up() -> tuple[list[Field], dict[str, Any]]:
    known = fields(ScanConfig.model_json_schema())
    config = {field.path: field.default for field in known}
    config |= {"points": read_points(LINE), "dwell_s": 0.005, "play": "alice_readout"}
    return known, config | {"parameters": {"laser.emission": True}}


def test_scans_differ_as_they_are_typed() -> None:
    known, config = set_up()
    (line,) = differences({"points": known[0].default}, {"points": config["points"]}, known)
    assert line.endswith("→ laser.frequency = 194.949995 THz..194.950005 THz/5; snake")
    assert changed(known, {field.path: field.default for field in known}) == {}


@pytest.mark.slow
def test_what_is_copied_as_a_command_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command("scan", "mock_lab", changed(*set_up())))
    assert words[0] == "erbia"
    done = CliRunner().invoke(app, words[1:])
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "runs").glob("*-scan.h5"))) == 1


@pytest.mark.slow
def test_what_is_copied_as_a_script_runs(tmp_path: Path) -> None:
    copied = script("scan", "mock_lab", changed(*set_up()))
    done = subprocess.run(
        [sys.executable, "-c", copied], cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "highest" in done.stdout
