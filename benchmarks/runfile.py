"""Speed and size of tag storage: run file write and read, PTU decoding against ptufile, ``erbia correlate`` as a whole.

``python benchmarks/runfile.py [--json]``. Sixty million Poisson clicks at 10 Mcps, seed fixed; medians of three repetitions in one
process; CPU time of one core ("per core") and wall time. Writing is timed from the first append until the last click is
durable; what beginning and ending a file costs, once, is stated apart. What was read is compared with what was written before any
time is printed. ``B/tag`` is the size of the whole file over its clicks; the entropy of the gaps alone is 2.257 B.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

from erbia.analysis.correlation import correlate
from erbia.analysis.files.ptu import read_ptu, write_ptu
from erbia.analysis.files.recorder import Recorder
from erbia.analysis.files.runfile import Reserve, RunWriter, open_run
from erbia.analysis.files.tagstream import TagStream, ordered_blocks
from erbia.analysis.records import TagBlock, TimeTags

CLICKS = 60_000_000
BLOCK_PS = 20_000_000_000  # 20 ms of lab time, 200 000 clicks
REPETITIONS = 3
COMMAND_CLICKS, COMMAND_RUNS = 10_000_000, 7
CONFIG = {"station_yaml": "", "experiment_yaml": "", "resolved_json": "{}"}


@dataclass(frozen=True)
class Timing:
    """Medians, in seconds."""

    cpu_s: float
    wall_s: float

    def rates(self, clicks: int) -> dict[str, float]:
        return {"Mtag_per_cpu_s": clicks / self.cpu_s / 1e6, "Mtag_per_wall_s": clicks / self.wall_s / 1e6}


def nothing() -> None:
    """Before and after what needs no preparation."""


def timed(work: Callable[[], Any], before: Callable[[], Any] = nothing, after: Callable[[], Any] = nothing) -> Timing:
    cpu, wall = [], []
    for _ in range(REPETITIONS):
        before()
        c, w = time.process_time(), time.perf_counter()
        work()
        cpu.append(time.process_time() - c)
        wall.append(time.perf_counter() - w)
        after()
    return Timing(statistics.median(cpu), statistics.median(wall))


def poisson(channels: int) -> TimeTags:
    """10 Mcps in all, spread evenly over the channels 1..n."""
    rng = np.random.default_rng(1)
    t_ps = np.cumsum(rng.exponential(100_000, CLICKS).astype(np.int64))
    return TimeTags(t_ps, rng.integers(1, channels + 1, CLICKS).astype(np.uint8))


def blocks_of(tags: TimeTags) -> list[TagBlock]:
    edges = np.arange(0, tags.t_ps[-1] + BLOCK_PS, BLOCK_PS)
    rows = np.searchsorted(tags.t_ps, edges)
    return [
        TagBlock(TimeTags(tags.t_ps[i:j], tags.channel[i:j]), int(a), int(b), "tagger")
        for i, j, a, b in zip(rows, rows[1:], edges, edges[1:], strict=False)
    ]


def run_file(folder: Path, channels: int) -> dict[str, float]:
    tags = poisson(channels)
    blocks, path = blocks_of(tags), folder / "run.h5"

    writer: RunWriter

    def begin() -> None:
        nonlocal writer
        path.unlink(missing_ok=True)
        about = {"run_id": "b", "experiment": "benchmark", "simulated": True, "operator": ""}
        reserve = Reserve(share=0.0, seconds=0.0)
        writer = RunWriter.create(path, sources={"tagger": {}}, config=CONFIG, provenance={}, reserve=reserve, **about)

    def write() -> None:
        for block in blocks:
            writer.append_tags(block)
        writer.flush()

    def end() -> None:
        writer.close()

    once = timed(lambda: (begin(), end()))
    written = timed(write, begin, end)
    with open_run(path) as run:
        found = run.tags("tagger")
        assert np.array_equal(found.t_ps, tags.t_ps)
        assert np.array_equal(found.channel, tags.channel)
        read = timed(lambda: run.tags("tagger"))
        streamed = timed(lambda: sum(len(block.tags) for block in run.iter_blocks("tagger")))
    result = {"B_per_tag": path.stat().st_size / CLICKS, "begin_and_end_cpu_ms": once.cpu_s * 1e3}
    for name, timing in (("write", written), ("read", read), ("stream", streamed)):
        result |= {f"{name}_{k}": v for k, v in timing.rates(CLICKS).items()}
    peer_write, peer_read = plain_h5py(folder, tags)
    result |= {f"h5py_write_{k}": v for k, v in peer_write.rates(CLICKS).items()}
    result |= {f"h5py_read_{k}": v for k, v in peer_read.rates(CLICKS).items()}
    result["write_ratio_to_h5py_cpu"] = peer_write.cpu_s / written.cpu_s
    result["read_ratio_to_h5py_cpu"] = peer_read.cpu_s / read.cpu_s
    result["stream_ratio_to_h5py_cpu"] = peer_read.cpu_s / streamed.cpu_s
    return result


def plain_h5py(folder: Path, tags: TimeTags) -> tuple[Timing, Timing]:
    """The same deltas and channels by h5py and HDF5's filters alone: no decoding, no block checksum, no sync."""
    path, chunk = folder / "plain.h5", 131072
    arrays = {"delta": np.diff(tags.t_ps, prepend=0).astype(np.uint32), "channel": tags.channel}
    options = {"chunks": (chunk,), "fletcher32": True, **hdf5plugin.Bitshuffle(cname="lz4")}

    def write() -> None:
        with h5py.File(path, "w", libver="latest") as file:
            for name, values in arrays.items():
                dataset = file.create_dataset(name, values.shape, values.dtype, **options)
                for k in range(0, len(values), chunk):
                    dataset[k : k + chunk] = values[k : k + chunk]

    def read() -> list[Any]:
        with h5py.File(path) as file:
            return [file[name][:] for name in arrays]

    return timed(write), timed(read)


def pipeline(folder: Path) -> dict[str, float]:
    """Recorder with one live consumer that counts clicks by channel, blocks fed from memory."""
    blocks, path, totals = blocks_of(poisson(2)), folder / "pipeline.h5", np.zeros(256, np.int64)

    def count(block: TagBlock) -> None:
        totals[:] += np.bincount(block.tags.channel, minlength=256)

    def run() -> None:
        about = {"run_id": "b", "experiment": "benchmark", "simulated": True, "operator": ""}
        reserve = Reserve(share=0.0, seconds=0.0)
        writer = RunWriter.create(path, sources={"tagger": {}}, config=CONFIG, provenance={}, reserve=reserve, **about)
        with Recorder(writer, {"rates": count}, patience_s=60.0) as recorder:
            for block in blocks:
                recorder.put(block)
        state = recorder.state()
        assert state.clicks_recorded == CLICKS
        assert state.clicks_lost == 0

    return timed(run, lambda: path.unlink(missing_ok=True)).rates(CLICKS)


def command(folder: Path) -> dict[str, float]:
    """``erbia correlate`` on a run file of 10 M clicks: the whole process, from its start to its end."""
    tags, path = poisson(2), folder / "command.h5"
    tags = TimeTags(tags.t_ps[:COMMAND_CLICKS], tags.channel[:COMMAND_CLICKS])
    about = {"run_id": "b", "experiment": "benchmark", "simulated": True, "operator": ""}
    reserve = Reserve(share=0.0, seconds=0.0)
    with RunWriter.create(path, sources={"tagger": {}}, config=CONFIG, provenance={}, reserve=reserve, **about) as run:
        for block in blocks_of(tags):
            run.append_tags(block)
    axis = {"bin_ps": 100, "range_ps": 100_000}
    expected = correlate(tags.on(1), tags.on(2), **axis).counts.tolist()
    words = ["correlate", str(path), "--a", "1", "--b", "2", "--bin-ps", "100", "--range-ps", "100000", "--json"]
    cpu, wall = [], []
    for number in range(1 + COMMAND_RUNS):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        printed = subprocess.run([sys.executable, "-m", "erbia", *words], capture_output=True, check=True).stdout
        took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        assert json.loads(printed)["counts"] == expected
        if number:  # the first run fills numba's cache
            wall.append(took)
            cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {"cpu_s": statistics.median(cpu), "wall_s": statistics.median(wall), "least_wall_s": min(wall)}


def ptu(folder: Path) -> dict[str, float]:
    tags, path = poisson(2), folder / "x.ptu"
    write_ptu(path, TagStream("x", ordered_blocks([tags], "x", path)))
    found = read_ptu(path).tags()
    assert np.array_equal(found.t_ps, tags.t_ps)
    assert np.array_equal(found.channel, tags.channel)
    ours = timed(lambda: read_ptu(path).tags())
    streamed = timed(lambda: sum(len(block.tags) for block in read_ptu(path).blocks))
    result = {f"T2_file_{k}": v for k, v in ours.rates(CLICKS).items()}
    result |= {f"T2_stream_{k}": v for k, v in streamed.rates(CLICKS).items()}
    try:
        import ptufile
    except ImportError:
        return result

    def theirs() -> Any:
        with ptufile.PtuFile(path) as file:
            return file.decode_records()

    records = theirs()
    assert np.array_equal(records["time"][records["channel"] >= 0].astype(np.int64), tags.t_ps)
    peer = timed(theirs)
    result |= {f"ptufile_{k}": v for k, v in peer.rates(CLICKS).items()}
    return result | {
        "ratio_to_ptufile_cpu": peer.cpu_s / ours.cpu_s,
        "ratio_to_ptufile_wall": peer.wall_s / ours.wall_s,
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    as_json = arguments.parse_args().json
    with tempfile.TemporaryDirectory() as folder:
        results = {
            "run file, 1 channel": run_file(Path(folder), 1),
            "run file, 2 channels": run_file(Path(folder), 2),
            "recorder and live rates": pipeline(Path(folder)),
            "PTU": ptu(Path(folder)),
            "erbia correlate, 10 M clicks, whole process": command(Path(folder)),
        }
    if as_json:
        print(json.dumps(results))
        return
    for title, rows in results.items():
        print(title)
        for name, value in rows.items():
            print(f"    {name:32s} {value:10.3f}")


if __name__ == "__main__":
    main()
