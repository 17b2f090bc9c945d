"""Which instruments answer: what each said when last asked, by whoever asked it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Health:
    """``failure`` is empty while the instrument answers; ``answered_utc_s`` is when it last did (None: never asked)."""

    failure: str = ""
    answered_utc_s: float | None = None


class HealthBook:
    """Health by instrument. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[str, Health] = {}

    def of(self, instrument: str) -> Health:
        """As last noted."""
        return self._of.get(instrument, Health())

    def answered(self, instrument: str) -> None:
        """It gave an answer just now."""
        with self._lock:
            self._of[instrument] = Health("", time.time())

    def failed(self, instrument: str, message: str) -> None:
        """It did not, and why."""
        with self._lock:
            self._of[instrument] = Health(message or "no answer", self.of(instrument).answered_utc_s)
