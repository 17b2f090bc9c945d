"""Experiment presets: YAML files with the keys of an experiment's config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..instruments.config_file import plain, read_yaml
from ..instruments.errors import ConfigError

_FOLDER = Path(__file__).parent.parent / "configs" / "experiments"


def shipped_presets() -> dict[str, Path]:
    """Shipped presets by name."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.yaml"))}


def read_preset(experiment: str, name_or_path: str | None) -> dict[str, Any]:
    """Config keys of a preset; of none, an empty dict. The file is ``{experiment name: {key: value}}``.

    Raises:
        ConfigError: no such preset, or it is for another experiment.
    """
    if name_or_path is None:
        return {}
    shipped = shipped_presets()
    path = shipped.get(name_or_path, Path(name_or_path))
    if path.suffix not in {".yaml", ".yml"}:
        raise ConfigError(f"no preset {name_or_path!r}: give a .yaml file or one of {', '.join(shipped)}")
    content = plain(read_yaml(path))
    if not isinstance(content, dict) or list(content) != [experiment]:
        held = ", ".join(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise ConfigError(f"{path}: holds {held}, expected one key {experiment!r} with its config")
    return dict(content[experiment] or {})
