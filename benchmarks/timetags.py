"""Speed of the time-tag engine beside its peers, all in one run.

``python benchmarks/timetags.py [--sections narrow,wide,…] [--json FILE] [--plot FILE] [--rounds N]``

Workload: two channels of Poisson clicks at 5 Mcps each, 5 % of them pairs 12.3 ns apart (sigma 100 ps), int64 ps, 10 M
clicks in one second; seed fixed. Every entry of a section is run once a round, one after the other, so that a busy
machine slows all alike; printed are medians over the rounds, per second of wall time and per second of CPU time (user
and system, all threads), the best round per second of wall time, which on a busy machine comes nearest to what an idle
one does, and the ratio to erbia on one thread. Peers take part when installed. The counts of every entry
are compared with those of erbia before any time is taken; a peer whose definition differs at an edge is compared on what
its definition gives. Peers that are slow get a shorter stretch of the same data. The first section states what the memory of
the machine allows one and two threads at that moment.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from erbia.analysis.coincidence import CoincidenceStream, count_coincidences, count_pairs
from erbia.analysis.correlation import CorrelationStream, correlate
from erbia.analysis.log_correlation import correlate_lags, log_edges
from erbia.analysis.rates import RateStream
from erbia.analysis.records import Int64Array, TagBlock, TimeTags
from erbia.analysis.sharing import in_shares
from erbia.analysis.tags import merge

SECOND_PS = 10**12
BLOCK_PS = 20 * 10**9
NARROW = {"bin_ps": 100, "range_ps": 100_000}
WIDE = {"bin_ps": 1_000, "range_ps": 10_000_000}
DELAY_PS, WINDOW_PS = 12_300, 1_000
#: Demanded of this class of machine (two cores): Mtag/s, wide g2 in Mpair/s, on one and two threads.
DEMANDED = {"narrow": (240, 450), "wide": (1200, 2300), "stream": (200, None), "patterns": (500, 850)}


@dataclass(frozen=True)
class Entry:
    """One competitor: what it runs, over how many units (clicks, or pairs in the wide case), on how many threads."""

    name: str
    work: Callable[[], Any]
    units: int
    threads: int = 1


@dataclass(frozen=True)
class Row:
    """Medians over the rounds, in millions of units a second; ``ratio`` is to the first entry, per CPU second."""

    section: str
    name: str
    per_wall_s: float
    best_per_wall_s: float
    per_cpu_s: float
    ratio: float


@cache
def two_channels(clicks: int = 10_000_000) -> tuple[Int64Array, Int64Array]:
    """Times of the two channels; ``clicks`` in all at 10 Mcps, of which 5 % in pairs."""
    rng = np.random.default_rng(20)
    span, half = clicks * 100_000, clicks // 2
    t_a = np.sort(rng.integers(0, span, half))
    partners = rng.choice(t_a, half // 20, replace=False) + np.rint(rng.normal(DELAY_PS, 100, half // 20)).astype(
        np.int64
    )
    return t_a, np.sort(np.concatenate([rng.integers(0, span, half - half // 20), partners]))


@cache
def interleaved() -> TimeTags:
    """Both channels as one tagger delivers them."""
    t_a, t_b = two_channels()
    return merge(TimeTags(t_a, np.zeros(len(t_a), np.uint8)), TimeTags(t_b, np.ones(len(t_b), np.uint8)))


@cache
def eight_channels(clicks: int = 10_000_000) -> TimeTags:
    """Independent clicks on channels 0…7, 10 Mcps in all."""
    rng = np.random.default_rng(21)
    return TimeTags(np.sort(rng.integers(0, clicks * 100_000, clicks)), rng.integers(0, 8, clicks).astype(np.uint8))


def blocks_of(tags: TimeTags, length_ps: int = BLOCK_PS) -> Iterator[TagBlock]:
    """The stream in blocks of 20 ms, made one by one: analyses keep in a block what they share, and none outlives its turn."""
    edges = range(0, int(tags.t_ps[-1]) + length_ps, length_ps)
    return (TagBlock(tags.between(a, b), a, b, "tagger") for a, b in pairwise(edges))


def fed(stream: Any, blocks: Iterable[TagBlock]) -> Any:
    """What the stream says after all blocks."""
    for block in blocks:
        stream.feed(block)
    return stream.result()


def peer(name: str) -> Any:
    """The module of that name, None when it is not installed or does not load."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def same(name: str, found: Any, expected: Any) -> None:
    """Stops the benchmark when two competitors do not agree."""
    if not np.array_equal(found, expected):
        raise SystemExit(f"{name}: counts differ from erbia's; no time is printed")


def shortened(clicks: int) -> tuple[Int64Array, Int64Array]:
    """The first ``clicks`` or so of both channels."""
    stop = clicks * 100_000
    return tuple(t[: np.searchsorted(t, stop)] for t in two_channels())  # type: ignore[return-value]


def numpy_histogram(t_a: Int64Array, t_b: Int64Array, bin_ps: int, range_ps: int) -> Int64Array:
    """The definition in numpy: list every pair, then bin it."""
    low, high = np.searchsorted(t_b, t_a - range_ps), np.searchsorted(t_b, t_a + range_ps)
    pairs = high - low
    stops = np.arange(pairs.sum()) + np.repeat(high - np.cumsum(pairs), pairs)
    lags = t_b[stops] - np.repeat(t_a - range_ps, pairs)
    return np.bincount(lags // bin_ps, minlength=2 * range_ps // bin_ps)


def g2_entries(axis: dict[str, int], clicks: dict[str, int], in_pairs: bool) -> Iterator[Entry]:
    """Cross-correlation by erbia and every peer there is, each on its number of clicks."""
    bin_ps, range_ps = axis["bin_ps"], axis["range_ps"]

    def case(who: str) -> tuple[Int64Array, Int64Array, Int64Array, int]:
        t_a, t_b = shortened(clicks[who])
        counts = correlate(t_a, t_b, **axis).counts
        return t_a, t_b, counts, int(counts.sum()) if in_pairs else len(t_a) + len(t_b)

    t_a, t_b, counts, units = case("erbia")
    same("erbia, 2 threads", correlate(t_a, t_b, **axis, threads=2).counts, counts)
    yield Entry("erbia", lambda: correlate(t_a, t_b, **axis), units)
    yield Entry("erbia, 2 threads", lambda: correlate(t_a, t_b, **axis, threads=2), units, 2)

    n_a, n_b, n_counts, n_units = case("numpy")
    same("numpy", numpy_histogram(n_a, n_b, **axis), n_counts)
    yield Entry("numpy", lambda: numpy_histogram(n_a, n_b, **axis), n_units)

    if pytimetag := peer("pytimetag.analysers.HistogramAnalyser"):
        p_a, p_b, p_counts, p_units = case("pytimetag")
        kernel = lambda: pytimetag.analysisOneListJIT(p_a, p_b, -range_ps, range_ps, len(p_counts), 1)  # noqa: E731
        inclusive = p_counts.copy()  # its last bin includes the right edge
        inclusive[-1] += count_pairs(p_a, p_b, window_ps=1, delay_ps=range_ps)
        same("pytimetag", kernel(), inclusive)
        yield Entry("pytimetag (kernel)", kernel, p_units)

    if tttrlib := peer("tttrlib"):
        yield tttrlib_entry(tttrlib, axis, *case("tttrlib"), in_pairs)

    if pycorrelate := peer("pycorrelate.pycorrelate"):
        c_a, c_b, c_counts, c_units = case("pycorrelate")
        edges = np.arange(-range_ps, range_ps + 1, bin_ps)
        same("pycorrelate", counts_of(pycorrelate.pcorrelate(c_a, c_b, edges), edges), c_counts)
        yield Entry("pycorrelate", lambda: pycorrelate.pcorrelate(c_a, c_b, edges), c_units)


def tttrlib_entry(
    tttrlib: Any, axis: dict[str, int], t_a: Int64Array, t_b: Int64Array, counts: Int64Array, units: int, in_pairs: bool
) -> Entry:
    """tttrlib on a linear axis: times rounded to whole bins beforehand, lags from 0 on only, so half of the pairs."""
    coarse_a, coarse_b = ((t // axis["bin_ps"]).astype(np.uint64) for t in (t_a, t_b))
    weight_a, weight_b = np.ones(len(t_a)), np.ones(len(t_b))
    bins = len(counts) // 2

    def work() -> Any:
        correlator = tttrlib.Correlator()
        correlator.method, correlator.n_casc, correlator.n_bins = "felekyan", 1, bins
        correlator.set_events(coarse_a, weight_a, coarse_b, weight_b)
        correlator.run()
        return np.array(correlator.get_corr())

    one_sided = correlate(coarse_a.astype(np.int64), coarse_b.astype(np.int64), bin_ps=1, range_ps=bins).counts[bins:]
    same("tttrlib", work()[:bins].astype(np.int64), one_sided)
    return Entry("tttrlib felekyan (lags >= 0 only)", work, int(one_sided.sum()) if in_pairs else units)


def counts_of(density: Any, edges: Int64Array) -> Int64Array:
    """Counts from pycorrelate's counts per picosecond."""
    return np.rint(density * np.diff(edges)).astype(np.int64)


def narrow() -> Iterator[Entry]:
    full = 10_000_000
    clicks = {"erbia": full, "numpy": full, "pytimetag": full, "tttrlib": full, "pycorrelate": 100_000}
    return g2_entries(NARROW, clicks, in_pairs=False)


def wide() -> Iterator[Entry]:
    clicks = {"erbia": 10_000_000, "numpy": 500_000, "pytimetag": 1_000_000, "tttrlib": 500_000, "pycorrelate": 10_000}
    return g2_entries(WIDE, clicks, in_pairs=True)


def stream() -> Iterator[Entry]:
    """An interleaved stream, end to end: check, split into channels, correlate, keep what the next block needs."""
    tags = interleaved()
    expected, whole_ps = correlate(*two_channels(), **NARROW).counts, int(tags.t_ps[-1]) + 1
    for name, length_ps in (("blocks of 20 ms", BLOCK_PS), ("one block", whole_ps)):
        g2 = lambda length=length_ps: fed(CorrelationStream(0, 1, **NARROW), blocks_of(tags, length))  # noqa: E731
        same("stream", g2().counts, expected)
        yield Entry(f"erbia g2, {name}", g2, len(tags))
    pairs = count_pairs(*two_channels(), window_ps=WINDOW_PS, delay_ps=DELAY_PS)
    two_fold = lambda: fed(CoincidenceStream((0, 1), WINDOW_PS, (0, DELAY_PS)), blocks_of(tags))  # noqa: E731
    same("two-fold stream", two_fold().counts[0, 1], pairs)
    yield Entry("erbia two-fold with delay, blocks of 20 ms", two_fold, len(tags))
    yield Entry("erbia rates, blocks of 20 ms", lambda: fed(RateStream(), blocks_of(tags)), len(tags))


def two_fold() -> Iterator[Entry]:
    t_a, t_b = two_channels()
    expected = count_pairs(t_a, t_b, window_ps=WINDOW_PS, delay_ps=DELAY_PS)

    def in_numpy() -> int:
        low, high = (np.searchsorted(t_b, t_a + DELAY_PS + edge) for edge in (-WINDOW_PS // 2, WINDOW_PS // 2))
        return int((high - low).sum())

    same("numpy", in_numpy(), expected)
    units = len(t_a) + len(t_b)
    yield Entry("erbia", lambda: count_pairs(t_a, t_b, window_ps=WINDOW_PS, delay_ps=DELAY_PS), units)
    yield Entry("numpy", in_numpy, units)


def numpy_patterns(tags: TimeTags) -> Int64Array:
    """Anchors by their channel and the set of channels they see, int64 (8, 256): one bisection a channel."""
    stop, after = np.searchsorted(tags.t_ps, tags.t_ps + WINDOW_PS), np.arange(1, len(tags) + 1)
    seen = 1 << tags.channel.astype(np.int64)
    for channel in range(8):
        before = np.concatenate([[0], np.cumsum(tags.channel == channel)])
        seen |= (before[stop] > before[after]).astype(np.int64) << channel
    return np.bincount(tags.channel.astype(np.int64) * 256 + seen, minlength=8 * 256).reshape(8, 256)


def patterns() -> Iterator[Entry]:
    tags, start, channels = eight_channels(), eight_channels(1_000_000), range(8)
    once, twice = (count_coincidences(tags, channels, WINDOW_PS, threads=n) for n in (1, 2))
    same("erbia, 2 threads", [*twice.counts.values()], [*once.counts.values()])
    by_set = numpy_patterns(start)
    for group, count in count_coincidences(start, channels, WINDOW_PS).counts.items():
        mask = sum(1 << c for c in group)
        anchored = sum(by_set[c, k] for c in group for k in range(256) if k & mask == mask)
        listed = count_pairs(start.on(group[0]), start.on(group[1]), window_ps=WINDOW_PS)
        same(f"numpy {group}", count, listed if len(group) == 2 else anchored)
    yield Entry("erbia", lambda: count_coincidences(tags, channels, WINDOW_PS), len(tags))
    yield Entry("erbia, 2 threads", lambda: count_coincidences(tags, channels, WINDOW_PS, threads=2), len(tags), 2)
    yield Entry("numpy", lambda: numpy_patterns(start), len(start))


def log_lags() -> Iterator[Entry]:
    """8 bins a decade from 1 ns to 100 ms."""
    (t_a, t_b), (s_a, s_b) = two_channels(), shortened(500_000)
    edges = log_edges(1_000, SECOND_PS // 10, 8)
    yield Entry("erbia", lambda: correlate_lags(t_a, t_b, edges), len(t_a) + len(t_b))
    if pycorrelate := peer("pycorrelate.pycorrelate"):
        found = counts_of(pycorrelate.pcorrelate(s_a, s_b, edges), edges)
        same("pycorrelate", found, correlate_lags(s_a, s_b, edges).counts)
        yield Entry("pycorrelate", lambda: pycorrelate.pcorrelate(s_a, s_b, edges), len(s_a) + len(s_b))


def memory() -> Iterator[Entry]:
    """What memory and threads alone allow: 8-byte times read, and copied, by one and by two threads."""
    tags = interleaved()
    copied = np.zeros_like(tags.t_ps)

    def read(threads: int) -> Any:
        return sum(in_shares(lambda first, stop: tags.t_ps[first:stop].max(), len(tags), threads))

    def copy(threads: int) -> Any:
        return in_shares(lambda first, stop: np.copyto(copied[first:stop], tags.t_ps[first:stop]), len(tags), threads)

    copy(2)
    same("copy", copied, tags.t_ps)
    for name, work in (("read", read), ("copy", copy)):
        yield Entry(name, lambda work=work: work(1), len(tags))
        yield Entry(f"{name}, 2 threads", lambda work=work: work(2), len(tags), 2)


SECTIONS = {
    "memory": ("the limit: times of 8 bytes read and copied [Mtag/s]", memory),
    "narrow": ("narrow g2: +-100 ns, 100 ps bins [Mtag/s]", narrow),
    "wide": ("wide g2: +-10 us, 1 ns bins, 100 pairs a start [Mpair/s]", wide),
    "stream": ("interleaved stream of two channels [Mtag/s]", stream),
    "two_fold": ("two-fold: 1 ns window, 12.3 ns delay [Mtag/s]", two_fold),
    "patterns": ("all 256 patterns of 8 channels, 1 ns [Mtag/s]", patterns),
    "log_lags": ("g2 on 64 logarithmic bins, 1 ns to 100 ms [Mtag/s]", log_lags),
}


def measured(section: str, entries: list[Entry], rounds: int) -> list[Row]:
    """Each entry once a round, after one run that warms caches and compilers."""
    wall: list[list[float]] = [[] for _ in entries]
    cpu: list[list[float]] = [[] for _ in entries]
    for number in range(rounds + 1):
        for k, entry in enumerate(entries):
            w, c = time.perf_counter(), time.process_time()
            entry.work()
            if number:
                wall[k].append(entry.units / (time.perf_counter() - w) / 1e6)
                cpu[k].append(entry.units / (time.process_time() - c) / 1e6)
    ratio = [
        statistics.median(mine / ours for mine, ours in zip(cpu[k], cpu[0], strict=True)) for k in range(len(entries))
    ]
    figures = zip(
        entries, map(statistics.median, wall), map(max, wall), map(statistics.median, cpu), ratio, strict=True
    )
    return [Row(section, entry.name, *found) for entry, *found in figures]


def growth(up_to: int) -> list[dict[str, float]]:
    """CPU nanoseconds a click of the streamed narrow g2, the second of data repeated up to ``up_to`` clicks."""
    found, tags = [], interleaved()
    fed(CorrelationStream(0, 1, **NARROW), blocks_of(TimeTags(tags.t_ps[:400_000], tags.channel[:400_000])))  # compiles
    for clicks in (10**k for k in range(6, 12) if 10**k <= up_to):
        histogram, spent, left, k = CorrelationStream(0, 1, **NARROW), 0.0, clicks, 0
        while left > 0:
            for block in blocks_of(TimeTags(tags.t_ps[:left], tags.channel[:left])):
                start, stop = block.t_start_ps + k * SECOND_PS, block.t_stop_ps + k * SECOND_PS
                later = TagBlock(TimeTags(block.tags.t_ps + k * SECOND_PS, block.tags.channel), start, stop, "tagger")
                before = time.process_time()
                histogram.feed(later)
                spent += time.process_time() - before
            left, k = left - len(tags), k + 1
        found.append(
            {"clicks": clicks, "cpu_ns_a_click": spent / clicks * 1e9, "pairs": int(histogram.result().counts.sum())}
        )
    return found


def as_text(rows: list[Row]) -> str:
    lines = []
    for section in dict.fromkeys(row.section for row in rows):
        lines += ["", SECTIONS[section][0], f"  {'':44}{'per wall s':>11}{'best':>9}{'per CPU s':>11}{'ratio':>8}"]
        for row in (row for row in rows if row.section == section):
            lines.append(
                f"  {row.name:44}{row.per_wall_s:11.1f}{row.best_per_wall_s:9.1f}{row.per_cpu_s:11.1f}{row.ratio:8.3f}"
            )
        if section in DEMANDED:
            lines.append(f"  demanded on one / two threads: {' / '.join(str(d or '-') for d in DEMANDED[section])}")
    return "\n".join(lines)


def draw(rows: list[Row], path: Path) -> None:
    """One bar a competitor, per second of wall time; dashed what is demanded on one and on two threads."""
    import matplotlib.pyplot as plt

    sections = list(dict.fromkeys(row.section for row in rows))
    figure, axes = plt.subplots(len(sections), 1, figsize=(8, 1.6 * len(sections)), squeeze=False, layout="constrained")
    for panel, section in zip(axes[:, 0], sections, strict=True):
        shown = [row for row in rows if row.section == section]
        bars = panel.barh([row.name for row in shown], [row.per_wall_s for row in shown])
        panel.bar_label(bars, labels=[f"{row.per_wall_s:.4g}" for row in shown], padding=3)
        for demand in filter(None, DEMANDED.get(section, ())):
            panel.axvline(demand, color="0.5", linestyle="--", linewidth=1)
        panel.margins(x=0.15)
        panel.invert_yaxis()
        panel.set_title(SECTIONS[section][0], fontsize=9)
    figure.savefig(path, dpi=120)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--sections", default=",".join(SECTIONS), help=f"of {', '.join(SECTIONS)}")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument(
        "--growth", type=float, default=0, help="also the cost a click up to this many clicks, e.g. 1e9"
    )
    arguments.add_argument("--json", type=Path, help="write the figures there")
    arguments.add_argument("--plot", type=Path, help="draw the ratios there")
    chosen = arguments.parse_args()
    rows: list[Row] = []
    for section in filter(None, chosen.sections.split(",")):
        new = measured(section, list(SECTIONS[section][1]()), chosen.rounds)
        print(as_text(new), flush=True)
        rows += new
    grown = growth(int(chosen.growth))
    for line in grown:
        print(
            f"growth: {line['clicks']:>12,} clicks {line['cpu_ns_a_click']:6.2f} CPU ns a click, {line['pairs']:,} pairs"
        )
    if chosen.json:
        machine = {"cpus": os.cpu_count(), "load_1_min": os.getloadavg()[0], "numpy": np.__version__}
        chosen.json.write_text(
            json.dumps({"machine": machine, "rows": [asdict(row) for row in rows], "growth": grown}, indent=1)
        )
    if chosen.plot:
        draw(rows, chosen.plot)


if __name__ == "__main__":
    main()
