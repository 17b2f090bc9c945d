"""Damaged tag files, killed recordings, a full disk: nothing crashes, hangs, gets lost or is silently wrong.

``python benchmarks/tag_faults.py [--mutants 1000] [--kills 50] [--seed 1]``

Mutants: one to four random changes of a sound file of every format, read in a process of its own; each is refused with one
line or read exactly as its bytes say. Kills: SIGKILL at a random moment of a pipeline that records and runs narrow g2,
two-fold and rates as fast as it can; the file opens and holds every acknowledged click, bit for bit. Full disk: the same
pipeline on a tmpfs of 64 MB (needs root). The checks are those of the tests.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from erbia.analysis.files.runfile import open_run

TESTS = Path(__file__).resolve().parents[1] / "tests" / "analysis" / "files"
FORMATS = (
    *(".npy", ".npz", ".csv", ".a1", ".a2", ".hdf5", ".h5"),
    *(f".ptu:{code}" for code in ("00010203", "00010303", "00010204", "01010204", "01010304")),
)


def loaded(name: str) -> Any:
    """A module of the tests."""
    spec = importlib.util.spec_from_file_location(name, TESTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mutants(count: int, seed: int, folder: Path) -> int:
    """One line a format; how many formats failed."""
    failed = 0
    print(f"{count} mutants a format (seed {seed})      refused  read as their bytes say      s")
    for name in FORMATS:
        command = [sys.executable, str(TESTS / "fuzz_worker.py"), name, str(count), str(seed), str(folder)]
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, timeout=60 + count, check=False)
        if done.returncode:
            failed += 1
            print(f"  {name:32} FAILED: exit {done.returncode}, {done.stderr.strip().splitlines()[-1:]}")
            continue
        refused, read = map(int, done.stdout.split())
        print(f"  {name:32} {refused:8d} {read:26d} {time.perf_counter() - began:8.1f}", flush=True)
    return failed


def kills(count: int, seed: int, folder: Path) -> int:
    """How many of the kills lost or changed an acknowledged click."""
    tests, rng = loaded("test_killed_writer"), np.random.default_rng(seed)
    wrong = acknowledged = kept = 0
    with tests.writers() as start:
        for k in range(count):
            path = folder / f"run{k}.h5"
            n = tests.kill_after_first_word(path, start(path, k, "pipeline"), float(rng.uniform(0.0, 0.5)))
            try:
                with open_run(path) as run:
                    kept += tests.assert_pipeline_whole(run, n)
                    wrong += run.status != "interrupted"
            except Exception as error:
                wrong += 1
                print(f"  kill {k}: {type(error).__name__}: {error}")
            acknowledged += n
            for leftover in folder.glob(f"*run{k}.h5*"):
                leftover.unlink()
        print(f"{count} kills: {acknowledged} clicks acknowledged, {kept} kept and equal, {wrong} wrong")
        try:
            with tests.small_disk_in(folder) as disk:
                told, held, message = tests.fill_disk(disk, start)
            print(f"full disk: {told} clicks acknowledged, {held} kept and equal; {message}")
        except pytest.skip.Exception as why:
            print(f"full disk: not tried, {why}")
    return wrong


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--mutants", type=int, default=1000)
    arguments.add_argument("--kills", type=int, default=50)
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        failed = mutants(chosen.mutants, chosen.seed, Path(name)) if chosen.mutants else 0
        wrong = kills(chosen.kills, chosen.seed, Path(name)) if chosen.kills else 0
    return int(bool(failed or wrong))


if __name__ == "__main__":
    sys.exit(main())
