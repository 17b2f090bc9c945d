"""Numbers with units as people type them: ``"1.5 mW"``, ``"20 us"``, ``0.02``."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from .errors import UsageError

_PREFIX = {
    "": 0, "f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6, "m": -3, "c": -2, "k": 3, "M": 6, "G": 9, "T": 12,
}  # fmt: skip
_TEXT = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\d\s.+-]\S*)?\s*$")


def parse_quantity(value: object, unit: str) -> float:
    """A number in ``unit`` (an SI base form such as ``s``, ``W``, ``Hz``, ``K``) from a number or a text like ``"20 us"``.

    A bare number is taken to be in ``unit`` already.

    Raises:
        UsageError: not a finite number, or another unit; says what is allowed.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UsageError(f"expected a number in {unit or 'pure form'}, got {value!r}")
    if isinstance(value, int | float):
        number = float(value)
    else:
        match = _TEXT.match(value)
        if match is None:
            raise UsageError(f"cannot read {value!r} as a number in {unit}; write e.g. {_example(unit)}")
        # Decimal keeps "20 us" exactly equal to 20e-6.
        number = float(Decimal(match[1]).scaleb(_exponent(match[2] or unit, unit, value)))
    if not math.isfinite(number):
        raise UsageError(f"{value!r} is not a finite number in {unit}")
    return number


def _exponent(typed: str, unit: str, value: object) -> int:
    if typed == unit:
        return 0
    if unit and typed.endswith(unit) and typed[: -len(unit)] in _PREFIX:
        return _PREFIX[typed[: -len(unit)]]
    raise UsageError(f"{value!r} has unit {typed!r}, expected {unit or 'no unit'}; write e.g. {_example(unit)}")


def _example(unit: str) -> str:
    return f'"1.5 m{unit}" or 0.0015' if unit else "0.0015"


def format_quantity(number: float, unit: str, digits: int = 4) -> str:
    """Text with an SI prefix: ``format_quantity(2e-5, "s") == "20 µs"``; pure numbers are printed as they are."""
    if not math.isfinite(number) or not unit or number == 0 or unit == "K":
        return f"{number:.{digits}g} {unit}".rstrip()
    exponent = max(-15, min(12, 3 * math.floor(math.log10(abs(number)) / 3)))
    prefix = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}[exponent]
    return f"{number / 10.0**exponent:.{digits}g} {prefix}{unit}"
