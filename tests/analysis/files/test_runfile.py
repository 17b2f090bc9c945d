"""Run files: what goes in comes out, bit for bit, and damage is told."""

import shutil
import subprocess
import sys
from collections import deque

import h5py
import hdf5plugin  # noqa: F401  registers the filters
import numpy as np
import pytest

from erbia.analysis.errors import DataError, UsageError
from erbia.analysis.files import runreader
from erbia.analysis.files.runfile import DiskFull, Reserve, RunWriter, open_run
from erbia.analysis.records import HERALD_DTYPE, CorrelationHistogram, Estimate, Interval, TagBlock, TimeTags

CONFIG = {"station_yaml": "a: 1\n", "experiment_yaml": "b: µ\n", "resolved_json": "{}"}
ABOUT = {"run_id": "r1", "experiment": "test", "simulated": True, "operator": "someone"}
SOURCES = {"alice": {1: "early", 2: "late"}, "bob": {7: "only"}}


def create(path, **changes):
    given = {**ABOUT, "sources": SOURCES, "config": CONFIG, "provenance": {"git_commit": "abc"}} | changes
    return RunWriter.create(path, **given)


def random_blocks(seed, count=12, source="alice", t_ps=-(10**15), mean=30_000):
    rng = np.random.default_rng(seed)
    blocks = []
    for k in range(count):
        n = int(rng.integers(0, 2 * mean)) if k != 3 else 0
        deltas = rng.integers(0, 200_000, n)
        if n:
            deltas[rng.integers(0, n, 3)] = rng.integers(2**32 - 2, 2**45, 3)
        times = t_ps + np.cumsum(deltas)
        stop = int(times[-1]) + 1 if n else t_ps + 10**9
        tags = TimeTags(times, rng.integers(0, 3, n).astype(np.uint8))
        blocks.append(TagBlock(tags, t_ps, stop, source, k == 5, 17 if k == 5 else 0))
        t_ps = stop + (10**6 if k == 8 else 0)
    return blocks


def assert_same_blocks(found, expected):
    found = list(found)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert np.array_equal(a.tags.t_ps, b.tags.t_ps)
        assert np.array_equal(a.tags.channel, b.tags.channel)
        assert (a.t_start_ps, a.t_stop_ps, a.source) == (b.t_start_ps, b.t_stop_ps, b.source)
        assert (a.overflow, a.missed) == (b.overflow, b.missed)


@pytest.fixture
def recorded(tmp_path):
    """A closed run with something in every place, and what went in."""
    blocks = random_blocks(1)
    path = tmp_path / "run.h5"
    heralds = np.zeros(5000, HERALD_DTYPE)
    heralds["t_ps"], heralds["outcome"], heralds["valid"] = np.arange(5000), -1, True
    with create(path, truth={"fidelity": 0.9}) as writer:
        writer.snapshot("start", '{"laser": 1}')
        for k, block in enumerate(blocks):
            writer.append_tags(block)
            if k % 4 == 0:
                writer.flush()
        writer.append_heralds(heralds)
        writer.append_setting(0, "XX", -5, 10**12, '{"phase": 0}')
        writer.append_reading(3, "laser.power", 1e-3, "W")
        writer.append_validity(blocks[6].t_start_ps, "alice", False, "lock lost")
        writer.append_validity(blocks[7].t_start_ps, "alice", True, "lock found")
        writer.append_log(4, "info", "Grüße")
        writer.write_truth({"seed": 7, "name": "twin"})
        writer.snapshot("end", '{"laser": 2}')
    return path, blocks, heralds


def test_round_trip(recorded):
    path, blocks, heralds = recorded
    with open_run(path) as run:
        assert (run.run_id, run.experiment, run.simulated, run.operator) == ("r1", "test", True, "someone")
        assert run.status == "done"
        assert run.sources == ("alice", "bob")
        assert run.channels("alice") == SOURCES["alice"]
        assert run.config == CONFIG
        assert run.provenance == {"git_commit": "abc"}
        assert run.truth() == {"fidelity": 0.9, "seed": 7, "name": "twin"}
        assert (run.snapshot("start"), run.snapshot("end")) == ('{"laser": 1}', '{"laser": 2}')
        assert_same_blocks(run.iter_blocks("alice"), blocks)
        assert list(run.iter_blocks("bob")) == []
        assert len(run.tags("bob")) == 0
        everything = TimeTags.concatenate(b.tags for b in blocks)
        assert np.array_equal(run.tags("alice").t_ps, everything.t_ps)
        assert np.array_equal(run.heralds(), heralds)
        assert run.settings().tolist() == [(0, "XX", -5, 10**12, '{"phase": 0}')]
        assert run.readings().tolist() == [(3, "laser.power", 1e-3, "W")]
        assert run.log().tolist() == [(4, "info", "Grüße")]


def test_slices_in_time(recorded):
    path, blocks, _ = recorded
    everything = TimeTags.concatenate(b.tags for b in blocks)
    rng = np.random.default_rng(2)
    with open_run(path) as run:
        picks = rng.choice(everything.t_ps, (20, 2))
        for lo, hi in [*np.sort(picks, axis=1), (blocks[3].t_start_ps, blocks[3].t_stop_ps), (2**62, 2**62)]:
            expected = everything.between(lo, hi)
            found = run.tags("alice", int(lo), int(hi))
            assert np.array_equal(found.t_ps, expected.t_ps)
            assert np.array_equal(found.channel, expected.channel)
        assert np.array_equal(
            run.tags("alice", t_stop_ps=int(picks[0, 0])).t_ps, everything.between(-(2**63), picks[0, 0]).t_ps
        )


def test_validity_leaves_out_overflow_gaps_and_declared_stretches(recorded):
    path, blocks, _ = recorded
    with open_run(path) as run:
        expected = (
            Interval(blocks[0].t_start_ps, blocks[5].t_start_ps),
            Interval(blocks[7].t_start_ps, blocks[8].t_stop_ps),
            Interval(blocks[9].t_start_ps, blocks[-1].t_stop_ps),
        )
        assert run.validity("alice").intervals == expected
        assert run.live_time_ps("alice") == sum(i.t_stop_ps - i.t_start_ps for i in expected)
        assert run.live_time_ps("bob") == 0


def test_layout_is_the_contract(recorded):
    path, blocks, _ = recorded
    with h5py.File(path) as file:
        assert set(file) == {
            *("config", "provenance", "snapshot", "tags", "heralds", "settings", "readings", "validity", "log"),
            *("truth", "results"),
        }
        assert file.attrs["erbia_schema"] == 1
        assert file.attrs["status"] == "done"
        assert bool(file.attrs["simulated"]) is True
        for name in ("t_ps", "channel", "blocks", "gaps"):
            assert file[f"tags/alice/{name}"].fletcher32
            assert "32008" in file[f"tags/alice/{name}"]._filters  # bitshuffle
        n = sum(len(b.tags) for b in blocks)
        assert file["tags/alice/t_ps"].shape == file["tags/alice/channel"].shape == (n,)
        assert file["tags/alice/t_ps"].dtype == np.uint32
        assert file["config/station_yaml"].asstr()[()] == CONFIG["station_yaml"]


def test_a_reader_follows_the_writer(tmp_path):
    path, blocks = tmp_path / "run.h5", random_blocks(3)
    writer = create(path)
    with open_run(path) as run:
        assert run.status == "running"
        for k, block in enumerate(blocks):
            writer.append_tags(block)
            writer.append_log(k, "info", "x")
            assert len(run.blocks("alice")) == k
            writer.flush()
            if k == 7:
                writer.write_truth({"a": 1.0})
            run.refresh()
            assert_same_blocks(run.iter_blocks("alice"), blocks[: k + 1])
            assert len(run.log()) == k + 1
        with pytest.raises(DataError, match="still being written"):
            run.write_results({})
        writer.close("aborted")
        run.refresh()
        assert run.status == "aborted"
        assert_same_blocks(run.iter_blocks("alice"), blocks)


def test_an_exception_marks_the_run_failed(tmp_path):
    with pytest.raises(UsageError), create(tmp_path / "run.h5") as writer:
        deque(map(writer.append_tags, random_blocks(4)[:1] * 2))
    with open_run(tmp_path / "run.h5") as run:
        assert run.status == "failed"
        assert len(run.blocks("alice")) == 1


def test_nothing_is_written_over(recorded):
    path, *_ = recorded
    before = path.read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        create(path)
    assert path.read_bytes() == before


ESTIMATE = Estimate(0.91, 0.88, 0.93, 0.95, float("nan"), 1200, "Clopper-Pearson", "")
HISTOGRAM = CorrelationHistogram(np.arange(-5, 5), np.arange(10), 100, 3, 4, 10**12)


def test_results_are_added_and_raw_stays(recorded):
    path, blocks, _ = recorded
    with open_run(path) as run:
        assert dict(run.results) == {}
        assert run.write_results({"fidelity": ESTIMATE}, {"g2/zero": HISTOGRAM}, "v1") == 0
        assert run.write_results({"fidelity": Estimate(1.0, 0.9, 1.0, 0.95, 0.1, 3, "m", "Hz")}) == 1
        assert run.results["fidelity"].unit == "Hz"
        first = run.all_results[0]
        assert (first.number, first.code_version) == (0, "v1")
        assert repr(first.estimates["fidelity"]) == repr(ESTIMATE)
        assert np.array_equal(first.histograms["g2/zero"].counts, HISTOGRAM.counts)
        assert first.histograms["g2/zero"].live_time_ps == 10**12
        assert_same_blocks(run.iter_blocks("alice"), blocks)


def test_xarray_and_html(recorded):
    path, blocks, _ = recorded
    with open_run(path) as run:
        run.write_results({"fidelity": ESTIMATE})
        dataset = run.to_xarray()
        assert dataset["alice_t_ps"].size == sum(len(b.tags) for b in blocks)
        assert float(dataset["result_value"].sel(estimate="fidelity")) == 0.91
        assert dataset["herald_t_ps"].attrs["units"] == "ps"
        assert "SIMULATED" in run._repr_html_()
        assert "fidelity" in run._repr_html_()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"sources": {"a/b": {}}}, "source name"),
        ({"sources": {"a": {256: "x"}}}, "channel 256"),
        ({"config": {"station_yaml": ""}}, "config must have exactly"),
    ],
)
def test_create_refuses(tmp_path, change, match):
    with pytest.raises(UsageError, match=match):
        create(tmp_path / "run.h5", **change)
    assert list(tmp_path.iterdir()) == []


def test_append_refuses_and_keeps_nothing_of_it(tmp_path):
    good, late = random_blocks(5)[:2]
    swapped = TimeTags(late.tags.t_ps[::-1].copy(), late.tags.channel)
    with create(tmp_path / "run.h5") as writer:
        writer.append_tags(good)
        with pytest.raises(UsageError, match="must follow"):
            writer.append_tags(good)
        with pytest.raises(UsageError, match="'carol' is not one of this run: alice, bob"):
            writer.append_tags(TagBlock(late.tags, 0, 1, "carol"))
        with pytest.raises(DataError, match="in order of time"):
            writer.append_tags(TagBlock(swapped, late.t_start_ps, late.t_stop_ps, "alice"))
        with pytest.raises(DataError, match="behind its block's end"):
            writer.append_tags(TagBlock(late.tags, late.t_start_ps, int(late.tags.t_ps[-1]), "alice"))
        with pytest.raises(UsageError, match="name takes 200 bytes"):
            writer.append_reading(0, "x" * 200, 1.0, "W")
        writer.append_tags(late)
    with open_run(tmp_path / "run.h5") as run:
        assert_same_blocks(run.iter_blocks("alice"), [good, late])
        assert len(run.readings()) == 0


def test_a_nearly_full_disk_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(DiskFull, match="must stay free"):
        create(tmp_path / "run.h5", reserve=Reserve(floor_bytes=1 << 60))
    assert list(tmp_path.iterdir()) == []


# -- damage ------------------------------------------------------------------------------------------------------------


def everything_in(path):
    """All a reader can get out of a file, as comparable text and arrays."""
    with open_run(path) as run:
        parts = [repr((run.run_id, run.experiment, run.status, run.simulated, run.operator, run.created_utc))]
        parts.append(repr((run.config, run.provenance, run.truth(), run.snapshot("start"), run.snapshot("end"))))
        for source in run.sources:
            tags = run.tags(source)
            parts += [repr(run.channels(source)), tags.t_ps.tobytes(), tags.channel.tobytes()]
            parts += [run.blocks(source).tobytes(), repr(run.validity(source))]
        parts += [t.tobytes() for t in (run.heralds(), run.settings(), run.readings(), run.log(), run.validity_rows())]
        parts += [repr(run.all_results)]
        return parts


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.5, 0.9, 0.999])
def test_truncated(recorded, share):
    path, *_ = recorded
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * share))
    with pytest.raises(DataError, match=r"run\.h5: "):
        everything_in(path)


def test_not_ours(tmp_path):
    path = tmp_path / "x.h5"
    with pytest.raises(DataError, match="no such file"):
        open_run(path)
    path.write_text("hello, this is text")
    with pytest.raises(DataError, match="not an HDF5 file"):
        open_run(path)
    path.unlink()
    for version in ("earliest", "latest"):
        with h5py.File(path, "w", libver=version) as file:
            file["a"] = 1
        with pytest.raises(DataError, match="not a run file of erbia"):
            open_run(path)


def test_a_flipped_bit_in_the_clicks_is_told(recorded):
    path, *_ = recorded
    with h5py.File(path) as file:
        chunk = file["tags/alice/t_ps"].id.get_chunk_info(1)
    with path.open("r+b") as file:
        file.seek(chunk.byte_offset + chunk.size // 2)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 16]))
    with open_run(path) as run, pytest.raises(DataError, match="damaged"):
        run.tags("alice")


def test_flipped_bits_anywhere_are_told_or_harmless(recorded, tmp_path):
    """200 single-bit flips over the whole file: a DataError, or exactly the same content."""
    path, *_ = recorded
    truth = everything_in(path)
    rng = np.random.default_rng(6)
    size, told = path.stat().st_size, 0
    heads = rng.integers(0, size, 60)
    metadata = rng.integers(0, 30_000, 140)
    for k, at in enumerate(np.concatenate([heads, metadata])):
        mutant = tmp_path / f"mutant{k}.h5"
        shutil.copy(path, mutant)
        with mutant.open("r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ (1 << int(rng.integers(8)))]))
        try:
            found = everything_in(mutant)
        except DataError:
            told += 1
        else:
            assert found == truth, f"a flip at byte {at} goes unnoticed"
        mutant.unlink()
    assert told > 60


def test_a_run_nobody_closed_does_not_crash_the_interpreter(recorded):
    path, *_ = recorded
    code = f"from erbia.analysis.files.runfile import open_run; run = open_run({str(path)!r}); keep = [run, run.tags('alice')]"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_dark_channel_with_more_gaps_than_are_read_at_once(tmp_path, monkeypatch):
    """Every click follows a gap beyond 32 bits; reading any stretch takes the gaps of that stretch."""
    monkeypatch.setattr(runreader, "_FEW_GAPS", 10)
    t_ps = np.cumsum(np.random.default_rng(1).integers(2**32, 2**34, 3000))
    tags, step = TimeTags(t_ps, np.ones(3000, np.uint8)), 10**12
    about = {"run_id": "r", "experiment": "x", "simulated": False, "operator": ""}
    texts = {"station_yaml": "", "experiment_yaml": "", "resolved_json": "{}"}
    with RunWriter.create(tmp_path / "r.h5", sources={"t": {}}, config=texts, provenance={}, **about) as writer:
        for start in range(0, int(t_ps[-1]) + 1, step):
            writer.append_tags(TagBlock(tags.between(start, start + step), start, start + step, "t"))
    with open_run(tmp_path / "r.h5") as run:
        assert np.array_equal(run.tags("t").t_ps, t_ps)
        assert np.array_equal(run.tags("t", int(t_ps[1000]), int(t_ps[1500])).t_ps, t_ps[1000:1500])
        assert np.array_equal(np.concatenate([b.tags.t_ps for b in run.iter_blocks("t", 5)]), t_ps[t_ps >= 5 * step])
