"""A desk: what goes between one group of panels and the engine. Each is a file; the window only puts them together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject

from ..sequences.engine.client import EngineClient
from .bridge import EngineBridge
from .log_panel import LogPanel


class Desk(QObject):
    """Asks the engine in the background; a refusal goes to the log."""

    def __init__(self, bridge: EngineBridge, log: LogPanel) -> None:
        super().__init__(bridge)
        self.bridge, self.log = bridge, log

    def ask(self, work: Callable[[EngineClient], Any], then: Callable[[Any], None] = lambda _: None) -> None:
        """Does ``work`` with the engine, then ``then(answer)`` in the window's thread."""
        self.bridge.call(work, then, self.log.say)
