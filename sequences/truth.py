"""The hidden truth of a simulated run, in the terms of the experiment's estimates. Shown, never analysed."""

from __future__ import annotations

from collections.abc import Mapping

from ..analysis.files.runfile import Run
from ..analysis.records import Estimate
from .replay import experiment_of


def truth_beside(run: Run, estimates: Mapping[str, Estimate]) -> dict[str, float]:
    """Truth of every estimate the twin knows; empty for a run with real instruments."""
    hidden = {name: float(value) for name, value in run.truth().items() if not isinstance(value, str)}
    if not hidden:
        return {}
    experiment = experiment_of(run)
    named = {name: hidden[key] for name, key in experiment.truth_names().items() if key in hidden}
    found = {**named, **experiment.derived_truth(hidden, estimates)}
    return {name: value for name, value in found.items() if name in estimates}
