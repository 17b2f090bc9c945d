"""The root of every error erbia raises on purpose, and those analysis itself raises. Each text is one clear line.

ErbiaError
├── UsageError        the caller: a wrong name, value or unit (exit code 2)
│   └── DataError     a file: what, which file, where in it
└── (instruments.errors.InstrumentError …  the lab, exit code 3)
"""

from __future__ import annotations


class ErbiaError(Exception):
    """Base of every error erbia raises on purpose; its text is one clear line."""


class UsageError(ErbiaError, ValueError):
    """The caller asked for something that does not exist or is not allowed."""


class DataError(UsageError):
    """A data file is missing, truncated, corrupt or not what it claims; names the file and the place in it."""
