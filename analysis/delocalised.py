"""One excitation shared by two memories, judged by where it is found: what the clicks alone say about its entanglement.

With p_ij the chance to find i excitations at A and j at B, and V the visibility with which the two fields interfere, the
concurrence is ``max(0, V(p10 + p01) - 2 sqrt(p00 p11))`` (Chou et al., Nature 438, 828, 2005). The clicks give all but V.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt
from statistics import NormalDist

from .errors import UsageError
from .intervals import chance_estimate
from .photons import propagate
from .records import Estimate

_SHARED = ("+-", "-+", "++")


def visibility_needed(p10: float, p01: float, p11: float) -> float:
    """The least V at which the concurrence is above 0; above 1: not entangled whatever V is."""
    return 2 * sqrt(max(1 - p10 - p01 - p11, 0.0) * p11) / (p10 + p01)


def concurrence_limit(p10: float, p01: float, p11: float) -> float:
    """The concurrence with V = 1, more than which it cannot be."""
    return max(0.0, p10 + p01 - 2 * sqrt(max(1 - p10 - p01 - p11, 0.0) * p11))


def delocalised(counts: Mapping[str, int], confidence: float = 0.95) -> dict[str, Estimate]:
    """``visibility_needed`` and ``concurrence_limit`` from how often the memories gave light: ``++`` both, ``+-`` only A's, …

    Raises:
        UsageError: a count is missing, or neither memory ever gave light alone.
    """
    if not {*_SHARED, "--"} <= counts.keys():
        raise UsageError(f"counts of {sorted(counts)}; needed are ++, +-, -+ and --")
    if counts["+-"] + counts["-+"] == 0:
        raise UsageError("neither memory ever gave light alone: record longer")
    n = sum(counts.values())
    chances = [chance_estimate(counts[result], n, confidence) for result in _SHARED]
    method = "chances of both, one and no memory giving light"
    found = {f.__name__: propagate(f, chances, method) for f in (visibility_needed, concurrence_limit)}
    z = NormalDist().inv_cdf((1 + confidence) / 2)  # joint clicks are few, or none: the interval says more than sqrt(n)
    return {name: replace(e, std=(e.upper - e.lower) / (2 * z)) for name, e in found.items()}
