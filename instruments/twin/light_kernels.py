"""Inner loops of free-running light: thermal photons, photons of one emitter, pulsed pairs, a lossy splitter.

As in :mod:`.kernels` random numbers come from key and counter, so that a stream may be cut anywhere.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ...analysis.records import FloatArray, Int64Array
from .normals import exponential, normal, uniform


@njit(cache=True, nogil=True)
def thermal_times(
    key: np.uint64,
    counter: int,
    due_ps: int,
    fraction_ps: float,
    members: int,
    per_ps: float,
    loss_per_ps: float,
    stop_ps: int,
    out: Int64Array,
) -> tuple[int, int, int, float, int]:
    """Photons before ``stop_ps`` of chaotic light of Lorentzian spectrum, from a population (see :class:`.bench.Thermal`).

    A photon comes at ``per_ps`` times (1 + members) and adds a member, each of which is lost at ``loss_per_ps``. Returns
    (events written, counter, time of the next event, its fraction, members); stops early when ``out`` is full.
    """
    n = 0
    while due_ps < stop_ps and n < len(out):
        gain = per_ps * (1 + members)
        if uniform(key, counter) * (gain + loss_per_ps * members) < gain:
            out[n] = due_ps
            n += 1
            members += 1
        else:
            members -= 1
        ahead = fraction_ps + exponential(key, counter + 1) / (per_ps * (1 + members) + loss_per_ps * members)
        step = int(ahead)
        due_ps += step
        fraction_ps = ahead - step
        counter += 2
    return n, counter, due_ps, fraction_ps, members


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
