"""Presets the user saved are found by name, by the window and by the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from erbia.analysis.errors import UsageError
from erbia.instruments.errors import ConfigError
from erbia.sequences.presets import preset_text, presets_for, read_preset, save_preset


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("erbia.sequences.presets.own_folder", lambda: tmp_path / "presets")


def test_what_was_saved_is_read_again() -> None:
    config = {"heralds": 7, "timing": {"storage_s": 2e-05}, "bases": ["XX", "ZZ"], "precision": None}
    path = save_preset("heralded_entanglement", "mine", config)
    assert path.read_text(encoding="utf-8") == preset_text("heralded_entanglement", config)
    assert read_preset("heralded_entanglement", "mine") == config
    assert read_preset("heralded_entanglement", str(path)) == config
    assert presets_for("heralded_entanglement")["mine"] == config
    assert "quick_entanglement" in presets_for("heralded_entanglement")


def test_presets_of_other_experiments_and_broken_files_are_not_offered(tmp_path: Path) -> None:
    save_preset("clock_sync", "mine", {"duration_s": 1})
    (tmp_path / "presets" / "broken.yaml").write_text(": [")
    offered = set(presets_for("clock_sync"))
    assert "mine" in offered
    assert not offered & {"broken", "quick_entanglement"}
    with pytest.raises(ConfigError, match="holds clock_sync, expected one key 'bell_test'"):
        read_preset("bell_test", "mine")


@pytest.mark.parametrize("name", ["", "../up", "a b", "x/y"])
def test_a_name_is_a_plain_word(name: str) -> None:
    with pytest.raises(UsageError, match="letters, digits"):
        save_preset("clock_sync", name, {})
