"""What the instruments have set: one flat, immutable table of (component, parameter) -> number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .config import TwinConfig

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Settings:
    """The lab's knobs. ``settings["laser", "power"]``; a changed copy comes from :meth:`changed`."""

    values: Mapping[Key, float]

    def __getitem__(self, key: Key) -> float:
        return self.values[key]

    def changed(self, key: Key, value: float) -> Settings:
        return Settings(MappingProxyType({**self.values, key: value}))


def power_up(config: TwinConfig) -> Settings:
    """The state after switching on: nothing emits, nothing is biased, magnets hold their nominal field."""
    values: dict[Key, float] = {
        ("laser", "emission"): 0.0,
        ("laser", "power"): 0.0,
        ("laser", "frequency"): config.laser.frequency_hz,
        ("laser", "lock"): 0.0,
        ("attenuator", "attenuation"): 0.0,
        ("attenuator", "shutter_open"): 1.0,
        ("switch", "position"): 1.0,
        ("light_source", "emission"): 0.0,
        ("light_source", "kind"): 0.0,
        ("light_source", "rate"): 0.0,
        ("phase_shifter", "phase"): 0.0,
        ("pair_source", "emission"): 0.0,
        ("pair_source", "pump_power"): 0.0,
        ("pair_source", "site"): 0.0,
        ("cryostat", "setpoint"): config.cryostat.start_temperature_k,
        ("cryostat", "temperature"): config.cryostat.start_temperature_k,
    }
    # Hidden from every instrument: what faults and drifts do.
    values["laser", "frequency_error"] = values["midpoint", "phase_drift"] = 0.0
    for tagger in config.taggers:
        values[tagger, "unplugged"] = values[tagger, "hung"] = values[tagger, "clock_step"] = 0.0
        values[tagger, "skew_error"] = values[tagger, "stalled"] = values[tagger, "frequency_offset"] = 0.0
    for name, node in (("alice", config.alice), ("bob", config.bob)):
        values[f"{name}_memory", "electrode_voltage"] = 0.0
        values[f"{name}_memory", "path_error"] = values[f"{name}_memory", "fibre_warmth"] = 0.0
        values[f"{name}_delay", "delay"] = values[f"{name}_shifter", "frequency"] = 0.0
        for axis, turn in zip("123", node.fibre.birefringence_rad, strict=True):
            values[f"{name}_polarization", f"angle{axis}"] = 0.0
            values[f"{name}_memory", f"birefringence{axis}"] = turn
        values[f"{name}_memory", "magnetic_field"] = node.memory.nominal_field_t
    for channel in config.detectors:
        values[f"snspd.{channel}", "bias"] = 0.0
        values[f"snspd.{channel}", "latched"] = 0.0
        values[f"snspd.{channel}", "unplugged"] = 0.0
    return Settings(MappingProxyType(values))
