"""The common part of emulated SCPI instruments: headers in short and long form, and the error queue."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .wire import FaultPlan, WireTrace

NO_ERROR = (0, "No error")
DATA_TYPE_ERROR = (-104, "Data type error")
UNDEFINED_HEADER = (-113, "Undefined header")
OUT_OF_RANGE = (-222, "Data out of range")
INTERLOCKED = (-221, "Settings conflict; interlock is open")
QUEUE_LENGTH = 16


class ScpiError(Exception):
    """A command the instrument refuses; ``code`` and text go to its error queue."""

    def __init__(self, code: int, text: str) -> None:
        self.code, self.text = code, text
        super().__init__(f"{code}: {text}")


@dataclass(frozen=True, slots=True)
class Command:
    """What a header does: ``query`` gets the text after the question mark, ``write`` the text after the header."""

    query: Callable[[str], str] | None = None
    write: Callable[[str], None] | None = None


class ScpiDevice:
    """A SCPI instrument behind a wire. Unknown headers are errors in the queue; an unknown question gets no answer.

    Args:
        identity: answer to ``*IDN?``.
        commands: by header as manuals print it, e.g. ``POWer:STATe``; capitals are the short form.
    """

    terminator = "\n"
    answer_end = "\n"
    greeting = ""

    def __init__(self, identity: str, commands: Mapping[str, Command], latency_s: float = 0.0) -> None:
        self.faults, self.trace, self.latency_s = FaultPlan(), WireTrace(), latency_s
        self._errors: deque[tuple[int, str]] = deque(maxlen=QUEUE_LENGTH)
        standard = {
            "*IDN": Command(query=lambda _: identity),
            "*OPC": Command(query=lambda _: "1"),
            "*RST": Command(write=lambda _: self.power_on()),
            "*CLS": Command(write=lambda _: self._errors.clear()),
            "SYSTem:ERRor": Command(query=lambda _: self._next_error()),
        }
        self._commands = {
            spelling: command
            for header, command in (standard | dict(commands)).items()
            for spelling in spellings(header)
        }

    def power_on(self) -> None:
        self._errors.clear()

    def answer(self, message: str) -> str | None:
        try:
            return self._obey(message.strip())
        except ScpiError as error:
            self._errors.append((error.code, error.text))
        except (ValueError, KeyError):
            self._errors.append(DATA_TYPE_ERROR)
        return None

    def _obey(self, message: str) -> str | None:
        header, _, argument = message.partition(" ")
        is_query = header.endswith("?")
        command = self._commands.get(header.rstrip("?").lstrip(":").upper())
        if command is not None and is_query and command.query is not None:
            return command.query(argument.strip())
        if command is not None and not is_query and command.write is not None:
            command.write(argument.strip())
            return None
        raise ScpiError(*UNDEFINED_HEADER)

    def _next_error(self) -> str:
        code, text = self._errors.popleft() if self._errors else NO_ERROR
        return f'{code:+d},"{text}"' if code else f'+0,"{text}"'


def spellings(header: str) -> list[str]:
    """Every accepted spelling, in capitals: each word short or long (``POWer`` → ``POW``, ``POWER``)."""
    words = [{_short(word), word.upper()} for word in header.split(":")]
    return [":".join(combination) for combination in itertools.product(*words)]


def _short(word: str) -> str:
    return "".join(character for character in word if not character.islower())


def in_range(value: float, low: float, high: float) -> float:
    """``value``, or the instrument's "Data out of range"; the last digit of a limit the instrument printed passes."""
    slack = 1e-8 * max(abs(low), abs(high))
    if not low - slack <= value <= high + slack:
        raise ScpiError(*OUT_OF_RANGE)
    return value
