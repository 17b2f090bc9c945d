"""Every experiment against the simulated lab's truth over many seeds: mean and spread of (estimate - truth)/standard error.

``python benchmarks/experiment_pulls.py [--seeds 20] [--jobs 2] [NAME …]`` prints a table and, with ``--json``, the numbers. A spread
near 1 and intervals that hold the truth as often as they claim (95 %) say that the errors are right.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

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
        truth = truth_beside(run, run.results)
        results = dict(run.results)
    return {
        figure: ((e.value - truth[figure]) / e.std if e.std > 0 else math.nan, e.lower <= truth[figure] <= e.upper)
        for figure, e in results.items()
        if figure in truth
    }


def main() -> None:
    """Runs the chosen cases and prints a row for each estimate with a truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="experiments (all of them by default)")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for name, station, config in CASES:
            if options.names and name not in options.names:
                continue
            futures = [pool.submit(one, name, station, config, 1000 + k) for k in range(options.seeds)]
            found = [future.result() for future in futures]
            for figure in dict.fromkeys(f for each in found for f in each):
                pulls = np.array([each[figure][0] for each in found if figure in each])
                inside = sum(each[figure][1] for each in found if figure in each)
                row = {"experiment": name, "estimate": figure, "seeds": len(pulls), "inside": inside}
                row |= {"mean": float(np.nanmean(pulls)), "spread": float(np.nanstd(pulls)), "largest": float(np.nanmax(np.abs(pulls)))}  # fmt: skip
                rows.append(row)
                if not options.json:
                    sys.stdout.write(
                        f"{name:26} {figure:28} inside {inside:3}/{len(pulls):<3} pull {row['mean']:+.2f} ± {row['spread']:.2f}, "
                        f"largest {row['largest']:.1f}\n"
                    )
                    sys.stdout.flush()
    if options.json:
        sys.stdout.write(json.dumps(rows) + "\n")


if __name__ == "__main__":
    main()
