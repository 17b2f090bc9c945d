"""The commands on tag files: the contract's keys, many files, damaged files."""

import json
import sys

import numpy as np
import pytest

from erbia.analysis.correlation import correlate
from erbia.analysis.files.tagfile import WRITERS, read_tags
from erbia.analysis.files.tagstream import TagStream, ordered_blocks
from erbia.analysis.records import TimeTags
from erbia.cli import main

AXIS = ["--bin-ps", "10", "--range-ps", "5000"]


def clicks(seed, n=2000):
    rng = np.random.default_rng(seed)
    return TimeTags(np.sort(rng.integers(0, 400 * n, n)), rng.integers(1, 3, n).astype(np.uint8))


def write(path, tags):
    WRITERS[path.suffix](path, TagStream("t", ordered_blocks([tags], "t", path)))
    return str(path)


def said(capsys, *arguments):
    """What a command prints, and the code it exits with."""
    sys.argv = ["erbia", *map(str, arguments)]
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    return end.value.code or 0, out, err


@pytest.mark.parametrize("jobs", [1, 2])
def test_correlate_sums_over_files(tmp_path, capsys, jobs):
    parts = [clicks(1), clicks(2)]
    files = [write(tmp_path / name, tags) for name, tags in zip(("x.npz", "y.ptu"), parts, strict=True)]
    code, out, _ = said(capsys, "correlate", *files, "--a", 1, "--b", 2, *AXIS, "--jobs", jobs, "--json")
    found, single = json.loads(out), [correlate(t.on(1), t.on(2), bin_ps=10, range_ps=5000) for t in parts]
    assert code == 0
    assert found["lag_ps"] == single[0].lag_ps.tolist()
    assert found["counts"] == (single[0].counts + single[1].counts).tolist()
    assert found["singles"] == {"a": sum(len(t.on(1)) for t in parts), "b": sum(len(t.on(2)) for t in parts)}


def test_no_scheduler_answers(tmp_path, capsys):
    pytest.importorskip("distributed")
    file = write(tmp_path / "x.npz", clicks(1))
    where = "tcp://127.0.0.1:9"
    code, _, err = said(capsys, "correlate", file, "--a", 1, "--b", 2, *AXIS, "--scheduler", where)
    assert code == 2
    assert f"no dask scheduler answers at {where}" in err


@pytest.mark.parametrize("suffix", [".csv", ".ptu", ".a1", ".a2", ".npy"])
def test_salvage_keeps_the_beginning_of_a_truncated_file(tmp_path, capsys, suffix):
    tags = clicks(3)
    tags = TimeTags(tags.t_ps * 125, np.zeros_like(tags.channel) if suffix == ".npy" else tags.channel)
    path, sound = tmp_path / f"x{suffix}", tmp_path / "sound.npz"
    write(path, tags)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) - 101])
    code, _, err = said(capsys, "convert", path, sound)
    assert (code, sound.exists()) == (2, False)
    assert "record 19" in err
    code, out, _ = said(capsys, "convert", path, sound, "--salvage", "--json")
    kept, report = read_tags(sound).tags, json.loads(out)
    assert code == 0
    assert report["tags"] == len(kept) > 1900
    assert "record 19" in report["reason"]
    assert np.array_equal(kept.t_ps, tags.t_ps[: len(kept)])
    assert np.array_equal(kept.channel, tags.channel[: len(kept)])
    (tmp_path / "again.npz").unlink(missing_ok=True)
    _, _, err = said(capsys, "convert", path, tmp_path / "again.npz", "--salvage")
    assert "nothing kept after the damage" in err
