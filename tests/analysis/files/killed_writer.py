"""Writers that never end, each a process of its own.

For each line ``PATH SEED`` on its input this script forks a writer (so that the imports are paid once) and prints its
process id. The writer prints, after each flush, how many blocks are acknowledged to ``PATH.out``.
"""

import os
import sys
from pathlib import Path

import numpy as np

from erbia.analysis.files.runfile import RunWriter
from erbia.analysis.records import HERALD_DTYPE, TagBlock, TimeTags

CONFIG = {"station_yaml": "", "experiment_yaml": "", "resolved_json": "{}"}


def block(seed, k):
    """Block k of a run: a pure function, so that the reader can tell what must be there."""
    rng = np.random.default_rng((seed, k))
    t_start_ps = k * 10**13
    n = int(rng.choice([0, 3, 700, 40_000, 300_000]))
    t_ps = np.sort(rng.integers(t_start_ps, t_start_ps + 10**13, n))
    return TagBlock(TimeTags(t_ps, rng.integers(0, 4, n).astype(np.uint8)), t_start_ps, t_start_ps + 10**13, "tagger")


def heralds(seed, k):
    """Heralds that come with block k."""
    rows = np.zeros(int(np.random.default_rng((seed, k, 1)).integers(0, 900)), HERALD_DTYPE)
    rows["t_ps"], rows["attempt"] = k * 10**13, np.arange(len(rows))
    return rows


def write(path, seed):
    """Appends for ever; a snapshot and some truth come in between."""
    about = {"run_id": "k", "experiment": "kill", "simulated": True, "operator": ""}
    writer = RunWriter.create(path, sources={"tagger": {}}, config=CONFIG, provenance={}, **about)
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


def main():
    """The parent of all writers; reaps those that were killed."""
    for line in sys.stdin:
        path, seed = line.split()
        pid = os.fork()
        if pid == 0:
            write(Path(path), int(seed))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
