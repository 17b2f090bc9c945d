"""The nodes' own detectors in the free-running lab: dark clicks and photon pairs, arriving at any time."""

from __future__ import annotations

import numpy as np

from ...analysis.records import Int64Array
from .conditions import LOCAL, Conditions
from .config import TwinConfig
from .kernels import merge
from .streams import Arrivals, key


class LocalLight:
    """What would make rested pixels ch3 and ch4 click, apart from the pulse program.

    Darks and photons whose partner is lost are one Poisson process a pixel; pairs seen on both sides are another.
    """

    def __init__(self, config: TwinConfig, seed: int) -> None:
        source = config.pair_source
        self._path_ps = {"ch3": source.alice_delay_ps, "ch4": source.bob_delay_ps}
        self._alone = {c: Arrivals(key(seed, "alone", c)) for c in LOCAL}
        self._both = Arrivals(key(seed, "pairs"))
        self._held = {c: np.empty(0, np.int64) for c in LOCAL}

    def set_rates(self, now: Conditions, t_ps: int) -> None:
        """Applies the present settings from lab time ``t_ps`` on."""
        pairs = now.pair_rates_hz()
        self._both.set_rate(t_ps, pairs["both"])
        for channel in LOCAL:
            self._alone[channel].set_rate(t_ps, pairs[channel] + now.dark_rate_hz(channel))

    def take_until(self, t_ps: int) -> dict[str, Int64Array]:
        """Photon and dark times at each pixel before ``t_ps``, sorted int64 ps."""
        both = self._both.take_until(t_ps)
        taken = {}
        for channel in LOCAL:
            due = np.concatenate([self._held[channel], both + self._path_ps[channel]])
            n = int(np.searchsorted(due, t_ps))
            self._held[channel] = due[n:]
            taken[channel] = merge(due[:n], self._alone[channel].take_until(t_ps))
        return taken
