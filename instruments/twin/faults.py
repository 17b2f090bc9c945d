"""Things that go wrong, at a set time or at random: what, where, when, how much and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from ...analysis.records import PS_PER_S
from .config import FaultConfig, RandomFaultConfig
from .settings import Key, Settings
from .streams import stream

#: What each kind changes: parameter that takes the fault's size while it lasts.
PARAMETERS: dict[str, str] = {
    "latch": "latched",
    "mode_hop": "frequency_error",
    "lock_loss": "frequency_error",
    "path_drift": "path_error",
    "clock_step": "clock_step",
    "rollover": "clock_step",
    "lost_reference": "skew_error",
    "overflow": "stalled",
    "unplug": "unplugged",
    "hang": "hung",
    "warm_up": "temperature",
}

_NEVER_PS = 2**62


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault as it will happen. ``duration_ps`` 0: it stays. Units of ``size`` go by the kind."""

    at_ps: int
    kind: str
    component: str
    size: float
    duration_ps: int

    @property
    def key(self) -> Key:
        """The hidden or visible parameter it takes hold of."""
        return self.component, PARAMETERS[self.kind]

    @property
    def value(self) -> float:
        """What that parameter becomes."""
        return 1.0 if self.kind in ("latch", "unplug", "hang", "overflow") else self.size


class FaultSchedule:
    """All faults of a lab: those to come, those that last, those that have happened."""

    def __init__(self, scripted: tuple[FaultConfig, ...], random: tuple[RandomFaultConfig, ...], seed: int) -> None:
        self._random = [RandomFaults(config, seed, n) for n, config in enumerate(random)]
        self._upcoming = [sequence.next() for sequence in self._random]
        self._scripted = sorted(_fault(round(f.at_s * PS_PER_S), f) for f in scripted)
        self._endings: list[tuple[int, Key]] = []
        self._happened: list[Fault] = []

    def check(self, settings: Settings) -> None:
        """Raises ValueError when a fault can hit nothing."""
        for fault in (*self._scripted, *self._upcoming):
            if fault.key not in settings.values:
                raise ValueError(f"fault {fault.kind}: there is no component {fault.component!r} it can hit")

    def next_ps(self) -> int:
        """When the next fault begins or ends (far away: never)."""
        begins = [fault.at_ps for fault in (*self._scripted[:1], *self._upcoming)]
        return min(begins + [at_ps for at_ps, _ in self._endings], default=_NEVER_PS)

    def ended(self, t_ps: int) -> list[Key]:
        """What recovers by ``t_ps``; each is told once."""
        over = [ending for ending in self._endings if ending[0] <= t_ps]
        self._endings = [ending for ending in self._endings if ending[0] > t_ps]
        return [key for _, key in sorted(over)]

    def due(self, t_ps: int) -> list[Fault]:
        """The faults that begin by ``t_ps``, in order; each is told once."""
        now = []
        while self._scripted and self._scripted[0].at_ps <= t_ps:
            now.append(self._scripted.pop(0))
        for n, sequence in enumerate(self._random):
            while self._upcoming[n].at_ps <= t_ps:
                now.append(self._upcoming[n])
                self._upcoming[n] = sequence.next()
        self._endings += [(f.at_ps + f.duration_ps, f.key) for f in now if f.duration_ps]
        self._happened += sorted(now)
        return sorted(now)

    def happened(self) -> tuple[Fault, ...]:
        """The faults so far, in order."""
        return tuple(self._happened)


class RandomFaults:
    """One endless sequence of the same fault, exponentially spaced."""

    def __init__(self, config: RandomFaultConfig, seed: int, number: int) -> None:
        self._config, self._rng, self._t_s = config, stream(seed, "fault", number), 0.0

    def next(self) -> Fault:
        """The next one in order of time."""
        self._t_s += float(self._rng.exponential(3600 / self._config.per_hour))
        return _fault(round(self._t_s * PS_PER_S), self._config)


def _fault(at_ps: int, config: FaultConfig | RandomFaultConfig) -> Fault:
    return Fault(at_ps, config.kind, config.component, config.size, round(config.duration_s * PS_PER_S))
