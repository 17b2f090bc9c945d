"""Two threads on one instrument, a hundred thousand questions: no answer goes to the wrong one.

Run: python benchmarks/threads.py [calls]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

TEST = Path(__file__).resolve().parents[1] / "tests" / "instruments" / "test_faults.py"


def main() -> int:
    calls = sys.argv[1] if len(sys.argv) > 1 else "100000"
    command = [sys.executable, "-m", "pytest", "-q", "-k", "hundred_thousand", "--timeout=600", str(TEST)]
    start = time.perf_counter()
    done = subprocess.run(command, env=os.environ | {"ERBIA_CALLS": calls}, capture_output=True, text=True, check=False)
    verdict = "no swapped answer" if done.returncode == 0 else f"FAILED\n{done.stdout}"
    print(f"{calls} calls by two threads in {time.perf_counter() - start:.0f} s: {verdict}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
