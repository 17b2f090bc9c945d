"""A thousand mutants of every format: no crash, no hang, no silently wrong number."""

import subprocess
import sys
from pathlib import Path

import pytest

WORKER = Path(__file__).with_name("fuzz_worker.py")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [".npy", ".npz", ".csv", ".a1", ".a2", ".hdf5", ".h5"]
    + [f".ptu:{code}" for code in ("00010203", "00010303", "00010204", "01010204", "01010304")],
)
def test_mutants(tmp_path, name):
    """PTU: PicoHarp T2 and T3, HydraHarp 1 T2, HydraHarp 2 T2 and T3 (whose records the newer instruments share)."""
    command = [sys.executable, str(WORKER), name, "1000", "1", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"exit {done.returncode}: {done.stderr[-2000:]}"
    refused, read = map(int, done.stdout.split())
    assert refused + read == 1000
    assert refused > 50
