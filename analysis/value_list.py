"""Lists of numbers as people type them: ``"-5..5 MHz/21"``, ``"log 1..100 us/20"``, ``"194.95 THz ± 5 MHz/21"``, ``"1, 2, 5 ms"``.

A unit written once, at the end, is that of every number; or each number has its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from .errors import UsageError
from .quantity import format_quantity, parse_quantity

MAX_POINTS = 1_000_000
#: What is shown to somebody whose text could not be read.
FORMS = '"-5..5 MHz/21", "log 1..100 us/20", "194.95 THz ± 5 MHz/21" or "1, 2, 5 ms"'

_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_BASE_UNITS = ("Hz", "rad", "deg", "dB", "Pa", "s", "W", "A", "V", "T", "K", "m")
_DIGITS = 12


def parse_values(text: str, unit: str) -> tuple[float, ...]:
    """The numbers of a text, in ``unit`` (an SI base form such as ``s``, ``Hz``), in the order typed.

    ``a..b/n`` are n values from a to b, both included; ``log a..b/n`` the same evenly on a logarithmic scale; ``c ± w/n`` from
    c - w to c + w (``+-`` will do); anything else is a list with commas.

    Raises:
        UsageError: it is none of these, a unit is wrong, or the count is not 1 to 1,000,000; says what is allowed.
    """
    plain = text.strip().replace("+/-", "±").replace("+-", "±")
    body = plain.removeprefix("log ")
    if ".." not in body and "±" not in body:
        if body != plain:
            raise UsageError(f'{text!r}: log needs a range, e.g. "log 1..100 us/20"')
        return tuple(_numbers(plain.split(","), unit, text))
    ends, _, count = body.rpartition("/")
    if not count.strip().isdecimal() or not ends:
        raise UsageError(f"{text!r} does not say how many points; write e.g. {FORMS}")
    if "±" in ends:
        if body != plain:
            raise UsageError(f'{text!r}: a logarithmic range needs two ends, e.g. "log 1..100 us/20"')
        centre, half = _two(_numbers(ends.split("±"), unit, text), text)
        return spaced(centre - half, centre + half, int(count), "linear")
    start, stop = _two(_numbers(ends.split(".."), unit, text), text)
    return spaced(start, stop, int(count), "linear" if body == plain else "log")


def spaced(start: float, stop: float, points: int, spacing: str) -> tuple[float, ...]:
    """``points`` values from start to stop, both included; ``spacing`` is linear or log.

    Raises:
        UsageError: a number of points, a spacing or an end of a logarithmic range that is not allowed.
    """
    if not 1 <= points <= MAX_POINTS:
        raise UsageError(f"points is {points}; allowed is 1 to {MAX_POINTS}")
    if spacing == "linear":
        return tuple(np.linspace(start, stop, points).tolist())
    if spacing != "log":
        raise UsageError(f"spacing is {spacing!r}; allowed are linear and log")
    if not (start > 0 < stop):
        raise UsageError(f"a logarithmic axis needs ends above 0, got {start:g} and {stop:g}")
    return tuple(np.geomspace(start, stop, points).tolist())


def unit_of(text: str) -> str:
    """The base unit a text is typed in (``"-5..5 MHz/21"``: ``Hz``); empty where there is none.

    Raises:
        UsageError: a unit that is not known.
    """
    written = re.findall(r"(?<=[\d.\s])[^\W\d_]+", re.sub(r"^\s*log\b|(?<=\d)[eE](?=[-+]?\d)", "", text))
    if not written:
        return ""
    for unit in _BASE_UNITS:
        try:
            parse_quantity(f"1 {written[-1]}", unit)
        except UsageError:
            continue
        return unit
    raise UsageError(
        f"{text!r}: unit {written[-1]!r} is not known; known are {', '.join(_BASE_UNITS)}, with an SI prefix"
    )


def values_text(values: Sequence[float], unit: str) -> str:
    """The shortest form that ``parse_values`` reads back as these values, to 12 digits."""
    if len(values) > 2:
        first, last = (format_quantity(v, unit, _DIGITS) for v in (values[0], values[-1]))
        for form in (f"{first}..{last}/{len(values)}", f"log {first}..{last}/{len(values)}"):
            if _same(form, values, unit):
                return form
    return ", ".join(format_quantity(v, unit, _DIGITS) for v in values)


def _same(form: str, values: Sequence[float], unit: str) -> bool:
    try:
        return bool(np.allclose(parse_values(form, unit), values, rtol=1e-11, atol=1e-11 * float(np.ptp(values))))
    except UsageError:
        return False


def _two(numbers: list[float], text: str) -> tuple[float, float]:
    if len(numbers) != 2:
        raise UsageError(f"{text!r} is no range; write e.g. {FORMS}")
    return numbers[0], numbers[1]


def _numbers(pieces: list[str], unit: str, text: str) -> list[float]:
    """One number a piece; the unit of the last is that of all when no other has one."""
    units = [_unit_after_number(piece, text) for piece in pieces]
    if units[-1] and not any(units[:-1]):
        pieces = [*(f"{piece} {units[-1]}" for piece in pieces[:-1]), pieces[-1]]
    elif any(units) and not all(units):
        raise UsageError(f"{text!r}: give every number its unit, or only the last one")
    return [parse_quantity(piece, unit) for piece in pieces]


def _unit_after_number(piece: str, text: str) -> str:
    number = _NUMBER.match(piece)
    if number is None:
        raise UsageError(f"{text!r}: cannot read {piece.strip()!r} as a number; write e.g. {FORMS}")
    return piece[number.end() :].strip()
