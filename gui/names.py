"""Names and numbers as people read them."""

from __future__ import annotations

import math

from ..analysis.quantity import format_quantity
from .view_models import EstimateView

_SYMBOLS = {"fidelity": "fidelity F", "chsh_s": "CHSH S"}
#: What a run is judged by: shown first unless the user chose another result.
HEADLINES = ("fidelity", "chsh_s", "clock_offset_ps", "storage_time_s", "jitter_ps")
_UNIT_ENDINGS = {"_s": "s", "_ps": "s", "_hz": "Hz", "_w": "W", "_v": "V", "_k": "K"}
_SCALES = {"ps": (1e-12, "s")}


def title(name: str, unit: str = "") -> str:
    """``herald_rate_hz`` → ``herald rate``; an ending that is the unit goes too."""
    if unit:
        name = name.removesuffix(f"_{unit.lower()}")
    if name in _SYMBOLS:
        return _SYMBOLS[name]
    if len(name) == 4 and name.startswith("e_"):
        return f"correlator {name[2:].upper()}"
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
    """``0.953 (0.941 … 0.962)``: one prefix, and as many decimals as the interval deserves."""
    (value, unit), (lower, _), (upper, _) = (
        si(number, estimate.unit) for number in (estimate.value, estimate.lower, estimate.upper)
    )
    if not math.isfinite(value):
        return "not yet known"
    if not (math.isfinite(lower) and math.isfinite(upper)):
        return format_quantity(value, unit)
    half = (upper - lower) / 2
    if half > 0 and (abs(value) / half > 1e5 or (not unit and 0 < abs(value) < 1e-3)):
        return _with_deviations(value, lower, upper, unit)
    factor, prefix = _prefix(max(abs(lower), abs(upper)), unit)
    decimals = max(0, 1 - math.floor(math.log10(half / factor))) if half > 0 else 4
    shown = (f"{number / factor:.{min(decimals, 9)}f}" for number in (value, lower, upper))
    return "{} ({} … {})".format(*shown) + (f" {prefix}{unit}" if unit else "")


def _with_deviations(value: float, lower: float, upper: float, unit: str) -> str:
    """``-35.455028796 ms (-9 ps, +9 ps)``: for a value known far better than its size."""
    digits = 2 + max(0, math.ceil(math.log10(abs(value) / (upper - lower)))) if value else 2
    return (
        f"{format_quantity(value, unit, min(digits, 15))} "
        f"(-{format_quantity(value - lower, unit, 3)}, +{format_quantity(upper - value, unit, 3)})"
    )


def _prefix(size: float, unit: str) -> tuple[float, str]:
    """The SI prefix that suits a number of that size; none for a pure number."""
    if not unit or size == 0:
        return 1.0, ""
    exponent = max(-15, min(12, 3 * math.floor(math.log10(size) / 3)))
    return 10.0**exponent, {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}[
        exponent
    ]


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
    """How old a reading is, in its largest unit."""
    if seconds is None:
        return "never"
    if seconds < 2.5:
        return "now"
    return " ".join(duration(seconds).split(" ")[:2])
