"""Figures of docs/clock-sync.md: success against signal, residual against the bound, TDEV of three links.

python benchmarks/clock_figures.py docs/figures [--cases 12]
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
from erbia.analysis.stability import allan

mpl.use("Agg")
from matplotlib import pyplot as plt

SMALL = Link(span_s=5.0, singles_hz=50e3)


def success(folder: Path, cases: int) -> None:
    """50k/50k singles, 5 s, within 100 ms and 5 ppm."""
    signals = [60, 100, 150, 200, 300]
    fraction = []
    for pairs_hz in signals:
        good = 0
        for k in range(cases):
            rng = np.random.default_rng([20, k])
            link = replace(SMALL, pairs_hz=pairs_hz, offset_s=rng.uniform(-0.1, 0.1), skew=rng.uniform(-5e-6, 5e-6))
            streams = simulate(rng, link)
            result = synchronize(streams.a_ps, streams.b_ps, max_offset_s=0.1, max_ppm=5.0, max_work=5e7)
            good += right(result, streams, link)
        fraction.append(good / cases)
        print(f"success {pairs_hz} cps: {good}/{cases}", flush=True)
    limit = fewest_pairs_hz(50e3, 50e3, 5.0, 90.0, 0.1, 5.0)
    print(f"information limit {limit:.1f} cps")
    figure, axes = plt.subplots(figsize=(5.5, 3.5))
    axes.plot(signals, fraction, "o-", label=f"found and right, {cases} cases a point")
    axes.axvline(limit, ls="--", color="k", label="exhaustive search, 99 %")
    axes.set(
        xscale="log", xlabel="pairs (1/s)", ylabel="success", title="SIMULATED  50k/50k singles, 5 s, ±0.1 s, ±5 ppm"
    )
    axes.legend()
    figure.savefig(folder / "clock-success.png", dpi=110, bbox_inches="tight")


def residual(folder: Path, cases: int) -> None:
    """Offset error at mid-record for 300 to 30 000 pairs in 2 s."""
    rates = [150, 500, 1500, 5000, 15000]
    errors, bounds = [], []
    for pairs_hz in rates:
        link = Link(span_s=2.0, singles_hz=max(20e3, 2 * pairs_hz), pairs_hz=pairs_hz)
        out = []
        for k in range(cases):
            rng = np.random.default_rng([21, k])
            streams = simulate(rng, replace(link, offset_s=rng.uniform(-0.005, 0.005), skew=rng.uniform(-1e-6, 1e-6)))
            result = synchronize(streams.a_ps, streams.b_ps, max_offset_s=0.01, max_ppm=2.0)
            t = np.array([(streams.a_ps[0] + streams.a_ps[-1]) // 2])
            if result.model is not None:
                out.append(float((offset_at(t, result.model) - streams.offset_ps(t))[0]))
        errors.append(rms(out))
        bounds.append(1 / np.sqrt(2 * pairs_hz * response_information(link)))
        print(
            f"residual {2 * pairs_hz} pairs: rms {errors[-1]:.3f} ps, bound {bounds[-1]:.3f} ps, {len(out)}/{cases}",
            flush=True,
        )
    figure, axes = plt.subplots(figsize=(5.5, 3.5))
    axes.loglog(2 * np.array(rates), errors, "o", label=f"rms error, {cases} cases a point")
    axes.loglog(2 * np.array(rates), bounds, "k-", label="Cramér-Rao bound")
    axes.set(xlabel="pairs in the record", ylabel="offset error at mid-record (ps)", title="SIMULATED")
    axes.legend()
    figure.savefig(folder / "clock-residual.png", dpi=110, bbox_inches="tight")


def tdev(folder: Path) -> None:
    """Raw block offsets of three links and the bound of their pairs."""
    figure, axes = plt.subplots(figsize=(5.5, 3.8))
    base = Link(span_s=200.0, tail_ps=1.0, channel_skew_ps=0.0)
    presets = {
        "12 km metro, 5 kcps, 60 ps": replace(
            base, span_s=60.0, pairs_hz=5e3, singles_hz=30e3, sigma_ps=42, white=3e-12
        ),
        "20 km, 1.2 kcps, 50 ps": replace(base, pairs_hz=1.2e3, singles_hz=10e3, sigma_ps=35),
        "132 km, 40 cps, 70 ps": replace(base, span_s=400.0, pairs_hz=40, singles_hz=1e3, sigma_ps=49.5),
    }
    for name, link in presets.items():
        streams = simulate(np.random.default_rng(22), replace(link, offset_s=1e-3, skew=1e-8))
        step_s = 0.25 if link.pairs_hz > 100 else 1.0
        _, series = series_of(streams, step_s)
        stability = allan(series.on_grid(round(step_s * PS)), 1 / step_s)
        low, high = stability.intervals["tdev"]
        seen = np.isfinite(stability.tdev)
        tau, value = stability.tau_s[seen], stability.tdev[seen] * PS
        bars = np.nan_to_num(np.array([value - low[seen] * PS, high[seen] * PS - value]))
        line = axes.errorbar(tau, value, bars, fmt="o", ms=4, label=name)
        bound = 1 / np.sqrt(response_information(link) * link.pairs_hz * tau)
        axes.plot(tau, bound, "-", color=line[0].get_color())
        print(
            f"{name}: TDEV " + ", ".join(f"{v:.2f} ps at {t:g} s" for t, v in zip(tau, value, strict=True)), flush=True
        )
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="averaging time (s)",
        ylabel="TDEV (ps)",
        title="SIMULATED  lines: bound of the pairs",
    )
    axes.legend(fontsize=8)
    figure.savefig(folder / "clock-tdev.png", dpi=110, bbox_inches="tight")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cases", type=int, default=12)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    tdev(arguments.folder)
    residual(arguments.folder, arguments.cases)
    success(arguments.folder, arguments.cases)


if __name__ == "__main__":
    main()
