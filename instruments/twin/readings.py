"""What instruments read that nobody sets, with the noise of the reading."""

from __future__ import annotations

from collections.abc import Callable

from .conditions import Conditions
from .config import TwinConfig
from .streams import stream

#: Names of readings; all other names are knobs.
READINGS = ("resonance_frequency", "true_frequency", "measured_power", "locked", "count_rate")


class Readings:
    """Noise is drawn from a stream of its own: reading changes nothing else."""

    def __init__(self, config: TwinConfig, seed: int) -> None:
        self._meter, self._rng = config.power_meter, stream(seed, "readings")

    def of(self, now: Conditions, component: str, parameter: str, rate_hz: Callable[[str], float]) -> float:
        """One of READINGS; ``rate_hz`` tells the mean rate of a detector. Raises KeyError for one the lab does not have."""
        if parameter == "count_rate":
            return float(self._rng.poisson(rate_hz(component.removeprefix("snspd."))))
        value = now.reading(component, parameter)
        if parameter == "measured_power":
            relative, floor = self._rng.standard_normal(2)
            value = value * (1 + self._meter.noise * relative) + self._meter.noise_w * floor
        return float(value)
