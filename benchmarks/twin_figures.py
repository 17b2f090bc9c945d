"""Figures of docs/twin.md: photon statistics, echoes of a comb, arrival histograms of a measured detector. SIMULATED.

python benchmarks/twin_figures.py docs/figures
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from erbia.analysis.records import PS_PER_S, FloatArray, TimeTags
from erbia.instruments.interfaces import Pulse, PulseTable, Segment
from erbia.instruments.mock import load_detector, load_world
from erbia.instruments.mock.pulser import as_program
from erbia.instruments.twin import World
from erbia.instruments.twin.config import LIGHT_KINDS

mpl.use("Agg")
from matplotlib import pyplot as plt
from time_walk import BINS, EVENTS, LIGHT_HZ, measured, misfit, pulsed_clicks

US = 1_000_000
HISTOGRAMS = Path(__file__).resolve().parents[2] / "shared" / "reference" / "snspd_arrival_histograms.json"
FAST = {"dead_time_ps": 0, "recovery_ps": 1.0, "background_hz": 0.0, "jitter_sigma_ps": 5.0, "jitter_tau_ps": 1.0}


def biased(**twin: Any) -> World:
    """A lab whose detectors are on."""
    world = load_world(twin)
    for n in (1, 2, 3, 4):
        world.set(f"snspd.ch{n}", "bias", 18e-6)
    return world


def recorded(world: World, tagger: str, duration_s: float) -> TimeTags:
    """What a tagger saw from now on."""
    world.start_tagger(tagger)
    world.advance(round(duration_s * PS_PER_S))
    return world.read_tagger(tagger, 1).tags


def photon_statistics(folder: Path) -> None:
    """g2 of thermal light and of one emitter against their formulas."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    for axis, kind, rate_hz, span_ps, step_ps in (
        (axes[0], "thermal", 3e6, 4 * US, 100_000),
        (axes[1], "single_photon", 5e7, 30_000, 500),
    ):
        plain = {"detectors": {f"ch{n}": FAST for n in (1, 2)}, "taggers": {"tagger": {"dead_time_ps": 0}}}
        world = biased(preset="correlation_bench", overrides=plain, seed=3)
        world.set("light_source", "kind", float(LIGHT_KINDS.index(kind)))
        world.set("light_source", "rate", rate_hz)
        world.set("light_source", "emission", 1.0)
        duration_s = 0.5 if kind == "thermal" else 0.1
        tags = recorded(world, "tagger", duration_s)
        a, b = tags.on(1), tags.on(2)
        edges = np.arange(-span_ps, span_ps + 1, step_ps)
        below = np.array([np.searchsorted(b, a + edge).sum() for edge in edges])
        g2 = np.diff(below) / (len(a) * len(b) / duration_s * step_ps * 1e-12)
        lag = (edges[:-1] + edges[1:]) / 2
        source = world.config.light_source
        wait_s = 1 / rate_hz - source.emitter_lifetime_s
        rate = 2 / source.coherence_time_s if kind == "thermal" else 1 / wait_s + 1 / source.emitter_lifetime_s
        bump = np.exp(-np.abs(lag) * 1e-12 * rate)
        theory = 1 + bump if kind == "thermal" else 1 - bump
        scale, unit = (1e-6, "us") if kind == "thermal" else (1e-3, "ns")
        axis.plot(lag * scale, g2, ".", ms=4, label="simulated clicks")
        axis.plot(lag * scale, theory, "-", color="0.4", label="theory")
        axis.set(xlabel=f"lag ({unit})", ylabel="g2", title=kind.replace("_", " "), ylim=(0, None))
        print(f"g2 of {kind}: rms deviation from theory {np.std(g2 - theory):.3f}")
    axes[1].legend()
    figure.savefig(folder / "twin-light.png", dpi=110)


def echoes(folder: Path) -> None:
    """Weak pulses in a comb: plain, with a Stark pulse, and stored as a spin wave."""
    stark = [Pulse("alice_electrode", 6_300_000, 200_000), Pulse("alice_electrode", 7_300_000, 200_000, 1.0, np.pi)]
    control = [Pulse("alice_control", 6_400_000, 100_000), Pulse("alice_control", 8_900_000, 100_000)]
    figure, axes = plt.subplots(3, 1, figsize=(7, 4.5), sharex=True, layout="constrained")
    for axis, name, more in zip(axes, ("comb", "Stark pulses", "spin wave"), ([], stark, control), strict=True):
        world = biased(overrides={"alice": {"ensemble": {}}}, seed=4)
        world.set("laser", "power", 1e-3)
        world.set("laser", "emission", 1.0)
        attempt = (Pulse("initialise", 0, 4 * US), Pulse("alice_input", 6 * US - 10_000, 20_000), *more)
        table = PulseTable(Segment(US, (Pulse("sync", 0, 1000),)), Segment(15 * US, attempt), 1)
        world.load(as_program(table))
        world.start_playing()
        tags = recorded(world, "alice_tagger", 4.0)
        sync, click = tags.on(0), tags.on(1)
        click = click[click > sync[0]]
        when = (click - sync[np.searchsorted(sync, click) - 1]) * 1e-6 - 7
        counts, edges = np.histogram(when, bins=np.arange(-0.2, 5, 0.02))
        axis.step(edges[:-1], counts + 0.5, where="post", lw=0.8)
        axis.set(yscale="log", ylabel="clicks", title=name)
        print(f"{name}: {counts.sum()} clicks, first echo {counts[(edges[:-1] > 0.9) & (edges[:-1] < 1.1)].sum()}")
    axes[-1].set_xlabel("time after the weak pulse (us)")
    figure.savefig(folder / "twin-echoes.png", dpi=110)


def width_ps(histogram: FloatArray) -> float:
    """FWHM on the circle of one laser period."""
    fine = np.interp(np.arange(0, BINS, 0.1), np.arange(BINS + 1), np.append(histogram, histogram[0]))
    above = np.flatnonzero(np.roll(fine, len(fine) // 2 - int(fine.argmax())) >= fine.max() / 2)
    return float(above[-1] - above[0]) * 0.1


def histograms(folder: Path) -> None:
    """Arrival histograms of the measured detector and of the simulated pixel, one laser period."""
    found_at = measured(HISTOGRAMS)
    figure, rows = plt.subplots(2, 5, figsize=(11, 3.6), sharex=True, height_ratios=(2, 1), layout="constrained")
    for (axis, below), attenuation_db in zip(rows.T, (64, 68, 72, 76, 80), strict=True):
        expected = found_at[attenuation_db]
        clicks = pulsed_clicks(load_detector("nbn_time_walk"), LIGHT_HZ[attenuation_db], 2_000_000, seed=5)
        area, found = misfit(clicks, expected)
        centre = BINS // 2 - int(expected.argmax())
        axis.plot(np.roll(expected, centre), color="0.6", label="measured")
        axis.plot(np.roll(found, centre), lw=0.8, label="simulated")
        axis.set(title=f"{attenuation_db} dB", yticks=[])
        below.plot(100 * np.roll(found - expected, centre) / expected.max(), lw=0.6)
        below.set(xlabel="ps", ylim=(-6, 6))
        noise = np.sqrt(2 / np.pi / EVENTS[attenuation_db]) * np.sqrt(expected).sum()
        ratio = width_ps(found) / width_ps(expected)
        print(f"{attenuation_db} dB: width ratio {ratio:.2f}, area between {area:.3f}, of it noise {noise:.3f}")
    rows[1, 0].set_ylabel("difference\n(% of peak)")
    rows[0, 0].legend(fontsize=7)
    figure.savefig(folder / "twin-detector.png", dpi=110)


def main(folder: Path) -> None:
    photon_statistics(folder)
    echoes(folder)
    if HISTOGRAMS.is_file():
        histograms(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
