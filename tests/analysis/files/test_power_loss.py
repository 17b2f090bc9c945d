"""Power cuts, simulated: every 4 KiB page written since the last fsync may be on the disk or not."""

import os
from itertools import pairwise

import numpy as np
import pytest

from erbia.analysis.files.runfile import RunWriter, open_run
from erbia.analysis.records import HERALD_DTYPE, TagBlock, TimeTags

PAGE = 4096
CONFIG = {"station_yaml": "", "experiment_yaml": "", "resolved_json": "{}"}
ABOUT = {"run_id": "r", "experiment": "x", "simulated": True, "operator": ""}


def block(k, n):
    rng = np.random.default_rng(k)
    t_ps = np.sort(rng.integers(k * 10**11, (k + 1) * 10**11, n))
    return TagBlock(TimeTags(t_ps, rng.integers(0, 4, n).astype(np.uint8)), k * 10**11, (k + 1) * 10**11, "t")


def append(writer, k, n):
    writer.append_tags(block(k, n))
    heralds = np.zeros(300, HERALD_DTYPE)
    heralds["attempt"] = np.arange(300) + 300 * k
    writer.append_heralds(heralds)
    writer.append_log(k, "info", str(k))


def mixed(before, after, rng):
    """Pages of the synced file and of the later one at random; pages that are new may be missing (zero)."""
    before = before.ljust(len(after), b"\0")
    pages = [(before if rng.random() < 0.5 else after)[at : at + PAGE] for at in range(0, len(after), PAGE)]
    return b"".join(pages)


@pytest.mark.parametrize("n", [500, 30_000, 200_000])
def test_what_was_acknowledged_survives(tmp_path, monkeypatch, n):
    """The file as it is at each fsync, mixed page by page with the file as it is at the next."""
    rng = np.random.default_rng(n)
    path, states, acknowledged = tmp_path / "run.h5", [], 0
    with RunWriter.create(path, sources={"t": {}}, config=CONFIG, provenance={}, **ABOUT) as writer:
        monkeypatch.setattr(os, "fsync", lambda fd: states.append((path.read_bytes(), acknowledged)))
        k = 0
        for _ in range(10):
            for _ in range(int(rng.integers(1, 4))):
                append(writer, k, n)
                k += 1
            writer.flush()
            acknowledged = k
        monkeypatch.undo()
    cuts = 0
    for (before, synced), (after, _) in pairwise(states):
        cut = tmp_path / "cut.h5"
        cut.write_bytes(mixed(before, after, rng))
        with open_run(cut) as run:
            found = list(run.iter_blocks("t"))
            assert len(found) >= synced
            for j, b in enumerate(found):
                assert np.array_equal(b.tags.t_ps, block(j, n).tags.t_ps)
            assert np.array_equal(run.heralds()["attempt"][: 300 * synced], np.arange(300 * synced))
            assert len(run.log()) >= synced
        cuts += before != after
    assert cuts >= 15
