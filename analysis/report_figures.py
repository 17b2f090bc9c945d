"""The figures of a report, drawn without a display: histograms, curves, correlators, density matrices, comparisons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import xlogy

from .errors import UsageError
from .records import CorrelationHistogram, Estimate, FloatArray
from .report_input import Curve, Image
from .report_text import label, prefix_of
from .width import peak_region

# Okabe and Ito's palette: told apart by every kind of colour vision.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#6b7280"
RC: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9ca3af",
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelcolor": "#374151",
    "xtick.color": "#4b5563",
    "ytick.color": "#4b5563",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "svg.hashsalt": "erbia",
    "svg.fonttype": "path",
    "figure.constrained_layout.use": True,
}
_MAX_BINS = 1500


def histogram(name: str, h: CorrelationHistogram, expected: FloatArray | None, simulated: bool) -> Figure:
    """Whole range beside the peak, with what chance alone gives; with expected counts, residuals below the peak."""
    with rc_context(RC):
        figure = Figure(figsize=(8.6, 3.4 if expected is not None else 2.8))
        grid = figure.add_gridspec(2, 2, height_ratios=(3, 1)) if expected is not None else figure.add_gridspec(1, 2)
        whole = figure.add_subplot(grid[:, 0])
        near = figure.add_subplot(grid[0, 1])
        first, last = _near_peak(h)
        _steps(whole, h, 0, len(h.counts), expected)
        _steps(near, h, first, last, expected)
        whole.axvspan(h.lag_ps[first] / _scale(h), h.lag_ps[last - 1] / _scale(h), color=BLUE, alpha=0.08, lw=0)
        whole.set_title(_title(name, simulated))
        near.set_title("around the peak")
        if expected is None:
            return figure
        below = figure.add_subplot(grid[1, 1], sharex=near)
        near.tick_params(labelbottom=False)
        near.set_xlabel("")
        lag = h.lag_ps[first:last] / _scale(h, first, last)
        _residuals(below, lag, _signed_roots(h.counts[first:last], expected[first:last]))
        below.set_xlabel(_lag_label(h, first, last))
        return figure


def curve(name: str, points: Curve, simulated: bool) -> Figure:
    """Points with intervals, the fitted curve, and residuals below."""
    with rc_context(RC):
        fitted = len(points.residuals) > 0
        figure = Figure(figsize=(6.4, 3.8 if fitted else 3.0))
        axes = figure.subplots(
            2 if fitted else 1, 1, sharex=True, squeeze=False, height_ratios=(3, 1) if fitted else None
        )
        top: Axes = axes[0, 0]
        divisor, unit_label = _axis_scale(points)
        arms = np.vstack([points.measured - points.lower, points.upper - points.measured])
        top.errorbar(points.x / divisor, points.measured, arms, fmt="o", ms=3.5, lw=1, color=BLUE, label="measured")
        if len(points.fit):
            top.plot(points.fit_x / divisor, points.fit, color=ORANGE, lw=1.2, label="fit")
        top.set_ylabel(points.y_label)
        top.set_title(_title(name, simulated))
        top.legend()
        if fitted:
            _residuals(axes[1, 0], points.x / divisor, points.residuals, "o")
        axes[-1, 0].set_xlabel(unit_label)
        return figure


def image(name: str, drawn: Image, simulated: bool) -> Figure:
    """A quantity over two axes as colours; what was not measured stays grey."""
    with rc_context(RC):
        figure = Figure(figsize=(6.4, 4.2))
        axes = figure.subplots()
        axes.set_facecolor("#e5e7eb")
        cells = axes.pcolormesh(drawn.x, drawn.y, np.ma.masked_invalid(drawn.z), cmap="viridis", shading="nearest")
        figure.colorbar(cells, ax=axes, label=drawn.z_label)
        axes.set_xlabel(drawn.x_label)
        axes.set_ylabel(drawn.y_label)
        axes.set_title(_title(name, simulated))
        return figure


def correlators(values: Mapping[str, Estimate], simulated: bool) -> Figure:
    """One bar a setting, between -1 and 1."""
    with rc_context(RC):
        figure = Figure(figsize=(max(2.2 + 0.55 * len(values), 3.4), 2.8))
        axes = figure.subplots()
        places = np.arange(len(values))
        height = np.array([e.value for e in values.values()])
        arms = np.array([[e.value - e.lower, e.upper - e.value] for e in values.values()]).T
        axes.bar(places, height, 0.6, color=[BLUE if v >= 0 else ORANGE for v in height], alpha=0.85)
        axes.errorbar(places, height, arms, fmt="none", ecolor="#111827", lw=1, capsize=3)
        axes.axhline(0, color=GREY, lw=0.8)
        axes.set_xticks(places, list(values))
        axes.set_ylim(-1.1, 1.1)
        axes.set_ylabel("correlator E")
        axes.set_title(_title("correlators", simulated))
        return figure


def density_matrix(name: str, rho: NDArray[np.complex128], simulated: bool) -> Figure:
    """Real and imaginary part as coloured squares with their values."""
    with rc_context(RC):
        figure = Figure(figsize=(6.4, 3.0))
        kets = [f"{k:0{max(int(math.log2(len(rho))), 1)}b}" for k in range(len(rho))]
        for axes, part, title in zip(figure.subplots(1, 2), (rho.real, rho.imag), ("real", "imaginary"), strict=True):
            image = axes.imshow(part, cmap="RdBu_r", vmin=-0.5, vmax=0.5)
            axes.set_xticks(range(len(rho)), [f"⟨{k}|" for k in kets])
            axes.set_yticks(range(len(rho)), [f"|{k}⟩" for k in kets])
            for row, column in np.ndindex(*part.shape):
                shade = "white" if abs(part[row, column]) > 0.3 else "#1f2937"
                axes.text(column, row, f"{part[row, column]:.2f}", ha="center", va="center", fontsize=7, color=shade)
            axes.set_title(_title(f"{name}, {title} part", simulated))
        figure.colorbar(image, ax=figure.axes, shrink=0.8)
        return figure


def comparison(titles: Sequence[str], compared: Mapping[str, Sequence[Estimate | None]]) -> Figure:
    """One panel a quantity, one point a run: ``compared[quantity]`` has an entry a title."""
    with rc_context(RC):
        columns = min(len(compared), 3)
        rows = -(-len(compared) // columns)
        figure = Figure(figsize=(3.2 * columns, (0.9 + 0.26 * len(titles)) * rows))
        panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
        for axes in panels[len(compared) :]:
            axes.set_visible(False)
        for axes, (name, cells) in zip(panels, compared.items(), strict=False):
            _compare(axes, name, cells)
            axes.set_yticks(range(len(titles)), titles)
            axes.set_ylim(len(titles) - 0.5, -0.5)
        return figure


def results_page(title: str, rows: list[list[str]], simulated: bool) -> Figure:
    """The table of results as a page: ``rows[0]`` is the head."""
    with rc_context(RC | {"figure.constrained_layout.use": False}):
        figure = Figure(figsize=(14, 1.8 + 0.35 * len(rows)))
        axes = figure.add_axes((0.03, 0.05, 0.94, 0.75))
        axes.axis("off")
        axes.set_title(_title(title, simulated), fontsize=14)
        table = axes.table(rows[1:], colLabels=rows[0], loc="upper left", cellLoc="left", edges="horizontal")
        table.auto_set_font_size(False)
        table.set_fontsize(8)
        table.auto_set_column_width(range(len(rows[0])))
        table.scale(1, 1.6)
        return figure


def _title(text: str, simulated: bool) -> str:
    return f"{text}  [SIMULATED]" if simulated else text


def _near_peak(h: CorrelationHistogram) -> tuple[int, int]:
    """Bins around the highest peak; the whole range where there is none."""
    try:
        first, length = peak_region(h.counts)
    except UsageError:
        return 0, len(h.counts)
    return max(first - 4 * length - 2, 0), min(first + 6 * length + 3, len(h.counts))


def _scale(h: CorrelationHistogram, first: int = 0, last: int | None = None) -> float:
    lags = h.lag_ps[first:last]
    return prefix_of(float(np.ptp(lags)) * 1e-12 / 2 or 1e-12, "s")[0] * 1e12


def _lag_label(h: CorrelationHistogram, first: int = 0, last: int | None = None) -> str:
    lags = h.lag_ps[first:last]
    return f"delay ({prefix_of(float(np.ptp(lags)) * 1e-12 / 2 or 1e-12, 's')[1]})"


def _steps(axes: Axes, h: CorrelationHistogram, first: int, last: int, expected: FloatArray | None) -> None:
    merge = max(-(-(last - first) // _MAX_BINS), 1)
    last = first + (last - first) // merge * merge
    scale = _scale(h, first, last)
    edges = np.append(h.lag_ps[first:last:merge], h.lag_ps[last - 1] + h.bin_ps) / scale
    counts = h.counts[first:last].reshape(-1, merge).sum(axis=1)
    axes.stairs(counts, edges, color=BLUE, fill=True, alpha=0.3, lw=0)
    axes.stairs(counts, edges, color=BLUE, lw=0.9)
    if expected is not None:
        model = expected[first:last].reshape(-1, merge).sum(axis=1)
        axes.plot((edges[1:] + edges[:-1]) / 2, model, color=ORANGE, lw=1.1, label="expected")
        axes.legend()
    elif math.isfinite(chance := h.expected_uncorrelated() * merge):
        axes.axhline(chance, color=GREY, lw=0.8, ls="--", label="chance alone")
        axes.legend()
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(bottom=0)
    axes.set_ylabel(f"counts / {_time_text(h.bin_ps * merge)}")
    axes.set_xlabel(_lag_label(h, first, last))


def _time_text(t_ps: int) -> str:
    divisor, unit = prefix_of(t_ps * 1e-12, "s")
    return f"{t_ps * 1e-12 / divisor:.4g} {unit}"


def _residuals(axes: Axes, x: FloatArray, residuals: FloatArray, marker: str = "") -> None:
    if marker:
        axes.plot(x, residuals, marker, ms=3, color=BLUE)
    else:
        axes.plot(x, residuals, lw=0.7, color=BLUE, drawstyle="steps-post")
    axes.axhspan(-1, 1, color=GREY, alpha=0.15, lw=0)
    axes.axhline(0, color=GREY, lw=0.8)
    axes.set_ylabel("residual (σ)")


def _signed_roots(counts: NDArray[np.int64], expected: FloatArray) -> FloatArray:
    mean = np.maximum(expected, 1e-12)
    terms = 2 * (xlogy(counts, counts / mean) - (counts - mean))
    roots: FloatArray = np.sign(counts - mean) * np.sqrt(np.maximum(terms, 0))
    return roots


def _axis_scale(points: Curve) -> tuple[float, str]:
    """Divisor and label of the x axis with a prefix where its unit is seconds or hertz."""
    for unit in ("s", "Hz"):
        if points.x_label.endswith(f"({unit})"):
            divisor, prefixed = prefix_of(float(np.max(np.abs(points.x))), unit)
            return divisor, points.x_label.removesuffix(f"({unit})") + f"({prefixed})"
    return 1.0, points.x_label


def _compare(axes: Axes, name: str, cells: Sequence[Estimate | None]) -> None:
    known = [(row, e) for row, e in enumerate(cells) if e is not None]
    divisor, unit = prefix_of(known[0][1].value, known[0][1].unit)
    for row, e in known:
        arms = [e.value - e.lower, e.upper - e.value]
        ends = [[arm / divisor if math.isfinite(arm) else 0.0] for arm in arms]
        axes.errorbar([e.value / divisor], [row], xerr=ends, fmt="o", ms=4, lw=1.2, capsize=2, color=BLUE)
    axes.set_title(f"{label(name)} ({unit})" if unit else label(name))
