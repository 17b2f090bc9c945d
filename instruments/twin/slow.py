"""What changes by itself, in ticks of lab time: cryostat, laser frequency, optical phase, polarisation, fibre length."""

from __future__ import annotations

from math import expm1, sin, sqrt, tau

from ...analysis.records import PS_PER_S
from .conditions import NODES
from .config import TwinConfig
from .settings import Key, Settings
from .streams import stream

_STEADY_TICK_PS = PS_PER_S
#: While phase or polarisation wander the lab is looked at 50 times a second.
_WANDERING_TICK_PS = PS_PER_S // 50
#: Changes smaller than these leave probabilities as they are.
_TEMPERATURE_STEP = 0.005
_FREQUENCY_STEP_HZ = 1e4
_DELAY_STEP_PS = 10.0


class Slow:
    """Owns the drifts' randomness; a tick turns the present settings into the changed ones."""

    def __init__(self, config: TwinConfig, seed: int) -> None:
        self._config, self._rng = config, stream(seed, "slow")
        self._known_k = config.cryostat.start_temperature_k
        self._drifted_hz = 0.0
        self._fibres = {name: node.fibre for name, node in zip(NODES, (config.alice, config.bob), strict=True)}
        self._wandering = config.midpoint.phase_drift_rad2_per_s > 0 or any(
            fibre.polarisation_drift_rad2_per_s > 0 for fibre in self._fibres.values()
        )
        self._warming = any(fibre.temperature_swing_k > 0 for fibre in self._fibres.values())
        self.tick_ps = _WANDERING_TICK_PS if self._wandering else _STEADY_TICK_PS

    def resting(self, settings: Settings, light_w: float) -> bool:
        """Whether nothing changes by itself at present."""
        drifting = self._config.laser.drift_hz_per_s and not settings["laser", "lock"]
        cold = settings["cryostat", "temperature"] == self._target_k(settings, light_w)
        return cold and not (drifting or self._wandering or self._warming)

    def tick(self, settings: Settings, t_ps: int, light_w: float) -> tuple[Settings, bool]:
        """The settings one tick later, at lab time ``t_ps``, and whether the difference matters.

        ``light_w`` is the mean optical power on the chips.
        """
        changes: dict[Key, float] = {}
        self._drift(settings, changes)
        if self._wandering:
            self._wander(settings, changes)
        if self._warming:
            self._warm(settings, t_ps, changes)
        matters = bool(changes)
        target_k = self._target_k(settings, light_w)
        if settings["cryostat", "temperature"] != target_k:
            changes["cryostat", "temperature"] = new = self._followed(settings["cryostat", "temperature"], target_k)
            if new == target_k or abs(new - self._known_k) > _TEMPERATURE_STEP * new:
                self._known_k, matters = new, True
        for key, value in changes.items():
            settings = settings.changed(key, value)
        return settings, matters

    def _target_k(self, settings: Settings, light_w: float) -> float:
        return settings["cryostat", "setpoint"] + self._config.cryostat.heating_k_per_w * light_w

    def _followed(self, now_k: float, target_k: float) -> float:
        follow = -expm1(-(self.tick_ps / PS_PER_S) / self._config.cryostat.time_constant_s)
        return target_k if abs(target_k - now_k) < 1e-4 * target_k else now_k + (target_k - now_k) * follow

    def _drift(self, settings: Settings, changes: dict[Key, float]) -> None:
        """The laser's frequency runs away, in steps of 10 kHz."""
        if settings["laser", "lock"]:
            return
        self._drifted_hz += self._config.laser.drift_hz_per_s * self.tick_ps / PS_PER_S
        if abs(self._drifted_hz) >= _FREQUENCY_STEP_HZ:
            changes["laser", "frequency_error"] = settings["laser", "frequency_error"] + self._drifted_hz
            self._drifted_hz = 0.0

    def _wander(self, settings: Settings, changes: dict[Key, float]) -> None:
        """Optical phase and the fibres' birefringence walk at random."""
        tick_s = self.tick_ps / PS_PER_S
        drawn = self._rng.standard_normal(7)
        keys = [("midpoint", "phase_drift")]
        steps = [sqrt(self._config.midpoint.phase_drift_rad2_per_s * tick_s)]
        for name, fibre in self._fibres.items():
            keys += [(f"{name}_memory", f"birefringence{axis}") for axis in "123"]
            steps += [sqrt(fibre.polarisation_drift_rad2_per_s * tick_s)] * 3
        changes |= {
            key: settings[key] + step * float(n) for key, step, n in zip(keys, steps, drawn, strict=True) if step > 0
        }

    def _warm(self, settings: Settings, t_ps: int, changes: dict[Key, float]) -> None:
        """The fibres' delays follow their temperature."""
        for name, fibre in self._fibres.items():
            swing = fibre.delay_ps_per_km_k * fibre.length_m / 1e3 * fibre.temperature_swing_k
            late_ps = swing * sin(tau * t_ps / PS_PER_S / fibre.temperature_period_s)
            if abs(late_ps - settings[f"{name}_memory", "fibre_warmth"]) > _DELAY_STEP_PS:
                changes[f"{name}_memory", "fibre_warmth"] = late_ps
