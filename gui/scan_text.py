"""A scan as it is typed, and what will be visited, in words. No Qt."""

from __future__ import annotations

from functools import cache
from typing import Any

from ..analysis.errors import UsageError
from ..analysis.quantity import format_quantity

_DIGITS = 9
EXAMPLE = (
    "laser.frequency = 194.95 THz ± 5 MHz/21; also 10..18 uA/9, log 1..100 us/20 or 1, 2, 5 ms; several axes and "
    "snake, zip, shuffled, 3 times after a semicolon; or a search: highest of laser.frequency = -5..5 MHz to 100 kHz"
)


def read_points(text: str) -> dict[str, Any]:
    """The scan or search of a text, spelt out as the run file has it. Raises UsageError saying what is allowed."""
    return dict(_checked(text).model_dump(mode="json"))


def preview(points: dict[str, Any] | str) -> str:
    """``225 points: memory.voltage -2 … 2 V, 9 × laser.frequency 194.95 … 194.96 THz, 25``, an axis a line."""
    scan = _checked(points)
    if not hasattr(scan, "axes"):
        return f"a search: {scan.method.replace('_', ' ')}"
    axes = [f"{axis.parameter} {span(axis.values, axis.unit)}" for axis in scan.axes]
    if len(axes) > 1:
        axes = [f"{axis}, {len(a.values)}" for axis, a in zip(axes, scan.axes, strict=True)]
    total = len(scan.points())
    return f"{total:,} point{'s' if total != 1 else ''}: " + ("\n× " if scan.combine == "grid" else "\nwith ").join(
        axes
    )


def span(values: tuple[float, ...], unit: str) -> str:
    """``-5 … 5 MHz``: the smallest and the largest; one value as it is."""
    low, high = (format_quantity(value, unit, _DIGITS) for value in (min(values), max(values)))
    if low == high:
        return low
    shared = high.partition(" ")[2]
    return f"{low.removesuffix(f' {shared}') if shared else low} … {high}"


@cache
def _reader() -> Any:
    """Loaded with the first scan only: the window starts a tenth of a second sooner."""
    from pydantic import TypeAdapter

    from ..sequences.scan import Points

    return TypeAdapter(Points)


def _checked(points: dict[str, Any] | str) -> Any:
    from pydantic import ValidationError

    try:
        return _reader().validate_python(points)
    except ValidationError as error:
        raise UsageError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error
