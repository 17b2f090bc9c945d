"""Draws docs/images/sequence-*.png: the pulses of an attempt at three zooms, and the pulse shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from erbia.analysis.report_timing import timing_diagram
from erbia.sequences.budget_facts import facts_of_file
from erbia.sequences.diagram import diagram, panel, played_sequence
from erbia.sequences.lab import make_experiment
from erbia.sequences.pulses import Chirp, Comb, Gaussian, Sech, Square

IMAGES = Path(__file__).parent / "images"
LENGTH_PS = 1_000_000


def draw_attempt() -> None:
    """The whole sequence of one setting."""
    facts = facts_of_file("mock_lab")
    sequence = played_sequence(make_experiment("heralded_entanglement", {}).on(facts.nodes).build(), "XX")
    timing_diagram(diagram(sequence), sequence.name, simulated=False).savefig(IMAGES / "sequence-diagram.png", dpi=110)
    views = [(5_800_000, 6_400_000), (5_949_000, 5_951_000)]
    zoomed = [panel(sequence, "attempt", view) for view in views]
    timing_diagram(zoomed, "the superposition, and its first edge", simulated=False).savefig(
        IMAGES / "sequence-zoom.png", dpi=110
    )


def draw_shapes() -> None:
    """Magnitude and phase of every shape over a microsecond."""
    shapes = (Square(), Gaussian(), Sech(8e6), Chirp(-4e6, 4e6), Comb(4, 300_000, 100_000))
    t_ps = np.linspace(0, LENGTH_PS, 2001)[:-1]
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    for axes, shape in zip(figure.subplots(1, len(shapes), sharex=True, sharey=True), shapes, strict=True):
        envelope = shape.envelope(t_ps, LENGTH_PS)
        axes.plot(t_ps * 1e-6, np.abs(envelope), color="#0072B2", lw=1.2)
        axes.plot(t_ps * 1e-6, envelope.real, color="#D55E00", lw=0.8)
        axes.set_title(shape.kind, fontsize=9)
        axes.set_xlabel("time (µs)", fontsize=8)
        axes.tick_params(labelsize=7)
    figure.get_axes()[0].set_ylabel("magnitude (blue), real part (orange)", fontsize=8)
    figure.savefig(IMAGES / "sequence-shapes.png", dpi=110)


if __name__ == "__main__":
    draw_attempt()
    draw_shapes()
