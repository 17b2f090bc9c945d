"""The pipeline: everything put in is in the file, or counted as lost there and everywhere."""

import threading
import time
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis.errors import UsageError
from erbia.analysis.files import freespace
from erbia.analysis.files.recorder import Recorder
from erbia.analysis.files.ring import Ring
from erbia.analysis.files.runfile import DiskFull, RunWriter, open_run
from erbia.analysis.records import TagBlock, TimeTags

CONFIG = {"station_yaml": "", "experiment_yaml": "", "resolved_json": "{}"}
ABOUT = {"run_id": "r", "experiment": "x", "simulated": True, "operator": ""}
BLOCK_PS = 10**9


def create(path):
    return RunWriter.create(path, sources={"a": {}, "b": {}}, config=CONFIG, provenance={}, **ABOUT)


def block(k, n=1000, source="a"):
    rng = np.random.default_rng(k)
    t_ps = np.sort(rng.integers(k * BLOCK_PS, (k + 1) * BLOCK_PS, n))
    return TagBlock(TimeTags(t_ps, rng.integers(0, 4, n).astype(np.uint8)), k * BLOCK_PS, (k + 1) * BLOCK_PS, source)


def assert_same(found, expected):
    found = list(found)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert np.array_equal(a.tags.t_ps, b.tags.t_ps)
        assert (a.t_start_ps, a.t_stop_ps, a.overflow, a.missed) == (b.t_start_ps, b.t_stop_ps, b.overflow, b.missed)


def test_two_taggers_and_two_consumers(tmp_path):
    seen, half = [], []
    blocks = [block(k, source="ab"[k % 2]) for k in range(40)]
    consumers = {"all": seen.append, "half": lambda b: half.append(len(b.tags))}
    with Recorder(create(tmp_path / "run.h5"), consumers) as recorder:
        feeders = [
            threading.Thread(target=lambda s=s: [recorder.put(b) for b in blocks if b.source == s]) for s in "ab"
        ]
        for feeder in feeders:
            feeder.start()
        recorder.submit(lambda writer: writer.append_reading(5, "laser.power", 1.0, "W"))
        for feeder in feeders:
            feeder.join()
    state = recorder.state()
    assert (state.clicks_in, state.clicks_recorded, state.clicks_lost, state.clicks_waiting) == (40_000, 40_000, 0, 0)
    assert state.consumers["all"].clicks == sum(half) == 40_000
    with open_run(tmp_path / "run.h5") as run:
        assert run.status == "done"
        for source in "ab":
            assert_same(run.iter_blocks(source), blocks["ab".index(source) :: 2])
            assert_same((b for b in seen if b.source == source), blocks["ab".index(source) :: 2])
        assert len(run.readings()) == 1


class Gate:
    """A writer that waits until it is told to go on."""

    def __init__(self, writer):
        self.writer, self.open = writer, threading.Event()

    def append_tags(self, block):
        self.open.wait()
        self.writer.append_tags(block)

    def __getattr__(self, name):
        return getattr(self.writer, name)


def test_what_a_full_ring_cannot_keep_is_marked_in_the_file(tmp_path):
    gate = Gate(create(tmp_path / "run.h5"))
    recorder = Recorder(gate, patience_s=0.0, capacity=3000)
    kept = [recorder.put(block(k)) for k in range(20)]
    assert not all(kept)
    gate.open.set()
    kept += [recorder.put(block(20, 10))]
    state = recorder.close()
    assert state.clicks_in == state.clicks_recorded + state.clicks_lost
    with open_run(tmp_path / "run.h5") as run:
        found = list(run.iter_blocks("a"))
        whole = [b for b in found if not b.overflow]
        assert_same(whole, [block(k, 10 if k == 20 else 1000) for k, ok in enumerate(kept) if ok])
        assert sum(b.missed for b in found) == state.clicks_lost
        assert state.clicks_lost == sum(10 if k == 20 else 1000 for k, ok in enumerate(kept) if not ok)
        stretches = sum(before and not after for before, after in pairwise([True, *kept]))
        # One mark a stretch, however many blocks it swallowed; one more if the last block came after the mark was written.
        assert stretches <= len(found) - len(whole) <= stretches + 1
        assert run.live_time_ps("a") == kept.count(True) * BLOCK_PS


def test_back_pressure_waits_before_it_gives_up(tmp_path):
    gate = Gate(create(tmp_path / "run.h5"))
    recorder = Recorder(gate, patience_s=30.0, capacity=3000)
    feeder = threading.Thread(target=lambda: [recorder.put(block(k)) for k in range(20)])
    feeder.start()
    feeder.join(0.1)
    assert feeder.is_alive()
    gate.open.set()
    feeder.join()
    assert recorder.close().clicks_lost == 0


def test_a_slow_consumer_misses_openly_and_holds_up_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("erbia.analysis.files.recorder.CONSUMER_CAPACITY", 2000)
    go_on, seen = threading.Event(), []

    def slow(block):
        go_on.wait()
        seen.append(block)

    recorder = Recorder(create(tmp_path / "run.h5"), {"slow": slow})
    for k in range(30):
        recorder.put(block(k))
    while recorder.state().clicks_waiting:
        time.sleep(0.001)
    assert recorder.state().clicks_recorded == 30_000
    go_on.set()
    state = recorder.close().consumers["slow"]
    assert state.clicks + state.clicks_lost == 30_000
    assert sum(b.missed for b in seen) == state.clicks_lost > 0
    assert [b.t_start_ps for b in seen[1:]] == [b.t_stop_ps for b in seen[:-1]]
    assert seen[-1].t_stop_ps == 30 * BLOCK_PS


def test_a_failing_consumer_is_told_and_the_recording_goes_on(tmp_path):
    recorder = Recorder(create(tmp_path / "run.h5"), {"bad": lambda b: 1 / 0})
    for k in range(5):
        recorder.put(block(k))
    state = recorder.close()
    assert state.clicks_recorded == 5000
    assert state.consumers["bad"].error == "ZeroDivisionError: division by zero"


def test_a_failing_writer_is_told_to_the_producer(tmp_path):
    recorder = Recorder(create(tmp_path / "run.h5"))
    recorder.put(block(1))

    def feed():
        for _ in range(1000):
            recorder.put(block(0))
            time.sleep(0.002)

    with pytest.raises(UsageError, match="must follow"):
        feed()
    with pytest.raises(UsageError, match="must follow"):
        recorder.close()
    state = recorder.state()
    assert state.clicks_in == state.clicks_recorded + state.clicks_lost
    with open_run(tmp_path / "run.h5") as run:
        assert run.status == "failed"
        assert_same(run.iter_blocks("a"), [block(1)])


def test_a_filling_disk_stops_the_run_in_time(tmp_path, monkeypatch):
    """A disk of 100 MB of which every block takes a share."""
    free = iter(range(100_000_000, 0, -1_000_000))
    usage = lambda path: SimpleNamespace(total=100_000_000, free=next(free))  # noqa: E731
    monkeypatch.setattr(freespace.shutil, "disk_usage", usage)
    recorder, put = Recorder(create(tmp_path / "run.h5")), []

    def feed():
        for k in range(1000):
            recorder.put(block(k))
            put.append(k)

    with pytest.raises(DiskFull, match=r"MB left and 17 MB must stay free .* stops here"):
        feed()
    with pytest.raises(DiskFull):
        recorder.close()
    assert len(put) >= 70
    with open_run(tmp_path / "run.h5") as run:
        assert run.status == "failed"
        assert_same(run.iter_blocks("a"), [block(k) for k in range(len(run.blocks("a")))])
        assert len(run.blocks("a")) > 70


def test_ten_minutes_are_those_of_the_file_that_grows(tmp_path, monkeypatch):
    """1 MB in 10 s after a file of 5 MB: 10 minutes need 60 MB, whatever was announced."""
    path, now = tmp_path / "run.h5", [0.0]
    path.write_bytes(bytes(5_000_000))
    monkeypatch.setattr(freespace.time, "monotonic", lambda: now[0])
    free = SimpleNamespace(total=10**9, free=0)
    monkeypatch.setattr(freespace.shutil, "disk_usage", lambda folder: free)
    watch = freespace.FreeSpaceWatch(path, freespace.Reserve())
    free.free = 21 << 20
    watch.admit(1000)
    now[0] = 10.0
    path.write_bytes(bytes(6_000_000))
    free.free = 61_000_000
    watch.admit(500_000)
    with pytest.raises(DiskFull, match="60 MB must stay free"):
        watch.admit(1_500_000)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 50)), max_size=40))
def test_ring_keeps_order_time_and_count(steps):
    """Puts and gets in any order: the time covered has no holes and every click is seen or counted."""
    ring, k, put, got = Ring(100), 0, 0, []
    for is_put, n in steps:
        if is_put:
            ring.put(TagBlock(block(k, n).tags, k * BLOCK_PS, (k + 1) * BLOCK_PS, "a"), 0.0)
            k, put = k + 1, put + n
        elif ring._items:
            got.append(ring.get())
    ring.close()
    got += iter(ring.get, None)
    assert sum(len(b.tags) + b.missed for b in got) == put
    assert ring.clicks_lost == sum(b.missed for b in got)
    edges = [edge for b in got for edge in (b.t_start_ps, b.t_stop_ps)]
    assert edges == sorted(edges)
    assert edges[1:-1:2] == edges[2::2]
