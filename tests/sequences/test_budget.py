import dataclasses
import json
from math import acos, exp, pi, sqrt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from erbia.analysis.errors import UsageError
from erbia.cli import app
from erbia.instruments.expected import ExpectedDetector, ExpectedMidpoint, ExpectedNode
from erbia.instruments.pulse_steps import Wiring
from erbia.instruments.station_file import StationFile
from erbia.sequences.budget import Budget, Line, make_budget, refuse_impossible
from erbia.sequences.budget_facts import LabFacts, facts_of, facts_of_file
from erbia.sequences.budget_link import Arm, link_budget
from erbia.sequences.experiments.base import Setting
from erbia.sequences.lab import load_station, make_experiment
from erbia.sequences.pulses import Pulse
from erbia.sequences.reports import report_input
from erbia.sequences.sequence import Block, Branch, HeraldCondition, Sequence

NS, US = 1000, 1_000_000
GATED = ExpectedDetector(efficiency=1.0, dark_rate_hz=0.0, gate="gate", max_photons_hz=1e9)


def _node(collection: float, **changes: object) -> ExpectedNode:
    values = {"collection": collection, "loss_db": 0, "lifetime_s": 1e-9, "coherence_s": 1.0, **changes}
    return ExpectedNode.model_validate(values)


def _two_windows(window_ps: int = US) -> Sequence:
    """Both spins in (|0>+|1>)/√2, light, flip, light; windows of 1 µs right after each."""
    mw = [Pulse(f"{name}_mw", start, 10 * NS, amplitude) for start, amplitude in ((0, 0.5), (US, 1.0)) for name in "ab"]
    light = [Pulse("excitation", start, 10 * NS) for start in (100 * NS, 1100 * NS)]
    gates = [Pulse("gate", 50 * NS, 10 * US)]
    then = Block(US, (Pulse("a_mw", 0, 10 * NS),))
    windows = [(t, t + window_ps) for t in (105 * NS, 1105 * NS)]
    branch = Branch(HeraldCondition(("d1", "d2"), windows[0], windows[1]), then)
    return Sequence("two", Block(0), Block(20 * US, tuple(mw + light + gates)), 100, branch)


def _link(sequence: Sequence, a: ExpectedNode, b: ExpectedNode, dark_hz: float = 0.0, visibility: float = 1.0):  # type: ignore[no-untyped-def]
    detector = GATED.model_copy(update={"dark_rate_hz": dark_hz})
    arms = (Arm("a", a, 0, 10 * NS, 1.0), Arm("b", b, 0, 10 * NS, 1.0))
    midpoint = ExpectedMidpoint(transmission=1.0, visibility=visibility)
    assert sequence.branch is not None
    return link_budget(sequence, sequence.branch, arms, midpoint, {"d1": detector, "d2": detector})


@given(st.floats(1e-4, 0.05), st.floats(1e-4, 0.05), st.floats(0, 1))
def test_two_photon_heralds_follow_the_published_formula(eta_a: float, eta_b: float, visibility: float) -> None:
    """Barrett-Kok with time bins: p = ηA·ηB/2, F = (1+V)/2 without darks and decoherence."""
    found = _link(_two_windows(), _node(eta_a), _node(eta_b), visibility=visibility)
    assert found.probability == pytest.approx(eta_a * eta_b / 2, rel=1e-9)
    assert found.fidelity == pytest.approx((1 + visibility) / 2, abs=1e-4)
    assert found.true_share == pytest.approx(1.0)


def test_dark_counts_as_in_the_published_example() -> None:
    """ηA 1e-3, ηB 8e-4, V 0.8, d 1e-6 per window: p 4.036e-7, F 0.8942 (leading order, recomputed independently)."""
    found = _link(_two_windows(), _node(1e-3), _node(8e-4), dark_hz=1.0, visibility=0.8)
    assert found.probability == pytest.approx(4.036e-7, rel=1e-3)
    assert found.fidelity == pytest.approx(0.8942, abs=2e-4)


@given(st.floats(0.01, 0.3), st.floats(1e-3, 0.5))
def test_single_photon_heralds_follow_the_published_formula(alpha: float, eta: float) -> None:
    """P = 2α(1-α)η + α²[2η(1-η) + η²(1+V)/2] (Humphreys et al., Nature 558, 268, 2018)."""
    turn = 2 * acos(sqrt(alpha)) / pi
    pulses = (
        *(Pulse(f"{name}_mw", 0, 10 * NS, turn) for name in "ab"),
        Pulse("excitation", 100 * NS, 10 * NS),
        Pulse("gate", 100 * NS, US),
    )
    branch = Branch(HeraldCondition(("d1", "d2"), (105 * NS, US), (0, 0)), Block(0))
    found = _link(Sequence("one", Block(0), Block(2 * US, pulses), 1, branch), _node(eta), _node(eta), visibility=0.6)
    expected = 2 * alpha * (1 - alpha) * eta + alpha**2 * (2 * eta * (1 - eta) + eta**2 * 1.6 / 2)
    assert found.probability == pytest.approx(expected, rel=1e-9)
    assert found.true_share == pytest.approx(2 * alpha * (1 - alpha) * eta / expected, rel=1e-9)


def test_photons_lost_to_window_gate_and_pulse_area() -> None:
    whole = _link(_two_windows(), _node(0.01), _node(0.01)).probability
    slow = _node(0.01, lifetime_s=100e-9)
    assert _link(_two_windows(100 * NS), slow, slow).probability == pytest.approx(whole * (1 - exp(-1)) ** 2, rel=1e-3)
    spilling = _node(0.01, lifetime_s=1e-6)  # early photons also come in the late window: no entanglement from those
    assert _link(_two_windows(), spilling, spilling).true_share < 0.8
    shut = dataclasses.replace(_two_windows(), body=Block(20 * US, _two_windows().body.pulses[:-1]))
    assert _link(shut, _node(0.01), _node(0.01)).probability == 0.0
    loss = _node(0.01, loss_db=3.0)
    assert _link(_two_windows(), loss, loss).probability == pytest.approx(whole * 10**-0.6, rel=1e-9)


def test_a_pair_source_emits_bin_by_bin() -> None:
    """μ a pulse at each node, any photon may click in either bin: p ≈ (2μη)²."""
    pairs = _node(0.1, emits="pairs", pair_probability=0.01)
    found = _link(_two_windows(), pairs, pairs)
    assert found.probability == pytest.approx((2 * 0.01 * 0.1) ** 2, rel=0.01)
    assert found.fidelity is None


@pytest.fixture(scope="module")
def facts() -> LabFacts:
    return facts_of_file("mock_lab")


def _budget(name: str, facts: LabFacts, tmp_path: Path, **config: object) -> Budget:
    return make_budget(make_experiment(name, config).on(facts.nodes), facts, tmp_path)


def _line(budget: Budget, name: str) -> Line:
    return next(line for line in budget.lines if line.name == name)


def test_expected_rate_fidelity_and_size_agree_with_a_run(tmp_path: Path) -> None:
    """The budget knows the station file only; the run is of the simulated lab. Measured to 4 % (1 σ)."""
    with load_station("mock_lab", seed=3) as lab:
        experiment = make_experiment("heralded_entanglement", {"heralds": 200, "calibration_shots": 200})
        budget = make_budget(experiment.on(lab.nodes), facts_of(lab.loaded), tmp_path)
        run = lab.run(experiment, out_dir=tmp_path)
    assert not budget.refused
    rate = run.results["herald_rate_hz"]
    assert rate.lower * 0.88 < budget.predictions["herald_rate_hz"] < rate.upper * 1.12
    fidelity = run.results["fidelity"]
    assert abs(fidelity.value - budget.predictions["fidelity"]) < 0.03 + 4.5 * fidelity.std
    assert _line(budget, "standard error of the fidelity").value == pytest.approx(fidelity.std, rel=0.3)
    size = _line(budget, "file size").value
    assert size is not None
    assert 0.5 < run.path.stat().st_size / size < 1.5
    live_s = run.live_time_ps("midpoint") / 1e12
    assert _line(budget, "run time").value == pytest.approx(live_s, rel=0.35)


def test_loaded_station_and_file_give_the_same_budget(facts: LabFacts, tmp_path: Path) -> None:
    with load_station("mock_lab", seed=3) as lab:
        loaded = _budget("bell_test", facts_of(lab.loaded), tmp_path)
    assert loaded.predictions == _budget("bell_test", facts, tmp_path).predictions


def test_power_held_for_the_run_is_in_the_rate(tmp_path: Path, facts: LabFacts) -> None:
    weak = facts_of_file("mock_lab", {"laser.power": "0.25 mW"})
    full, quarter = (_budget("bell_test", f, tmp_path).predictions["herald_rate_hz"] for f in (facts, weak))
    assert quarter == pytest.approx(full / 4, rel=0.05)  # sin²(π/4) at each node
    with load_station("mock_lab", seed=3) as lab:
        lab.hold("laser.power", "0.25 mW")
        held = facts_of(lab.loaded)
        assert held.held("laser.power")
        assert _budget("bell_test", held, tmp_path).predictions["herald_rate_hz"] == pytest.approx(quarter)
    with pytest.raises(UsageError, match="outside the limits"):
        facts_of_file("mock_lab", {"laser.power": "1 W"})


def _changed(facts: LabFacts, **sections: object) -> LabFacts:
    """The facts with parts of the expected section replaced, by dotted names with two underscores."""
    plain = facts.file.model_dump()
    for dotted, value in sections.items():
        *path, key = dotted.split("__")
        target = plain["expected"]
        for part in path:
            target = target[part.replace("snspd_", "snspd.")]
        target[key] = value
    return dataclasses.replace(facts, file=StationFile.model_validate(plain))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"detectors__snspd_ch1__gate": ""}, "light on snspd.ch1"),
        ({"outputs__excitation__photons_hz": {"snspd.ch1": 1e12}}, "light on snspd.ch1"),
        ({"outputs__excitation__photons_hz": {"snspd.ch3": 1e12}}, "light on snspd.ch3"),
        ({"cooling_power_w": 5e-6}, "heat on the cold stage"),
        ({"outputs__alice_mw__max_duty": 0.001}, "duty cycle of alice_mw"),
        ({"outputs__excitation__min_pulse_s": 60e-9}, "pulse on excitation"),
        ({"nodes__alice__coherence_s": 10e-6}, "classical round trip"),
        ({"taggers__tagger__max_rate_hz": 100.0}, "tag rate at tagger"),
        ({"disk_bytes_per_s": 1000.0}, "disk write rate"),
    ],
)
def test_impossible_plans_are_refused_with_the_reason(
    facts: LabFacts, tmp_path: Path, changes: dict[str, object], line: str
) -> None:
    refused = _budget("heralded_entanglement", _changed(facts, **changes), tmp_path).refused
    assert [r.name for r in refused] == [line]
    assert refused[0].reason


def test_the_same_light_is_harmless_behind_a_closed_gate(facts: LabFacts, tmp_path: Path) -> None:
    bright = _changed(facts, outputs__initialise__photons_hz={"snspd.ch1": 1e18})
    assert not _budget("heralded_entanglement", bright, tmp_path).refused


def test_the_memory_must_not_be_reset_before_its_herald_is_back(facts: LabFacts, tmp_path: Path) -> None:
    late = _budget("heralded_entanglement", facts, tmp_path, **{"timing.attempt_period_s": "30 us"})
    assert [r.name for r in late.refused] == ["herald back at the nodes"]


def test_values_outside_limits_are_refused_also_in_lists(facts: LabFacts) -> None:
    powers = [Setting(f"{p} mW", None, {"laser.power": p * 1e-3}) for p in (1, 2, 6, 3)]
    with pytest.raises(UsageError, match=r"setting 6 mW: laser.power = 0.006 is outside the limits 0 to 0.005"):
        refuse_impossible(powers, facts)
    refuse_impossible(powers[:2], facts)


def test_a_target_that_cannot_be_reached_is_said(facts: LabFacts, tmp_path: Path) -> None:
    budget = _budget("heralded_entanglement", facts, tmp_path, heralds=1000, max_time_s="10 s", precision=0.001)
    assert "XX ends after 10 s with 13%" in _line(budget, "time to target").reason
    assert "raise heralds by a factor" in _line(budget, "standard error of the fidelity").reason
    assert _line(budget, "run time").value == pytest.approx(30.7, abs=0.2)
    std = _line(budget, "standard error of the fidelity").value
    assert std is not None
    assert _line(budget, "time to target precision").value == pytest.approx(30 * (std / 0.001) ** 2)


def test_a_run_to_a_precision_takes_the_time_the_budget_says(tmp_path: Path) -> None:
    config = {"heralds": 100_000, "max_time_s": 3600, "precision": 0.025, "calibration_shots": 1000}
    with load_station("mock_lab", seed=2) as lab:
        experiment = make_experiment("heralded_entanglement", config)
        budget = make_budget(experiment.on(lab.nodes), facts_of(lab.loaded), tmp_path)
        run = lab.run(experiment, out_dir=tmp_path)
    fidelity = run.results["fidelity"]
    assert fidelity.std < 0.025
    assert _line(budget, "standard error of the fidelity").value == pytest.approx(0.025)
    heralds = _line(budget, "run time").value * budget.predictions["herald_rate_hz"]  # type: ignore[operator]
    assert fidelity.n == pytest.approx(heralds, rel=0.35)  # each basis has its share: none is measured to the full
    assert "of what it waits for" not in _line(budget, "time to target").reason


def test_ten_thousand_settings_are_budgeted_quickly(facts: LabFacts) -> None:
    import time

    body = Block(US, (Pulse("gate", 0, US),))
    settings = [Setting(str(k), Sequence(str(k), Block(0), body), {"laser.power": k * 1e-7}) for k in range(10_000)]
    begun = time.process_time()
    refuse_impossible(settings, facts)
    assert time.process_time() - begun < 2.0


def test_what_is_not_known_is_not_refused(facts: LabFacts, tmp_path: Path) -> None:
    plain = facts.file.model_dump()
    plain["expected"] = {}
    bare = dataclasses.replace(facts, file=StationFile.model_validate(plain))
    budget = _budget("heralded_entanglement", bare, tmp_path)
    assert not budget.refused
    assert "not known" in _line(budget, "herald rate").reason
    assert _line(budget, "time to target").value is None


def test_outputs_that_cannot_play_the_plan_are_named(facts: LabFacts, tmp_path: Path) -> None:
    wired = dataclasses.replace(facts, wiring=Wiring({"sync": "0", "gate": "1"}, {}))
    (refused,) = _budget("heralded_entanglement", wired, tmp_path).refused
    assert "no output for channel" in refused.reason
    everything = ("sync", "gate", "probe")
    small = dataclasses.replace(facts, wiring=Wiring({name: str(k) for k, name in enumerate(everything)}, {}))
    budget = _budget("timing_jitter", small, tmp_path)
    assert _line(budget, "steps of the pulse generator").value == 5


def test_the_grid_of_the_generator_shows_as_quantisation(facts: LabFacts, tmp_path: Path) -> None:
    line = _line(_budget("heralded_entanglement", facts, tmp_path), "quantisation")
    assert line.value == pytest.approx(439e-12)  # of 9.793439 µs of fibre on a grid of 1 ns
    assert "gate" in line.reason


def test_a_refused_plan_makes_no_file_and_a_report_shows_the_promise(tmp_path: Path) -> None:
    with load_station("mock_lab", seed=3) as lab:
        with pytest.raises(UsageError, match="herald back at the nodes: the next attempt resets the memory"):
            lab.run("heralded_entanglement", out_dir=tmp_path, **{"timing.attempt_period_s": "30 us"})
        assert not list(tmp_path.iterdir())
        run = lab.run("storage_time", out_dir=tmp_path, shots=20)
    assert report_input(run).predictions == {"storage_time_s": 1e-3}


def test_dry_run_prints_the_budget_and_exits_1_when_refused() -> None:
    fine = CliRunner().invoke(app, ["dry-run", "bell_test", "--json"])
    assert fine.exit_code == 0, fine.output
    found = json.loads(fine.stdout)
    assert not found["refused"]
    assert {"name", "value", "unit", "allowed", "verdict", "reason"} == set(found["lines"][0])
    bad = CliRunner().invoke(app, ["dry-run", "bell_test", "--set", "timing.attempt_period_s=30 us"])
    assert bad.exit_code == 1
    assert "herald back at the nodes" in bad.stdout
