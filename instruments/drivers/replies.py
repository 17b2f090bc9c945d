"""Reading what instruments answer: strict parsers that raise ValueError, turned into BadReply by the drivers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

from ..errors import BadReply

R = TypeVar("R")

#: SCPI's stand-ins for "not a number" and "out of range" (IEEE 488.2 / SCPI-99 §7.2.1.4).
SCPI_NOT_A_NUMBER = 9.9e37


def number(text: str) -> float:
    """A finite number; SCPI's 9.91E37 is not one."""
    value = float(text)
    if not math.isfinite(value) or abs(value) >= SCPI_NOT_A_NUMBER:
        raise ValueError(f"{text!r} is not a finite number")
    return value


def integer(text: str) -> int:
    """An integer, also when written ``+1`` or ``1.0``."""
    value = number(text)
    if value != int(value):
        raise ValueError(f"{text!r} is not an integer")
    return int(value)


def flag(text: str) -> bool:
    """``0``/``1`` (with sign) or ``OFF``/``ON``."""
    word = text.strip().lstrip("+").upper()
    if word not in {"0", "1", "OFF", "ON"}:
        raise ValueError(f"{text!r} is not 0, 1, OFF or ON")
    return word in {"1", "ON"}


def one_of(words: Mapping[str, R]) -> Callable[[str], R]:
    """A parser for a fixed set of words."""

    def parse(text: str) -> R:
        word = text.strip()
        if word not in words:
            raise ValueError(f"{text!r} is none of {', '.join(words)}")
        return words[word]

    return parse


def parsed(instrument: str, command: str, text: str, parse: Callable[[str], R]) -> R:
    """``parse(text)``; BadReply naming instrument, command and raw reply when it does not fit."""
    try:
        return parse(text)
    except (ValueError, IndexError, KeyError) as error:
        raise BadReply(instrument, "unexpected answer", command, text) from error
