"""Everything that can go wrong, grouped by who has to act.

ErbiaError
├── UsageError            the caller: a wrong name, value or unit
│   └── ConfigError       the author of a file: what, where (file and line), which value, what is allowed
└── InstrumentError       the lab: names the instrument, the command and the raw reply
    ├── ConnectionLost    unreachable, unplugged, timed out
    ├── BadReply          it answered, but not what the protocol allows
    └── LimitError        a setting outside the limits; says the limit and who set it
"""

from __future__ import annotations

from ..analysis.errors import ErbiaError, UsageError


class ConfigError(UsageError):
    """A configuration file is wrong; the text names file, line, value and what is allowed.

    Attributes:
        problems: each on its own; the text of the error is all of them in one line.
    """

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


class InstrumentError(ErbiaError):
    """An instrument failed. The text names the instrument, what was asked and what came back."""

    def __init__(self, instrument: str, what: str, command: str = "", reply: object = None) -> None:
        self.instrument, self.command, self.reply = instrument, command, reply
        asked = f" (asked {command!r})" if command else ""
        answered = f" (answered {reply!r})" if reply is not None else ""
        super().__init__(f"{instrument}: {what}{asked}{answered}")

    def __str__(self) -> str:
        # QCoDeS appends context to args while the error passes through; the text stays one line.
        return str(self.args[0])


class ConnectionLost(InstrumentError):
    """The instrument cannot be reached or did not answer in time."""


class BadReply(InstrumentError):
    """The instrument answered something its protocol does not allow."""


class LimitError(InstrumentError):
    """A value outside the limits of the station, the driver or the device."""
