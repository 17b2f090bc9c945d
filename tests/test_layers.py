"""The import contracts of pyproject.toml are kept, and they catch a violation."""

from __future__ import annotations

from pathlib import Path

import pytest
from importlinter.cli import lint_imports

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


def test_import_contracts_are_kept() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_a_broken_contract_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planted = tmp_path / "planted.ini"
    planted.write_text(PLANTED, encoding="utf-8")
    assert lint_imports(config_filename=str(planted), no_cache=True) != 0
    assert "records" in capsys.readouterr().out
