"""The hidden truth of a simulated run, in the terms of the experiment's estimates. Shown, never analysed."""

from __future__ import annotations

from collections.abc import Mapping

from ..analysis.files.runfile import Run
from ..analysis.records import PS_PER_S, Estimate
from .replay import experiment_of


def truth_beside(run: Run, estimates: Mapping[str, Estimate]) -> dict[str, float]:
    """Truth of every estimate the twin knows; empty for a run with real instruments."""
    hidden = {name: float(value) for name, value in run.truth().items() if not isinstance(value, str)}
    if not hidden:
        return {}
    names = experiment_of(run).truth_names()
    found = {name: hidden[key] for name, key in names.items() if name in estimates and key in hidden}
    for offset, at in (("clock_offset_ps", "clock_offset_at_s"), ("two_way_offset_ps", "two_way_offset_at_s")):
        if offset in found:  # the twin tells offsets at t = 0, experiments where they were measured
            found[offset] += hidden["clock_skew"] * estimates[at].value * PS_PER_S
    return found
