"""Errors are right: over seeds, (estimate - truth)/standard error spreads by 1 about 0. A subset of ``benchmarks/experiment_pulls.py``."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, chi2

one = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "experiment_pulls.py"))["one"]

_SEEDS = 8
CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("delay_calibration", "mock_lab", {"attempts": 60_000}),
    ("jitter_budget", "mock_lab", {"pulses": 60_000}),
    ("clock_two_way", "mock_lab", {"rounds": 2, "leg_s": 0.3}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "station", "config"), CASES, ids=[case[0] for case in CASES])
def test_errors_are_as_large_as_they_say(name: str, station: str, config: dict[str, Any]) -> None:
    """Seven figures of eight seeds; each of three bounds is left by chance with at most 4e-7 a figure: 8e-6 in all."""
    found = [one(name, station, config, 500 + seed) for seed in range(_SEEDS)]
    for figure in found[0]:
        pulls = np.array([each[figure][0] for each in found])
        assert float(np.sum(pulls**2)) < chi2.isf(4e-7, _SEEDS), figure
        assert abs(float(pulls.mean())) < 5.07 / np.sqrt(_SEEDS), figure
        assert binom.cdf(sum(held for _, held in (each[figure] for each in found)), _SEEDS, 0.95) > 4e-7, figure
