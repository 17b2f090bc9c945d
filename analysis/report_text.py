"""Numbers as people read them: as many digits as the uncertainty leaves, one prefix for value and interval."""

from __future__ import annotations

import math

from .records import Estimate

_PREFIX = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
#: Units that take a prefix; the others are shown as they are stored.
_PREFIXED = {"s", "Hz", "W", "V", "A"}


def prefix_of(number: float, unit: str) -> tuple[float, str]:
    """Divisor and unit with its SI prefix for a number in ``unit``: ``prefix_of(2e-5, "s") == (1e-6, "µs")``.

    A small pure number gets its power of ten instead: ``prefix_of(7.3e-7, "") == (1e-7, "×10⁻⁷")``.
    """
    if not unit and 0 < abs(number) < 1e-3:
        power = math.floor(math.log10(abs(number)))
        return 10.0**power, f"×10{str(power).translate(_SUPERSCRIPT)}"
    if unit not in _PREFIXED or number == 0 or not math.isfinite(number):
        return 1.0, unit
    exponent = max(-15, min(12, 3 * math.floor(math.log10(abs(number)) / 3)))
    return 10.0**exponent, _PREFIX[exponent] + unit


def digits_after_point(uncertainty: float, value: float) -> int:
    """Decimals that show two digits of the uncertainty; four significant digits where there is none."""
    size = uncertainty if math.isfinite(uncertainty) and uncertainty > 0 else abs(value) / 100
    return 0 if not 0 < size < math.inf else max(0, min(12, 1 - math.floor(math.log10(size))))


def estimate_text(estimate: Estimate) -> str:
    """Value with its interval's arms, e.g. ``0.894 +0.010 −0.012`` or ``12.0 +0.5 −0.4 ms``."""
    value, plus, minus, unit = estimate_parts(estimate)
    return f"{value} {plus} {minus} {unit}".rstrip()


def estimate_parts(estimate: Estimate) -> tuple[str, str, str, str]:
    """Value, upper arm, lower arm and unit of an Estimate as texts; an open end reads ``+∞``."""
    divisor, unit = prefix_of(estimate.value, estimate.unit)
    up, down = (estimate.upper - estimate.value) / divisor, (estimate.value - estimate.lower) / divisor
    arms = [arm for arm in (up, down) if math.isfinite(arm) and arm > 0]
    decimals = digits_after_point(min(arms, default=math.nan), estimate.value / divisor)
    return (
        _fixed(estimate.value / divisor, decimals),
        f"+{_fixed(up, decimals)}",
        f"−{_fixed(down, decimals)}",
        unit,
    )


def value_like(number: float, estimate: Estimate) -> str:
    """A bare number in the unit, prefix and digits of an Estimate."""
    divisor, unit = prefix_of(estimate.value, estimate.unit)
    arms = [arm / divisor for arm in (estimate.upper - estimate.value, estimate.value - estimate.lower) if arm > 0]
    decimals = digits_after_point(min(arms, default=math.nan), estimate.value / divisor)
    return f"{_fixed(number / divisor, decimals)} {unit}".rstrip()


def distance_in_errors(number: float, estimate: Estimate) -> float | None:
    """How many standard errors the estimate lies from a number, signed; None where no error is known."""
    std = estimate.std
    if not math.isfinite(std) or std <= 0:
        return None
    return (estimate.value - number) / std


def label(name: str) -> str:
    """A result's name for people: ``herald_rate_hz`` reads ``herald rate``, ``e_xx`` reads ``E(XX)``."""
    words = name.split("_")
    if len(words) == 2 and words[0] == "e":
        return f"E({words[1].upper()})"
    if len(words) > 1 and words[-1] in {"s", "ps", "hz", "w", "v", "k"} and name != "chsh_s":
        words = words[:-1]
    text = " ".join(words)
    return {"chsh s": "CHSH S"}.get(text, text)


def _fixed(number: float, decimals: int) -> str:
    if not math.isfinite(number):
        return "∞" if number > 0 else "−∞" if number < 0 else "unknown"
    text = f"{number:.{decimals}f}"
    return text.replace("-", "−")
