"""What a run request means on this station: is it sound, and what would it do? Nothing is started here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ...analysis.errors import UsageError
from ...instruments.config_file import explain
from ..checks import check_sequence
from ..monitors import make_monitors
from .parameters import check_setting, find_parameter
from .values import ExperimentInfo, FieldError

if TYPE_CHECKING:
    from ..lab import Lab


class Requests:
    """Judges requests against the lab and the experiments there are."""

    def __init__(self, lab: Lab, experiments: Mapping[str, Any], out_dir: Path) -> None:
        self._lab, self._experiments, self._out_dir = lab, experiments, out_dir

    def experiments(self) -> list[ExperimentInfo]:
        """What can be run here."""
        return [
            ExperimentInfo(name, recipe.title, recipe.Config.model_json_schema())
            for name, recipe in self._experiments.items()
        ]

    def validate(self, experiment: str, config: dict[str, Any], overrides: dict[str, Any]) -> list[FieldError]:
        """Everything wrong with a request, field by field; empty when it could start."""
        recipe = self._experiments.get(experiment)
        if recipe is None:
            return [FieldError("", f"no experiment {experiment!r}; there are {', '.join(self._experiments)}")]
        errors = []
        try:
            recipe.Config(**config)
        except ValidationError as error:
            errors = [_field_error(e, recipe.Config) for e in error.errors()]
        for name, value in overrides.items():
            try:
                check_setting(name, find_parameter(self._lab.station, name), value)
            except UsageError as refusal:
                errors.append(FieldError(name, str(refusal)))
        return errors

    def validate_monitors(self, monitors: Mapping[str, Mapping[str, Any]]) -> list[FieldError]:
        """What is wrong with monitors of a request; empty when they could watch."""
        try:
            make_monitors(monitors)
        except UsageError as error:
            return [FieldError("monitors", str(error))]
        return []

    def plan(self, experiment: str, config: dict[str, Any]) -> dict[str, Any]:
        """What a run would do: its settings with their sequences, what is wrong with them, and what it needs.

        Raises:
            UsageError: the config is not sound; see ``validate``.
        """
        errors = self.validate(experiment, config, {})
        if errors:
            raise UsageError("; ".join(map(str, errors)))
        recipe = self._experiments[experiment]
        bound = recipe(recipe.Config(**config)).on(self._lab.nodes)
        settings = bound.build().settings
        return {
            "settings": [
                {
                    "name": s.name,
                    "parameters": {name: str(value) for name, value in s.parameters.items()},
                    "sequence": None if s.sequence is None else s.sequence.describe(),
                }
                for s in settings
            ],
            "problems": [p for s in settings if s.sequence is not None for p in check_sequence(s.sequence)],
            "budget": self._lab.budget(bound, self._out_dir),
        }


def _field_error(error: Mapping[str, Any], config: Any) -> FieldError:
    message = explain(error, config) if error["type"] == "extra_forbidden" else error["msg"]
    return FieldError(".".join(map(str, error["loc"])), message)
