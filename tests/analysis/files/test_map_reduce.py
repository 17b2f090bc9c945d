"""Many files, one answer, however it is computed."""

import os
from functools import partial

import numpy as np
import pytest

from erbia.analysis.errors import DataError, ErbiaError, UsageError
from erbia.analysis.files.map_reduce import map_reduce
from erbia.analysis.files.tagfile import read_tags


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(1)
    paths = [tmp_path / f"{k}.npy" for k in range(5)]
    for path in paths:
        np.save(path, np.sort(rng.integers(0, 10**9, 1000)))
    return paths


def joined(a, b):
    """Not commutative: shows the order in which answers were joined."""
    return np.concatenate([a, b])


@pytest.mark.parametrize("jobs", [1, 2])
def test_answers_are_joined_in_order(files, jobs):
    assert np.array_equal(map_reduce(files, np.load, joined, jobs), np.concatenate([np.load(f) for f in files]))


def test_dask_gives_the_same(files):
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster:
        found = map_reduce(files, np.load, joined, scheduler=cluster.scheduler_address)
    assert np.array_equal(found, map_reduce(files, np.load, joined))


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_bad_file_is_named(files, jobs):
    np.save(files[3], np.array([2, 1]))
    with pytest.raises(DataError, match=r"3\.npy: record 1"):
        map_reduce(files, read_tags, lambda a, b: a, jobs)


def test_refused(files):
    with pytest.raises(UsageError, match="no files"):
        map_reduce([], np.load, joined)
    with pytest.raises(UsageError, match="jobs must be at least 1"):
        map_reduce(files, np.load, joined, 0)


def test_a_dead_worker_is_told(files):
    with pytest.raises(ErbiaError, match="a worker process died"):
        map_reduce(files, partial(_die, os._exit), joined, 2)


def _die(exit_now, path):
    exit_now(3)
