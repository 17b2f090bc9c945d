"""Labs drawn at random are recovered through their drivers; the full campaign is benchmarks/hidden_labs.py."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "hidden_labs.py"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_hidden_lab_is_recovered(tmp_path, seed):
    """All five figures within five standard errors: a false alarm once in 3e5 runs."""
    spec = importlib.util.spec_from_file_location("hidden_labs", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    hidden_labs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hidden_labs)
    found = hidden_labs.pulls(seed, tmp_path)
    assert set(found) == set(hidden_labs.FIGURES)
    assert max(map(abs, found.values())) < 5.0
