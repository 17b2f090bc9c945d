"""Names and numbers as people read them."""

from __future__ import annotations

import math

from ..analysis.quantity import format_quantity
from .view_models import EstimateView

_SYMBOLS = {"fidelity": "fidelity F", "chsh_s": "CHSH S"}
_UNIT_ENDINGS = {"_s": "s", "_ps": "s", "_hz": "Hz", "_w": "W", "_v": "V", "_k": "K"}
_SCALES = {"ps": (1e-12, "s")}


def title(name: str) -> str:
    """``herald_rate_hz`` → ``herald rate``."""
    if name in _SYMBOLS:
        return _SYMBOLS[name]
    for ending in _UNIT_ENDINGS:
        if name.endswith(ending) and len(name) > len(ending):
            name = name.removesuffix(ending)
            break
    return name.replace("_", " ")


def si(value: float, unit: str) -> tuple[float, str]:
    """The value in a unit that takes SI prefixes: ``(3, "ps")`` → ``(3e-12, "s")``."""
    factor, base = _SCALES.get(unit, (1.0, unit))
    return value * factor, base


def with_interval(estimate: EstimateView) -> str:
    """``0.953 (0.941 … 0.962)`` in the estimate's unit, with the digits the interval deserves."""
    value, unit = si(estimate.value, estimate.unit)
    lower, upper = si(estimate.lower, estimate.unit)[0], si(estimate.upper, estimate.unit)[0]
    if not math.isfinite(value):
        return "not yet known"
    if not (math.isfinite(lower) and math.isfinite(upper)):
        return format_quantity(value, unit)
    digits = _digits(value, upper - lower)
    shown = (format_quantity(number, unit, digits) for number in (value, lower, upper))
    return "{} ({} … {})".format(*shown)


def _digits(value: float, width: float) -> int:
    """Significant digits that show two digits of the interval's width."""
    if width <= 0 or value == 0:
        return 6
    return int(min(12, max(2, math.ceil(math.log10(abs(value)) - math.log10(width)) + 2)))


def duration(seconds: float | None) -> str:
    """``95`` → ``1 min 35 s``."""
    if seconds is None or not math.isfinite(seconds):
        return "unknown"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def byte_size(size: float) -> str:
    """``3.2e9`` → ``3.2 GB``."""
    return format_quantity(size, "B", 3)


def rate(value_hz: float) -> str:
    """A count rate, at most four digits."""
    return format_quantity(value_hz, "Hz", 4)


def age(seconds: float | None) -> str:
    """How old a reading is."""
    return "never read" if seconds is None else "now" if seconds < 1.5 else duration(seconds)
