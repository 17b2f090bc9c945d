"""The hidden truth of a simulated run, in the terms of the experiment's estimates. Shown, never analysed."""

from __future__ import annotations

from collections.abc import Mapping

from ..analysis.files.runfile import Run
from ..analysis.records import PS_PER_S, Estimate

#: Estimate → the twin's name for it. S is quoted as read out, so its truth is too.
_NAMES = {
    "fidelity": "fidelity",
    "herald_rate_hz": "herald_rate_hz",
    "chsh_s": "chsh_s_raw",
    "storage_time_s": "storage_time_s",
    "jitter_ps": "jitter_fwhm_ps",
    "jitter_sigma_ps": "jitter_sigma_ps",
    "jitter_tau_ps": "jitter_tau_ps",
    "clock_offset_ps": "clock_offset_ps",
    "clock_skew": "clock_skew",
}


def truth_beside(run: Run, estimates: Mapping[str, Estimate]) -> dict[str, float]:
    """Truth of every estimate the twin knows; empty for a run with real instruments."""
    hidden = {name: float(value) for name, value in run.truth().items() if not isinstance(value, str)}
    found = {name: hidden[key] for name, key in _NAMES.items() if name in estimates and key in hidden}
    if "clock_offset_ps" in found:  # the twin tells the offset at t = 0, the experiment where it was measured
        found["clock_offset_ps"] += hidden["clock_skew"] * estimates["clock_offset_at_s"].value * PS_PER_S
    return found
