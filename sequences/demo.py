"""The main job on the simulated lab: entangle two memories, test Bell's inequality, measure memory, detector and clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..analysis.files.runfile import Run
from ..analysis.records import PS_PER_S, Estimate
from .lab import load_station
from .runner import Subscriber

#: What is run, with which config: enough data for a clear answer, little enough for a minute.
STEPS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("heralded_entanglement", {"heralds": 400}),
    ("bell_test", {"heralds": 300}),
    ("storage_time", {}),
    ("timing_jitter", {}),
    ("clock_sync", {}),
)
#: The figures of the table: experiment, and the name of the hidden truth. S is quoted as read out, so its truth is too.
FIGURES = {
    "fidelity": ("heralded_entanglement", "fidelity"),
    "herald_rate_hz": ("heralded_entanglement", "herald_rate_hz"),
    "chsh_s": ("bell_test", "chsh_s_raw"),
    "storage_time_s": ("storage_time", "storage_time_s"),
    "jitter_ps": ("timing_jitter", "jitter_fwhm_ps"),
    "clock_offset_ps": ("clock_sync", "clock_offset_ps"),
    "clock_skew": ("clock_sync", "clock_skew"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: what was measured and what the twin knows."""

    name: str
    estimate: Estimate
    truth: float

    @property
    def pull(self) -> float:
        """Deviation from the truth in standard errors."""
        return (self.estimate.value - self.truth) / self.estimate.std


def run_demo(out_dir: Path, seed: int, subscribers: Sequence[Subscriber] = ()) -> list[Run]:
    """Runs every step on one ``mock_lab`` and returns the opened run files, in order."""
    with load_station("mock_lab", seed) as lab:
        return [lab.run(name, out_dir=out_dir, subscribers=subscribers, **config) for name, config in STEPS]


def figures(runs: Sequence[Run]) -> list[Figure]:
    """The headline figures of the runs beside the truth kept in their files."""
    by_experiment = {run.experiment: run for run in runs}
    found = []
    for name, (experiment, hidden) in FIGURES.items():
        run = by_experiment.get(experiment)
        if run is not None and name in run.results:
            truth = {key: float(value) for key, value in run.truth().items() if not isinstance(value, str)}
            found.append(Figure(name, run.results[name], _truth_of(hidden, truth, run.results)))
    return found


def _truth_of(name: str, truth: Mapping[str, float], results: Mapping[str, Estimate]) -> float:
    """The twin gives the clock offset at t = 0; the experiment gives it where it was measured."""
    if name == "clock_offset_ps":
        return truth[name] + truth["clock_skew"] * results["clock_offset_at_s"].value * PS_PER_S
    return truth[name]
