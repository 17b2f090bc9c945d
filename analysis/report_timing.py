"""Timing diagrams drawn without a display."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import cycle

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .report_figures import BLUE, GREEN, GREY, ORANGE, RC
from .timing import Lane, TimingPanel

_ROW = 0.72  # height of full scale; rows are 1 apart
_COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", "#56B4E9", "#B8860B")
_PREFIXES = ((0, "s"), (-3, "ms"), (-6, "µs"), (-9, "ns"), (-12, "ps"))
_MAX_LABELS = 6
#: Room a span's name needs, as share of the width.
_LABEL_SHARE = 0.09


def timing_diagram(panels: Sequence[TimingPanel], title: str, simulated: bool) -> Figure:
    """The panels one below the other, a row an output, each on its own time axis."""
    with rc_context(RC):
        rows = [max(1, len(panel.lanes)) for panel in panels]
        figure = Figure(figsize=(8.6, 0.6 + sum(0.75 + 0.3 * n for n in rows)))
        axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[1.5 + n for n in rows])
        channels = dict.fromkeys(lane.channel for panel in panels for lane in panel.lanes)
        colours = dict(zip(channels, cycle(_COLOURS), strict=False))
        for panel, (axis,) in zip(panels, axes, strict=True):
            _draw(axis, panel, colours)
        figure.suptitle(title + ("  (SIMULATED)" if simulated else ""), x=0.01, ha="left", fontsize=9.5)
        return figure


def _draw(axes: Axes, panel: TimingPanel, colours: Mapping[str, str]) -> None:
    start_ps, stop_ps = panel.view_ps
    exponent, unit = _unit(max(1, stop_ps - start_ps))
    per_ps = 10.0 ** (-12 - exponent)
    free_ps = start_ps
    for span in panel.spans:
        axes.axvspan(span.start_ps * per_ps, span.stop_ps * per_ps, color=GREY, alpha=0.15, lw=0)
        if span.start_ps >= free_ps:
            at = (span.start_ps * per_ps, 1.0)
            axes.annotate(span.label, at, xycoords=("data", "axes fraction"), fontsize=7, va="bottom")
            free_ps = span.start_ps + round(_LABEL_SHARE * (stop_ps - start_ps))
    for row, lane in enumerate(reversed(panel.lanes)):
        _draw_lane(axes, lane, row, per_ps, colours[lane.channel])
    axes.set_yticks([row + 0.3 for row in range(len(panel.lanes))], [lane.channel for lane in reversed(panel.lanes)])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(start_ps * per_ps, stop_ps * per_ps)
    axes.set_ylim(-0.15, max(1, len(panel.lanes)) + 0.1)
    axes.set_xlabel(f"{panel.title}, time ({unit})")


def _draw_lane(axes: Axes, lane: Lane, row: int, per_ps: float, colour: str) -> None:
    t = lane.t_ps * per_ps
    height = row + _ROW * lane.level
    axes.plot(t, height, color=colour, lw=0.9)
    axes.fill_between(t, row, height, color=colour, alpha=0.25, lw=0)
    for busy in lane.busy:
        x = (busy.start_ps * per_ps, busy.stop_ps * per_ps)
        axes.fill_between(x, row, row + _ROW * busy.level, color=colour, alpha=0.35, hatch="////", lw=0)
        axes.annotate(f"{busy.count} pulses", (sum(x) / 2, row + _ROW / 2), fontsize=7, ha="center", va="center")
    for t_ps, text in lane.labels if len(lane.labels) <= _MAX_LABELS else ():
        axes.annotate(text, (t_ps * per_ps, row + _ROW), fontsize=6.5, color=colour, clip_on=True)


def _unit(span_ps: int) -> tuple[int, str]:
    """Power of ten and name of the unit in which a span has one to three digits."""
    exponent = 3 * math.floor(math.log10(span_ps * 1e-12) / 3)
    return next(((e, name) for e, name in _PREFIXES if e <= exponent), _PREFIXES[-1])
