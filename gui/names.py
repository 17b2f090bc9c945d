"""Names and numbers as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

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
    """``12.86 (12.59 … 13.13) Hz``: one prefix, and as many decimals as the interval deserves."""
    value, interval = value_and_interval(estimate)
    if not interval:
        return value
    if interval.startswith("±"):
        return f"{value} {interval}"
    number, space, unit = value.partition(" ")
    if space and interval.endswith(f" {unit}"):
        return f"{number} ({interval.removesuffix(f' {unit}')}) {unit}"
    return f"{value} ({interval})"


def value_and_interval(estimate: EstimateView) -> tuple[str, str]:
    """``("12.86 Hz", "12.59 … 13.13 Hz")``, or for a value known far better than its size ``("-36.06267200 ms", "± 9 ps")``.

    The second is empty when no interval is known.
    """
    (value, unit), (lower, _), (upper, _) = (
        si(number, estimate.unit) for number in (estimate.value, estimate.lower, estimate.upper)
    )
    if not math.isfinite(value):
        return "not yet known", ""
    half = (upper - lower) / 2
    if not math.isfinite(half) or half <= 0:
        return amount(value, unit), ""
    if abs(value) / half > 1e5 or (not unit and 0 < abs(value) < 1e-3):
        return _known_well(value, lower, upper, unit)
    factor, prefix = _prefix(max(abs(lower), abs(upper)), unit)
    decimals = min(9, max(0, 1 - math.floor(math.log10(half / factor))))
    shown, low, high = (f"{number / factor:.{decimals}f}" for number in (value, lower, upper))
    suffix = f" {prefix}{unit}" if unit else ""
    return shown + suffix, f"{low} … {high}{suffix}"


def with_error(estimate: EstimateView, unit: str) -> str:
    """``788 ± 180 ns``: half of the interval to two digits, and the value to as many places."""
    half = (estimate.upper - estimate.lower) / 2
    if not (math.isfinite(half) and half > 0):
        return amount(estimate.value, unit)
    if unit and abs(estimate.value) / half > 1e5:
        return " ".join(_known_well(estimate.value, estimate.value - half, estimate.value + half, unit))
    factor, prefix = _prefix(max(abs(estimate.value), half), unit)
    if not unit and (abs(estimate.value) >= 1e6 or max(abs(estimate.value), half) < 1e-3):
        return f"{estimate.value:.4g} ± {half:.2g}"
    decimals = min(9, max(0, 1 - math.floor(math.log10(half / factor))))
    return f"{estimate.value / factor:.{decimals}f} ± {half / factor:.{decimals}f} {prefix}{unit}".rstrip()


def amount(value: float, unit: str) -> str:
    """A value of four digits with its unit; seconds by the thousand stay seconds."""
    return f"{value:,.0f} s" if unit == "s" and abs(value) >= 1000 else format_quantity(value, unit)


def _known_well(value: float, lower: float, upper: float, unit: str) -> tuple[str, str]:
    digits = 2 + max(0, math.ceil(math.log10(abs(value) / (upper - lower)))) if value else 2
    below, above = (format_quantity(gap, unit, 3) for gap in (value - lower, upper - value))
    return format_quantity(value, unit, min(digits, 15)), f"± {above}" if below == above else f"-{below} … +{above}"


def _prefix(size: float, unit: str) -> tuple[float, str]:
    """The SI prefix that suits a number of that size; none for a pure number, and seconds are not counted by the thousand."""
    if not unit or size == 0:
        return 1.0, ""
    highest = 0 if unit == "s" else 12
    exponent = max(-15, min(highest, 3 * math.floor(math.log10(size) / 3)))
    return 10.0**exponent, {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}[
        exponent
    ]


def duration(seconds: float | None) -> str:
    """``95`` → ``1 min 35 s``; ``7200`` → ``2 h``."""
    if seconds is None or not math.isfinite(seconds):
        return "unknown"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _two_units(whole, 60, "min", "s")
    return _two_units(whole // 60, 60, "h", "min")


def _two_units(count: int, size: int, large: str, small: str) -> str:
    rest = count % size
    return f"{count // size} {large}" + (f" {rest} {small}" if rest else "")


def byte_size(size: float) -> str:
    """``3.2e9`` → ``3.2 GB``."""
    return format_quantity(size, "B", 3)


def rate(value_hz: float) -> str:
    """A count rate, at most four digits."""
    return format_quantity(value_hz, "Hz", 4)


def steady_rate(value_hz: float) -> str:
    """A count rate in always three digits, so that it does not jump about while one watches it: ``24.0 Hz``."""
    if value_hz < 0.0995:
        return "0.00 Hz"
    factor, prefix = _prefix(value_hz * 1.0005, "Hz") if value_hz >= 1 else (1.0, "")
    scaled = value_hz / factor
    decimals = max(0, 2 - math.floor(math.log10(max(scaled, 1.0) * 1.0005)))
    return f"{scaled:.{decimals}f} {prefix}Hz"


def run_time(run_id: str) -> str:
    """``20261121T162744849818-bell_test`` → ``21 Nov 16:27:44``, in local time; what is no such id stays as it is."""
    try:
        begun = datetime.strptime(run_id[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC).astimezone()
    except ValueError:
        return run_id
    return f"{begun.day} {begun:%b %H:%M:%S}"


def age(seconds: float | None) -> str:
    """How old a reading is, in its largest unit."""
    if seconds is None:
        return "never"
    if seconds < 2.5:
        return "now"
    return " ".join(duration(seconds).split(" ")[:2])
