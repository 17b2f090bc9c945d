"""More than a thousand faults over all drivers, on the wire, in vendors' libraries and in files: how many of each kind, how
many ended in a named error within 1 s of the timeout, and none in a wrong value.

Run: python benchmarks/faults.py [faults a driver]
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests" / "instruments"


def main() -> int:
    each = sys.argv[1] if len(sys.argv) > 1 else "60"
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-k", "test_faults_o", "--timeout=900"]
    done = subprocess.run(
        [*command, str(TESTS / "test_faults.py"), str(TESTS / "test_api_faults.py")],
        env=os.environ | {"ERBIA_FAULTS_EACH": each, "ERBIA_WITHIN_S": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    rows = [json.loads(line) for line in re.findall(r"FAULTS (\{.*\})", done.stdout)]
    print("| driver | faults | named or flagged | kinds |\n|---|---|---|---|")
    for row in sorted(rows, key=lambda row: row["driver"]):
        kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(row["injected"].items()))
        print(f"| {row['driver'].replace('_', ' ')} | {sum(row['injected'].values())} | {row['named']} | {kinds} |")
    total = sum((Counter(row["injected"]) for row in rows), Counter())
    verdict = "no wrong value, no hang, every driver recovered" if done.returncode == 0 else f"FAILED\n{done.stdout}"
    print(f"\n{len(rows)} drivers, {total.total()} faults, {sum(row['named'] for row in rows)} told: {verdict}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
