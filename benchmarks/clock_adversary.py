"""Streams a sceptic would try: the answer must be right or "not found", never silently wrong.

    python benchmarks/clock_adversary.py --cases 10            # every trap
    python benchmarks/clock_adversary.py --trap pulsed --cases 40

Each trap draws seeded clicks from its own forward model. "right" is within 50 ps (or six of its own sigmas) of the truth
at mid-record, for ``channels`` and ``tails`` within the spread of the delays themselves; a trap without pairs has no truth.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from erbia.analysis.clock_model import offset_at, offset_std_at
from erbia.analysis.clock_sync import synchronize
from erbia.analysis.records import ClockModel

PS = 1e12
Times = NDArray[np.float64]


@dataclass(frozen=True)
class Trap:
    """Two streams on true time (float64 ps), B's clock, and what the search is told."""

    a_ps: Times
    b_ps: Times
    offset_s: float = 0.003
    skew: float = 4e-7
    drift_per_s: float = 0.0
    tick_ps: int = 1
    pairs: bool = True
    tolerance_ps: float = 50.0
    max_offset_s: float = 0.02
    max_ppm: float = 2.0
    max_work: float = 3e7

    def recorded(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What the taggers write: sorted int64 ps, in ticks."""
        b = self.b_ps + self.skew * self.b_ps + 0.5 * self.drift_per_s * self.b_ps**2 / PS + self.offset_s * PS
        a, b = (np.sort(np.rint(t / self.tick_ps).astype(np.int64) * self.tick_ps) for t in (self.a_ps, b))
        return a, b

    def truth(self, t_ps: NDArray[np.int64]) -> Times:
        t = t_ps.astype(np.float64)
        out: Times = self.offset_s * PS + self.skew * t + 0.5 * self.drift_per_s * t * t / PS
        return out


def steady(rng: np.random.Generator, rate_hz: float, span_s: float) -> Times:
    return rng.uniform(0, span_s * PS, rng.poisson(rate_hz * span_s))


def jittered(rng: np.random.Generator, t: Times, sigma_ps: float = 60.0) -> Times:
    out: Times = t + rng.normal(0, sigma_ps, len(t))
    return out


def dead(t: Times, dead_ps: float) -> Times:
    """Non-extending dead time of one detector."""
    t = np.sort(t)
    return t[_alive(t, dead_ps)]


@numba.njit(cache=True)
def _alive(t: Times, dead_ps: float) -> NDArray[np.bool_]:
    kept = np.ones(len(t), np.bool_)
    last = -np.inf
    for i, x in enumerate(t):
        kept[i] = x - last > dead_ps
        if kept[i]:
            last = x
    return kept


def afterpulsed(rng: np.random.Generator, t: Times, share: float, tau_ps: float = 60_000.0) -> Times:
    """Each click (after-pulses too) followed by another with probability ``share``, dead time 25 ns and an exponential later."""
    parts, last = [t], t
    while len(last):
        last = last[rng.random(len(last)) < share]
        last = last + 25_000 + rng.exponential(tau_ps, len(last))
        parts.append(last)
    return dead(np.concatenate(parts), 24_000)


def bunched(rng: np.random.Generator, rate_hz: float, span_s: float, coherence_s: float = 1e-6) -> Times:
    """Thermal light: a Poisson process whose rate is a squared complex Ornstein-Uhlenbeck process, sampled at 1/5 coherence."""
    n = int(span_s / coherence_s * 5)
    rho = np.exp(-0.2)
    from scipy.signal import lfilter

    noise = rng.normal(size=(2, n)) * np.sqrt(0.5 * (1 - rho**2))
    field = lfilter([1.0], [1.0, -rho], noise, axis=1)
    counts = rng.poisson(np.square(field).sum(axis=0) * rate_hz * span_s / n)
    cell = np.repeat(np.arange(n), counts)
    out: Times = (cell + rng.random(len(cell))) * (span_s * PS / n)
    return out


def pulsed_light(rng: np.random.Generator, rate_hz: float, span_s: float, period_ps: float) -> Times:
    pulses = np.floor(steady(rng, rate_hz, span_s) / period_ps)
    return jittered(rng, pulses * period_ps, 40.0)


def after_pulsing(rng: np.random.Generator) -> Trap:
    """A fifth of all clicks followed by an after-pulse, both sides."""
    pairs = steady(rng, 5e3, 2.0)
    a, b = (np.concatenate((jittered(rng, pairs), steady(rng, 30e3, 2.0))) for _ in "ab")
    return Trap(afterpulsed(rng, a, 0.2), afterpulsed(rng, b, 0.2))


def after_pulsing_alone(rng: np.random.Generator) -> Trap:
    a, b = (afterpulsed(rng, steady(rng, 30e3, 2.0), 0.3) for _ in "ab")
    return Trap(a, b, pairs=False)


def thermal(rng: np.random.Generator) -> Trap:
    """Bunched background, independent on the two sides, coherence 1 us."""
    pairs = steady(rng, 3e3, 2.0)
    return Trap(*(np.concatenate((jittered(rng, pairs), bunched(rng, 50e3, 2.0))) for _ in "ab"))


def thermal_alone(rng: np.random.Generator) -> Trap:
    return Trap(*(bunched(rng, 50e3, 2.0) for _ in "ab"), pairs=False)


def bursts(rng: np.random.Generator, every_s: float | None = None) -> Times:
    """Flashes of 60 clicks in 2 us, ten a second at random (or ``every_s``), among 20 kcps."""
    start = steady(rng, 10.0, 2.0) if every_s is None else np.arange(rng.uniform(0, every_s), 2.0, every_s) * PS
    flash = (start[:, None] + rng.uniform(0, 2e6, (len(start), 60))).ravel()
    return dead(np.concatenate((flash, steady(rng, 20e3, 2.0))), 20_000)


def bursts_alone(rng: np.random.Generator) -> Trap:
    return Trap(bursts(rng), bursts(rng), pairs=False, max_offset_s=1.0)


def flashes_alone(rng: np.random.Generator) -> Trap:
    """A lamp at each side flashing every 20 ms."""
    return Trap(bursts(rng, 0.02), bursts(rng, 0.02), pairs=False, max_offset_s=1.0)


def mains_alone(rng: np.random.Generator) -> Trap:
    """Room light at 100 Hz on both sides, fully modulated."""

    def side() -> Times:
        t = steady(rng, 400e3, 2.0)
        return t[rng.random(len(t)) < np.sin(np.pi * 100 * t / PS) ** 2]

    return Trap(side(), side(), pairs=False)


def pulsed(rng: np.random.Generator) -> Trap:
    """A pulsed pair source of 80 MHz: pairs and unpaired photons alike come in pulses, every lag of 12.5 ns has a peak."""
    period = 12_500.0
    pairs = np.floor(steady(rng, 5e3, 2.0) / period) * period
    return Trap(*(np.concatenate((jittered(rng, pairs, 40.0), pulsed_light(rng, 100e3, 2.0, period))) for _ in "ab"))


def pulsed_weak(rng: np.random.Generator) -> Trap:
    """The same with few pairs: the right tooth hardly stands out."""
    period = 12_500.0
    pairs = np.floor(steady(rng, 150.0, 2.0) / period) * period
    return Trap(*(np.concatenate((jittered(rng, pairs, 40.0), pulsed_light(rng, 200e3, 2.0, period))) for _ in "ab"))


def pulsed_alone(rng: np.random.Generator) -> Trap:
    """Two lasers of 80 MHz without any pairs."""
    return Trap(*(pulsed_light(rng, 200e3, 2.0, 12_500.0) for _ in "ab"), pairs=False)


def slow_pulses_alone(rng: np.random.Generator) -> Trap:
    """Two lasers of 1 MHz without any pairs."""
    return Trap(*(pulsed_light(rng, 50e3, 2.0, 1e6) for _ in "ab"), pairs=False)


def gated_alone(rng: np.random.Generator) -> Trap:
    """Clicks only in a window of 1 us every 12 us, as in attempts on a memory."""

    def side() -> Times:
        t = steady(rng, 1e6, 2.0)
        return t[t % 12e6 < 1e6]

    return Trap(side(), side(), pairs=False)


def gated(rng: np.random.Generator) -> Trap:
    """The same with pairs."""
    pairs = steady(rng, 30e3, 2.0)

    def side() -> Times:
        t = np.concatenate((jittered(rng, pairs), steady(rng, 500e3, 2.0)))
        return t[t % 12e6 < 1e6]

    return Trap(side(), side())


def coarse_ticks(rng: np.random.Generator) -> Trap:
    """Taggers of 1 ns ticks on one clock."""
    pairs = steady(rng, 5e3, 2.0)
    a, b = (np.concatenate((jittered(rng, pairs), steady(rng, 50e3, 2.0))) for _ in "ab")
    return Trap(a, b, skew=0.0, tick_ps=1000, tolerance_ps=600.0)


def coarse_ticks_alone(rng: np.random.Generator) -> Trap:
    return Trap(steady(rng, 100e3, 2.0), steady(rng, 100e3, 2.0), skew=0.0, tick_ps=4000, pairs=False)


def fine_ticks_alone(rng: np.random.Generator) -> Trap:
    return Trap(steady(rng, 200e3, 2.0), steady(rng, 200e3, 2.0), skew=0.0, tick_ps=81, pairs=False)


def saturated(rng: np.random.Generator) -> Trap:
    """B takes 8 Mcps with 50 ns dead time: most of the pairs are lost and the rest crowd the end of dead times."""
    pairs = steady(rng, 20e3, 1.0)
    a = dead(np.concatenate((jittered(rng, pairs), steady(rng, 50e3, 1.0))), 50_000)
    b = dead(np.concatenate((jittered(rng, pairs), steady(rng, 14e6, 1.0))), 50_000)
    return Trap(a, b)


def channels(rng: np.random.Generator) -> Trap:
    """Two detectors a side 3 ns apart, unequal shares: three peaks."""
    pairs = steady(rng, 5e3, 2.0)
    a, b = (
        np.concatenate((jittered(rng, pairs + 3000.0 * (rng.random(len(pairs)) < 0.4)), steady(rng, 30e3, 2.0)))
        for _ in "ab"
    )
    return Trap(a, b, tolerance_ps=3100.0)


def two_equal_channels(rng: np.random.Generator) -> Trap:
    """One side with two equal detectors 3 ns apart: two equal peaks."""
    pairs = steady(rng, 5e3, 2.0)
    a = np.concatenate((jittered(rng, pairs), steady(rng, 30e3, 2.0)))
    b = np.concatenate((jittered(rng, pairs + 3000.0 * (rng.random(len(pairs)) < 0.5)), steady(rng, 30e3, 2.0)))
    return Trap(a, b, tolerance_ps=3100.0)


def tails(rng: np.random.Generator) -> Trap:
    """B's detector with an exponential tail of 400 ps in 40 % of its clicks: the mean is 160 ps late."""
    pairs = steady(rng, 5e3, 2.0)
    late = np.where(rng.random(len(pairs)) < 0.4, rng.exponential(400.0, len(pairs)), 0.0)
    a = np.concatenate((jittered(rng, pairs), steady(rng, 30e3, 2.0)))
    b = np.concatenate((jittered(rng, pairs + late - 160.0), steady(rng, 30e3, 2.0)))
    return Trap(a, b)


def unequal(rng: np.random.Generator) -> Trap:
    """A sees 1 kcps, B 3 Mcps."""
    pairs = steady(rng, 500.0, 3.0)
    return Trap(
        np.concatenate((jittered(rng, pairs), steady(rng, 500.0, 3.0))),
        np.concatenate((jittered(rng, pairs), steady(rng, 3e6, 3.0))),
    )


def drifting(rng: np.random.Generator) -> Trap:
    """Both clocks drift by 10 ppb a second, apart."""
    pairs = steady(rng, 2e3, 10.0)
    drift = 2e-8 * rng.choice([-1, 1])
    return Trap(*(np.concatenate((jittered(rng, pairs), steady(rng, 50e3, 10.0))) for _ in "ab"), drift_per_s=drift)


def short(rng: np.random.Generator) -> Trap:
    """A record of 0.2 s, its offset as long as the record."""
    pairs = steady(rng, 20e3, 0.2)
    sides = (np.concatenate((jittered(rng, pairs), steady(rng, 100e3, 0.2))) for _ in "ab")
    return Trap(*sides, offset_s=float(rng.uniform(-0.5, 0.5)), max_offset_s=1.0)


def hour(rng: np.random.Generator) -> Trap:
    """An hour of 50 cps in 500 cps."""
    pairs = steady(rng, 50.0, 3600.0)
    return Trap(*(np.concatenate((jittered(rng, pairs), steady(rng, 450.0, 3600.0))) for _ in "ab"), skew=1e-8)


def ghost(rng: np.random.Generator) -> Trap:
    """A reflection 40 ns late of a quarter of the pairs."""
    pairs = steady(rng, 5e3, 2.0)
    late = 40_000.0 * (rng.random(len(pairs)) < 0.2)
    a = np.concatenate((jittered(rng, pairs), steady(rng, 30e3, 2.0)))
    return Trap(a, np.concatenate((jittered(rng, pairs + late), steady(rng, 30e3, 2.0))))


def brief_pairs(rng: np.random.Generator) -> Trap:
    """Pairs in the first 40 % of the record only."""
    pairs = steady(rng, 10e3, 0.8)
    return Trap(*(np.concatenate((jittered(rng, pairs), steady(rng, 40e3, 2.0))) for _ in "ab"))


TRAPS: dict[str, Callable[[np.random.Generator], Trap]] = {
    f.__name__: f
    for f in (
        after_pulsing,
        after_pulsing_alone,
        thermal,
        thermal_alone,
        bursts_alone,
        flashes_alone,
        mains_alone,
        pulsed,
        pulsed_weak,
        pulsed_alone,
        slow_pulses_alone,
        gated,
        gated_alone,
        coarse_ticks,
        coarse_ticks_alone,
        fine_ticks_alone,
        saturated,
        channels,
        two_equal_channels,
        tails,
        unequal,
        drifting,
        short,
        hour,
        ghost,
        brief_pairs,
    )
}


def judge(trap: Trap, a: NDArray[np.int64], model: ClockModel | None) -> str:
    """ "right", "none" or "WRONG"."""
    if model is None:
        return "none"
    mid = a[len(a) // 2 : len(a) // 2 + 1]
    error = abs(float((offset_at(mid, model) - trap.truth(mid))[0]))
    near = error < max(6 * float(offset_std_at(mid, model)[0]), trap.tolerance_ps)
    return "right" if trap.pairs and near else "WRONG"


def spring(name: str, cases: range) -> dict[str, int]:
    """Runs one trap on seeded cases and prints how often the answer was right, none or wrong."""
    verdicts = {"right": 0, "none": 0, "WRONG": 0}
    cpu, words = [], set()
    for k in cases:
        trap = TRAPS[name](np.random.default_rng([30, sorted(TRAPS).index(name), k]))
        a, b = trap.recorded()
        start = time.process_time()
        result = synchronize(a, b, max_offset_s=trap.max_offset_s, max_ppm=trap.max_ppm, max_work=trap.max_work)
        cpu.append(time.process_time() - start)
        verdicts[judge(trap, a, result.model)] += 1
        words.add(result.reason[:120])
    told = "; ".join(f"{n} {verdict}" for verdict, n in verdicts.items() if n)
    print(
        f"{name:<20} {len(cases):>3} cases  {told}; CPU {np.mean(cpu):.2f} s  {' | '.join(w for w in words if w)}",
        flush=True,
    )
    return verdicts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trap", choices=TRAPS, action="append")
    parser.add_argument("--cases", type=int, default=4)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    for name in arguments.trap or TRAPS:
        spring(name, range(arguments.first, arguments.first + arguments.cases))


if __name__ == "__main__":
    main()
