"""A few kills of the campaign in benchmarks/kills.py."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest


@pytest.mark.slow
def test_a_killed_engine_and_a_killed_client_cost_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    campaign = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "kills.py"))["play"](2, tmp_path)
    assert campaign.wrong == []
    assert campaign.seen["runs done, each setting once"] >= 1
