"""Values of instrument parameters as people read and type them. No Qt."""

from __future__ import annotations

from typing import Any

from ..analysis.quantity import format_quantity, parse_quantity
from ..sequences.engine.values import ParameterState


def value_text(parameter: ParameterState) -> str:
    """The value with its unit and an SI prefix."""
    value = parameter.value
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        return format_quantity(value, parameter.unit, 6)
    return str(value)


def parse_setting(parameter: ParameterState, typed: Any) -> Any:
    """What was typed as a value of the parameter's kind. Raises UsageError when it cannot be one."""
    if parameter.choices or isinstance(typed, bool) or isinstance(parameter.value, str):
        return typed
    number = parse_quantity(typed, parameter.unit)
    return int(number) if isinstance(parameter.value, int) and number == int(number) else number


def parameter_tip(parameter: ParameterState) -> str:
    """What the parameter is, what is allowed, and what a double click does."""
    limits = [f"{word} {format_quantity(x, parameter.unit)}" for word, x in _bounds(parameter) if x is not None]
    how = "double click to set" if parameter.settable else "double click to read now"
    return "\n".join([parameter.name, parameter.label, *limits, how])


def _bounds(parameter: ParameterState) -> list[tuple[str, float | None]]:
    return [("at least", parameter.lower), ("at most", parameter.upper)]
