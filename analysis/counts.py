"""Reads tables of counted outcomes: what is in them, or one clear line about what is wrong.

Outcomes of two nodes are written ``"++"``, ``"+-"``, ``"-+"``, ``"--"`` (first node first; ``+`` is early / H / bright)
or, where only their relation was kept, ``"same"`` and ``"different"``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from .errors import UsageError
from .records import Int64Array

PATTERNS = ("++", "+-", "-+", "--")
RELATIONS = ("same", "different")


def as_table(value: object, where: str) -> Mapping[str, Any]:
    """``value`` if it is a mapping, or UsageError naming ``where``."""
    if not isinstance(value, Mapping):
        raise UsageError(f"{where} must be a mapping, got {type(value).__name__}")
    return value


def require_keys(table: Mapping[str, Any], required: Collection[str], allowed: Collection[str], where: str) -> None:
    """UsageError if a key of ``required`` is missing from ``table`` or one outside ``allowed`` is in it."""
    unknown = [key for key in table if key not in allowed]
    if unknown:
        raise UsageError(f"{where}: unknown key {unknown[0]!r}; allowed are {', '.join(allowed)}")
    missing = [key for key in required if key not in table]
    if missing:
        raise UsageError(f"{where}: {missing[0]!r} is missing; needed are {', '.join(required)}")


def as_count(value: object, where: str) -> int:
    """``value`` as an int if it is a whole number >= 0 (2.0 counts as 2), or UsageError naming ``where``."""
    number = _finite(value)
    if number is None or number < 0 or not number.is_integer():
        raise UsageError(f"{where} must be a whole number of counts >= 0, got {value!r}")
    return int(number)


def as_number(value: object, where: str, lower: float, upper: float) -> float:
    """``value`` as a float if it lies in ``[lower, upper]``, or UsageError naming ``where``."""
    number = _finite(value)
    if number is None or not lower <= number <= upper:
        raise UsageError(f"{where} must be a number from {lower:g} to {upper:g}, got {value!r}")
    return number


def _finite(value: object) -> float | None:
    """``value`` as a float if it is a finite number (true and false are not numbers here)."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        return None
    return float(value) if np.isfinite(value) else None


def as_confidence(value: object) -> float:
    """A two-sided confidence in [0.5, 0.9999], or UsageError."""
    return as_number(value, "confidence", 0.5, 0.9999)


def pattern_counts(value: object, where: str) -> Int64Array:
    """Counts of ``++, +-, -+, --``: int64 (4,). All four keys are needed, so that a forgotten one is not read as zero."""
    table = as_table(value, where)
    require_keys(table, PATTERNS, PATTERNS, where)
    return np.array([as_count(table[key], f"{where} {key!r}") for key in PATTERNS], np.int64)


def same_and_different(value: object, where: str) -> tuple[int, int]:
    """Counts of equal and of unequal outcomes, from either form of table."""
    table = as_table(value, where)
    if "same" not in table and "different" not in table:
        pp, pm, mp, mm = (int(n) for n in pattern_counts(table, where))
        return pp + mm, pm + mp
    require_keys(table, RELATIONS, RELATIONS, where)
    return as_count(table["same"], f"{where} 'same'"), as_count(table["different"], f"{where} 'different'")
