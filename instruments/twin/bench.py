"""The free-running midpoint: darks of ch1 and ch2 and the light of the correlation source, while no pulses are played."""

from __future__ import annotations

from math import log, sqrt
from typing import Protocol

import numpy as np

from ...analysis.records import FloatArray, Int64Array
from .conditions import MIDPOINT, Conditions
from .config import LightSourceConfig, TwinConfig
from .kernels import merge, settle
from .light_kernels import emitter_times, pair_times, split, thermal_times
from .streams import Arrivals, key, stream

_MOST_PAIRS = 12


class Source(Protocol):
    """Photons of a source in order of time; the same for any cutting of time."""

    def take_until(self, t_ps: int) -> Int64Array: ...


class Thermal:
    """Chaotic light of Lorentzian spectrum: g2(t) = 1 + exp(-2|t|/coherence time), and all higher orders, exactly.

    Its photons are the births and immigrations of a population: births at λ a member, immigrations at λ, deaths at μ a
    member; rate λμ/(μ - λ), memory 1/(μ - λ) (Jakeman and Shepherd, J. Phys. A 17, L745, 1984). The population is what
    the photons so far tell of the light: given m members its intensity is gamma distributed with shape m + 1.
    """

    def __init__(self, stream_key: np.uint64, t_ps: int, rate_hz: float, coherence_time_s: float) -> None:
        tau_ps = coherence_time_s * 1e12
        spread = sqrt(1 + 2 * rate_hz * coherence_time_s)
        self._rate_per_ps = rate_hz * 1e-12
        self._key, self._gain, self._loss = stream_key, (spread - 1) / tau_ps, (spread + 1) / tau_ps
        first, wait = stream(int(stream_key), "population").random(2)
        members = int(log(first) / log(self._gain / self._loss))
        due_ps = t_ps - log(wait) / (self._gain * (1 + members) + self._loss * members)
        self._counter, self._due_ps, self._fraction_ps, self._members = 0, int(due_ps), due_ps % 1, members

    def take_until(self, t_ps: int) -> Int64Array:
        parts = []
        while self._due_ps < t_ps:
            out = np.empty(int((t_ps - self._due_ps) * self._rate_per_ps * 1.1) + 1000, np.int64)
            n, self._counter, self._due_ps, self._fraction_ps, self._members = thermal_times(
                self._key, self._counter, self._due_ps, self._fraction_ps, self._members, self._gain, self._loss,
                t_ps, out,
            )  # fmt: skip
            parts.append(out[:n])
        return np.concatenate([np.empty(0, np.int64), *parts])


class Emitter:
    """One two-level emitter: g2(t) = 1 - exp(-|t|(1/wait + 1/lifetime)), mean rate 1/(wait + lifetime)."""

    def __init__(self, stream_key: np.uint64, t_ps: int, rate_hz: float, lifetime_s: float) -> None:
        self._key, self._counter, self._next_ps = stream_key, 0, t_ps
        self._wait_ps, self._lifetime_ps = max(1 / rate_hz - lifetime_s, 0.0) * 1e12, lifetime_s * 1e12

    def take_until(self, t_ps: int) -> Int64Array:
        mean_ps = self._wait_ps + self._lifetime_ps
        parts = []
        while self._next_ps < t_ps:
            out = np.empty(int((t_ps - self._next_ps) / mean_ps) + 1000, np.int64)
            n, self._counter, self._next_ps = emitter_times(
                self._key, self._counter, self._next_ps, self._wait_ps, self._lifetime_ps, t_ps, out
            )
            parts.append(out[:n])
        return np.concatenate([np.empty(0, np.int64), *parts])


class PulsedPairs:
    """Parametric down-conversion pumped by pulses: numbers negative binomial over ``schmidt_modes`` thermal modes."""

    def __init__(self, stream_key: np.uint64, t_ps: int, rate_hz: float, config: LightSourceConfig) -> None:
        self._key, self._counter = stream_key, 0
        self._period_ps, self._sigma_ps = 1e12 / config.repetition_hz, config.pulse_sigma_ps
        self._pulse = int(t_ps / self._period_ps) + 1
        chances = pair_numbers(rate_hz / config.repetition_hz, config.schmidt_modes)
        self._empty = float(chances[0])
        self._numbers = np.cumsum(chances[1:]) / chances[1:].sum()
        self._held = np.empty(0, np.int64)

    def take_until(self, t_ps: int) -> Int64Array:
        parts = [self._held]
        reach_ps = t_ps + int(10 * self._sigma_ps) + 1  # no later pulse has a photon before t_ps
        while self._pulse * self._period_ps < reach_ps:
            pulses = (reach_ps / self._period_ps - self._pulse) * (1 - self._empty)
            out = np.empty(int(2 * pulses) + 1000, np.int64)
            n, self._counter, self._pulse = pair_times(
                self._key, self._counter, self._pulse, self._empty, self._numbers, self._period_ps, self._sigma_ps,
                reach_ps, out,
            )  # fmt: skip
            parts.append(out[:n])
        found = np.concatenate(parts)
        settle(found)
        n = int(np.searchsorted(found, t_ps))
        self._held = found[n:]
        return found[:n]


def pair_numbers(mean: float, modes: float) -> FloatArray:
    """Chances of 0, 1, … pairs in a pulse, float64 (N,): negative binomial with ``modes`` thermal modes."""
    chances = [(1 + mean / modes) ** -modes]
    for n in range(1, _MOST_PAIRS + 1):
        chances.append(chances[-1] * (modes + n - 1) / n * mean / (mean + modes))
    return np.array(chances)


class BenchLight:
    """What would make rested pixels click at the midpoint, and at ch3 by idlers, apart from the pulse program."""

    def __init__(self, config: TwinConfig, seed: int) -> None:
        self._config, self._seed, self._epoch = config, seed, 0
        self._steady = {c: Arrivals(key(seed, "bench", c)) for c in MIDPOINT}
        self._source: Source | None = None
        self._idlers: tuple[float, float] = (0.0, 0.0)
        self._chances = (0.0, 0.0)
        self._taken = 0

    def rest(self, t_ps: int) -> None:
        """Gates are closed: nothing more from ``t_ps`` on."""
        self._source = None
        for arrivals in self._steady.values():
            arrivals.set_rate(t_ps, 0.0)

    def shine(self, now: Conditions, t_ps: int) -> None:
        """Applies the present settings from lab time ``t_ps`` on."""
        for channel, rate_hz in now.bench_rates_hz().items():
            self._steady[channel].set_rate(t_ps, rate_hz + now.dark_rate_hz(channel))
        self._epoch += 1
        kind, rate_hz = now.light_kind, now.light_rate_hz
        self._source = self._built(kind, t_ps, rate_hz) if rate_hz > 0 else None
        self._taken = 0
        passed = self._config.light_source.signal_transmission if kind == "pairs" else 1.0
        share = self._config.midpoint.splitter_transmission
        self._chances = (
            passed * share * now.efficiency(MIDPOINT[0]),
            passed * (1 - share) * now.efficiency(MIDPOINT[1]),
        )
        idler = self._config.light_source.idler_transmission * now.efficiency("ch3") if kind == "pairs" else 0.0
        self._idlers = (idler, 0.0)

    def take_until(self, t_ps: int) -> dict[str, Int64Array]:
        """Photon and dark times at each pixel before ``t_ps``, sorted int64 ps."""
        taken = {channel: arrivals.take_until(t_ps) for channel, arrivals in self._steady.items()}
        if self._source is None:
            return taken
        photons = self._source.take_until(t_ps)
        ways = split(photons, key(self._seed, "splitter", self._epoch), self._taken, *self._chances)
        for channel, found in zip(MIDPOINT, ways, strict=True):
            taken[channel] = merge(taken[channel], found)
        if self._idlers[0] > 0:
            taken["ch3"], _ = split(photons, key(self._seed, "idlers", self._epoch), self._taken, *self._idlers)
        self._taken += len(photons)
        return taken

    def _built(self, kind: str, t_ps: int, rate_hz: float) -> Source | None:
        stream_key, config = key(self._seed, "source", self._epoch), self._config.light_source
        match kind:
            case "thermal":
                return Thermal(stream_key, t_ps, rate_hz, config.coherence_time_s)
            case "single_photon":
                return Emitter(stream_key, t_ps, rate_hz, config.emitter_lifetime_s)
            case "pairs":
                return PulsedPairs(stream_key, t_ps, rate_hz, config)
        return None
