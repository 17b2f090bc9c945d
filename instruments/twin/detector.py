"""A superconducting pixel: recovery of bias and efficiency after a click, time walk, jitter, after-pulses."""

from __future__ import annotations

import numpy as np

from ...analysis.records import Int64Array
from . import devices
from .config import DetectorConfig
from .kernels import detect
from .streams import key

#: The recovery table: rows of 0.5 ns over ten recovery times, at most this many.
_STEP_PS = 500.0
_MAX_ROWS = 20_000
_ECHOES = 16
#: How many earlier clicks make one late.
_HISTORY = 64


class Pixel:
    """Turns photons that would click on a rested pixel into clicks.

    Attributes:
        jittered: whether the photons' times already hold the pixel's jitter (those of a pulse program do).
    """

    def __init__(self, config: DetectorConfig, seed: int, name: str) -> None:
        self._config = config
        self.jittered = False
        self._history = np.zeros(_HISTORY + 1, np.int64)
        self._parts = np.array(config.jitter_parts, float).reshape(-1, 3)
        self._parts[:, 0] = np.cumsum(self._parts[:, 0])
        self._key, self._counter = key(seed, "pixel", name), 0
        self._last_ps, self._counted = -(2**62), 0
        self._echoes = np.zeros(_ECHOES, np.int64)
        self._bias_a = -1.0
        self.set_bias(config.plateau_bias_a + 2 * config.plateau_width_a)

    def set_bias(self, bias_a: float) -> None:
        """Derives efficiency and walk after a click for this bias."""
        if bias_a == self._bias_a:
            return
        config, self._bias_a = self._config, bias_a
        reach_ps = max([10 * config.recovery_ps, *(row[0] for row in config.walk)])
        rows = min(int(reach_ps / _STEP_PS) + 2, _MAX_ROWS)
        since_ps = np.arange(rows, dtype=np.float64) * _STEP_PS
        current = 1 - np.exp(-since_ps / config.recovery_ps) if config.recovery_ps > 0 else np.ones(rows)
        rested = devices.efficiency(config, bias_a, latched=False)
        now = np.array([devices.efficiency(config, bias_a * float(i), latched=False) for i in current])
        self._recovery = now / rested if rested > 0 else np.zeros(rows)
        self._walk_ps = devices.time_walk(config, since_ps)

    def click(self, photons: Int64Array, stop_ps: int) -> Int64Array:
        """Clicks (sorted int64 ps) caused by the sorted photons, all earlier than ``stop_ps``."""
        c = self._config
        sigma_ps, tau_ps = (0.0, 0.0) if self.jittered else (c.jitter_sigma_ps, c.jitter_tau_ps)
        parts = self._parts[:0] if self.jittered else self._parts
        out = np.empty(2 * len(photons) + 2 * _ECHOES, np.int64)
        n, self._counter, self._last_ps = detect(
            photons, stop_ps, self._key, self._counter, self._last_ps, sigma_ps, tau_ps, c.dead_time_ps,
            _STEP_PS, self._recovery, self._walk_ps, c.walk_curvature_per_ps, parts,
            self._history, c.afterpulse_probability, float(c.afterpulse_delay_ps),
            self._echoes, out,
        )  # fmt: skip
        self._counted += n
        return out[:n]

    def count(self) -> int:
        """Clicks since the last call."""
        counted, self._counted = self._counted, 0
        return counted
