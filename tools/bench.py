"""Runs every benchmark in turn: each is a script in ``benchmarks/`` that prints its own figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


def main() -> int:
    failed = []
    for script in sorted(BENCHMARKS.glob("*.py")):
        sys.stdout.write(f"== {script.name}\n")
        sys.stdout.flush()
        if subprocess.run([sys.executable, str(script)], check=False).returncode:
            failed.append(script.name)
    if failed:
        sys.stderr.write(f"failed: {', '.join(failed)}\n")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
