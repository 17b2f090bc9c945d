"""Record a tagger's stream, watch g2, coincidences and rates meanwhile, and get the same counts from the files later.

The clicks here are made up. A real tagger's ``read`` gives the same ``TagBlock``s.
"""

import tempfile
from pathlib import Path

import numpy as np

from erbia.analysis.coincidence import CoincidenceStream
from erbia.analysis.correlation import CorrelationStream
from erbia.analysis.files.correlating import correlate_files
from erbia.analysis.files.recorder import Recorder
from erbia.analysis.files.runfile import RunWriter
from erbia.analysis.rates import RateStream
from erbia.analysis.records import TagBlock, TimeTags

BLOCK_PS = 20_000_000_000  # 20 ms


def block(k: int) -> TagBlock:
    """20 ms of two channels at 2 Mcps each; a tenth of the second's clicks follow the first's after 12.3 ns."""
    rng = np.random.default_rng(k)
    first = rng.integers(k * BLOCK_PS, (k + 1) * BLOCK_PS - 20_000, 40_000)
    second = np.concatenate([first[:4_000] + 12_300, rng.integers(k * BLOCK_PS, (k + 1) * BLOCK_PS, 36_000)])
    times = np.concatenate([first, second])
    order = np.argsort(times, kind="stable")
    channel = np.repeat(np.array([1, 2], np.uint8), 40_000)
    return TagBlock(TimeTags(times[order], channel[order]), k * BLOCK_PS, (k + 1) * BLOCK_PS, "tagger")


def record(path: Path) -> CorrelationStream:
    """Half a second into a run file, with three live analyses beside it."""
    g2 = CorrelationStream(1, 2, bin_ps=100, range_ps=50_000)
    pairs = CoincidenceStream((1, 2), 1_000, (0, 12_300))
    rates = RateStream()
    writer = RunWriter.create(
        path,
        run_id=path.stem,
        experiment="example",
        simulated=True,
        operator="",
        sources={"tagger": {1: "signal", 2: "idler"}},
        config={"station_yaml": "", "experiment_yaml": "", "resolved_json": "{}"},
        provenance={},
    )
    consumers = {"g2": g2.feed, "pairs": pairs.feed, "rates": rates.feed}
    with Recorder(writer, consumers) as recorder:
        for k in range(25):
            recorder.put(
                block(k)
            )  # waits when the disk is slow; False where clicks were given up, which the file says, too
    state = recorder.state()
    lost = {name: consumer.clicks_lost for name, consumer in state.consumers.items()}
    print(f"{state.clicks_recorded} clicks recorded, {state.clicks_lost} lost; live analysis missed {lost}")
    print(f"{pairs.result().counts[1, 2]} pairs; signal {rates.result()[1].value / 1e6:.3f} Mcps")
    return g2


with tempfile.TemporaryDirectory() as folder:
    paths = [Path(folder) / name for name in ("first.h5", "second.h5")]
    live = [record(path).result() for path in paths]
    later = correlate_files(paths, 1, 2, bin_ps=100, range_ps=50_000)
    peak = int(later.counts.argmax())
    print(f"peak of both files at {later.lag_ps[peak]} ps: {later.counts[peak]} pairs")
    assert np.array_equal(later.counts, live[0].counts + live[1].counts)  # to the count
