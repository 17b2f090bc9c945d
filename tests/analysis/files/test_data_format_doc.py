"""The reader printed in docs/data-format.md reads what erbia writes."""

import re
import runpy
from pathlib import Path

import h5py
import numpy as np

from erbia.analysis.files.layout import all_streams
from erbia.analysis.files.runfile import RunWriter, open_run
from erbia.analysis.records import TagBlock, TimeTags

DOC = Path(__file__).parents[3] / "docs" / "data-format.md"


def record(path):
    rng = np.random.default_rng(1)
    about = {"run_id": "r", "experiment": "x", "simulated": True, "operator": ""}
    config = {"station_yaml": "", "experiment_yaml": "", "resolved_json": "{}"}
    start = -5000
    with RunWriter.create(path, sources={"alice": {1: "det"}}, config=config, provenance={}, **about) as writer:
        for _ in range(20):
            deltas = rng.integers(0, 10**6, 5000)
            deltas[::1000] = 2**33
            t_ps = start + np.cumsum(deltas)
            stop = int(t_ps[-1]) + 1
            writer.append_tags(
                TagBlock(TimeTags(t_ps, rng.integers(1, 3, 5000).astype(np.uint8)), start, stop, "alice")
            )
            start = stop + 7


def test_the_printed_reader_works(tmp_path):
    path = tmp_path / "run.h5"
    record(path)
    code = re.search(r"```python\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL).group(1)
    assert len([line for line in code.split("def ")[1].splitlines() if line]) <= 10
    script = tmp_path / "reader.py"
    script.write_text(code)
    t_ps, channel = runpy.run_path(str(script))["read_tags"](path, "alice")
    with open_run(path) as run:
        assert np.array_equal(t_ps, run.tags("alice").t_ps)
        assert np.array_equal(channel, run.tags("alice").channel)


def test_every_dataset_and_column_is_described(tmp_path):
    path = tmp_path / "run.h5"
    record(path)
    layout = DOC.read_text(encoding="utf-8").split("```")[1]
    with h5py.File(path) as file:
        for spec in all_streams(["alice"]):
            assert spec.path in file
            assert spec.path.rsplit("/", 1)[-1] in layout
            assert all(column in layout for column in spec.dtype.names or ())
        assert all(name in layout for name in [*file, *file.attrs] if name != "sha256")
