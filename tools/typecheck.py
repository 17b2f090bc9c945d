"""Runs mypy over the package by its name, whatever the folder of the clone is called.

The repository root is the package, so mypy would take the folder's name for the package's. Links in ``build/typecheck/erbia``
give it the right one, and keep the virtual environment, tests and build folders out.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAGE = ROOT / "build" / "typecheck"


def stage_package() -> None:
    """Links the root modules and the top folders of the package into a fresh ``build/typecheck/erbia``."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {name.split(".")[1] for name in settings["tool"]["setuptools"]["packages"] if "." in name}
    package = STAGE / "erbia"
    shutil.rmtree(STAGE, ignore_errors=True)
    package.mkdir(parents=True)
    for source in [*ROOT.glob("*.py"), ROOT / "py.typed", *(ROOT / folder for folder in sorted(folders))]:
        (package / source.name).symlink_to(source)


def main() -> int:
    stage_package()
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")]
    command += ["--cache-dir", str(ROOT / ".mypy_cache"), "-p", "erbia"]
    return subprocess.run(command, cwd=STAGE, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
