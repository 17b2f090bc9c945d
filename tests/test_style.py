"""House rules a linter does not know: documented public names, one unit a quantity, small files."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 400
#: Files that may be longer, and why.
LONG_FILES: dict[str, str] = {}
#: Made by a code generator: not ours to style.
GENERATED = ("_pb2.py", "_pb2_grpc.py")
#: Times are ps or s, frequencies Hz, powers W, voltages V: no second unit for the same quantity in names.
FOREIGN_UNITS = ("_ns", "_us", "_ms", "_sec", "_secs", "_seconds", "_minutes", "_khz", "_mhz", "_ghz", "_mw", "_uw")
#: Where quantities live; drivers and the window speak their device's or toolkit's units.
PHYSICAL = ("analysis", "sequences", "instruments/twin")


def modules() -> list[Path]:
    """Every hand-written module of the package."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = [ROOT.joinpath(*name.split(".")[1:]) for name in settings["tool"]["setuptools"]["packages"]]
    found = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    return [path for path in found if not path.name.endswith(GENERATED)]


def name_of(path: Path) -> str:
    """Path relative to the repository root, as in ``analysis/records.py``."""
    return path.relative_to(ROOT).as_posix()


def each_module() -> pytest.MarkDecorator:
    """Runs the test once a module."""
    return pytest.mark.parametrize("path", modules(), ids=name_of)


def public_definitions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Functions and classes at the top of a module whose names have no leading underscore."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


def declared_names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Arguments and annotated fields with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.lineno


@each_module()
def test_public_names_are_documented(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    undocumented = [
        f"line {node.lineno}: {node.name}" for node in public_definitions(tree) if not ast.get_docstring(node)
    ]
    if tree.body and not ast.get_docstring(tree) and path.name != "__init__.py":
        undocumented.append("the module itself")
    assert undocumented == []


@each_module()
def test_one_unit_a_quantity(path: Path) -> None:
    if not name_of(path).startswith(PHYSICAL):
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    foreign = [f"line {line}: {name}" for name, line in declared_names(tree) if name.endswith(FOREIGN_UNITS)]
    assert foreign == []


@each_module()
def test_files_are_small(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_LINES or name_of(path) in LONG_FILES, f"{lines} lines: split it, or say why in LONG_FILES"


def test_long_files_listed_are_long() -> None:
    for name in LONG_FILES:
        assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) > MAX_LINES, f"{name} needs no exception"
