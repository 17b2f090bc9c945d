"""The queue and the calibrations: shown as the engine tells them, changed as the user asks."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal

from ..sequences.engine.queue_values import QueueState
from .bridge import EngineBridge
from .calibrations_panel import CalibrationsPanel
from .desk import Desk
from .log_panel import LogPanel
from .queue_panel import QueuePanel
from .view_models import RunView


class QueueDesk(Desk):
    """Between the queue, the calibrations and the engine. ``held`` tells once when the queue stops by itself."""

    held = Signal(str)

    def __init__(self, bridge: EngineBridge, log: LogPanel, queue: QueuePanel, calibrations: CalibrationsPanel) -> None:
        super().__init__(bridge, log)
        self.panel = queue
        self.run = RunView()  # the live one; tells how long the present entry still takes
        self._held = ""
        self._took_s: dict[str, float] = {}  # how long the latest run of each experiment took, or will
        bridge.opened.connect(queue.show_experiments)
        bridge.queue.connect(self._show)
        bridge.calibrations.connect(calibrations.show_calibrations)
        queue.cancel_wanted.connect(lambda number: self.ask(lambda c: c.cancel(number)))
        queue.move_wanted.connect(lambda number, before: self.ask(lambda c: c.move_entry(number, before)))
        queue.repeat_wanted.connect(lambda number: self.ask(lambda c: c.repeat(number)))
        queue.hold_wanted.connect(self._hold)
        calibrations.calibrate_wanted.connect(self._calibrate)

    def _show(self, queue: QueueState) -> None:
        run, left_s = self.run, self.run.remaining_s()
        if left_s is not None or run.outcome == "done":
            self._took_s[run.experiment] = run.elapsed_s() + (left_s or 0.0)
        self.panel.show_queue(queue, left_s, self._took_s)
        if queue.held and queue.held != self._held:
            self.held.emit(f"the queue is held: {queue.held}")
        self._held = queue.held

    def _hold(self, on: bool) -> None:
        self.ask(lambda c: c.hold_queue("held in the window") if on else c.release_queue())

    def _calibrate(self, names: list[str]) -> None:
        def say(entries: tuple[Any, ...]) -> None:
            self.log.say(f"{len(entries)} calibration runs queued" if entries else "every calibration is fresh")

        self.ask(lambda c: c.calibrate(*names), say)
