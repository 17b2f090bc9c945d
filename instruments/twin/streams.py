"""Randomness that depends on nothing but seed and name, and arrival times that do not depend on how time is cut."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.random import Generator, Philox

from ...analysis.records import Int64Array
from .kernels import poisson_times


def stream(seed: int, *name: object) -> Generator:
    """The generator of one component: same seed and name, same numbers, whatever else is drawn elsewhere."""
    return Generator(Philox(key=np.frombuffer(_digest(seed, name)[:16], np.uint64)))


def key(seed: int, *name: object) -> np.uint64:
    """Key of a counter-based stream for :mod:`.kernels`, as reproducible as :func:`stream`."""
    return np.uint64(np.frombuffer(_digest(seed, name)[16:24], np.uint64)[0])


def _digest(seed: int, name: tuple[object, ...]) -> bytes:
    return hashlib.sha256(repr((int(seed), *name)).encode()).digest()


class Arrivals:
    """A Poisson process whose rate may change: unit-rate gaps, mapped to time by the rate in force.

    Times are counted from an integer anchor that follows along, so that a picosecond stays a picosecond after weeks.
    """

    def __init__(self, stream_key: np.uint64, t_ps: int = 0, rate_hz: float = 0.0) -> None:
        self._key, self._counter = stream_key, 1
        self._due = float(-np.log(stream(int(stream_key), "first gap").random()))
        self._anchor_ps, self._fraction_ps, self._per_ps = t_ps, 0.0, rate_hz * 1e-12

    def set_rate(self, t_ps: int, rate_hz: float) -> None:
        """From ``t_ps`` on the rate is ``rate_hz``; everything before must have been taken."""
        self._due = max(self._due - (t_ps - self._anchor_ps - self._fraction_ps) * self._per_ps, 0.0)
        self._anchor_ps, self._fraction_ps, self._per_ps = t_ps, 0.0, rate_hz * 1e-12

    def take_until(self, t_ps: int) -> Int64Array:
        """The arrivals not yet taken and earlier than ``t_ps``: int64 (N,) ps, in order."""
        if self._per_ps <= 0:
            return np.empty(0, np.int64)
        parts = []
        while True:
            expected = max(t_ps - self._anchor_ps, 0) * self._per_ps
            out = np.empty(int(expected + 6 * expected**0.5) + 16, np.int64)
            n, self._counter, self._due, self._anchor_ps, self._fraction_ps = poisson_times(
                self._key, self._counter, self._due, self._anchor_ps, self._fraction_ps, self._per_ps, t_ps, out
            )
            parts.append(out[:n])
            if n < len(out):
                return np.concatenate(parts) if len(parts) > 1 else parts[0]
