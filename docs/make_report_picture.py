"""Draws docs/images/demo-report.png: the top of the page that ``erbia demo`` writes. Needs chromium."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

PICTURE = Path(__file__).parent / "images" / "demo-report.png"
QUIET = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "erbia", "demo", "--out", folder], check=True)
        options = ("--headless", "--no-sandbox", "--disable-gpu", *QUIET, f"--user-data-dir={folder}/browser")
        page = Path(folder, "report.html").resolve().as_uri()
        subprocess.run(["chromium", *options, "--window-size=1200,980", f"--screenshot={PICTURE}", page], check=True)


if __name__ == "__main__":
    main()
