"""Checks what ``erbia demo --json`` printed: ``check_demo.py DEMO_JSON CHECKOUT``; exit 1 says what is wrong.

The package must come from the installed wheel, the run files must exist, and every result must hold its truth within four
standard errors (an interval stands for the standard error where the estimate has none).
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import erbia

REQUIRED = ("fidelity", "herald_rate_hz", "chsh_s", "storage_time_s", "jitter_ps", "clock_offset_ps")


def pull(result: dict[str, Any]) -> float:
    """Distance of the estimate from its truth in standard errors."""
    half_width = (result["upper"] - result["lower"]) / 2 / 1.96
    return abs(result["value"] - result["truth"]) / (result["std"] or half_width)


def problems(demo: dict[str, Any], checkout: Path) -> list[str]:
    """Everything that is wrong, one line each."""
    found = []
    if Path(erbia.__file__).resolve().is_relative_to(checkout.resolve()):
        found.append(f"erbia was imported from the checkout: {erbia.__file__}")
    found += [f"run file missing: {run}" for run in demo["runs"] if not Path(run).is_file()]
    for name in REQUIRED:
        result = demo["results"].get(name)
        if result is None:
            found.append(f"no result {name}")
        elif not (math.isfinite(result["value"]) and pull(result) <= 4):
            found.append(f"{name} = {result['value']} is not within 4 standard errors of its truth {result['truth']}")
    return found


def main() -> int:
    demo = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    found = problems(demo, Path(sys.argv[2]))
    for line in found:
        sys.stderr.write(f"demo: {line}\n")
    if not found:
        sys.stdout.write(f"demo: {len(demo['results'])} results, {len(demo['runs'])} run files\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
