"""Staircases: how a setting goes from one value to another without exceeding its slew rate."""

from __future__ import annotations

import numpy as np

from ...analysis.records import FloatArray


def ramp_levels(start: float, stop: float, slew_rate_per_s: float, step_s: float) -> FloatArray:
    """Levels after ``start``, one a ``step_s``, ending exactly at ``stop``: float64 (N,), N ≥ 1.

    No two neighbours, ``start`` included, are further apart than ``slew_rate_per_s · step_s``.
    """
    n = max(1, int(np.ceil(abs(stop - start) / (slew_rate_per_s * step_s) - 1e-9)))
    levels: FloatArray = start + (stop - start) * np.arange(1, n + 1) / n
    levels[-1] = stop
    return levels
