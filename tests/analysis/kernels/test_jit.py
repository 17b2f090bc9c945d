"""What numba's cache on disk relies on."""

import ast
from pathlib import Path

import erbia.analysis.kernels


def test_kernels_call_no_kernels_of_other_modules():
    """The cache would keep what it inlined of them after they change."""
    folder = Path(erbia.analysis.kernels.__path__[0])
    siblings = {path.stem for path in folder.glob("*.py")}
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                imported = {node.module, *(alias.name for alias in node.names)}
                assert imported & siblings <= {"jit"}, f"{path.name} imports {imported}"
