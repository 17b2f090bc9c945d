"""More than a thousand faults on the wire, over all drivers: how many ended in a named error, within 1 s of the timeout, and
none in a wrong value.

Run: python benchmarks/faults.py [faults a driver]
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

CAMPAIGN = Path(__file__).resolve().parents[1] / "tests" / "instruments" / "test_faults.py"


def main() -> int:
    each = sys.argv[1] if len(sys.argv) > 1 else "60"
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-k", "faults_on_the_wire", "--timeout=600", str(CAMPAIGN)]
    done = subprocess.run(
        command,
        env=os.environ | {"ERBIA_FAULTS_EACH": each, "ERBIA_WITHIN_S": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"(\w+): (\d+) faults, (\d+) named errors", done.stdout)
    for name, faults, named in found:
        print(f"{name:16} {faults:>5} faults {named:>5} named errors, the others did no harm")
    total, errors = (sum(int(row[k]) for row in found) for k in (1, 2))
    verdict = "no wrong value, no hang" if done.returncode == 0 else f"FAILED\n{done.stdout}"
    print(f"{len(found)} drivers, {total} faults, {errors} named errors: {verdict}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
