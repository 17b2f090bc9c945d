"""Checked configs from keys as people type them."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from ...instruments.config_file import explain
from ...instruments.errors import ConfigError
from .base import ExperimentConfig


def nested(keys: Mapping[str, Any], onto: Mapping[str, Any]) -> dict[str, Any]:
    """``onto`` with the dotted ``keys`` (``timing.window_s``) put in."""
    tree: dict[str, Any] = deepcopy(dict(onto))
    for dotted, value in keys.items():
        *sections, key = dotted.split(".")
        target = tree
        for section in sections:
            target = target.setdefault(section, {})
        target[key] = value
    return tree


def make_config(model: type[ExperimentConfig], config: Mapping[str, Any], what: str) -> ExperimentConfig:
    """A checked config. Raises ConfigError with one line a problem."""
    try:
        return model.model_validate(config)
    except ValidationError as error:
        raise ConfigError(*(f"{what}: {explain(e, model)}" for e in error.errors())) from error
