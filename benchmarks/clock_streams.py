"""Simulated click streams for the clock benchmarks: own forward model, shares nothing with the estimators.

Photon pairs reach two detectors a side with Gaussian jitter, an exponential tail and channel delays; dark and unpaired
clicks, after-pulses and dead time follow; then B's clock turns true time into its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PS = 1e12
AFTERPULSE = 0.005
AFTERPULSE_DELAY_PS = 180_000.0
DEAD_PS = 25_000.0


@dataclass(frozen=True)
class Link:
    """One case: rates in counts a second, times in seconds, jitter of one detector in ps."""

    span_s: float = 10.0
    pairs_hz: float = 20e3
    singles_hz: float = 200e3
    sigma_ps: float = 60.0
    tail_ps: float = 20.0
    channel_skew_ps: float = 25.0
    offset_s: float = 0.0
    skew: float = 0.0
    walk: float = 0.0
    white: float = 0.0
    leap_ps: float = 0.0
    leap_at_s: float = 0.0
    gap_s: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Streams:
    """What the taggers hold, and what only the simulation knows: B's offset at A's time, and pairs both sides kept."""

    a_ps: NDArray[np.int64]
    b_ps: NDArray[np.int64]
    offset_ps: Callable[[NDArray[np.int64]], NDArray[np.float64]]
    pairs: int


def simulate(rng: np.random.Generator, link: Link) -> Streams:
    """Click streams of one link."""
    span = link.span_s * PS
    emitted = np.sort(rng.uniform(0, span, rng.poisson(link.pairs_hz * link.span_s)))
    a, id_a = _detect(rng, emitted, link)
    b, id_b = _detect(rng, emitted, link)
    for lo, hi in [link.gap_s] if link.gap_s[1] > link.gap_s[0] else []:
        a, id_a = (x[(a < lo * PS) | (a > hi * PS)] for x in (a, id_a))
        b, id_b = (x[(b < lo * PS) | (b > hi * PS)] for x in (b, id_b))
    shift = _clock(rng, link)
    base = round(link.offset_s * PS)
    order = np.argsort(b + shift(b))
    t_b = np.rint(b + shift(b))[order].astype(np.int64) + base
    kept = np.intersect1d(id_a[id_a >= 0], id_b[id_b >= 0], assume_unique=True).size
    return Streams(np.rint(a).astype(np.int64), t_b, lambda t: base + shift(np.asarray(t, np.float64)), kept)


def _detect(
    rng: np.random.Generator, emitted: NDArray[np.float64], link: Link
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    delay = link.channel_skew_ps * rng.choice([-0.5, 0.5], len(emitted))
    seen = emitted + delay + rng.normal(0, link.sigma_ps, len(emitted)) + rng.exponential(link.tail_ps, len(emitted))
    other = rng.uniform(0, link.span_s * PS, rng.poisson(max(0.0, link.singles_hz - link.pairs_hz) * link.span_s))
    t = np.concatenate((seen, other))
    pair = np.concatenate((np.arange(len(seen)), np.full(len(other), -1)))
    again = t[rng.random(len(t)) < AFTERPULSE]
    again = again + AFTERPULSE_DELAY_PS + rng.exponential(20_000, len(again))
    t = np.concatenate((t, again))
    pair = np.concatenate((pair, np.full(len(again), -1)))
    order = np.argsort(t)
    t, pair = t[order], pair[order]
    alive = np.concatenate(([True], np.diff(t) > DEAD_PS))
    return t[alive], pair[alive]


def _clock(rng: np.random.Generator, link: Link) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """B minus A less the fixed offset, in ps, at true time: skew, random-walk and white frequency noise, a leap."""
    grid = np.linspace(0, link.span_s, 20_001)
    step = grid[1]
    rate = np.cumsum(rng.normal(0, link.walk * np.sqrt(step), 20_000))
    phase = np.concatenate(([0.0], np.cumsum(rate * step + rng.normal(0, link.white * np.sqrt(step), 20_000)))) * PS

    def shift(t_ps: NDArray[np.float64]) -> NDArray[np.float64]:
        wander = np.interp(t_ps, grid * PS, phase) if link.walk or link.white else 0.0
        out: NDArray[np.float64] = link.skew * t_ps + wander + link.leap_ps * (t_ps > link.leap_at_s * PS)
        return out

    return shift


def response_information(link: Link) -> float:
    """Fisher information of one pair on the offset, 1/ps², no background: from the density of both detectors' jitter."""
    step = 0.5
    t = np.arange(-4000, 4000, step)
    gauss = np.exp(-0.5 * (t / link.sigma_ps) ** 2)
    tail = np.where(t >= 0, np.exp(-np.maximum(t, 0) / link.tail_ps), 0.0)
    skew = np.zeros_like(t)
    for side in (-0.5, 0.5):
        skew[int(np.argmin(np.abs(t - side * link.channel_skew_ps)))] += 1
    spectrum = np.fft.fft(gauss) * np.fft.fft(tail) * np.fft.fft(skew)
    density = np.fft.fftshift(np.fft.ifft(np.abs(spectrum) ** 2).real)
    density = np.maximum(density / (density.sum() * step), 1e-14)
    return float(np.sum(np.gradient(density, step) ** 2 / density) * step)
