"""Deviations against averaging time on two logarithmic axes, with the slopes of the power-law noises for comparison.

Slopes: W. J. Riley and D. A. Howe, *Handbook of Frequency Stability Analysis*, NIST SP 1065 (2008), section 5.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .errors import UsageError
from .records import FloatArray
from .report_figures import BLUE, GREY, RC
from .report_input import Curve
from .stability import Stability

_ALLAN = {-1.0: "phase", -0.5: "white FM", 0.0: "flicker FM", 0.5: "random-walk FM"}
_MODIFIED = {-1.5: "white PM", -1.0: "flicker PM", -0.5: "white FM", 0.0: "flicker FM", 0.5: "random-walk FM"}
#: Exponent of the averaging time to noise, for each deviation; MTIE, a maximum, has none.
SLOPES: Mapping[str, Mapping[float, str]] = {
    "oadev": _ALLAN,
    "hdev": _ALLAN,
    "mdev": _MODIFIED,
    "tdev": {slope + 1: noise for slope, noise in _MODIFIED.items()},
    "mtie": {},
}
DASHES = ((1, 1.5), (4, 1.5), (4, 1.5, 1, 1.5), (8, 2), (8, 2, 1, 2, 1, 2))
Y_LABELS = {
    "oadev": "overlapping Allan deviation",
    "hdev": "overlapping Hadamard deviation",
    "mdev": "modified Allan deviation",
    "tdev": "time deviation (s)",
    "mtie": "MTIE (s)",
}


def stability_figure(stability: Stability, deviation: str = "tdev", title: str = "") -> Figure:
    """One deviation (``oadev``, ``mdev``, ``tdev``, ``hdev`` or ``mtie``) with its intervals and reference slopes.

    Raises:
        UsageError: another name, or no finite value to draw.
    """
    if deviation not in SLOPES:
        raise UsageError(f"deviation {deviation!r} is not known; known are {', '.join(SLOPES)}")
    value: FloatArray = getattr(stability, deviation)
    lower, upper = stability.intervals.get(deviation, (value, value))
    points = Curve(stability.tau_s, "averaging time (s)", Y_LABELS[deviation], value, lower, upper)
    return deviation_figure(title or deviation.upper(), points, False, SLOPES[deviation])


def deviation_figure(
    title: str, points: Curve, simulated: bool, slopes: Mapping[float, str] = SLOPES["tdev"]
) -> Figure:
    """Points with intervals, and a dashed line of each slope.

    Raises:
        UsageError: no finite, positive value to draw.
    """
    good = np.isfinite(points.measured) & (points.measured > 0)
    if not good.any():
        raise UsageError(f"{title}: no averaging time has a value to draw; record longer")
    x, y = points.x[good], points.measured[good]
    lower, upper = (np.where(np.isfinite(bound[good]), bound[good], y) for bound in (points.lower, points.upper))
    with rc_context(RC):
        figure = Figure(figsize=(6.4, 4.0))
        axes = figure.subplots()
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.errorbar(x, y, [y - lower, upper - y], fmt="o", ms=4, lw=1, color=BLUE)
        axes.set_ylim(0.3 * float(lower[lower > 0].min(initial=y.min())), 8 * float(upper.max()))
        _slopes(axes, x, y, slopes)
        axes.set_xlabel(points.x_label)
        axes.set_ylabel(points.y_label)
        axes.set_title(f"{title}  [SIMULATED]" if simulated else title)
        return figure


def _slopes(axes: Axes, x: FloatArray, y: FloatArray, slopes: Mapping[float, str]) -> None:
    """Grey lines: falling from the first point, rising to the last, level through the lowest."""
    bottom, top = axes.get_ylim()
    for (slope, noise), dashes in zip(slopes.items(), DASHES, strict=False):
        at = 0 if slope < 0 else len(x) - 1 if slope > 0 else int(np.argmin(y))
        line = y[at] * (x / x[at]) ** slope
        power = rf"$\tau^{{{slope:g}}}$"
        axes.plot(x, line, color=GREY, lw=0.9, dashes=dashes, zorder=0, label=f"{noise}, {power}")
    axes.set_ylim(bottom, top)
    if slopes:
        axes.legend(title="slopes of", title_fontsize=8, loc="upper center", ncols=3)
