"""Randomness that depends on nothing but seed and name, and arrival times that do not depend on how time is cut."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.random import Generator, Philox

from ...analysis.records import FloatArray, Int64Array

_BATCH = 4096


def stream(seed: int, *name: object) -> Generator:
    """The generator of one component: same seed and name, same numbers, whatever else is drawn elsewhere."""
    digest = hashlib.sha256(repr((int(seed), *name)).encode()).digest()
    return Generator(Philox(key=np.frombuffer(digest[:16], np.uint64)))


class Arrivals:
    """A Poisson process whose rate may change: unit-rate arrivals, mapped to time by the rate in force.

    The unit-rate sequence is drawn in fixed batches, so the arrival times are the same for any cutting of time. Times
    are counted from an integer anchor that follows along, so that a picosecond stays a picosecond after weeks.
    """

    def __init__(self, rng: Generator, t_ps: int = 0, rate_hz: float = 0.0) -> None:
        self._rng = rng
        self._due = np.cumsum(rng.standard_exponential(_BATCH))
        self._anchor_ps, self._per_ps = t_ps, rate_hz * 1e-12

    def set_rate(self, t_ps: int, rate_hz: float) -> None:
        """From ``t_ps`` on the rate is ``rate_hz``; everything before must have been taken."""
        self._due = self._due - (t_ps - self._anchor_ps) * self._per_ps
        self._anchor_ps, self._per_ps = t_ps, rate_hz * 1e-12

    def take_until(self, t_ps: int) -> Int64Array:
        """The arrivals not yet taken and earlier than ``t_ps``: int64 (N,) ps, in order."""
        if self._per_ps <= 0:
            return np.empty(0, np.int64)
        parts = []
        while self._due[-1] < (t_ps - self._anchor_ps) * self._per_ps:
            parts.append(self._times(self._due))
            self._refill()
        n = int(np.searchsorted(self._due, (t_ps - self._anchor_ps) * self._per_ps, side="left"))
        parts.append(self._times(self._due[:n]))
        self._due = self._due[n:]
        return np.concatenate(parts)

    def _times(self, due: FloatArray) -> Int64Array:
        times: Int64Array = self._anchor_ps + (due / self._per_ps).astype(np.int64)
        return times

    def _refill(self) -> None:
        last = float(self._due[-1])
        step_ps = int(last / self._per_ps)
        self._anchor_ps += step_ps
        self._due = (last - step_ps * self._per_ps) + np.cumsum(self._rng.standard_exponential(_BATCH))
