"""Settings of instruments: asked of the engine, shown at the tree when refused, undone one by one."""

from __future__ import annotations

from typing import Any

from ..sequences.engine.values import InstrumentState, ParameterState
from .bridge import EngineBridge
from .desk import Desk
from .instrument_panel import InstrumentPanel
from .log_panel import LogPanel


class InstrumentsDesk(Desk):
    """Between the instrument tree and the engine."""

    def __init__(self, bridge: EngineBridge, log: LogPanel, panel: InstrumentPanel) -> None:
        super().__init__(bridge, log)
        self.panel = panel
        self.undoable: list[tuple[str, Any]] = []  # parameter and the value it had before
        bridge.snapshot.connect(panel.show_station)
        panel.set_wanted.connect(self.set)
        panel.read_wanted.connect(lambda name: self.ask(lambda c: c.read_parameter(name)))
        panel.restart_wanted.connect(self.restart)

    def set(self, name: str, value: object) -> None:
        """Asks for a setting, and remembers the value before."""
        before = self.panel.value(name)

        def done(_: ParameterState) -> None:
            self.undoable.append((name, before))

        self.bridge.call(lambda c: c.set_parameter(name, value), done, self._show_refusal)

    def undo(self) -> None:
        """Gives the parameter that was set last its value of before."""
        if not self.undoable:
            self.log.say("nothing to undo: no parameter was set from this window")
            return
        name, before = self.undoable.pop()
        self.bridge.call(lambda c: c.set_parameter(name, before), refused=self._show_refusal)

    def restart(self, name: str) -> None:
        """Has an instrument closed and opened again."""

        def done(instrument: InstrumentState) -> None:
            self.log.say(f"{name} restarted" + (f", but: {instrument.failure}" if instrument.failure else ""))

        self.log.say(f"restarting {name} …")
        self.bridge.call(lambda c: c.restart_instrument(name), done, self._show_refusal)

    def _show_refusal(self, words: str) -> None:
        self.panel.show_refusal(words)
        self.log.say(words)
