"""Figures of docs/clock-sync.md: success against signal, residual against the bound, TDEV of three links.

python benchmarks/clock_figures.py docs/figures [--cases 20] [--figure tdev]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
from clock_streams import PS, Link, response_information, simulate
from clock_sync import right, rms, series_of

from erbia.analysis.clock_limit import fewest_pairs_hz
from erbia.analysis.clock_model import offset_at
from erbia.analysis.clock_sync import synchronize
from erbia.analysis.intervals import chance_estimate
from erbia.analysis.report_figures import BLUE, GREEN, GREY, ORANGE, RC
from erbia.analysis.stability import allan

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

SMALL = Link(span_s=5.0, singles_hz=50e3)
LIMIT = {"color": "#111827", "lw": 1.2}
DEMAND = {"color": ORANGE, "lw": 1.0, "ls": "--"}


def canvas() -> tuple[Figure, Axes]:
    figure, axes = plt.subplots(figsize=(5.6, 3.6))
    axes.grid(True, which="major", color="#e5e7eb", lw=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=160)
    plt.close(figure)


def success(folder: Path, cases: int) -> None:
    """50k/50k singles, 5 s, within 100 ms and 5 ppm; the search is cut short."""
    signals, max_work = (60, 100, 150, 200, 300), 5e7
    good = np.array([found(pairs_hz, cases, max_work) for pairs_hz in signals])
    chances = [chance_estimate(int(g), cases, 0.683) for g in good]
    low, high = np.array([(c.lower, c.upper) for c in chances]).T
    share = good / cases
    limit = fewest_pairs_hz(50e3, 50e3, 5.0, 90.0, 0.1, 5.0)
    print(f"information limit {limit:.1f} cps")
    figure, axes = canvas()
    arms = np.clip([share - low, high - share], 0, None)
    axes.errorbar(signals, share, arms, fmt="o-", ms=4.5, lw=1, color=BLUE, label=f"max_work = {max_work:.0e}")
    axes.axvline(limit, label=f"exhaustive search, 99 %: {limit:.0f} /s", **LIMIT)
    axes.axhline(0.99, label="99 %", **DEMAND)
    axes.set(xscale="log", ylim=(-0.03, 1.05), xlabel="detected pairs (1/s)", ylabel="found, and right")
    axes.set_xticks([10, 20, 50, 100, 200, 300], ["10", "20", "50", "100", "200", "300"])
    axes.minorticks_off()
    axes.set_title(f"SIMULATED: 50 kcps a side, 5 s, ±0.1 s, ±5 ppm; {cases} records a point")
    axes.legend(loc="center", bbox_to_anchor=(0.35, 0.6))
    save(figure, folder / "clock-success.png")


def found(pairs_hz: float, cases: int, max_work: float) -> int:
    good = 0
    for k in range(cases):
        rng = np.random.default_rng([20, k])
        link = replace(SMALL, pairs_hz=pairs_hz, offset_s=rng.uniform(-0.1, 0.1), skew=rng.uniform(-5e-6, 5e-6))
        streams = simulate(rng, link)
        result = synchronize(streams.a_ps, streams.b_ps, max_offset_s=0.1, max_ppm=5.0, max_work=max_work)
        good += right(result, streams, link)
    print(f"success {pairs_hz} cps: {good}/{cases}", flush=True)
    return good


def residual(folder: Path, cases: int) -> None:
    """Offset error at mid-record for 300 to 30 000 pairs in 2 s, and its ratio to the bound."""
    rates = np.array([150, 500, 1500, 5000, 15000])
    errors, bounds = [], []
    for pairs_hz in rates:
        link = Link(span_s=2.0, singles_hz=max(20e3, 2 * pairs_hz), pairs_hz=pairs_hz)
        out = []
        for k in range(cases):
            rng = np.random.default_rng([21, k])
            streams = simulate(rng, replace(link, offset_s=rng.uniform(-0.005, 0.005), skew=rng.uniform(-1e-6, 1e-6)))
            result = synchronize(streams.a_ps, streams.b_ps, max_offset_s=0.01, max_ppm=2.0)
            t = np.array([(streams.a_ps[0] + streams.a_ps[-1]) // 2])
            bound = 1 / np.sqrt(streams.pairs * response_information(link))
            if result.model is not None:
                out.append(float((offset_at(t, result.model) - streams.offset_ps(t))[0]) / bound)
        bounds.append(bound)
        errors.append(rms(out) * bound)
        print(
            f"residual {2 * pairs_hz} pairs: rms {errors[-1]:.3f} ps, {rms(out):.3f} x bound, {len(out)}/{cases}",
            flush=True,
        )
    with plt.rc_context({"figure.constrained_layout.use": True}):
        figure, (axes, below) = plt.subplots(2, 1, figsize=(5.6, 4.6), sharex=True, height_ratios=(3, 1.3))
    scatter = 1 / np.sqrt(2 * cases)
    pairs, ratio = 2 * rates, np.array(errors) / bounds
    axes.loglog(pairs, bounds, label="Cramér-Rao bound", **LIMIT)
    axes.loglog(pairs, 1.1 * np.array(bounds), label="demanded: 1.10 × bound", **DEMAND)
    axes.errorbar(pairs, errors, np.array(errors) * scatter, fmt="o", ms=4.5, lw=1, color=BLUE, label="rms error")
    axes.set(ylabel="offset error at mid-record (ps)")
    axes.set_title(f"SIMULATED: 2 s records, jitter 63 ps a side; {cases} records a point")
    below.errorbar(pairs, ratio, ratio * scatter, fmt="o", ms=4.5, lw=1, color=BLUE)
    below.axhline(1.0, **LIMIT)
    below.axhline(1.1, **DEMAND)
    below.set(xlabel="pairs in the record", ylabel="error / bound", ylim=(0.5, 1.6))
    for each in (axes, below):
        each.grid(True, which="major", color="#e5e7eb", lw=0.6)
    axes.legend()
    save(figure, folder / "clock-residual.png")


def tdev(folder: Path) -> None:
    """Raw block offsets of three links and the bound of their pairs."""
    figure, axes = canvas()
    base = Link(span_s=200.0, tail_ps=1.0, channel_skew_ps=0.0)
    presets = {
        "132 km, 40 cps, 70 ps": replace(base, span_s=400.0, pairs_hz=40, singles_hz=1e3, sigma_ps=49.5),
        "20 km, 1.2 kcps, 50 ps": replace(base, pairs_hz=1.2e3, singles_hz=10e3, sigma_ps=35),
        "12 km metro, 5 kcps, 60 ps, clocks of 3e-12/√τ": replace(
            base, span_s=60.0, pairs_hz=5e3, singles_hz=30e3, sigma_ps=42, white=3e-12
        ),
    }
    for (name, link), colour, marker in zip(presets.items(), (ORANGE, BLUE, GREEN), "sod", strict=True):
        streams = simulate(np.random.default_rng(22), replace(link, offset_s=1e-3, skew=1e-8))
        step_s = 0.25 if link.pairs_hz > 100 else 1.0
        _, series = series_of(streams, step_s)
        stability = allan(series.on_grid(round(step_s * PS)), 1 / step_s)
        low, high = stability.intervals["tdev"]
        seen = np.isfinite(stability.tdev)
        tau, value = stability.tau_s[seen], stability.tdev[seen] * PS
        bars = np.nan_to_num(np.array([value - low[seen] * PS, high[seen] * PS - value]))
        axes.errorbar(tau, value, bars, fmt=marker, ms=4.5, lw=1, color=colour, label=name)
        bound = 1 / np.sqrt(response_information(link) * link.pairs_hz * tau)
        axes.plot(tau, bound, "-", lw=1, color=colour)
        print(
            f"{name}: TDEV " + ", ".join(f"{v:.2f} ps at {t:g} s" for t, v in zip(tau, value, strict=True)), flush=True
        )
    axes.plot([], [], "-", color=GREY, lw=1, label="limit of the pairs, ∝ 1/√τ")
    axes.plot(10, 4.0, marker="v", ms=7, color="#111827", ls="", label="demanded: 4 ps at 10 s for 40 cps, two-way")
    axes.set(xscale="log", yscale="log", xlabel="averaging time τ (s)", ylabel="TDEV (ps)", ylim=(0.05, 60))
    axes.set_title("SIMULATED: offsets measured one way, 68 % intervals")
    axes.legend(loc="upper right", fontsize=7)
    save(figure, folder / "clock-tdev.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cases", type=int, default=20)
    parser.add_argument("--figure", choices=("tdev", "residual", "success"), action="append")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    wanted = arguments.figure or ["tdev", "residual", "success"]
    with plt.rc_context(RC):
        if "tdev" in wanted:
            tdev(arguments.folder)
        if "residual" in wanted:
            residual(arguments.folder, arguments.cases)
        if "success" in wanted:
            success(arguments.folder, arguments.cases)


if __name__ == "__main__":
    main()
