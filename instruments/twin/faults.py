"""Things that go wrong, at a set time or at random: what, where, when, how much and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...analysis.records import PS_PER_S
from .config import FaultConfig, RandomFaultConfig
from .settings import Key
from .streams import stream

#: What each kind changes: parameter that takes the fault's size while it lasts (None: see World).
PARAMETERS: dict[str, str] = {
    "latch": "latched",
    "mode_hop": "frequency_error",
    "lock_loss": "frequency_error",
    "path_drift": "path_error",
    "clock_step": "clock_step",
    "unplug": "unplugged",
    "hang": "hung",
    "warm_up": "temperature",
}


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault as it will happen. ``duration_ps`` 0: it stays. Units of ``size``: Hz, ps or K, by kind."""

    at_ps: int
    kind: str
    component: str
    size: float
    duration_ps: int

    @property
    def key(self) -> Key:
        """The hidden or visible parameter it takes hold of."""
        return self.component, PARAMETERS[self.kind]


def planned(scripted: tuple[FaultConfig, ...]) -> list[Fault]:
    """The scripted faults in order of time."""
    return sorted(_fault(round(f.at_s * PS_PER_S), f) for f in scripted)


def random_faults(configs: tuple[RandomFaultConfig, ...], seed: int) -> list[Iterator[Fault]]:
    """One endless sequence of faults for each entry, exponentially spaced."""
    return [_sequence(c, seed, n) for n, c in enumerate(configs)]


def _sequence(config: RandomFaultConfig, seed: int, number: int) -> Iterator[Fault]:
    rng, t_s = stream(seed, "fault", number), 0.0
    while True:
        t_s += float(rng.exponential(3600 / config.per_hour))
        yield _fault(round(t_s * PS_PER_S), config)


def _fault(at_ps: int, config: FaultConfig | RandomFaultConfig) -> Fault:
    return Fault(at_ps, config.kind, config.component, config.size, round(config.duration_s * PS_PER_S))
