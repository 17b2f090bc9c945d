"""Experiment presets: YAML files with the keys of an experiment's config, shipped or the user's own."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import platformdirs
from ruamel.yaml import YAML

from ..analysis.errors import UsageError
from ..instruments.config_file import plain, read_yaml
from ..instruments.errors import ConfigError

_FOLDER = Path(__file__).parent.parent / "configs" / "experiments"


def own_folder() -> Path:
    """Where the user's presets lie; it need not exist."""
    return Path(platformdirs.user_config_dir("erbia", appauthor=False)) / "presets"


def shipped_presets() -> dict[str, Path]:
    """Shipped presets by name."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.yaml"))}


def known_presets() -> dict[str, Path]:
    """Shipped presets and the user's by name; the user's own comes first where both have one."""
    return shipped_presets() | {path.stem: path for path in sorted(own_folder().glob("*.yaml"))}


def presets_for(experiment: str) -> dict[str, dict[str, Any]]:
    """The presets of one experiment by name; files that are wrong or for another are left out."""
    found = {}
    for name in known_presets():
        try:
            found[name] = read_preset(experiment, name)
        except ConfigError:
            continue
    return found


def preset_text(experiment: str, config: dict[str, Any]) -> str:
    """The preset as YAML."""
    text = io.StringIO()
    YAML().dump({experiment: config}, text)
    return text.getvalue()


def save_preset(experiment: str, name: str, config: dict[str, Any]) -> Path:
    """Keeps a config under a name as one of the user's presets, over an earlier one of that name; gives the file.

    Raises:
        UsageError: the name is no plain word, or the file cannot be written.
    """
    if not name.replace("_", "").replace("-", "").isalnum():
        raise UsageError(f"preset name {name!r}: use letters, digits, - and _ only")
    path = own_folder() / f"{name}.yaml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(preset_text(experiment, config), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error}") from error
    return path


def read_preset(experiment: str, name_or_path: str | None) -> dict[str, Any]:
    """Config keys of a preset; of none, an empty dict. The file is ``{experiment name: {key: value}}``.

    Raises:
        ConfigError: no such preset, or it is for another experiment.
    """
    if name_or_path is None:
        return {}
    known = known_presets()
    path = known.get(name_or_path, Path(name_or_path))
    if path.suffix not in {".yaml", ".yml"}:
        raise ConfigError(f"no preset {name_or_path!r}: give a .yaml file or one of {', '.join(known)}")
    content = plain(read_yaml(path))
    if not isinstance(content, dict) or list(content) != [experiment]:
        held = ", ".join(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise ConfigError(f"{path}: holds {held}, expected one key {experiment!r} with its config")
    return dict(content[experiment] or {})
