"""Every experiment's budget has its numbers on the station it is at home on."""

import runpy
from pathlib import Path

import pytest

from erbia.sequences.budget import make_budget
from erbia.sequences.budget_facts import facts_of_file
from erbia.sequences.experiments.registry import experiments
from erbia.sequences.lab import make_experiment

#: Experiment, station, config: what the comparison with the twin's truth runs.
CASES = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "experiment_pulls.py"))["CASES"]


def test_every_shipped_experiment_is_compared_with_the_truth() -> None:
    assert {name for name, _, _ in CASES} == set(experiments())


@pytest.mark.parametrize(("name", "station", "config"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_nothing_is_unknown_at_home(name: str, station: str, config: dict[str, object], tmp_path: Path) -> None:
    facts = facts_of_file(station)
    budget = make_budget(make_experiment(name, config).on(facts.nodes), facts, tmp_path)
    assert not budget.refused
    assert [line.name for line in budget.lines if "not known" in line.reason] == []
    values = {line.name: line.value for line in budget.lines}
    assert {"run time", "disk write rate"} <= set(values)
    assert all(value is not None for value in values.values())
    assert all(value for figure, value in values.items() if figure.startswith("tag rate"))
