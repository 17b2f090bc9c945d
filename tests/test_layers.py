"""The import contracts of pyproject.toml are kept, and they catch a violation."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PLANTED = """
[importlinter]
root_package = erbia
include_external_packages = True

[importlinter:contract:planted]
name = a rule the package breaks on purpose: the vocabulary is built on numpy
type = forbidden
source_modules = erbia.analysis.records
forbidden_modules = numpy
"""


def lint_imports(config: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own: import-linter silences every logger there is."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"]
    options = ["--config", str(config), "--no-cache"]
    return subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False)


def test_import_contracts_are_kept() -> None:
    assert lint_imports(ROOT / "pyproject.toml").returncode == 0


def test_a_broken_contract_is_noticed(tmp_path: Path) -> None:
    planted = tmp_path / "planted.ini"
    planted.write_text(PLANTED, encoding="utf-8")
    found = lint_imports(planted)
    assert found.returncode != 0
    assert "records" in found.stdout
