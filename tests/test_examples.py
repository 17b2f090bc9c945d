"""Every example runs as it stands, in an empty folder."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(example: Path, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(example)], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_experiment_in_the_docs_is_the_example() -> None:
    page = (Path(__file__).parent.parent / "docs" / "experiments.md").read_text()
    code = page.split("```python\n")[1].split("```")[0]
    (example,) = (path for path in EXAMPLES if path.stem == "06_write_an_experiment")
    assert example.read_text().split('"""\n\n', 1)[1] == code
    assert len(code.splitlines()) < 60
