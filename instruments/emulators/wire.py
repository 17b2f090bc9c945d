"""What can go wrong on the wire of an emulated instrument, and the record of what went over it."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """What happens instead of a proper answer."""

    SILENT = "silent"  #: no answer
    LATE = "late"  #: the answer comes after ``FaultPlan.late_s``
    DROP = "drop"  #: the connection is closed without an answer
    PARTIAL = "partial"  #: half of the answer, then the connection is closed
    GARBAGE = "garbage"  #: bytes that are no answer
    RESET = "reset"  #: the instrument restarts: connection reset, everything at its power-on state


@dataclass
class FaultPlan:
    """Faults in the order in which answers meet them; None stands for a proper answer."""

    late_s: float = 0.5
    _coming: deque[Fault | None] = field(default_factory=deque)
    _lasting: Fault | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def inject(self, *faults: Fault | None) -> None:
        """The next answers meet these."""
        with self._lock:
            self._coming.extend(faults)

    def hold(self, fault: Fault | None) -> None:
        """Every answer after the injected ones meets this, until changed; None ends it."""
        with self._lock:
            self._lasting = fault

    def clear(self) -> None:
        with self._lock:
            self._coming.clear()
            self._lasting = None

    def take(self) -> Fault | None:
        """The fault the answer at hand meets."""
        with self._lock:
            return self._coming.popleft() if self._coming else self._lasting


class WireTrace:
    """The last messages that went over the wire, oldest first, as ``("in" or "out", text)``."""

    def __init__(self, length: int = 1000) -> None:
        self._entries: deque[tuple[str, str]] = deque(maxlen=length)

    def received(self, message: str) -> None:
        self._entries.append(("in", message))

    def sent(self, message: str) -> None:
        self._entries.append(("out", message))

    def messages(self) -> list[str]:
        """What the instrument was told."""
        return [text for direction, text in tuple(self._entries) if direction == "in"]

    def answers(self) -> list[str]:
        """What the instrument said."""
        return [text for direction, text in tuple(self._entries) if direction == "out"]

    def clear(self) -> None:
        self._entries.clear()
