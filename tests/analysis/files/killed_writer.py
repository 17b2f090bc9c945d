"""Writers that never end, each a process of its own.

For each line ``KIND PATH SEED`` on its input this script forks a writer (so that the imports are paid once) and prints
its process id. The writer prints to ``PATH.out``, after each flush, how many blocks (``plain``) or clicks (``pipeline``) are
acknowledged.
"""

import os
import sys
from pathlib import Path

import numpy as np

from erbia.analysis.coincidence import CoincidenceStream
from erbia.analysis.correlation import CorrelationStream
from erbia.analysis.files.recorder import Recorder
from erbia.analysis.files.runfile import DiskFull, Reserve, RunWriter
from erbia.analysis.files.tagcodec import encode
from erbia.analysis.rates import RateStream
from erbia.analysis.records import HERALD_DTYPE, TagBlock, TimeTags

CONFIG = {"station_yaml": "", "experiment_yaml": "", "resolved_json": "{}"}


def block(seed, k):
    """Block k of a run: a pure function, so that the reader can tell what must be there."""
    rng = np.random.default_rng((seed, k))
    t_start_ps = k * 10**13
    n = int(rng.choice([0, 3, 700, 40_000, 150_000]))
    t_ps = np.sort(rng.integers(t_start_ps, t_start_ps + 10**13, n))
    return TagBlock(TimeTags(t_ps, rng.integers(0, 4, n).astype(np.uint8)), t_start_ps, t_start_ps + 10**13, "tagger")


def heralds(seed, k):
    """Heralds that come with block k."""
    rows = np.zeros(int(np.random.default_rng((seed, k, 1)).integers(0, 900)), HERALD_DTYPE)
    rows["t_ps"], rows["attempt"] = k * 10**13, np.arange(len(rows))
    return rows


def create(path, reserve=None):
    about = {"run_id": "k", "experiment": "kill", "simulated": True, "operator": ""}
    return RunWriter.create(path, sources={"tagger": {}}, config=CONFIG, provenance={}, reserve=reserve, **about)


def write_plain(path, seed):
    """Appends for ever; a snapshot and some truth come in between."""
    writer = create(path)
    output = os.open(f"{path}.out", os.O_WRONLY | os.O_CREAT)
    rng = np.random.default_rng((seed, 7))
    k = 0
    while True:
        for _ in range(int(rng.integers(1, 6))):
            writer.append_tags(block(seed, k))
            writer.append_heralds(heralds(seed, k))
            writer.append_log(k, "info", f"block {k}")
            k += 1
        writer.flush()
        os.write(output, b"%d\n" % k)
        if rng.random() < 0.2:
            writer.write_truth({f"value{k}": float(k)})
        if rng.random() < 0.2:
            writer.snapshot("start", "{}" * k)


FAST_TIMES_PS = np.sort(np.random.default_rng(1).integers(0, 10**11, 200_000))


def fast_block(k):
    """Block k of the pipeline: 200,000 clicks in 100 ms, made fast enough to keep the recorder busy."""
    start = k * 10**11
    channel = (FAST_TIMES_PS & 3).astype(np.uint8)
    return TagBlock(TimeTags(FAST_TIMES_PS + start, channel), start, start + 10**11, "tagger")


def analyses():
    return {
        "narrow g2": CorrelationStream(0, 1, bin_ps=100, range_ps=100_000),
        "two-fold": CoincidenceStream((0, 1), 1000, (0, 12_300)),
        "rates": RateStream(),
    }


def write_pipeline(path, seed):
    """Feeds a recorder with the live analyses as fast as it takes; ends with the text of DiskFull when the disk is."""
    output = os.open(f"{path}.out", os.O_WRONLY | os.O_CREAT)
    consumers = {name: stream.feed for name, stream in analyses().items()}
    try:
        with Recorder(create(path, Reserve(seconds=0.0)), consumers, patience_s=60.0) as recorder:

            def acknowledge(writer):
                writer.flush()
                os.write(output, b"%d\n" % recorder.state().clicks_recorded)

            for k in range(10**9):
                recorder.put(fast_block(k))
                if k % 7 == seed % 7:
                    recorder.submit(acknowledge)
    except DiskFull as error:
        os.write(output, f"DiskFull {error}\n".encode())
        os._exit(3)


def main():
    """The parent of all writers; reaps those that were killed."""
    warm = fast_block(0).tags
    encode(warm.t_ps, warm.channel, 0, np.empty(len(warm), np.uint32))  # compiled once, for all children
    for stream in analyses().values():
        stream.feed(fast_block(0))
    for line in sys.stdin:
        kind, path, seed = line.split()
        pid = os.fork()
        if pid == 0:
            (write_pipeline if kind == "pipeline" else write_plain)(Path(path), int(seed))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
