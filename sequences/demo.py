"""The main job on the simulated lab: entangle two memories, test Bell's inequality, measure memory, detector and clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..analysis.files.runfile import Run
from ..analysis.records import Estimate
from ..analysis.report_input import ReportInput
from .lab import load_station
from .telling import Subscriber
from .truth import truth_beside

#: What is run, with which config: enough data for a clear answer, little enough for a minute.
STEPS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("heralded_entanglement", {"heralds": 400}),
    ("bell_test", {"heralds": 300}),
    ("storage_time", {}),
    ("timing_jitter", {}),
    ("clock_sync", {}),
)
#: The figures of the table and the experiment each comes from.
FIGURES = {
    "fidelity": "heralded_entanglement",
    "herald_rate_hz": "heralded_entanglement",
    "chsh_s": "bell_test",
    "storage_time_s": "storage_time",
    "jitter_ps": "timing_jitter",
    "clock_offset_ps": "clock_sync",
    "clock_skew": "clock_sync",
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


def summary(found: Sequence[Figure]) -> ReportInput:
    """The headline table, for the top of the report."""
    return ReportInput(
        title="erbia demo: two simulated erbium memories",
        simulated=True,
        estimates={f.name: f.estimate for f in found},
        truth={f.name: f.truth for f in found},
    )


def run_demo(out_dir: Path, seed: int, subscribers: Sequence[Subscriber] = ()) -> list[Run]:
    """Runs every step on one ``mock_lab`` and returns the opened run files, in order."""
    with load_station("mock_lab", seed) as lab:
        return [lab.run(name, out_dir=out_dir, subscribers=subscribers, **config) for name, config in STEPS]


def figures(runs: Sequence[Run]) -> list[Figure]:
    """The headline figures of the runs beside the truth kept in their files."""
    by_experiment = {run.experiment: run for run in runs}
    found = []
    for name, experiment in FIGURES.items():
        results = by_experiment[experiment].results
        truth = truth_beside(by_experiment[experiment], results)
        if name in results and name in truth:
            found.append(Figure(name, results[name], truth[name]))
    return found
