"""Labs drawn at random, run through their drivers only, recovered by the analysis: are the pulls standard normal?

Run ``python benchmarks/hidden_labs.py [labs] [first seed]`` (100 labs take about a quarter of an hour of one core). Every
lab is a station file with hidden overrides of the twin; experiments see its instruments, and the truth is opened at the end.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from ruamel.yaml import YAML

from erbia import load_station
from erbia.sequences.truth import truth_beside

GROUP_DELAY_PS_PER_M = 1.468 / 299_792_458.0 * 1e12
FIGURES = {
    "herald_rate_hz": "heralded_entanglement",
    "fidelity": "heralded_entanglement",
    "storage_time_s": "storage_time",
    "jitter_ps": "timing_jitter",
    "clock_offset_ps": "clock_sync",
}
CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "heralded_entanglement": {"heralds": 400, "calibration_shots": 4000},
    "storage_time": {
        "shots": 800,
        "storage_times_s": (20e-6, 60e-6, 120e-6, 240e-6, 480e-6, 800e-6, 1.2e-3, 1.8e-3, 2.7e-3, 4e-3),
    },
    "timing_jitter": {"clicks": 20_000},
    "clock_sync": {"duration_s": 2.0},
}


def draw(rng: Generator) -> tuple[dict[str, Any], int]:
    """Hidden overrides of the twin and the photons' delay in ps."""
    length_m = float(rng.uniform(500.0, 2000.0))

    def node(resonance_hz: float) -> dict[str, Any]:
        return {
            "memory": {
                "resonance_hz": resonance_hz + float(rng.normal(0, 30e3)),
                "lifetime_s": float(rng.uniform(0.5e-6, 0.9e-6)),
                "indistinguishability": float(rng.uniform(0.8, 0.98)),
                "spectral_diffusion_hz": float(rng.uniform(20e3, 100e3)),
                "collection": float(rng.uniform(0.04, 0.10)),
                "t2_s": float(np.exp(rng.uniform(np.log(0.3e-3), np.log(1.5e-3)))),
                "t2_exponent": float(rng.uniform(1.0, 2.0)),
                "t2_star_s": float(rng.uniform(10e-6, 40e-6)),
                "readout_rate_hz": float(rng.uniform(22e3, 40e3)),
            },
            "fibre": {"length_m": length_m, "loss_db_per_km": float(rng.uniform(0.18, 0.35))},
        }

    def pixel() -> dict[str, Any]:
        return {
            "efficiency": float(rng.uniform(0.75, 0.95)),
            "background_hz": float(rng.uniform(1.0, 40.0)),
            "jitter_sigma_ps": float(rng.uniform(8.0, 40.0)),
            "jitter_tau_ps": float(rng.uniform(5.0, 30.0)),
        }

    def clock() -> dict[str, Any]:
        return {
            "offset_ps": int(rng.integers(-(10**11) // 2, 10**11 // 2)),
            "skew": float(rng.uniform(-6e-7, 6e-7)),
            "white_frequency": float(rng.uniform(0, 3e-12)),
            "random_walk_frequency": 1e-14,
        }

    overrides = {
        "alice": node(194949998700000.0),
        "bob": node(194949997400000.0),
        "midpoint": {"splitter_transmission": float(rng.uniform(0.47, 0.53))},
        "detectors": {f"ch{n}": pixel() for n in (1, 2, 3, 4)},
        "taggers": {name: {"jitter_ps": float(rng.uniform(3.0, 15.0))} for name in ("tagger", "alice_tagger", "bob_tagger")},
        "clocks": {"alice": clock(), "bob": clock()},
        "pair_source": {"pairs_per_s_per_w": float(rng.uniform(1e8, 4e8))},
        "cryostat": {"start_temperature_k": 0.5},
    }  # fmt: skip
    return overrides, round(length_m * GROUP_DELAY_PS_PER_M)


def write_station(path: Path, overrides: Mapping[str, Any], delay_ps: int) -> None:
    """The mock lab with other hidden values; only the photons' delay is known to the experimenter."""
    yaml = YAML(typ="safe")
    station = yaml.load((files("erbia.configs") / "stations" / "mock_lab.yaml").read_text(encoding="utf-8"))
    for name in ("alice", "bob"):
        station["nodes"][name]["photon_delay_s"] = f"{delay_ps * 1e-6!r} us"
    del station["expected"]  # the budget before a run would be one of another lab
    station["twin"] = {"preset": "single_er_cavity", "pace": "free", "overrides": overrides}
    with path.open("w", encoding="utf-8") as out:
        yaml.dump(station, out)


def pulls(seed: int, folder: Path) -> dict[str, float]:
    """(estimate - truth) / standard error of every figure of one hidden lab."""
    overrides, delay_ps = draw(np.random.default_rng(seed))
    station = folder / f"hidden_{seed}.yaml"
    write_station(station, overrides, delay_ps)
    found = {}
    with load_station(station, seed) as lab:
        for experiment, config in CONFIGS.items():
            run = lab.run(experiment, out_dir=folder, **config)
            truth = truth_beside(run, run.results)
            for name in (n for n, source in FIGURES.items() if source == experiment):
                estimate = run.results[name]
                found[name] = (estimate.value - truth[name]) / estimate.std
            run.close()
    return found


def main(labs: int = 100, first_seed: int = 1000) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first_seed, first_seed + labs):
            rows.append(pulls(seed, Path(folder)))
            print(seed, " ".join(f"{name} {value:+.2f}" for name, value in rows[-1].items()), flush=True)
            for file in Path(folder).glob("*.erbia*"):
                file.unlink()
    print(f"{len(rows)} labs; standard error of a mean {len(rows) ** -0.5:.2f}, of an sd {(2 * len(rows)) ** -0.5:.2f}")
    for name in FIGURES:
        values = np.array([row[name] for row in rows])
        print(
            f"{name:<18} mean {values.mean():+.3f}   sd {values.std(ddof=1):.3f}   largest {np.abs(values).max():.2f}"
        )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
