"""A stretch of the day of documents that ``benchmarks/gui_endurance.py`` puts through the window: memory stays."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gui_endurance.py"


@pytest.mark.slow
def test_memory_stays_while_documents_flow() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "day", "900", "300"], capture_output=True, text=True, timeout=250
    )
    assert done.returncode == 0, done.stderr[-2000:]
    grown = re.search(r"\(([+-][\d.]+) MB", done.stdout)
    assert grown is not None, done.stdout
    assert float(grown[1]) < 50
