"""A script that leaves its runs open ends as cleanly as one that closes them."""

import subprocess
import sys
from pathlib import Path

from erbia.analysis.files.runfile import RunWriter

SCRIPT = """
import sys
from erbia.analysis.files.runfile import open_run

class Keeper:
    run = open_run(sys.argv[1])

print(Keeper.run.run_id)
"""


def test_an_open_run_does_not_crash_the_interpreter_at_exit(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    texts = {"station_yaml": "", "experiment_yaml": "", "resolved_json": "{}"}
    RunWriter.create(
        path,
        run_id="r1",
        experiment="none",
        simulated=True,
        operator="",
        sources={"a": {0: "x"}},
        config=texts,
        provenance={},
    ).close("done")
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, "r1")
