"""What a simulated lab hides about its clocks, at the time an experiment measured them."""

from __future__ import annotations

from collections.abc import Mapping

from ...analysis.records import PS_PER_S, Estimate


def offset_when(name: str, hidden: Mapping[str, float], key: str, at: Estimate | None) -> Mapping[str, float]:
    """Truth of the estimate ``name``: the hidden offset ``key``, told at t = 0, moved on to ``at`` (s) by the hidden skew.

    Empty where either is not known.
    """
    if key not in hidden or at is None:
        return {}
    return {name: hidden[key] + hidden["clock_skew"] * at.value * PS_PER_S}
