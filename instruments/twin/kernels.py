"""The inner loops of the click stream: counter-based random numbers, Poisson arrivals, detection, digitisation.

Random numbers are counter-based, so that a stream can be stopped and resumed anywhere and depends on its key alone. All loops release the GIL; times are int64 ps with float64 fractions.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ...analysis.records import BoolArray, FloatArray, Int64Array, UInt8Array
from .normals import exponential, normal, uniform


@njit(cache=True, nogil=True)
def poisson_times(
    key: np.uint64,
    counter: int,
    due: float,
    anchor_ps: int,
    fraction_ps: float,
    per_ps: float,
    stop_ps: int,
    out: Int64Array,
) -> tuple[int, int, float, int, float]:
    """Arrivals before ``stop_ps`` of a Poisson process of ``per_ps`` events a ps.

    ``due`` is the unit-rate gap still to pass from ``anchor_ps + fraction_ps`` to the next arrival. Fills ``out`` and
    returns (events written, counter, due, anchor_ps, fraction_ps); if ``out`` is full it stops early.
    """
    n = 0
    while n < len(out):
        ahead = fraction_ps + due / per_ps
        if anchor_ps + ahead >= stop_ps:
            break
        step = int(ahead)
        anchor_ps += step
        fraction_ps = ahead - step
        out[n] = anchor_ps
        n += 1
        due = exponential(key, counter)
        counter += 1
    return n, counter, due, anchor_ps, fraction_ps


@njit(cache=True, nogil=True)
def merge(a: Int64Array, b: Int64Array) -> Int64Array:
    """Two sorted arrays as one."""
    out = np.empty(len(a) + len(b), np.int64)
    i = j = 0
    for k in range(len(out)):
        if j == len(b) or (i < len(a) and a[i] <= b[j]):
            out[k] = a[i]
            i += 1
        else:
            out[k] = b[j]
            j += 1
    return out


@njit(cache=True, nogil=True)
def settle(t_ps: Int64Array) -> None:
    """Sorts an array in place that is almost in order (insertion sort)."""
    for i in range(1, len(t_ps)):
        value = t_ps[i]
        j = i
        while j > 0 and t_ps[j - 1] > value:
            t_ps[j] = t_ps[j - 1]
            j -= 1
        t_ps[j] = value


@njit(cache=True, nogil=True)
def detect(
    photons: Int64Array,
    stop_ps: int,
    key: np.uint64,
    counter: int,
    last_ps: int,
    sigma_ps: float,
    tau_ps: float,
    dead_ps: int,
    step_ps: float,
    recovery: FloatArray,
    walk_ps: FloatArray,
    curvature_per_ps: float,
    parts: FloatArray,
    history: Int64Array,
    afterpulse: float,
    afterpulse_delay_ps: float,
    echoes: Int64Array,
    out: Int64Array,
) -> tuple[int, int, int]:
    """Clicks of one pixel before ``stop_ps`` for sorted photons (all earlier than that) that would each click on a rested pixel.

    After a click the pixel is dead for ``dead_ps``, then a photon clicks with chance ``recovery`` (table over the time
    since the last click, ``step_ps`` a row). Every earlier click shifts it by ``walk_ps`` (same rows; empty: none), and
    the sum x makes it late by x + curvature·x²; ``history`` int64 (M + 1,) holds the last M clicks in a ring and how many there were.
    Rows of ``parts`` float64 (K, 3): cumulative share of clicks that come late by the second column with the third as
    sigma. Each click may cause an after-pulse; ``echoes`` holds those still to come (0: none). Returns (clicks written,
    counter, last click's photon time).
    """
    n = 0
    waiting = 0
    while waiting < len(echoes) and echoes[waiting] > 0:
        waiting += 1
    rows = len(recovery)
    rows_per_ps = 1.0 / step_ps
    i = 0
    while True:
        if waiting > 0 and echoes[0] < stop_ps and (i == len(photons) or echoes[0] <= photons[i]):
            time = echoes[0]
            for k in range(1, waiting):
                echoes[k - 1] = echoes[k]
            waiting -= 1
            echoes[waiting] = 0
        elif i < len(photons):
            time = photons[i]
            i += 1
        else:
            break
        since = time - last_ps
        if since < dead_ps:
            continue
        row = since * rows_per_ps
        shift = 0.0
        if row < rows - 1:
            k = int(row)
            part = row - k
            counter += 1
            if uniform(key, counter) >= recovery[k] + part * (recovery[k + 1] - recovery[k]):
                continue
        last_ps = time
        if len(walk_ps) > 0:
            kept = len(history) - 1
            for back in range(1, min(kept, history[kept]) + 1):
                row = (time - history[(history[kept] - back) % kept]) * rows_per_ps
                if row >= rows - 1:
                    break
                k = int(row)
                shift += walk_ps[k] + (row - k) * (walk_ps[k + 1] - walk_ps[k])
            shift += curvature_per_ps * shift * shift
            history[history[kept] % kept] = time
            history[kept] += 1
        sigma = sigma_ps
        if len(parts) > 0:
            counter += 1
            drawn = uniform(key, counter)
            for k in range(len(parts)):
                if drawn < parts[k, 0]:
                    shift += parts[k, 1]
                    sigma = parts[k, 2]
                    break
        if sigma > 0.0:
            shift += sigma * normal(key, counter + 1)
        if tau_ps > 0.0:
            shift += tau_ps * exponential(key, counter + 2)
        counter += 2
        out[n] = time + math.floor(shift + 0.5)
        n += 1
        if afterpulse > 0.0:
            counter += 2
            if waiting < len(echoes) and uniform(key, counter - 1) < afterpulse:
                echoes[waiting] = time + int(afterpulse_delay_ps * (0.9 + 0.2 * uniform(key, counter)))
                waiting += 1
    return n, counter, last_ps


@njit(cache=True, nogil=True)
def digitise(
    t_ps: Int64Array,
    key: np.uint64,
    counter: int,
    jitter_ps: float,
    skew: float,
    offset_ps: int,
    first_knot: int,
    knot_ps: int,
    knots_ps: FloatArray,
    inl_ps: float,
    inl_period_ps: int,
    lsb_ps: int,
    out: Int64Array,
) -> int:
    """Clock readings of electrical edges: input jitter, then reading = t + offset + skew·t + noise + nonlinearity.

    The result lies on the grid of ``lsb_ps``. Returns the counter.
    """
    per_ps = 1.0 / knot_ps
    for i in range(len(t_ps)):
        t = t_ps[i]
        shift = jitter_ps * normal(key, counter) + skew * t
        counter += 1
        if len(knots_ps) > 1:
            position = (t - first_knot * knot_ps) * per_ps
            k = int(position)
            shift += knots_ps[k] + (position - k) * (knots_ps[k + 1] - knots_ps[k])
        reading = t + offset_ps + math.floor(shift + 0.5)
        if inl_ps > 0.0:
            reading += round(inl_ps * math.sin(2.0 * math.pi * (reading % inl_period_ps) / inl_period_ps))
        out[i] = reading if lsb_ps == 1 else reading // lsb_ps * lsb_ps
    return counter


@njit(cache=True, nogil=True)
def keep_alive(t_ps: Int64Array, last_ps: int, dead_ps: int) -> tuple[Int64Array, int]:
    """Events at least ``dead_ps`` after the last kept one (non-paralysable), and the last of them."""
    kept = np.empty(len(t_ps), np.int64)
    n = 0
    for t in t_ps:
        if t - last_ps >= dead_ps:
            kept[n] = t
            n += 1
            last_ps = t
    return kept[:n], last_ps


@njit(cache=True, nogil=True)
def merge_tags(
    t_ps: Int64Array, channel: UInt8Array, new_ps: Int64Array, new_channel: np.uint8
) -> tuple[Int64Array, UInt8Array]:
    """Sorted tags with the sorted times of one more channel merged in (after equal times)."""
    times = np.empty(len(t_ps) + len(new_ps), np.int64)
    channels = np.empty(len(times), np.uint8)
    i = j = 0
    for k in range(len(times)):
        if j == len(new_ps) or (i < len(t_ps) and t_ps[i] <= new_ps[j]):
            times[k], channels[k] = t_ps[i], channel[i]
            i += 1
        else:
            times[k], channels[k] = new_ps[j], new_channel
            j += 1
    return times, channels


@njit(cache=True, nogil=True)
def transfer(
    t_ps: Int64Array, level: float, last_ps: int, per_ps: float, size: int, kept: BoolArray
) -> tuple[float, int, int]:
    """Leaky bucket between tagger and computer: each tag fills it by one, ``per_ps`` tags a ps drain it.

    Marks in ``kept`` the tags that find room; returns (level, time of the last tag, tags lost).
    """
    lost = 0
    for i in range(len(t_ps)):
        level = max(level - (t_ps[i] - last_ps) * per_ps, 0.0)
        last_ps = t_ps[i]
        kept[i] = level < size
        if kept[i]:
            level += 1.0
        else:
            lost += 1
    return level, last_ps, lost


@njit(cache=True, nogil=True)
def invert(uniform: FloatArray, cumulative: FloatArray, t_ps: FloatArray, guide: Int64Array) -> FloatArray:
    """Times at which the tabulated distribution reaches the given values; ``guide`` tells where to begin to look.

    ``guide[g]`` is the last row whose ``cumulative`` is not above ``g / (len(guide) - 1)``.
    """
    out = np.empty(len(uniform))
    last = len(cumulative) - 2
    for i in range(len(uniform)):
        u = uniform[i]
        k = min(guide[int(u * (len(guide) - 1))], last)
        while k < last and cumulative[k + 1] <= u:
            k += 1
        step = cumulative[k + 1] - cumulative[k]
        part = (u - cumulative[k]) / step if step > 0.0 else 0.0
        out[i] = t_ps[k] + part * (t_ps[k + 1] - t_ps[k])
    return out
