"""A few kills of the campaign in benchmarks/kills.py, and what it finds wrong in a run's file."""

from __future__ import annotations

import math
import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from erbia.sequences.lab import load_station
from erbia.sequences.replay import analyze

BIAS = {"parameter": "snspd.ch3.bias", "unit": "A", "start": 14e-6, "stop": 18e-6, "points": 3}


@pytest.fixture(scope="module")
def kills() -> dict[str, Any]:
    return runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "kills.py"))


def test_another_answer_than_that_of_the_file_is_told(kills: dict[str, Any], tmp_path: Path) -> None:
    with load_station("mock_lab", seed=3) as lab:
        run = lab.run("scan", out_dir=tmp_path, points={"axes": [BIAS]}, measure=["alice.photon"], dwell_s=0.1)
    right = analyze(run).estimates
    highest = right["highest_hz"]
    assert math.isnan(right["highest at snspd.ch3.bias"].std)  # no interval: not a number, in the file and anew
    assert kills["problems_of"](run) == []
    for wrong in (
        {},
        {**right, "another": highest},
        {**right, "highest_hz": replace(highest, value=math.nextafter(highest.value, math.inf))},
        {**right, "highest_hz": replace(highest, std=math.nan)},
    ):
        run.write_results(wrong)
        assert kills["problems_of"](run) == ["another answer from the file"]


@pytest.mark.slow
def test_a_killed_engine_and_a_killed_client_cost_nothing(
    kills: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    campaign = kills["play"](2, tmp_path)
    assert campaign.wrong == []
    assert campaign.seen["runs done, each setting once"] >= 1
