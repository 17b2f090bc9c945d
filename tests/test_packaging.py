"""What is shipped is what is on disk, and importing the package costs little."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOT_SHIPPED = {"tests", "docs", "examples", "benchmarks", "tools", "build", "dist", "demo", "runs"}
HEAVY = ("qcodes", "PySide6", "pyqtgraph", "numba", "scipy", "h5py", "matplotlib", "lmfit", "xarray", "pandas", "grpc")


def shipped_files(root: Path, pattern: str) -> set[str]:
    """Files of the package below ``root`` as posix paths relative to it."""
    relative = (path.relative_to(root) for path in root.rglob(pattern))
    return {
        path.as_posix()
        for path in relative
        if path.parts[0] not in NOT_SHIPPED and not any(part.startswith(".") for part in path.parts)
    }


def test_the_packages_listed_are_the_packages_on_disk() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = settings["tool"]["setuptools"]["packages"]
    folders = {Path(path).parent for path in shipped_files(ROOT, "__init__.py")}
    assert sorted(listed) == sorted(".".join(("erbia", *folder.parts)) for folder in folders)


@pytest.mark.slow
def test_the_wheel_holds_every_module_and_every_yaml(tmp_path: Path) -> None:
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns(".*", *NOT_SHIPPED, "__pycache__", "*.egg-info")
    shutil.copytree(ROOT, source, ignore=ignored)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(source)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (wheel,) = tmp_path.glob("erbia-*.whl")
    packed = {name.removeprefix("erbia/") for name in zipfile.ZipFile(wheel).namelist() if name.startswith("erbia/")}
    expected = {"py.typed", *shipped_files(ROOT, "*.py"), *shipped_files(ROOT, "*.pyi")}
    expected |= {f"configs/{name}" for name in shipped_files(ROOT / "configs", "*.yaml")}
    assert packed == expected


def test_importing_the_package_is_light() -> None:
    script = "import sys, json, erbia; json.dump(sorted(sys.modules), sys.stdout)"
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    loaded = {name.split(".")[0] for name in json.loads(run.stdout)}
    assert loaded & set(HEAVY) == set()
    assert "erbia" in loaded


def test_constraints_pin_names_and_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) > 50
    for pin in pins:
        name, _, version = pin.partition("==")
        assert name.replace("-", "").replace("_", "").isalnum(), pin
        assert version[:1].isdigit(), pin
        assert "/" not in version, pin
