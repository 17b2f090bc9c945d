"""The whole pipeline under a sustained stream: record to disk, narrow g2, two-fold with delay and rates, all live.

``python benchmarks/pipeline.py [--rate 100e6] [--seconds 30] [--json FILE]``

Workload: one second of two Poisson channels at 5 Mcps each, 5 % of the clicks pairs (see ``timetags.py``), repeated with its
times moved on, in blocks of 20 ms, put into the recorder at ``--rate`` clicks a second of wall time (0: as fast as they
are taken). Blocks come from memory; what making them costs is stated apart. At the end every count is compared: what the
file holds, its checksums, and all three live answers, exactly. Printed are the clicks lost, the peak of memory, and CPU
time a click by thread: the slowest thread and the sum over two cores bound what an otherwise idle machine sustains.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from timetags import BLOCK_PS, DELAY_PS, NARROW, SECOND_PS, WINDOW_PS, blocks_of, interleaved

from erbia.analysis.coincidence import CoincidenceStream
from erbia.analysis.correlation import CorrelationStream
from erbia.analysis.files.recorder import Recorder
from erbia.analysis.files.runfile import Reserve, RunWriter, open_run
from erbia.analysis.rates import RateStream
from erbia.analysis.records import TagBlock, TimeTags

CORES = 2
CONFIG = {"station_yaml": "", "experiment_yaml": "", "resolved_json": "{}"}
ABOUT = {"run_id": "pipeline", "experiment": "benchmark", "simulated": True, "operator": ""}


class Metered:
    """A live consumer that keeps account of the CPU time its thread spends."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.cpu_s = 0.0

    def __call__(self, block: TagBlock) -> None:
        before = time.thread_time()
        self.stream.feed(block)
        self.cpu_s += time.thread_time() - before


def consumers() -> dict[str, Metered]:
    return {
        "narrow g2": Metered(CorrelationStream(0, 1, **NARROW)),
        "two-fold": Metered(CoincidenceStream((0, 1), WINDOW_PS, (0, DELAY_PS))),
        "rates": Metered(RateStream()),
    }


def answers(streams: dict[str, Metered]) -> np.ndarray[Any, Any]:
    """All counts of the three live analyses as one int64 array."""
    two_fold = [streams["two-fold"].stream.result().counts[0, 1]]
    return np.concatenate([streams["narrow g2"].stream.result().counts, two_fold, streams["rates"].stream.counts])


def expected(blocks: list[TagBlock], seconds: int) -> np.ndarray[Any, Any]:
    """The answers for ``seconds`` repetitions, from one and two of them: repetitions meet only their neighbours."""
    found = []
    for repetitions in (1, 2):
        streams = consumers()
        for block in repeated(blocks, repetitions):
            for consumer in streams.values():
                consumer(block)
        found.append(answers(streams))
    once, twice = found
    return once + (seconds - 1) * (twice - once)


def repeated(blocks: list[TagBlock], seconds: int) -> Iterator[TagBlock]:
    for second in range(seconds):
        for block in blocks:
            yield moved(block, second * SECOND_PS)


def moved(block: TagBlock, by_ps: int) -> TagBlock:
    tags = TimeTags(block.tags.t_ps + by_ps, block.tags.channel)
    return TagBlock(tags, block.t_start_ps + by_ps, block.t_stop_ps + by_ps, block.source)


def feed(put: Callable[[TagBlock], object], blocks: list[TagBlock], rate: float, seconds: float) -> tuple[int, float]:
    """Puts whole repetitions for ``seconds``; returns how many, and the CPU time spent on making blocks."""
    began, clicks, spent = time.perf_counter(), 0, 0.0
    for second in range(1 << 40):
        if time.perf_counter() - began >= seconds:
            return second, spent
        for block in blocks:
            before = time.thread_time()
            moving = moved(block, second * SECOND_PS)
            spent += time.thread_time() - before
            put(moving)
            clicks += len(block.tags)
            if rate:
                time.sleep(max(0.0, began + clicks / rate - time.perf_counter()))
    raise AssertionError


def sustained(path: Path, blocks: list[TagBlock], rate: float, seconds: float) -> dict[str, Any]:
    """Runs the pipeline and checks all it says; see the module's docstring."""
    streams, recorder_cpu = consumers(), []
    reserve = Reserve(seconds=0.0)  # ten minutes at this rate are more than many a disk holds
    writer = RunWriter.create(path, sources={"tagger": {}}, config=CONFIG, provenance={}, reserve=reserve, **ABOUT)  # type: ignore[arg-type]
    wall, cpu, load = time.perf_counter(), time.process_time(), os.getloadavg()[0]
    recorder = Recorder(writer, streams, patience_s=10.0)
    repetitions, feeder_cpu = feed(recorder.put, blocks, rate, seconds)
    recorder.submit(lambda _: recorder_cpu.append(time.thread_time()))
    state = recorder.close()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    clicks = state.clicks_in
    lost = {"recorder": state.clicks_lost} | {name: c.clicks_lost for name, c in state.consumers.items()}
    errors = [c.error for c in state.consumers.values() if c.error]
    if errors:
        raise SystemExit(f"a consumer failed: {errors[0]}")
    if not any(lost.values()) and not np.array_equal(answers(streams), expected(blocks, repetitions)):
        raise SystemExit("live counts differ from those of the batch; no figure is printed")
    check_file(path, blocks, repetitions, state.clicks_lost)
    threads = {"recorder": recorder_cpu[0]} | {name: c.cpu_s for name, c in streams.items()}
    ns = {name: spent / clicks * 1e9 for name, spent in threads.items()}
    total = (cpu - feeder_cpu) / clicks * 1e9
    return {
        "clicks": clicks,
        "wall_s": wall,
        "Mtag_per_s": clicks / wall / 1e6,
        "clicks_lost": lost,
        "peak_MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "cpu_ns_a_click": ns
        | {"all, without making the blocks": total, "making the blocks": feeder_cpu / clicks * 1e9},
        "Mtag_per_s_two_free_cores": min(CORES / total, 1 / max(ns.values())) * 1e3,
        "B_per_tag": path.stat().st_size / clicks,
        "load_1_min_before": load,
    }


def check_file(path: Path, blocks: list[TagBlock], repetitions: int, lost: int) -> None:
    """Every block has its row; the clicks of the first and the last second are those that were fed."""
    with open_run(path) as run:
        rows = run.blocks("tagger")
        fed = sum(len(block.tags) for block in blocks) * repetitions
        if int(rows["row_stop"][-1]) + lost != fed or (not lost and len(rows) != len(blocks) * repetitions):
            raise SystemExit(f"{path} holds {rows['row_stop'][-1]} clicks, {fed} were fed and {lost} lost")
        for second in {0, repetitions - 1} if not lost else ():
            stop_ps = len(blocks) * BLOCK_PS + second * SECOND_PS
            found = run.tags("tagger", second * SECOND_PS, stop_ps).t_ps
            if not np.array_equal(found, np.concatenate([b.tags.t_ps for b in blocks]) + second * SECOND_PS):
                raise SystemExit(f"{path}: second {second} is not what was fed")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rate", type=float, default=100e6, help="clicks per second of wall time; 0: no pacing")
    arguments.add_argument("--seconds", type=float, default=30.0)
    arguments.add_argument(
        "--folder", type=Path, help="where the run file goes meanwhile (default: a temporary folder)"
    )
    arguments.add_argument("--json", type=Path, help="write the figures there")
    chosen = arguments.parse_args()
    blocks = [b for b in blocks_of(interleaved()) if b.t_stop_ps <= SECOND_PS]
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        sustained(Path(folder) / "warm.h5", blocks, 0.0, 0.1)  # compiles
        found = sustained(Path(folder) / "run.h5", blocks, chosen.rate, chosen.seconds)
    print(json.dumps(found, indent=1))
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
