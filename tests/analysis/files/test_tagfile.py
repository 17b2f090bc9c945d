"""Every tag file goes through one door, and comes back through any other."""

import importlib
import struct
import sys
import types
from collections import deque
from contextlib import nullcontext
from itertools import pairwise

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis.errors import DataError, UsageError
from erbia.analysis.files.convert import convert, salvage
from erbia.analysis.files.runfile import RunWriter, open_run
from erbia.analysis.files.tagfile import WRITERS, read_tags, split_spec, stream_tags
from erbia.analysis.files.tagstream import TagStream, ordered_blocks
from erbia.analysis.records import TagBlock, TimeTags

CONFIG = {"station_yaml": "", "experiment_yaml": "", "resolved_json": "{}"}


def clicks(n=50_000, seed=1, channels=(1, 2, 3, 4), step_ps=125):
    rng = np.random.default_rng(seed)
    t_ps = np.cumsum(rng.integers(0, 4000, n)) * step_ps
    return TimeTags(t_ps, rng.choice(np.array(channels, np.uint8), n))


def as_stream(tags, path):
    return TagStream("tagger", ordered_blocks([tags], "tagger", path))


def assert_equal(found, expected):
    assert np.array_equal(found.t_ps, expected.t_ps)
    assert np.array_equal(found.channel, expected.channel)


@pytest.mark.parametrize("suffix", sorted(set(WRITERS) - {".npy"}))
def test_written_files_read_back(tmp_path, suffix):
    """On the grid of 125/32 ps that qcrypto keeps, every format is exact."""
    path, tags = tmp_path / f"x{suffix}", clicks()
    WRITERS[suffix](path, as_stream(tags, path))
    assert_equal(read_tags(path).tags, tags)
    assert_equal(TimeTags.concatenate(b.tags for b in stream_tags(path).blocks), tags)


@pytest.mark.parametrize("first", sorted(set(WRITERS) - {".npy"}))
def test_there_and_back_again(tmp_path, first):
    tags = clicks(3000, seed=2)
    np.savez(tmp_path / "a.npz", t_ps=tags.t_ps, channel=tags.channel)
    assert convert(tmp_path / "a.npz", tmp_path / f"b{first}") == 3000
    assert convert(tmp_path / f"b{first}", tmp_path / "c.npz") == 3000
    assert_equal(read_tags(tmp_path / "c.npz").tags, tags)


def test_npy_is_channel_0(tmp_path):
    t_ps = np.array([-5, 3, 3, 2**62], np.int64)
    np.save(tmp_path / "a.npy", t_ps)
    found = read_tags(str(tmp_path / "a.npy"))
    assert_equal(found.tags, TimeTags(t_ps, np.zeros(4, np.uint8)))
    assert found.name == "a"
    assert convert(tmp_path / "a.npy", tmp_path / "b.h5") == 4
    assert convert(tmp_path / "b.h5", tmp_path / "c.npy") == 4
    with pytest.raises(DataError, match="one channel"):
        WRITERS[".npy"](tmp_path / "d.npy", as_stream(clicks(10), tmp_path))


def test_a_run_file_with_several_taggers(tmp_path):
    path = tmp_path / "run.h5"
    about = {"run_id": "r", "experiment": "x", "simulated": False, "operator": ""}
    tags = {name: clicks(100, seed) for seed, name in enumerate(("alice", "bob"))}
    with RunWriter.create(
        path, sources={"alice": {1: "det"}, "bob": {}}, config=CONFIG, provenance={}, **about
    ) as writer:
        for name, part in tags.items():
            writer.append_tags(TagBlock(part, 0, int(part.t_ps[-1]) + 1, name))
    found = read_tags(f"{path}:alice")
    assert_equal(found.tags, tags["alice"])
    assert (found.name, found.channel_names) == ("alice", {1: "det"})
    with pytest.raises(UsageError, match=r"alice, bob; choose one as run\.h5:NAME"):
        read_tags(path)
    with pytest.raises(UsageError, match="no source 'carol'"):
        read_tags(f"{path}:carol")
    assert convert(f"{path}:bob", tmp_path / "bob.csv") == 100


def test_a_path_with_a_colon_is_a_path(tmp_path):
    assert split_spec("C:\\data\\x.npy")[1] is None
    assert split_spec(tmp_path / "x.h5") == (tmp_path / "x.h5", None)
    assert split_spec("x.h5:alice")[1] == "alice"


@pytest.mark.parametrize(
    ("name", "match"),
    [("x.wav", "suffix '.wav' is not known"), ("none.npy", "no such file"), ("x.npy:alice", "no such file")],
)
def test_refused(tmp_path, name, match):
    (tmp_path / "x.wav").write_bytes(b"RIFF")
    with pytest.raises(UsageError, match=match):
        read_tags(tmp_path / name)


def test_convert_writes_over_nothing_and_leaves_nothing_half(tmp_path):
    np.save(tmp_path / "a.npy", np.array([1, 2, 1], np.int64))
    with pytest.raises(DataError, match=r"a\.npy: record 2: click at 1 ps"):
        convert(tmp_path / "a.npy", tmp_path / "b.csv")
    assert not (tmp_path / "b.csv").exists()
    with pytest.raises(UsageError, match="exists already"):
        convert(tmp_path / "a.npy", tmp_path / "a.npy")
    with pytest.raises(UsageError, match=r"cannot write '\.ttbin'"):
        convert(tmp_path / "a.npy", tmp_path / "a.ttbin")


# -- what is wrong is named ----------------------------------------------------------------------------------------------


def test_wrong_arrays(tmp_path):
    np.save(tmp_path / "float.npy", np.array([1.0]))
    with pytest.raises(DataError, match="must be a 1-d int64 array, but is float64"):
        read_tags(tmp_path / "float.npy")
    np.savez(tmp_path / "half.npz", t_ps=np.array([1]))
    with pytest.raises(DataError, match="channel is missing"):
        read_tags(tmp_path / "half.npz")
    np.savez(tmp_path / "odd.npz", t_ps=np.array([1, 2]), channel=np.array([1], np.uint8))
    with pytest.raises(DataError, match="t_ps has 2 rows but channel has 1"):
        read_tags(tmp_path / "odd.npz")
    np.save(tmp_path / "pickle.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(DataError, match="must be a 1-d int64 array, but is object"):
        read_tags(tmp_path / "pickle.npy")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("time,ch\n1,2\n", "the first line must be"),
        ("t_ps,channel\n1,2\n3\n", "record 1: '3'"),
        ("t_ps,channel\n1,2\n2,256\n", "record 1: '2,256'"),
        ("t_ps,channel\n1,2\n99999999999999999999,2\n", "record 1"),
        ("t_ps,channel\n5,2\n4,2\n", "record 1: click at 4 ps lies before"),
    ],
)
def test_wrong_csv(tmp_path, text, match):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match=match):
        read_tags(tmp_path / "x.csv")


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 2), max_size=6), max_size=8), st.booleans())
def test_blocks_follow_one_another_and_keep_equal_times_together(parts, break_it):
    now, pieces = 0, []
    for steps in parts:
        times = now + np.cumsum(np.array(steps, np.int64))
        now = int(times[-1]) if len(times) else now
        pieces.append(TimeTags(times, np.arange(len(times)).astype(np.uint8)))
    expected = TimeTags.concatenate(pieces)
    if break_it:
        pieces.append(TimeTags(np.array([now, now - 1], np.int64), np.zeros(2, np.uint8)))
        expected = TimeTags(np.append(expected.t_ps, now), np.append(expected.channel, np.uint8(0)))
    blocks = []
    with (
        pytest.raises(DataError, match=f"record {len(expected)}: click at {now - 1} ps") if break_it else nullcontext()
    ):
        deque(map(blocks.append, ordered_blocks(pieces, "s", None)))
    assert_equal(TimeTags.concatenate(b.tags for b in blocks), expected)
    for before, after in pairwise(blocks):
        assert before.t_stop_ps == after.t_start_ps
    for block in blocks:
        assert block.t_start_ps <= block.tags.t_ps[0] <= block.tags.t_ps[-1] < block.t_stop_ps


# -- qcrypto, Photon-HDF5, ttbin ---------------------------------------------------------------------------------------


def test_qcrypto_known_answer(tmp_path):
    """First events of a published file of S-Fifteen: 65333.011796794 s on detectors 1 and 4."""
    words = [0xEDAE1BD7, 0x4CE88F21, 0xEDAE1BD7, 0x4F143308]
    (tmp_path / "x.a1").write_bytes(struct.pack("<4I", *words))
    found = read_tags(tmp_path / "x.a1").tags
    assert round(found.t_ps[0] / 1e12, 9) == 65333.011796794
    assert found.channel.tolist() == [1, 4]
    (tmp_path / "y.a1").write_bytes(struct.pack("<4I", words[1], words[0], words[3], words[2]))
    assert_equal(read_tags(tmp_path / "y.a1").tags, found)
    (tmp_path / "z.a2").write_text("edae1bd74ce88f21\nedae1bd74f143308\n")
    assert_equal(read_tags(tmp_path / "z.a2").tags, found)


def test_qcrypto_patterns_and_dummies(tmp_path):
    events = [(5 << 10) | 0b0101, (6 << 10) | 0b10001, (7 << 10), (8 << 10) | 0b1000]
    (tmp_path / "x.a2").write_text("".join(f"{e:016x}\n" for e in events))
    found = read_tags(tmp_path / "x.a2").tags
    assert found.channel.tolist() == [1, 3, 4]
    assert found.t_ps.tolist() == [20, 20, 31]  # 5 and 8 times 3.90625 ps


@settings(deadline=None)
@given(st.integers(0, 2**54 - 1))
def test_qcrypto_ticks_come_back(tick):
    from erbia.analysis.files.qcrypto import _clicks, _events

    tags = _clicks(np.array([(tick << 10) | 1], np.uint64))
    assert int(tags.t_ps[0]) == (tick * 250 + 32) // 64  # 125/32 ps, rounded half up
    if tick < 2**54 - 1:
        assert int(_events(tags, "x")[0]) >> 10 == tick


@pytest.mark.parametrize(
    ("suffix", "content", "match"),
    [
        (".a1", bytes(12), "truncated at record 1"),
        (".a2", b"0000000000000401\nzzz\n", "record 1: 'zzz'"),
        (".a2", b"0000000000000801\n0000000000000401\n", "record 1: click at 4 ps"),
    ],
)
def test_qcrypto_damage_is_named(tmp_path, suffix, content, match):
    (tmp_path / f"x{suffix}").write_bytes(content)
    with pytest.raises(DataError, match=match):
        read_tags(tmp_path / f"x{suffix}")


def test_photon_hdf5_of_others(tmp_path):
    """Nanotimes, a unit that is no whole number of ps, and 16-bit detectors."""
    path = tmp_path / "x.hdf5"
    with h5py.File(path, "w") as file:
        file["photon_data/timestamps"] = np.array([0, 1, 1000], np.uint32)
        file["photon_data/detectors"] = np.array([0, 1, 300], np.uint16)
        file["photon_data/nanotimes"] = np.array([0, 10, 20], np.uint16)
        file["photon_data/timestamps_specs/timestamps_unit"] = 12.5004e-9
        file["photon_data/nanotimes_specs/tcspc_unit"] = 16e-12
    blocks = stream_tags(path).blocks
    assert next(blocks).tags.t_ps.tolist() == [0]
    assert next(blocks).tags.t_ps.tolist() == [12660]
    with pytest.raises(DataError, match=r"x\.hdf5: record 2: timestamp 1000 on detector 300"):
        next(blocks)
    with h5py.File(path, "a") as file:
        del file["photon_data/nanotimes"]
        file["photon_data/nanotimes"] = np.zeros(2)
    with pytest.raises(DataError, match="must hold 3 integers"):
        read_tags(path)


class FakeReader:
    """Stands for Swabian's FileReader: the same calls, data made here."""

    batches = (
        ([10, 20, 30], [0, 0, 0], [1, -2, 3], [0, 0, 0]),
        ([40, 50, 60], [2, 4, 0], [0, 1, 1], [0, 7, 0]),
    )

    def __init__(self, path):
        self.rest = list(self.batches)

    def hasData(self):  # noqa: N802  the vendor's name
        return bool(self.rest)

    def getData(self, n):  # noqa: N802
        values = self.rest.pop(0)
        names = ("getTimestamps", "getEventTypes", "getChannels", "getMissedEvents")
        return types.SimpleNamespace(**{name: lambda v=v: np.array(v) for name, v in zip(names, values, strict=True)})


def test_ttbin_through_the_vendors_reader(tmp_path, monkeypatch):
    path = tmp_path / "x.ttbin"
    path.write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "Swabian", types.ModuleType("Swabian"))
    fake = types.ModuleType("Swabian.TimeTagger")
    fake.FileReader = FakeReader
    monkeypatch.setitem(sys.modules, "Swabian.TimeTagger", fake)
    blocks = list(stream_tags(path).blocks)
    assert [b.tags.t_ps.tolist() for b in blocks] == [[10, 20, 30], [60]]
    assert blocks[0].tags.channel.tolist() == [1, 130, 3]
    assert [(b.overflow, b.missed) for b in blocks] == [(False, 0), (True, 7)]
    assert blocks[0].t_stop_ps == blocks[1].t_start_ps


def test_ttbin_without_the_vendors_reader(tmp_path, monkeypatch):
    (tmp_path / "x.ttbin").write_bytes(b"x")

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(UsageError, match=r"erbia\[swabian\]"):
        read_tags(tmp_path / "x.ttbin")


# -- salvage -----------------------------------------------------------------------------------------------------------


def test_salvage_keeps_what_comes_before_the_damage(tmp_path):
    tags = clicks(1000)
    lines = [f"{t},{c}\n" for t, c in zip(tags.t_ps, tags.channel, strict=True)]
    (tmp_path / "x.csv").write_text("t_ps,channel\n" + "".join(lines[:700]) + "garbage\n" + "".join(lines[700:]))
    report = salvage(tmp_path / "x.csv", tmp_path / "y.npz")
    assert (report.clicks, report.blocks_lost) == (700, 0)
    assert "record 700: 'garbage'" in report.reason
    assert_equal(read_tags(tmp_path / "y.npz").tags, TimeTags(tags.t_ps[:700], tags.channel[:700]))


def test_salvage_of_a_run_leaves_out_only_damaged_blocks(tmp_path):
    path, tags = tmp_path / "run.h5", clicks(400_000)
    about = {"run_id": "r", "experiment": "x", "simulated": False, "operator": ""}
    edges = np.arange(0, 400_001, 10_000)
    with RunWriter.create(path, sources={"t": {}}, config=CONFIG, provenance={}, **about) as writer:
        start = 0
        for a, b in pairwise(edges):
            stop = int(tags.t_ps[b - 1]) + 1
            writer.append_tags(TagBlock(TimeTags(tags.t_ps[a:b], tags.channel[a:b]), start, stop, "t"))
            start = stop
    with h5py.File(path) as file:
        chunk = file["tags/t/t_ps"].id.get_chunk_info(1)
    with path.open("r+b") as file:
        file.seek(chunk.byte_offset + 1000)
        file.write(b"\xff\xff\xff")
    with pytest.raises(DataError, match="damaged"):
        read_tags(path)
    report = salvage(path, tmp_path / "sound.h5")
    assert report.reason == ""
    touched = [k for k, (a, b) in enumerate(pairwise(edges)) if a < 2 * 131072 and b > 131072]
    assert 1 <= report.blocks_lost <= len(touched)
    assert report.clicks == 400_000 - 10_000 * report.blocks_lost
    with open_run(tmp_path / "sound.h5") as run:
        kept = list(run.iter_blocks("t"))
        assert {k for k, block in enumerate(kept) if block.overflow} <= set(touched)
        for block, (a, b) in zip(kept, pairwise(edges), strict=True):
            if not block.overflow:
                assert_equal(block.tags, TimeTags(tags.t_ps[a:b], tags.channel[a:b]))
        assert run.live_time_ps("t") < start
