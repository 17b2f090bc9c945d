"""Each experiment recovers the hidden truth of the simulated lab. Bounds at 5 standard errors: 6e-7 false alarms a figure."""

from pathlib import Path
from typing import Any

import pytest

from erbia.analysis.errors import UsageError
from erbia.sequences.documents import Document, RunStop
from erbia.sequences.experiments import experiments, find_experiment
from erbia.sequences.lab import load_station, make_experiment
from erbia.sequences.truth import truth_beside

CASES: list[tuple[str, dict[str, Any], set[str]]] = [
    ("heralded_entanglement", {"heralds": 150}, {"fidelity", "herald_rate_hz"}),
    ("bell_test", {"heralds": 150}, {"chsh_s"}),
    ("storage_time", {"shots": 400}, {"storage_time_s"}),
    ("timing_jitter", {}, {"jitter_ps", "jitter_sigma_ps", "jitter_tau_ps"}),
    ("clock_sync", {"duration_s": 2}, {"clock_offset_ps", "clock_skew"}),
]


@pytest.mark.parametrize(("name", "config", "figures"), CASES, ids=[c[0] for c in CASES])
def test_recovers_the_truth(name: str, config: dict[str, Any], figures: set[str], tmp_path: Path) -> None:
    with load_station("mock_lab", seed=11) as lab:
        run = lab.run(name, out_dir=tmp_path, **config)
    truth = truth_beside(run, run.results)
    assert figures <= truth.keys()
    for figure in figures:
        estimate = run.results[figure]
        assert estimate.lower < estimate.value < estimate.upper
        assert abs(estimate.value - truth[figure]) < 5 * estimate.std, figure


def test_precision_ends_a_run_early(tmp_path: Path) -> None:
    with load_station("mock_lab", seed=12) as lab:
        run = lab.run("heralded_entanglement", out_dir=tmp_path, heralds=2000, precision=0.03)
        rows = len(run.heralds())
    assert run.results["fidelity"].std < 0.03
    assert rows < 6000


@pytest.mark.parametrize(
    ("name", "held", "says"),
    [
        ("clock_sync", {"pair_source.emission": False, "snspd.ch3.bias": 0.0}, "no photon at one of the nodes"),
        ("timing_jitter", {"snspd.ch1.bias": 0.0}, "no click came"),
        ("storage_time", {"laser.emission": False, "snspd.ch3.bias": 0.0}, "no read-out ever saw the bright state"),
    ],
)
def test_a_run_without_an_answer_says_why(name: str, held: dict[str, Any], says: str, tmp_path: Path) -> None:
    seen: list[Document] = []
    with load_station("mock_lab", seed=13) as lab:
        for parameter, value in held.items():
            lab.hold(parameter, value)
        config = {"duration_s": 1} if name == "clock_sync" else {}
        lab.run(name, out_dir=tmp_path, subscribers=(seen.append,), **config)
    stop = seen[-1]
    assert isinstance(stop, RunStop)
    assert says in stop.reason


def test_every_experiment_has_a_name_a_title_and_defaults() -> None:
    for name, cls in experiments().items():
        assert cls.name == name
        assert cls.title
        assert make_experiment(name, {}).config == cls.Config()
    with pytest.raises(UsageError, match="did you mean 'bell_test'"):
        find_experiment("bell_tset")
