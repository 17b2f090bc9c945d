"""The nodes' own detectors in the free-running lab: dark clicks and photon pairs, arriving at any time."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from ...analysis.records import FloatArray, Int64Array
from .conditions import LOCAL, Conditions
from .config import DetectorConfig, TwinConfig
from .streams import Arrivals, stream


class Jitter:
    """Exponentially modified Gaussian delays; two streams, so that the draws do not depend on how they are grouped."""

    def __init__(self, pixel: DetectorConfig, seed: int, *name: str) -> None:
        self._sigma_ps, self._tau_ps = pixel.jitter_sigma_ps, pixel.jitter_tau_ps
        self._gauss: Generator = stream(seed, "jitter", "gauss", *name)
        self._tail: Generator = stream(seed, "jitter", "tail", *name)

    def draw(self, n: int) -> FloatArray:
        """Delays float64 (n,) ps."""
        delay: FloatArray = self._sigma_ps * self._gauss.standard_normal(
            n
        ) + self._tau_ps * self._tail.standard_exponential(n)
        return delay


class LocalLight:
    """Clicks of ch3 and ch4 that do not come from the pulse program."""

    def __init__(self, config: TwinConfig, seed: int) -> None:
        self._config = config
        self._dark = {c: Arrivals(stream(seed, "dark", c)) for c in LOCAL}
        self._pairs = {kind: Arrivals(stream(seed, "pairs", kind)) for kind in ("both", *LOCAL)}
        pixels = {c: config.detectors[c] for c in LOCAL}  # type: ignore[index]
        self._jitter = {(k, c): Jitter(pixels[c], seed, k, c) for c in LOCAL for k in ("both", "alone")}
        self._spread = stream(seed, "pair spread")
        self._held = {c: np.empty(0, np.int64) for c in LOCAL}

    def set_rates(self, now: Conditions, t_ps: int) -> None:
        """Applies the present settings from lab time ``t_ps`` on."""
        for kind, rate in now.pair_rates_hz().items():
            self._pairs[kind].set_rate(t_ps, rate)
        for channel in LOCAL:
            self._dark[channel].set_rate(t_ps, now.dark_rate_hz(channel))

    def take_until(self, t_ps: int) -> dict[str, Int64Array]:
        """Clicks of each channel before ``t_ps``, sorted int64 ps."""
        source = self._config.pair_source
        both = self._pairs["both"].take_until(t_ps)
        spread = source.correlation_sigma_ps * self._spread.standard_normal(len(both))
        taken = {}
        for channel, path_ps in (("ch3", source.alice_delay_ps), ("ch4", source.bob_delay_ps)):
            alone = self._pairs[channel].take_until(t_ps)
            together_ps = self._jitter["both", channel].draw(len(both)) + (spread if channel == "ch4" else 0.0)
            clicks = np.concatenate(
                [
                    self._held[channel],
                    self._dark[channel].take_until(t_ps),
                    both + path_ps + np.rint(together_ps).astype(np.int64),
                    alone + path_ps + np.rint(self._jitter["alone", channel].draw(len(alone))).astype(np.int64),
                ]
            )
            clicks.sort()
            n = int(np.searchsorted(clicks, t_ps))
            taken[channel], self._held[channel] = clicks[:n], clicks[n:]
        return taken
