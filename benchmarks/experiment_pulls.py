"""Every experiment against the simulated lab's truth over many seeds: mean and spread of (estimate - truth)/standard error.

``python benchmarks/experiment_pulls.py [--seeds 20] [--first-seed 1000] [--jobs 2] [NAME …]`` prints a table and, with ``--json``, the
numbers. A spread near 1 and intervals that hold the truth as often as they claim (95 %) say that the errors are right; ``chance`` is
how often intervals that do would hold it no more often than seen.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
from scipy.stats import binom

import erbia
from erbia.sequences.truth import truth_beside

#: Experiment, station, config: short enough for twenty seeds, long enough for errors to be normal.
CASES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("heralded_entanglement", "mock_lab", {"heralds": 200}),
    ("single_photon_entanglement", "stable_lab", {"heralds": 200}),
    ("absorptive_entanglement", "absorptive_lab", {}),
    ("bell_test", "mock_lab", {"heralds": 200}),
    ("tomography", "mock_lab", {"heralds": 150, "calibration_shots": 200}),
    ("entanglement_storage", "mock_lab", {"heralds": 100}),
    ("storage_time", "mock_lab", {}),
    ("timing_jitter", "mock_lab", {}),
    ("clock_sync", "mock_lab", {"duration_s": 2}),
    ("clock_tracking", "mock_lab", {"duration_s": 6}),
    ("clock_two_way", "mock_lab", {}),
    ("clock_two_way", "link_20_km", {"rounds": 6, "leg_s": 2, "length_km": 20}),
    ("clock_two_way", "link_132_km", {"rounds": 6, "leg_s": 30, "max_work": 3e9, "length_km": 132}),
    ("line_scan", "mock_lab", {"shots": 200}),
    ("photon_lifetime", "mock_lab", {}),
    ("g2_pulsed", "mock_lab", {"attempts": 2_000_000}),
    ("hom_visibility", "mock_lab", {"attempts": 500_000}),
    ("detector_characterisation", "mock_lab", {"points": 16, "light_s": 0.25}),
    ("jitter_budget", "mock_lab", {}),
    ("delay_calibration", "mock_lab", {}),
    ("g2_cw", "optics_lab", {"duration_s": 5}),
    ("phase_lock", "optics_lab", {"steps": 10}),
    ("polarisation_alignment", "optics_lab", {"rounds": 1}),
    ("afc_preparation", "ensemble_lab", {}),
    ("afc_storage", "ensemble_lab", {}),
    ("scan", "mock_lab", {"points": "laser.power = 1 mW", "dwell_s": 100}),
)


def one(name: str, station: str, config: dict[str, Any], seed: int) -> dict[str, tuple[float, bool]]:
    """Pull and whether the interval holds the truth, by estimate."""
    with erbia.load_station(station, seed=seed) as lab, tempfile.TemporaryDirectory() as folder:
        run = lab.run(name, out_dir=folder, **config)
        truth, results = truth_beside(run, run.results), run.results
        return {
            figure: ((e.value - truth[figure]) / e.std if e.std > 0 else math.nan, e.lower <= truth[figure] <= e.upper)
            for figure, e in results.items()
            if figure in truth
        }


def row_of(experiment: str, station: str, figure: str, pulls: Sequence[float], inside: int) -> dict[str, Any]:
    """One line of the table; limits nobody could put a standard error to count for ``inside`` only."""
    row = {"experiment": experiment, "station": station, "estimate": figure, "seeds": len(pulls), "inside": inside}
    finite = np.array([p for p in pulls if math.isfinite(p)] or [math.nan])
    return row | {
        "chance": float(binom.cdf(inside, len(pulls), 0.95)),
        "mean": float(finite.mean()),
        "spread": float(finite.std()),
        "largest": float(np.abs(finite).max()),
    }


def line_of(row: Mapping[str, Any]) -> str:
    """As printed."""
    return (
        "{experiment:26} {station:16} {estimate:20} inside {inside:2}/{seeds:<2} chance {chance:<5.2g} "
        "pull {mean:+.2f} ± {spread:.2f}, largest {largest:.1f}\n"
    ).format(**row)


def main() -> None:
    """Runs the chosen cases and prints a row for each estimate with a truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="experiments (all of them by default)")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for name, station, config in CASES:
            if options.names and name not in options.names:
                continue
            futures = [pool.submit(one, name, station, config, options.first_seed + k) for k in range(options.seeds)]
            found = [future.result() for future in futures]
            for figure in dict.fromkeys(f for each in found for f in each):
                seen = [each[figure] for each in found if figure in each]
                rows.append(row_of(name, station, figure, [pull for pull, _ in seen], sum(held for _, held in seen)))
                if not options.json:
                    sys.stdout.write(line_of(rows[-1]))
                    sys.stdout.flush()
    if options.json:
        sys.stdout.write(json.dumps(rows) + "\n")


if __name__ == "__main__":
    main()
