"""The facts a run sends up, in order: RunStart, (SettingStart, Tags, Reading, Validity, Progress, Result)*, RunStop.

Documents are written to disk first and only then handed to subscribers; nobody can answer one. Each is a frozen value;
``as_message`` gives the JSON-able form that travels to other processes (tags travel as counts only: they are on disk).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.records import CorrelationHistogram, Estimate, FloatArray, TagBlock
from ..analysis.report_input import Curve, Image


@dataclass(frozen=True, slots=True)
class RunStart:
    """First document of a run."""

    run_id: str
    experiment: str
    path: str
    simulated: bool
    config: dict[str, Any]
    sources: tuple[str, ...]
    created_utc: str


@dataclass(frozen=True, slots=True)
class SettingStart:
    """A setting of the plan begins."""

    index: int
    name: str
    t_start_ps: int
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Tags:
    """One block of clicks of one source was written; ``rates_hz`` is per channel name."""

    block: TagBlock
    rates_hz: dict[str, float]


@dataclass(frozen=True, slots=True)
class Reading:
    """A slow instrument value, as ``instrument.parameter``."""

    t_ps: int
    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Validity:
    """From ``t_ps`` on the data of ``source`` count (or not), and why."""

    t_ps: int
    source: str
    valid: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the run is: 0..1, lab time spent, and the time that seems left (None: unknown)."""

    fraction: float
    lab_time_s: float
    remaining_s: float | None
    message: str = ""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Result:
    """What the data so far say: the same numbers the analysis of the file will give.

    ``expected`` holds the fitted counts of the histogram of the same name, float64 (B,); ``states`` density matrices,
    complex128 (4, 4), in the order ``|00>, |01>, |10>, |11>``.
    """

    estimates: dict[str, Estimate]
    histograms: dict[str, CorrelationHistogram] = field(default_factory=dict)
    expected: dict[str, FloatArray] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    states: dict[str, NDArray[np.complex128]] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def __repr__(self) -> str:
        found = [
            f"{name}={e.value:.6g} [{e.lower:.6g}, {e.upper:.6g}] {e.unit}".strip()
            for name, e in self.estimates.items()
        ]
        return f"<Result {', '.join([*found, *self._drawings()])}>"

    def _repr_html_(self) -> str:
        """For notebooks: the estimates, and what else there is by name."""
        rows = {escape(name): estimate._repr_html_() for name, estimate in self.estimates.items()}
        rows |= {kind: escape(names) for kind, _, names in (text.partition(": ") for text in self._drawings())}
        return (
            "<table>" + "".join(f"<tr><th>{name}</th><td>{cell}</td></tr>" for name, cell in rows.items()) + "</table>"
        )

    def _drawings(self) -> list[str]:
        kinds = {kind: getattr(self, kind) for kind in ("histograms", "curves", "images", "states", "counts")}
        return [f"{kind}: {', '.join(named)}" for kind, named in kinds.items() if named]


@dataclass(frozen=True, slots=True)
class RunStop:
    """Last document: ``status`` is done, failed or aborted."""

    status: str
    reason: str = ""


Document = RunStart | SettingStart | Tags | Reading | Validity | Progress | Result | RunStop


def as_message(document: Document) -> dict[str, Any]:
    """JSON-able dict with the document's class name under ``type``."""
    kind = {"type": type(document).__name__}
    if isinstance(document, Tags):
        block = document.block
        return kind | {
            "source": block.source,
            "t_start_ps": block.t_start_ps,
            "t_stop_ps": block.t_stop_ps,
            "n": len(block.tags),
            "overflow": block.overflow,
            "missed": block.missed,
            "rates_hz": document.rates_hz,
        }
    if isinstance(document, Result):
        return kind | {
            "estimates": {name: e.as_dict() for name, e in document.estimates.items()},
            "histograms": {name: _histogram(h) for name, h in document.histograms.items()},
            "expected": {name: values.tolist() for name, values in document.expected.items()},
            "curves": {name: _lists(c) for name, c in document.curves.items()},
            "images": {name: _lists(i) for name, i in document.images.items()},
            "states": {name: {"re": s.real.tolist(), "im": s.imag.tolist()} for name, s in document.states.items()},
            "counts": document.counts,
        }
    return kind | asdict(document)


def _lists(drawing: Curve | Image) -> dict[str, Any]:
    return {k: v if isinstance(v, str) else _numbers(v) for k, v in asdict(drawing).items()}


def _numbers(values: FloatArray) -> list[Any]:
    """Nested lists with None for nan, which JSON has not."""
    plain = values.astype(object)
    plain[np.isnan(values)] = None
    nested: list[Any] = plain.tolist()
    return nested


def _histogram(h: CorrelationHistogram) -> dict[str, Any]:
    return {"lag_ps": h.lag_ps.tolist(), "counts": h.counts.tolist(), "bin_ps": h.bin_ps}
