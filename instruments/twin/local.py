"""The nodes' own detectors in the free-running lab: dark clicks and photon pairs, arriving at any time."""

from __future__ import annotations

from math import sqrt, tau

import numpy as np

from ...analysis.records import FloatArray, Int64Array
from .conditions import LOCAL, Conditions
from .config import FibreConfig, TwinConfig
from .devices import C_M_PER_S
from .kernels import merge, settle
from .light_kernels import dispersion_signs
from .streams import Arrivals, key


class PairArm:
    """The fibre from the pair source to a node: as long as ``delay_ps`` says, otherwise like the node's own fibre.

    Polarisation mode dispersion sends half of the photons half the differential delay earlier, the others later.
    """

    def __init__(self, fibre: FibreConfig, delay_ps: int, stream_key: np.uint64) -> None:
        self._fibre, self._delay_ps = fibre, delay_ps
        self._length_km = delay_ps * 1e-12 * C_M_PER_S / fibre.group_index / 1e3
        self._key, self._counter = stream_key, 0

    @property
    def warms(self) -> bool:
        """Whether its temperature changes."""
        return self._fibre.temperature_swing_k > 0

    @property
    def dispersion_ps(self) -> float:
        """Differential group delay of the two polarisations."""
        return self._fibre.pmd_ps_per_sqrt_km * sqrt(self._length_km)

    def warmth_ps(self, t_ps: Int64Array | FloatArray) -> FloatArray:
        """Delay added by the fibre's temperature, float64 (N,)."""
        swing = self._fibre.delay_ps_per_km_k * self._length_km * self._fibre.temperature_swing_k
        delay: FloatArray = swing * np.sin(tau * np.asarray(t_ps, float) * 1e-12 / self._fibre.temperature_period_s)
        return delay

    def arrive(self, left_ps: Int64Array) -> Int64Array:
        """When photons that left the source at these times arrive."""
        there = left_ps + self._delay_ps
        if self.warms:
            there += np.rint(self.warmth_ps(left_ps)).astype(np.int64)
        half_ps = round(self.dispersion_ps / 2)
        if half_ps:
            there += dispersion_signs(len(there), self._key, self._counter) * half_ps
            self._counter += len(there)
        return there


class LocalLight:
    """What would make rested pixels ch3 and ch4 click, apart from the pulse program.

    Darks and photons whose partner is lost are one Poisson process a pixel; pairs seen on both sides are another.
    """

    def __init__(self, config: TwinConfig, seed: int) -> None:
        source = config.pair_source
        self._arms = {
            "ch3": PairArm(config.alice.fibre, source.alice_delay_ps, key(seed, "pmd", "ch3")),
            "ch4": PairArm(config.bob.fibre, source.bob_delay_ps, key(seed, "pmd", "ch4")),
        }
        self._alone = {c: Arrivals(key(seed, "alone", c)) for c in LOCAL}
        self._both = Arrivals(key(seed, "pairs"))
        self._held = {c: np.empty(0, np.int64) for c in LOCAL}
        self._route: dict[str, tuple[str, ...]] = {c: (c,) for c in LOCAL}

    def set_rates(self, now: Conditions, t_ps: int) -> None:
        """Applies the present settings from lab time ``t_ps`` on."""
        pairs = now.pair_rates_hz()
        self._route = arms_taken(now.pair_site)
        self._both.set_rate(t_ps, pairs["both"])
        for channel in LOCAL:
            self._alone[channel].set_rate(t_ps, pairs[channel] + now.dark_rate_hz(channel))

    def take_until(self, t_ps: int) -> dict[str, Int64Array]:
        """Photon and dark times at each pixel before ``t_ps``, sorted int64 ps."""
        both = self._both.take_until(t_ps)
        taken = {}
        for channel in LOCAL:
            arriving = both
            for arm in self._route[channel]:
                arriving = self._arms[arm].arrive(arriving)
            due = np.concatenate([self._held[channel], arriving])
            settle(due)
            n = int(np.searchsorted(due, t_ps))
            self._held[channel] = due[n:]
            taken[channel] = merge(due[:n], self._alone[channel].take_until(t_ps))
        return taken


def arms_taken(site: str) -> dict[str, tuple[str, ...]]:
    """The arms a photon of a pair goes through to each node's detector, by where the source stands."""
    alice, bob = LOCAL
    routes: dict[str, dict[str, tuple[str, ...]]] = {
        "midpoint": {alice: (alice,), bob: (bob,)},
        "alice": {alice: (), bob: (alice, bob)},
        "bob": {alice: (bob, alice), bob: ()},
    }
    return routes[site]
