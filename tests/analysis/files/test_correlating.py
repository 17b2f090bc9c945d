"""One histogram from files of any size and number, however the work is cut and wherever it is done."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erbia.analysis.correlation import autocorrelate, correlate
from erbia.analysis.errors import DataError, UsageError
from erbia.analysis.files import correlating
from erbia.analysis.files.correlating import Share, correlate_files, correlate_share, shares_of
from erbia.analysis.files.runfile import RunWriter
from erbia.analysis.files.tagfile import WRITERS
from erbia.analysis.files.tagstream import TagStream, ordered_blocks
from erbia.analysis.records import TagBlock, TimeTags

CONFIG = {"station_yaml": "", "experiment_yaml": "", "resolved_json": "{}"}
AXIS = {"bin_ps": 10, "range_ps": 5000}


def clicks(seed, n=3000):
    rng = np.random.default_rng(seed)
    return TimeTags(np.sort(rng.integers(0, 400 * n, n)), rng.integers(1, 4, n).astype(np.uint8))


def write_run(path, tags, edges, overflow=()):
    """Blocks cut at the given times; those named lost clicks."""
    about = {"run_id": "r", "experiment": "x", "simulated": False, "operator": ""}
    with RunWriter.create(path, sources={"t": {}}, config=CONFIG, provenance={}, **about) as writer:
        for k, (a, b) in enumerate(pairwise(edges)):
            writer.append_tags(TagBlock(tags.between(a, b), a, b, "t", k in overflow, 1 if k in overflow else 0))


def expected(parts, a, b):
    cross = [correlate(t.on(a), t.on(b), **AXIS) if a != b else autocorrelate(t.on(a), **AXIS) for t in parts]
    return sum(h.counts for h in cross)


@pytest.mark.parametrize(("a", "b"), [(1, 2), (3, 3)])
@pytest.mark.parametrize("jobs", [1, 2])
def test_files_of_every_kind_add_up(tmp_path, a, b, jobs):
    parts, specs = [clicks(seed) for seed in range(4)], []
    for tags, suffix in zip(parts, (".npz", ".csv", ".ptu", ".hdf5"), strict=True):
        path = tmp_path / f"x{suffix}"
        WRITERS[suffix](path, TagStream("t", ordered_blocks([tags], "t", path)))
        specs.append(path)
    parts.append(clicks(9))
    write_run(tmp_path / "run.h5", parts[-1], range(0, 1_200_001, 40_000))
    found = correlate_files([*specs, f"{tmp_path / 'run.h5'}:t"], a, b, **AXIS, jobs=jobs)
    assert np.array_equal(found.counts, expected(parts, a, b))
    assert (found.singles_a, found.singles_b) == tuple(sum(len(t.on(c)) for t in parts) for c in (a, b))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.integers(1, 119_999), max_size=12, unique=True).map(sorted),
    shares=st.lists(st.integers(0, 13), max_size=4).map(sorted),
    overflow=st.sets(st.integers(0, 12), max_size=3),
    channels=st.sampled_from([(1, 2), (2, 2)]),
    seed=st.integers(0, 2**32),
)
def test_any_shares_add_up_to_the_whole(tmp_path, cuts, shares, overflow, channels, seed):
    path, edges = tmp_path / f"{seed}-{len(list(tmp_path.iterdir()))}.h5", [0, *cuts, 120_000]
    write_run(path, clicks(seed, 300), edges, overflow)
    whole = correlate_share(Share(str(path)), *channels, **AXIS)
    stops = [0, *(min(s, len(edges) - 1) for s in shares), len(edges) - 1]
    parts = [correlate_share(Share(str(path), a, b), *channels, **AXIS) for a, b in pairwise(stops) if a < b]
    assert np.array_equal(sum(p.counts for p in parts), whole.counts)
    for name in ("singles_a", "singles_b", "live_time_ps"):
        assert sum(getattr(p, name) for p in parts) == getattr(whole, name)


def test_large_run_files_are_shared_out(tmp_path, monkeypatch):
    monkeypatch.setattr(correlating, "SMALLEST_SHARE", 500)
    path, tags = tmp_path / "run.h5", clicks(1)
    write_run(path, tags, range(0, 1_200_001, 40_000))
    shares = shares_of(str(path), 4)
    assert [s.first for s in shares[1:]] == [s.stop for s in shares[:-1]]
    assert (len(shares), shares[0].first, shares[-1].stop) == (4, 0, 30)
    found = correlate_files([path], 1, 2, **AXIS, jobs=2)
    assert np.array_equal(found.counts, expected([tags], 1, 2))
    assert shares_of(str(path), 1) == [Share(str(path))]


PEAK = """
import resource, sys
from erbia.analysis.files.correlating import correlate_files
print(correlate_files(sys.argv[1:], 1, 2, bin_ps=100, range_ps=100_000).singles_a)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss in KiB")
def test_memory_does_not_grow_with_the_file(tmp_path):
    """Twenty times the clicks (20 million, 180 MB in memory) take less than 50 MB more."""
    tags, peaks = clicks(1, 1_000_000), []
    for name, repetitions in (("short.h5", 1), ("long.h5", 20)):
        about = {"run_id": "r", "experiment": "x", "simulated": False, "operator": ""}
        span = int(tags.t_ps[-1]) + 1
        with RunWriter.create(tmp_path / name, sources={"t": {}}, config=CONFIG, provenance={}, **about) as writer:
            for k in range(repetitions):
                later = TimeTags(tags.t_ps + k * span, tags.channel)
                writer.append_tags(TagBlock(later, k * span, (k + 1) * span, "t"))
        command = [sys.executable, "-c", PEAK, str(tmp_path / name)]
        singles, peak = map(int, subprocess.run(command, capture_output=True, check=True, text=True).stdout.split())
        assert singles == repetitions * len(tags.on(1))
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 50_000


def test_dask_gives_the_same(tmp_path):
    distributed = pytest.importorskip("distributed")
    path, tags = tmp_path / "run.h5", clicks(1)
    write_run(path, tags, range(0, 1_200_001, 40_000))
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster:
        found = correlate_files([path, path], 1, 2, **AXIS, scheduler=cluster.scheduler_address)
    assert np.array_equal(found.counts, expected([tags, tags], 1, 2))


def test_refused(tmp_path):
    with pytest.raises(UsageError, match="no files"):
        correlate_files([], 1, 2, **AXIS)
    with pytest.raises(DataError, match="no such file"):
        correlate_files([tmp_path / "x.h5"], 1, 2, **AXIS, jobs=2)
    (tmp_path / "x.csv").write_text("t_ps,channel\n5,1\n4,1\n")
    with pytest.raises(DataError, match="record 1"):
        correlate_files([tmp_path / "x.csv"], 1, 2, **AXIS)
