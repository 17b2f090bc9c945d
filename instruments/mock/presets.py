"""Simulated labs by name: ``configs/presets/*.yaml``, with overrides."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML

from ..errors import ConfigError
from ..twin import ClockConfig, DetectorConfig, TwinConfig, World

#: What a preset says beside the lab's configuration.
_NOTES = ("description", "sources", "link", "published")


def preset_names() -> tuple[str, ...]:
    """The presets that are shipped."""
    return tuple(sorted(p.name.removesuffix(".yaml") for p in _folder().iterdir() if p.name.endswith(".yaml")))


def load_preset(name: str, overrides: Mapping[str, Any] | None = None) -> TwinConfig:
    """A preset with some values replaced. Raises ConfigError naming the key and what is allowed."""
    values = {key: value for key, value in _read(name).items() if key not in _NOTES}
    try:
        return TwinConfig.model_validate(merge(values, overrides or {}))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"twin preset {name}: {where}: {first['msg']} (got {first['input']!r})") from error


def preset_notes(name: str) -> dict[str, Any]:
    """What a preset says beside the lab: description, sources, for a published link its table and figures."""
    return {key: value for key, value in _read(name).items() if key in _NOTES}


def _read(name: str) -> dict[str, Any]:
    path = _folder() / f"{name}.yaml"
    if not path.is_file():
        raise ConfigError(f"twin.preset: there is no preset {name!r}; there are {', '.join(preset_names())}")
    values: dict[str, Any] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return values


def load_detector(name: str) -> DetectorConfig:
    """One detector by name from ``configs/presets/detectors``. Raises ConfigError when there is none of that name."""
    return DetectorConfig.model_validate(_part("detectors", name))


def load_clock(name: str) -> ClockConfig:
    """One clock by name from ``configs/presets/clocks``. Raises ConfigError when there is none of that name."""
    return ClockConfig.model_validate(_part("clocks", name))


def _part(folder: str, name: str) -> Any:
    path = _folder() / folder / f"{name}.yaml"
    if not path.is_file():
        raise ConfigError(f"there is no preset {name!r} in configs/presets/{folder}")
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def load_world(twin: Mapping[str, Any], seed: int | None = None) -> World:
    """The lab a station's ``twin:`` section describes (keys preset, overrides, seed, pace); ``seed`` wins over the file's.

    Raises ConfigError for an unknown key or a value out of range.
    """
    unknown = set(twin) - {"preset", "overrides", "seed", "pace"}
    if unknown:
        raise ConfigError(f"twin: unknown key {sorted(unknown)[0]!r}; allowed are preset, overrides, seed, pace")
    pace = twin.get("pace", "free")
    if pace != "free" and not (isinstance(pace, int | float) and pace > 0):
        raise ConfigError(f"twin.pace: must be 'free' or a positive multiple of real time, got {pace!r}")
    config = load_preset(twin.get("preset", "single_er_cavity"), twin.get("overrides"))
    return World(config, twin.get("seed", 0) if seed is None else seed, pace)


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``changes`` laid over it, nested mappings merged key by key."""
    merged = dict(base)
    for key, value in changes.items():
        inner = merged.get(key)
        merged[key] = merge(inner, value) if isinstance(value, Mapping) and isinstance(inner, Mapping) else value
    return merged


def _folder() -> Any:
    return files(__package__.split(".")[0] + ".configs") / "presets"
