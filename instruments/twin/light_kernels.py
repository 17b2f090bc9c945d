"""Inner loops of free-running light: thermal intensity, photons of one emitter, pulsed pairs, a lossy splitter.

As in :mod:`.kernels` random numbers come from key and counter, so that a stream may be cut anywhere.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ...analysis.records import FloatArray, Int64Array
from .normals import exponential, normal, uniform


@njit(cache=True, nogil=True)
def thin_thermal(
    t_ps: Int64Array,
    key: np.uint64,
    counter: int,
    last_ps: int,
    field: FloatArray,
    tau_ps: float,
    bound: float,
    out: Int64Array,
) -> tuple[int, int, int]:
    """Keeps candidates with chance |E|²/bound, E a complex Gaussian field of correlation exp(-|t|/tau), mean |E|² 1.

    ``field`` float64 (2,) is E at ``last_ps``; its step between candidates is exact (Ornstein-Uhlenbeck). Returns (events
    written, counter, time of the last candidate).
    """
    n = 0
    for t in t_ps:
        keep = math.exp(-(t - last_ps) / tau_ps)
        new = math.sqrt((1.0 - keep * keep) / 2.0)
        field[0] = keep * field[0] + new * normal(key, counter)
        field[1] = keep * field[1] + new * normal(key, counter + 1)
        if uniform(key, counter + 2) * bound < field[0] * field[0] + field[1] * field[1]:
            out[n] = t
            n += 1
        counter += 3
        last_ps = t
    return n, counter, last_ps


@njit(cache=True, nogil=True)
def emitter_times(
    key: np.uint64, counter: int, next_ps: int, wait_ps: float, lifetime_ps: float, stop_ps: int, out: Int64Array
) -> tuple[int, int, int]:
    """Photons before ``stop_ps`` of a two-level emitter: pumped after an exponential wait, emitting after its lifetime.

    Returns (events written, counter, time of the next photon); stops early when ``out`` is full.
    """
    n = 0
    while next_ps < stop_ps and n < len(out):
        out[n] = next_ps
        n += 1
        gap = wait_ps * exponential(key, counter) + lifetime_ps * exponential(key, counter + 1)
        next_ps += math.floor(gap + uniform(key, counter + 2))
        counter += 3
    return n, counter, next_ps


@njit(cache=True, nogil=True)
def pair_times(
    key: np.uint64,
    counter: int,
    pulse: int,
    empty: float,
    numbers: FloatArray,
    period_ps: float,
    sigma_ps: float,
    stop_ps: int,
    out: Int64Array,
) -> tuple[int, int, int]:
    """Pairs, each by its time, of all pulses (numbered from lab time 0) before ``stop_ps``.

    ``empty`` is the chance of an empty pulse, ``numbers`` float64 (N,) the distribution function of 1, 2, … pairs in one
    that is not. Returns (pairs written, counter, number of the next pulse with pairs); stops early when ``out`` is full.
    """
    n = 0
    while pulse * period_ps < stop_ps and n + len(numbers) <= len(out):
        drawn = uniform(key, counter)
        pairs = 1
        while pairs < len(numbers) and drawn >= numbers[pairs - 1]:
            pairs += 1
        for k in range(pairs):
            out[n] = math.floor(pulse * period_ps + sigma_ps * normal(key, counter + 2 + k) + 0.5)
            n += 1
        pulse += 1 + int(exponential(key, counter + 1) / -math.log(empty))
        counter += 2 + len(numbers)
    return n, counter, pulse


@njit(cache=True, nogil=True)
def split(
    t_ps: Int64Array, key: np.uint64, counter: int, to_first: float, to_second: float
) -> tuple[Int64Array, Int64Array]:
    """Each photon goes one way, the other, or is lost, with the given chances."""
    first, second = np.empty(len(t_ps), np.int64), np.empty(len(t_ps), np.int64)
    n = m = 0
    for i in range(len(t_ps)):
        drawn = uniform(key, counter + i)
        if drawn < to_first:
            first[n] = t_ps[i]
            n += 1
        elif drawn < to_first + to_second:
            second[m] = t_ps[i]
            m += 1
    return first[:n], second[:m]


@njit(cache=True, nogil=True)
def dispersion_signs(n: int, key: np.uint64, counter: int) -> Int64Array:
    """+1 or -1 with equal chance, int64 (n,)."""
    signs = np.empty(n, np.int64)
    for i in range(n):
        signs[i] = 1 if uniform(key, counter + i) < 0.5 else -1
    return signs
