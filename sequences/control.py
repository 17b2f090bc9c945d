"""How anybody asks a run to stop or to wait, from any thread."""

from __future__ import annotations

import threading
from typing import Literal, get_args

from ..analysis.errors import UsageError

StopKind = Literal["checkpoint", "now", "emergency"]


class RunControl:
    """``checkpoint``: stop when the current setting is done. ``now``: after the current block. ``emergency``: now, safe first."""

    def __init__(self) -> None:
        self._stop: StopKind | None = None
        self._go = threading.Event()
        self._go.set()
        self._waiting = threading.Event()
        self._acknowledged = threading.Event()

    def stop_asked(self) -> StopKind | None:
        """The strongest stop asked for so far."""
        return self._stop

    def must_stop_now(self) -> bool:
        """True when the run shall not even finish its setting."""
        return self._stop in ("now", "emergency")

    def paused(self) -> bool:
        """True when the run shall wait at its next checkpoint."""
        return not self._go.is_set()

    def waiting(self) -> bool:
        """True while the run does wait there."""
        return self._waiting.is_set()

    def request(self, kind: StopKind) -> None:
        """Asks for a stop; a weaker request never replaces a stronger one. Raises UsageError for an unknown kind."""
        kinds = get_args(StopKind)
        if kind not in kinds:
            raise UsageError(f"no stop of kind {kind!r}; there are {', '.join(kinds)}")
        if self._stop is None or kinds.index(kind) > kinds.index(self._stop):
            self._stop = kind
        self._go.set()

    def pause(self) -> None:
        """The run waits at its next checkpoint, outputs safe."""
        self._go.clear()

    def resume(self) -> None:
        """The run goes on, and monitors that had latched are acknowledged."""
        self.acknowledge()
        self._go.set()

    def acknowledge(self) -> None:
        """What latched is to be forgotten; what is still wrong trips again."""
        self._acknowledged.set()

    def take_acknowledgement(self) -> bool:
        """Whether somebody has acknowledged since the last call."""
        asked = self._acknowledged.is_set()
        self._acknowledged.clear()
        return asked

    def wait_while_paused(self) -> None:
        """Blocks until resumed or stopped."""
        if self._go.is_set():
            return
        self._waiting.set()
        try:
            self._go.wait()
        finally:
            self._waiting.clear()
