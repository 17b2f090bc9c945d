"""What a report is made of: plain values, so that it depends on no file format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .records import CorrelationHistogram, Estimate, FloatArray
from .timing import TimingPanel


def _nothing() -> FloatArray:
    return np.zeros(0)


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Measured points, with the curve fitted to them: a decay, a scan, a line.

    Attributes:
        x: float64 (K,).
        x_label, y_label: with the unit, e.g. ``storage time (s)``.
        measured, lower, upper: float64 (K,), each point and its interval.
        fit_x, fit: float64 (M,), the fitted curve; empty without one.
        residuals: float64 (K,), (measured - fitted) in standard errors; empty without a fit.
    """

    x: FloatArray
    x_label: str
    y_label: str
    measured: FloatArray
    lower: FloatArray
    upper: FloatArray
    fit_x: FloatArray = field(default_factory=_nothing)
    fit: FloatArray = field(default_factory=_nothing)
    residuals: FloatArray = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A quantity over two axes: a two-dimensional scan, a time-resolved map.

    Attributes:
        x, y: float64 (K,) and (M,), ascending.
        z: float64 (M, K), one row a ``y``; nan where nothing was measured (yet).
        x_label, y_label, z_label: with the unit.
    """

    x: FloatArray
    y: FloatArray
    z: FloatArray
    x_label: str
    y_label: str
    z_label: str


@dataclass(frozen=True, slots=True, eq=False)
class ReportInput:
    """What a report says about one run.

    Attributes:
        title: names the run, also where several are compared.
        simulated: whether any of the data came from the twin.
        estimates: the results, most important first.
        truth: hidden values of a simulated run, by the names of the estimates; None where none are to be shown.
        predictions: what the link budget promised, by the names and in the units of the estimates.
        histograms: correlations.
        expected: fitted or predicted counts of the histogram of the same name, float64 (B,).
        curves: decays and scans.
        images: two-dimensional scans and maps.
        counts: tables setting -> outcome -> number; for the outcomes ++, +-, -+, -- the correlator is shown too.
        states: density matrices, complex128 (4, 4), in the order |00>, |01>, |10>, |11>.
        timing: the pulses of a setting, part by part.
        live_time_s: the time that counted.
        provenance, config: shown as they are.
    """

    title: str
    simulated: bool
    estimates: Mapping[str, Estimate]
    truth: Mapping[str, float] | None = None
    predictions: Mapping[str, float] = field(default_factory=dict)
    histograms: Mapping[str, CorrelationHistogram] = field(default_factory=dict)
    expected: Mapping[str, FloatArray] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    states: Mapping[str, NDArray[np.complex128]] = field(default_factory=dict)
    timing: tuple[TimingPanel, ...] = ()
    live_time_s: float | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
