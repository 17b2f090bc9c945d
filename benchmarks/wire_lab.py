"""The wire lab beside the mock lab: how soon its emulators answer, and whether the same seed gives the same physics.

Run: python benchmarks/wire_lab.py [pace]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import hypot
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

import erbia
from erbia.analysis.files.runfile import Run
from erbia.sequences.truth import truth_beside

SEED = 7
RUNS: Mapping[str, Mapping[str, Any]] = {
    "heralded_entanglement": {"heralds": 200},
    "storage_time": {"shots": 600},
    "clock_sync": {"duration_s": 5.0, "max_offset_s": 4.0},
}


@contextmanager
def emulated(folder: Path, pace: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The station file of a wire lab that is up, and its endpoint table."""
    station, table = folder / "lab.yaml", folder / "endpoints.json"
    at = f"127.{os.getpid() // 250 % 250 + 1}.{os.getpid() % 250 + 1}"
    options = ["--at", at, "--copy", str(station), "--endpoints", str(table), "--seed", str(SEED), "--pace", pace]
    command = [sys.executable, "-m", "erbia", "emulate", "wire_lab", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while not table.exists():
            time.sleep(0.02)
        be_patient(station)
        yield station, json.loads(table.read_text())
    finally:
        process.terminate()
        process.wait()


def be_patient(station: Path) -> None:
    """On a busy computer a late answer is no fault."""
    yaml = YAML()
    plain = yaml.load(station)
    for section in plain["instruments"].values():
        if section.get("address"):
            section.setdefault("init", {})["timeout"] = 30.0
    yaml.dump(plain, station)


def played(station: str | Path, seed: int | None, folder: Path) -> dict[str, Run]:
    with erbia.load_station(station, seed=seed) as lab:
        return {name: lab.run(name, out_dir=folder, **config) for name, config in RUNS.items()}


def main() -> None:
    pace = sys.argv[1] if len(sys.argv) > 1 else "1"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with emulated(folder, pace) as (station, facts):
            n = sum(row["is"] == "emulated" for row in facts["endpoints"])
            print(f"{n} emulated instruments ready in {facts['started_in_s']:.3f} s; pace {pace}, seed {SEED}")
            start = time.perf_counter()
            wire = played(station, SEED, folder)
            print(f"three experiments on the wire: {time.perf_counter() - start:.0f} s")
        mock = played("mock_lab", SEED, folder)
    print(f"{'':24}{'on the wire':>28}{'mock':>28}{'apart':>8}{'truth (wire, mock)':>36}")
    for name in RUNS:
        for key in sorted(truth_beside(wire[name], wire[name].results)):
            print(line(key, wire[name], mock[name]))


def line(key: str, wire: Run, mock: Run) -> str:
    """One figure: both estimates, their distance in standard errors, both truths."""
    a, b = wire.results[key], mock.results[key]
    true_a, true_b = (truth_beside(run, run.results)[key] for run in (wire, mock))
    # Clocks: each recording has its own time zero, so what is compared is the distance from its own truth.
    apart = ((a.value - true_a) - (b.value - true_b)) if key.startswith("clock") else a.value - b.value
    told = f"{a.value:.7g} ± {a.std:.2g}", f"{b.value:.7g} ± {b.std:.2g}"
    return f"{key:24}{told[0]:>28}{told[1]:>28}{apart / hypot(a.std, b.std):>+8.2f}{true_a:>20.8g}{true_b:>16.8g}"


if __name__ == "__main__":
    main()
