"""Clock synchronisation against its demands: each cell simulates seeded cases, runs the public functions, prints a row.

    python benchmarks/clock_sync.py --quick              # a few cases of every cell, minutes
    python benchmarks/clock_sync.py --cell easy --cases 40
    python benchmarks/clock_sync.py --cell fpfind        # the open tool beside it, when it is installed

CPU seconds are of one core, after start-up (one synchronisation before the first is timed).
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from clock_streams import PS, Link, Streams, response_information, simulate

from erbia.analysis.clock_kalman import ClockState
from erbia.analysis.clock_model import offset_at, offset_std_at
from erbia.analysis.clock_response import Peak
from erbia.analysis.clock_sync import DEFAULT_MAX_WORK, SyncResult, synchronize
from erbia.analysis.clock_trace import OffsetSeries, trace
from erbia.analysis.clock_track import TrackedOffset, start_tracking, step
from erbia.analysis.stability import allan


def row(name: str, cases: int, text: str) -> None:
    print(f"{name:<22} {cases:>5} cases  {text}", flush=True)


def rms(x: list[float]) -> float:
    return float(np.sqrt(np.mean(np.square(x))))


def right(result: SyncResult, streams: Streams, link: Link) -> bool:
    """Found, and within six of its own sigmas or 50 ps of the truth at mid-record: anything else is a silent error."""
    if not result.found or result.model is None:
        return False
    mid = streams.a_ps[len(streams.a_ps) // 2 : len(streams.a_ps) // 2 + 1]
    error = abs(float((offset_at(mid, result.model) - streams.offset_ps(mid))[0]))
    return error < max(6 * float(offset_std_at(mid, result.model)[0]), 50.0)


def acquisition(
    name: str, link: Link, reach_s: float, ppm: float, cases: range, seed: int, max_work: float = DEFAULT_MAX_WORK
) -> float:
    """Fraction found and right over random offsets and skews; prints CPU and what went wrong."""
    good = wrong = 0
    cpu = []
    for k in cases:
        rng = np.random.default_rng([seed, k])
        case = replace(link, offset_s=rng.uniform(-reach_s, reach_s), skew=1e-6 * rng.uniform(-ppm, ppm))
        streams = simulate(rng, case)
        if k == cases[0]:
            synchronize(*first_part(streams), max_offset_s=reach_s, max_ppm=ppm, max_work=1e7)
        start = time.process_time()
        result = synchronize(streams.a_ps, streams.b_ps, max_offset_s=reach_s, max_ppm=ppm, max_work=max_work)
        cpu.append(time.process_time() - start)
        ok = right(result, streams, case)
        good += ok
        wrong += result.found and not ok
        print(
            f"{name}: case {k} {'right' if ok else 'found wrong' if result.found else 'not found'}, {cpu[-1]:.1f} s",
            file=sys.stderr,
        )
    text = f"found {good}/{len(cases)}, wrong {wrong}, CPU mean {np.mean(cpu):.2f} s, max {max(cpu):.2f} s"
    memory_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    row(name, len(cases), f"{text}, peak memory {memory_gib:.2f} GiB")
    return good / len(cases)


def first_part(streams: Streams) -> tuple[np.ndarray, np.ndarray]:
    return streams.a_ps[: len(streams.a_ps) // 4], streams.b_ps[: len(streams.b_ps) // 4]


def easy(cases: range) -> None:
    """200k/200k, 20 kcps, 10 s, within 150 ms and 1 ppm, searched over the default 8 s and 150 ppm."""
    good = 0
    cpu = []
    for k in cases:
        rng = np.random.default_rng([1, k])
        case = Link(offset_s=rng.uniform(-0.15, 0.15), skew=rng.uniform(-1e-6, 1e-6))
        streams = simulate(rng, case)
        if k == cases[0]:
            synchronize(streams.a_ps, streams.b_ps)
        start = time.process_time()
        result = synchronize(streams.a_ps, streams.b_ps)
        cpu.append(time.process_time() - start)
        good += right(result, streams, case)
    row(
        "easy",
        len(cases),
        f"found {good}/{len(cases)}, CPU median {np.median(cpu):.2f} s, min {min(cpu):.2f}, max {max(cpu):.2f} s",
    )


def hard(cases: range) -> None:
    """200k/200k, 1.5 kcps, 10 s, within 8 s and 100 ppm."""
    acquisition("hard", Link(pairs_hz=1500), 8.0, 100.0, cases, 2)


def weak(cases: range) -> None:
    """200k/200k, 150 cps, 10 s, within 1 ppm and 10 ms."""
    acquisition("weak ±10 ms", Link(pairs_hz=150), 0.01, 1.0, cases, 3)


def weak_wide(cases: range) -> None:
    """The same within 200 ms: twenty times the work."""
    acquisition("weak ±200 ms", Link(pairs_hz=150), 0.2, 1.0, cases, 4)


def pair_free(cases: range) -> None:
    """No pairs at all: every lock is a false one."""
    false = 0
    for k in cases:
        rng = np.random.default_rng([5, k])
        streams = simulate(rng, Link(span_s=2.0, pairs_hz=0.0, singles_hz=50e3, offset_s=0.01))
        false += synchronize(streams.a_ps, streams.b_ps, max_offset_s=0.2, max_ppm=5.0, max_work=3e6).found
    row("pair-free", len(cases), f"false locks {false}")


def residual(cases: range) -> None:
    """5 kcps in 50k/50k for 2 s: offset at mid-record and skew against the Cramér-Rao bound of the simulated jitter."""
    against_bound("residual", Link(span_s=2.0, pairs_hz=5e3, singles_hz=50e3), cases, 6)


def residual_background(cases: range) -> None:
    """The same under as many accidentals as pairs, within the width of the peak."""
    against_bound("residual S:B 1:1", Link(span_s=2.0, pairs_hz=2e3, singles_hz=2.6e6), cases, 6)


def against_bound(name: str, link: Link, cases: range, seed: int) -> None:
    """Error of offset and skew over their bound, and how often their 68 % intervals hold the truth."""
    information = response_information(link)
    mid, skew, mid_pull, skew_pull = [], [], [], []
    for k in cases:
        rng = np.random.default_rng([seed, k])
        case = replace(link, offset_s=rng.uniform(-0.005, 0.005), skew=rng.uniform(-1e-6, 1e-6))
        streams = simulate(rng, case)
        result = synchronize(streams.a_ps, streams.b_ps, max_offset_s=0.01, max_ppm=2.0)
        if result.model is None:
            continue
        bound = 1 / np.sqrt(streams.pairs * information)
        t = np.array([(streams.a_ps[0] + streams.a_ps[-1]) // 2])
        error = float((offset_at(t, result.model) - streams.offset_ps(t))[0])
        mid.append(error / bound)
        mid_pull.append(error / float(offset_std_at(t, result.model)[0]))
        skew.append((result.skew - case.skew) / (bound * np.sqrt(12) / (case.span_s * PS)))
        skew_pull.append((result.skew - case.skew) / result.skew_std)
    inside = [float(np.mean(np.abs(p) < 1)) for p in (mid_pull, skew_pull)]
    text = f"offset {rms(mid):.3f} x bound, skew {rms(skew):.3f} x bound, 68 % intervals hold {inside[0]:.1%}, {inside[1]:.1%}"
    row(name, len(mid), text + f", pulls {rms(mid_pull):.3f}, {rms(skew_pull):.3f}")


def lee(cases: range) -> None:
    """200 cps of sigma 350 ps for 100 s (51 ps published, Lee 2019): error at mid-record."""
    link = Link(span_s=100.0, pairs_hz=200, singles_hz=5e3, sigma_ps=350 / np.sqrt(2), tail_ps=1.0, channel_skew_ps=0.0)
    errors = []
    for k in cases:
        rng = np.random.default_rng([7, k])
        streams = simulate(rng, replace(link, offset_s=rng.uniform(-0.1, 0.1), skew=rng.uniform(-1e-7, 1e-7)))
        result = synchronize(streams.a_ps, streams.b_ps, max_offset_s=0.2, max_ppm=1.0)
        t = np.array([(streams.a_ps[0] + streams.a_ps[-1]) // 2])
        errors.append(float((offset_at(t, result.model) - streams.offset_ps(t))[0]) if result.model else np.inf)
    row("200 cps, 350 ps", len(cases), f"rms {rms(errors):.2f} ps, worst {np.max(np.abs(errors)):.2f} ps")


METRO = Link(span_s=400.0, pairs_hz=40, singles_hz=1e3, sigma_ps=70 / np.sqrt(2), tail_ps=1.0, channel_skew_ps=0.0)


def series_of(streams: Streams, block_s: float) -> tuple[SyncResult, OffsetSeries]:
    result = synchronize(streams.a_ps, streams.b_ps, max_offset_s=0.02, max_ppm=1.0)
    assert result.model is not None, result.reason
    assert result.response is not None
    t0 = int(streams.a_ps[0])
    at = np.array([t0])
    mean = np.array([float(offset_at(at, result.model)[0]), result.skew * PS, 0.0])
    state = ClockState(mean, np.diag([100.0, 100.0, 1e-6]))
    peak = Peak(result.response, 0.0, 0.0, float(result.pairs), 0.0)
    return result, trace(streams.a_ps, streams.b_ps, state, t0, peak, round(block_s * PS))


def two_way_tdev(cases: range) -> None:
    """40 cps of 70 ps each way, 1 s values: TDEV(10 s) of half the difference of both directions."""
    values = []
    for k in cases:
        rng = np.random.default_rng([8, k])
        skew = rng.uniform(-1e-8, 1e-8)
        phases = []
        for direction in (1, -1):
            streams = simulate(rng, replace(METRO, offset_s=1e-3, skew=direction * skew))
            _, series = series_of(streams, 1.0)
            phases.append(series.on_grid(round(PS)))
        n = min(len(p) for p in phases)
        stability = allan(0.5 * (phases[0][:n] - phases[1][:n]), 1.0, taus_s=[10.0])
        values.append(float(stability.tdev[0]) * PS)
    row("two-way TDEV(10 s)", len(cases), f"mean {np.mean(values):.2f} ps, worst {np.max(values):.2f} ps")


def long_link(cases: range) -> None:
    """132 km: 40 cps, rubidium clocks (3e-11 at 1 s), one value a second from the live tracker."""
    link = replace(METRO, span_s=120.0, white=3e-12, walk=1e-13)
    errors = []
    for k in cases:
        rng = np.random.default_rng([9, k])
        streams = simulate(rng, replace(link, offset_s=1e-3, skew=rng.uniform(-1e-8, 1e-8)))
        offsets, _, _ = live(streams, link, 40.0, block_s=1.0)
        t = np.array([o.t_ps for o in offsets])
        errors.append(rms(list(np.array([o.offset_ps for o in offsets]) - streams.offset_ps(t))))
    row("132 km, 1 s updates", len(cases), f"rms {rms(errors):.2f} ps, worst case {max(errors):.2f} ps")


def live(
    streams: Streams, link: Link, start_s: float, block_s: float | None = None
) -> tuple[list[TrackedOffset], float, int]:
    """Synchronise on the first ``start_s``, then feed 50 ms at a time; offsets, CPU seconds a lab second, most clicks held."""
    cut = round(start_s * PS)
    a0, b0 = np.searchsorted(streams.a_ps, cut), np.searchsorted(streams.b_ps, cut)
    first = synchronize(streams.a_ps[:a0], streams.b_ps[:b0], max_offset_s=0.02, max_ppm=2.0)
    block_ps = round(block_s * PS) if block_s else None
    state = start_tracking(first, cut, rate_a_hz=link.singles_hz, block_ps=block_ps)
    out: list[TrackedOffset] = []
    held = 0
    begun = time.process_time()
    for t in np.arange(start_s, link.span_s, 0.05 if block_s is None else block_s):
        lo, hi = round(t * PS), round((t + (0.05 if block_s is None else block_s)) * PS)
        a, b = (s[np.searchsorted(s, lo) : np.searchsorted(s, hi)] for s in (streams.a_ps, streams.b_ps))
        state, offsets = step(state, a, b)
        held = max(held, len(state.a_ps) + len(state.b_ps))
        out.extend(offsets)
    return out, (time.process_time() - begun) / (link.span_s - start_s), held


def integrity(cases: range) -> None:
    """A 1 s gap, leaps of 8 block sigmas to 10 ms on a quartz of 1e-9 per root second: relock, detection, location, size."""
    link = Link(span_s=8.0, pairs_hz=20e3, walk=1e-9)
    relock, seen, place, size, alarms = [], 0, [], [], 0
    for k in cases:
        rng = np.random.default_rng([10, k])
        gap = simulate(rng, replace(link, offset_s=1e-3, gap_s=(5.0, 6.0)))
        offsets, _, _ = live(gap, link, 2.0)
        back = [o.t_ps for o in offsets if o.status == "locked" and o.t_ps > 6.0 * PS]
        relock.append((back[0] / PS - 6.0) if back else np.inf)
        alarms += sum(o.status in ("leap", "lost") for o in offsets)
        leap = float(rng.choice([-1, 1]) * 10 ** rng.uniform(np.log10(80.0), 10))
        at = rng.uniform(5.0, 5.5)
        jump = simulate(rng, replace(link, offset_s=1e-3, leap_ps=leap, leap_at_s=at))
        offsets, _, _ = live(jump, link, 2.0)
        leaps = [o for o in offsets if o.status == "leap"]
        if len(leaps) == 1 and abs(leaps[0].t_ps / PS - at) < 0.1:
            seen += 1
            place.append(abs(leaps[0].leap_t_ps / PS - at))
            size.append(abs(leaps[0].leap_ps - leap))
    text = f"relocked after {max(relock):.3f} s at most, leaps found {seen}/{len(cases)}"
    if place:
        text += f", placed within {1e3 * max(place):.2f} ms, size to {rms(size):.1f} ps rms"
    row("gap and leap", len(cases), text + f", false alarms around gaps {alarms}")


def throughput(cases: range) -> None:
    """Clicks a second and side the tracker takes in, and how many clicks it holds."""
    link = Link(span_s=8.0, pairs_hz=20e3, singles_hz=1e6)
    rates, holds = [], []
    for k in cases:
        streams = simulate(np.random.default_rng([11, k]), replace(link, offset_s=1e-3))
        _, cpu_per_s, held = live(streams, link, 2.0)
        rates.append(len(streams.a_ps) / link.span_s / cpu_per_s)
        holds.append(held)
    row(
        "throughput",
        len(cases),
        f"median {np.median(rates) / 1e6:.1f} Mtags/s a side, clicks held at most {max(holds)}",
    )


def memory(cases: range) -> None:
    """Bytes a tracker remembers after 20 s, ten and a hundred times as long: 1 kcps of pairs in 5 kcps, chunk by chunk."""

    def second(rng: np.random.Generator, k: int) -> tuple[np.ndarray, np.ndarray]:
        pairs = rng.uniform(0, PS, 1000)
        a, b = (np.concatenate((pairs + rng.normal(0, 60, 1000), rng.uniform(0, PS, 4000))) for _ in "ab")
        a, b = (np.sort(np.rint(t).astype(np.int64)) + k * round(PS) for t in (a, b))
        return a, b + 10**9 + np.rint(1e-7 * b).astype(np.int64)

    for k in cases:
        rng = np.random.default_rng([14, k])
        first = [np.concatenate(side) for side in zip(*(second(rng, t) for t in range(4)), strict=True)]
        sync = synchronize(first[0], first[1], max_offset_s=0.01, max_ppm=1.0)
        state = start_tracking(sync, 4 * round(PS), rate_a_hz=5e3, block_ps=round(0.5 * PS))
        held, most = 0, []
        for t in range(4, 2004):
            state, _ = step(state, *second(rng, t))
            held = max(held, state.a_ps.nbytes + state.b_ps.nbytes + 24 * len(state.history))
            if t - 3 in (20, 200, 2000):
                most.append(f"{held} bytes in {t - 3} s")
        row("memory of the tracker", 1, "at most " + ", ".join(most))


def smoother(cases: range) -> None:
    """Whole-record model of a wandering clock: rms error over the record, against its own error bar."""
    for walk in (1e-10, 1e-9, 3e-9):
        errors, pulls = [], []
        for k in cases:
            rng = np.random.default_rng([12, k])
            streams = simulate(rng, Link(pairs_hz=5e3, singles_hz=100e3, walk=walk, offset_s=1e-3))
            result = synchronize(streams.a_ps, streams.b_ps, max_offset_s=0.02, max_ppm=2.0)
            t = streams.a_ps[1000:-1000:1000]
            error = offset_at(t, result.model) - streams.offset_ps(t) if result.model else np.full(1, np.inf)
            errors.append(rms(list(error)))
            pulls.append(rms(list(error / offset_std_at(t, result.model))) if result.model else np.inf)
        row(f"wander {walk:g}/rt(s)", len(cases), f"rms {rms(errors):.2f} ps, {rms(pulls):.3f} of its own error bar")


def signal_curve(cases: range) -> None:
    """Success against pairs a second at 200k/200k, 10 s, within 100 ms and 20 ppm."""
    for pairs_hz in (100, 200, 300, 500, 1000):
        acquisition(f"{pairs_hz} cps, ±20 ppm", Link(pairs_hz=pairs_hz), 0.1, 20.0, cases, 13, max_work=6e8)


def fpfind(cases: range) -> None:
    """The open tool on the easy cases: its own thresholds, 2^23 bins of 128 ns (its default 2^26 of 16 ns is slower)."""
    try:
        from fpfind.fpfind import fpfind as find
    except ImportError:
        row("fpfind", 0, "not installed: pip install fpfind")
        return
    window_ns = 2**23 * 128.0
    found = wrong = 0
    cpu = []
    for k in cases:
        rng = np.random.default_rng([1, k])
        case = Link(offset_s=rng.uniform(-0.15, 0.15), skew=rng.uniform(-1e-6, 1e-6))
        streams = simulate(rng, case)
        a_ns, b_ns = (t / np.longdouble(1000) for t in (streams.a_ps, streams.b_ps))
        start = time.process_time()
        try:
            dt_ns, df = find(
                a_ns, b_ns, 1, 2**23, 128.0, 1.0, 6.0, 2e8, 2**-13, 1e-10, 6 * window_ns, float(np.e), [0.0]
            )[:2]
        except Exception as error:  # a peer that gives up is a result of this benchmark
            text = f"{type(error).__name__}: {error}"
        else:
            miss = min(abs(abs(float(dt_ns)) - abs(case.offset_s) * 1e9), 1e12)
            ok = miss < 100
            found += ok
            wrong += not ok
            text = f"offset off by {miss:.2f} ns, skew {float(df):.3e} for {case.skew:.3e}"
        cpu.append(time.process_time() - start)
        row("fpfind case", 1, f"offset {case.offset_s:+.3f} s: {text}, CPU {cpu[-1]:.1f} s")
    row("fpfind", len(cases), f"found {found}/{len(cases)}, wrong {wrong}, CPU median {np.median(cpu):.1f} s")


CELLS: dict[str, tuple[Callable[[range], None], int, int]] = {
    "easy": (easy, 40, 4),
    "hard": (hard, 40, 2),
    "weak": (weak, 40, 2),
    "weak_wide": (weak_wide, 4, 0),
    "pair_free": (pair_free, 1000, 20),
    "residual": (residual, 1200, 40),
    "residual_background": (residual_background, 40, 4),
    "lee": (lee, 40, 4),
    "two_way_tdev": (two_way_tdev, 40, 4),
    "long_link": (long_link, 40, 4),
    "integrity": (integrity, 40, 4),
    "throughput": (throughput, 4, 2),
    "memory": (memory, 1, 0),
    "smoother": (smoother, 40, 4),
    "signal_curve": (signal_curve, 40, 2),
    "fpfind": (fpfind, 4, 0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cell", choices=CELLS, action="append")
    parser.add_argument("--cases", type=int)
    parser.add_argument("--first", type=int, default=0, help="number, and seed, of the first case")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    for name in arguments.cell or CELLS:
        run, full, quick = CELLS[name]
        cases = arguments.cases or (quick if arguments.quick else full)
        if cases:
            run(range(arguments.first, arguments.first + cases))


if __name__ == "__main__":
    main()
