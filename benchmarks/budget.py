"""The budget before a run against the run: `python benchmarks/budget.py` (about ten seconds of CPU).

The budget knows the station file only; the runs are of the simulated lab, whose hidden values the file does not hold.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from erbia.sequences.budget import Budget, make_budget
from erbia.sequences.budget_facts import facts_of_file
from erbia.sequences.lab import load_station, make_experiment
from erbia.sequences.pulses import Pulse
from erbia.sequences.sequence import Block, Loop, Sequence

RUNS: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("as shipped", {}, {}),
    ("laser at 0.5 mW", {}, {"laser.power": 0.5e-3}),
    ("windows of 1 us", {"timing.window_s": 1e-6}, {}),
    ("attempt every 100 us", {"timing.attempt_period_s": 100e-6}, {}),
    ("500 us of storage", {"timing.storage_s": 500e-6}, {}),
    ("10 attempts a burst", {"timing.attempts_per_burst": 10}, {}),
)


def main() -> None:
    print(f"{'':22}{'herald rate (Hz)':>26}{'fidelity':>20}{'std of F':>18}{'run time (s)':>18}{'file (MB)':>16}")
    print(f"{'heralded_entanglement':22}{'budget':>9}{'run':>9}{'ratio':>8}" + f"{'budget':>10}{'run':>8}" * 4)
    with tempfile.TemporaryDirectory() as folder:
        for name, config, held in RUNS:
            _compare(name, {"heralds": 400, "calibration_shots": 500, **config}, held, Path(folder))
    _speed()


def _compare(name: str, config: dict[str, Any], held: dict[str, Any], folder: Path) -> None:
    recipe = make_experiment("heralded_entanglement", config)
    facts = facts_of_file("mock_lab", held)
    budget = make_budget(recipe.on(facts.nodes), facts, folder)
    with load_station("mock_lab", seed=11) as lab:
        for parameter, value in held.items():
            lab.hold(parameter, value)
        run = lab.run(recipe, out_dir=folder)
    promised, rate, fidelity = budget.predictions, run.results["herald_rate_hz"], run.results["fidelity"]
    pairs = (
        (promised["fidelity"], fidelity.value, ".3f"),
        (_value(budget, "standard error of the fidelity"), fidelity.std, ".4f"),
        (_value(budget, "run time"), run.live_time_ps("midpoint") / 1e12, ".1f"),
        (_value(budget, "file size") / 1e6, run.path.stat().st_size / 1e6, ".2f"),
    )
    ratio = promised["herald_rate_hz"] / rate.value
    print(f"{name:22}{promised['herald_rate_hz']:9.2f}{rate.value:9.2f}{ratio:8.3f}", end="")
    print("".join(f"{a:10{form}}{b:8{form}}" for a, b, form in pairs))


def _value(budget: Budget, name: str) -> float:
    value = next(line.value for line in budget.lines if line.name == name)
    assert value is not None
    return value


def _speed() -> None:
    from erbia.sequences.diagram import panel

    facts = facts_of_file("mock_lab")
    recipe = make_experiment("heralded_entanglement", {}).on(facts.nodes)
    make_budget(recipe, facts, Path())
    begun = time.process_time()
    for _ in range(20):
        make_budget(recipe, facts, Path())
    print(f"\none budget: {(time.process_time() - begun) / 20 * 1e3:.1f} ms")
    turn = Block(10**6, (Pulse("pump", 0, 200_000), Pulse("pump", 500_000, 10_000)))
    train = Sequence("train", Block(0), Block(2 * 10**12, (), (Loop(0, turn, 2_000_000),)))
    for view_ps in ((0, 2 * 10**12), (10**12, 10**12 + 10**7), (10**12 + 499_990, 10**12 + 500_030)):
        begun = time.process_time()
        for _ in range(20):
            panel(train, "attempt", view_ps)
        spent_s = (time.process_time() - begun) / 20
        print(f"diagram of 4 million pulses, {(view_ps[1] - view_ps[0]) * 1e-12:g} s wide: {spent_s * 1e3:.2f} ms")


if __name__ == "__main__":
    main()
