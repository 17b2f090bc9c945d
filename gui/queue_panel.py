"""The queue: what is played, what waits, when it will be done, and in what it differs from the one before."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from ..sequences.engine.queue_values import PLAYING, WAITING, QueueEntry, QueueState
from ..sequences.engine.values import ExperimentInfo
from . import names
from .queue_times import differences, durations_s, etas_s, settings_text
from .schema import Field, fields
from .table import Cell, Table
from .theme import Theme
from .widgets import Hinted, label, named

_COLUMNS = ("run", "state", "done in")
_ROLES = {"failed": "bad", "aborted": "bad", "running": "good", "done": "muted", "cancelled": "muted"}
_FINISHED_SHOWN = 5
_NOTHING: Mapping[str, float] = {}


class QueuePanel(QWidget):
    """Emits what the user wants done with an entry, by its number."""

    cancel_wanted = Signal(int)
    move_wanted = Signal(int, int)  # entry, the one it goes before (0: to the end)
    repeat_wanted = Signal(int)
    hold_wanted = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.table = Table("queue", _COLUMNS, wide=0, lines=2)
        self.held = label("", "wrong", wrap=True)
        self.held.hide()
        self.hold = named(QPushButton("Hold"), "hold", "Play nothing further until released; the present run goes on")
        self.hold.setCheckable(True)
        self.up = self._button("▲", "queue_up", "Play this one earlier", lambda: self._move(-1))
        self.down = self._button("▼", "queue_down", "Play this one later", lambda: self._move(+1))
        self.repeat = self._button("Again", "queue_again", "Queue the same again", self._ask_repeat)
        self.cancel = self._button("Remove", "queue_remove", "Take it out; a run under way stops", self._ask_cancel)
        self.body = Hinted(
            self.table, "Nothing is queued.\nPress Queue below the form: runs are played one after the other."
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        layout.addWidget(self.held)
        layout.addWidget(self.body, stretch=1)
        buttons = QGridLayout()
        buttons.setSpacing(3)
        for k, button in enumerate((self.up, self.down, self.repeat, self.cancel, self.hold)):
            buttons.addWidget(button, 0, k)
        layout.addLayout(buttons)
        self._entries: list[QueueEntry] = []
        self._fields: dict[str, list[Field]] = {}
        self.hold.clicked.connect(self.hold_wanted)
        self.table.itemSelectionChanged.connect(self._offer)
        self._offer()

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self.table.paint(theme)

    def show_experiments(self, experiments: Sequence[ExperimentInfo]) -> None:
        """Learns in what units settings are told."""
        self._fields = {experiment.name: fields(experiment.schema) for experiment in experiments}

    def show_queue(self, queue: QueueState, remaining_s: float | None, took_s: Mapping[str, float] = _NOTHING) -> None:
        """Brings the rows up to date.

        Args:
            queue: as the engine tells it.
            remaining_s: what the present run still needs.
            took_s: how long runs took that were not in the queue, by experiment.
        """
        coming = [e for e in queue.entries if e.state in (PLAYING, WAITING)]
        ended = [e for e in queue.entries if e.state not in (PLAYING, WAITING)]
        ended = sorted(ended, key=lambda e: e.ended_utc_s or 0.0)[-_FINISHED_SHOWN:]
        self._entries = [*ended, *coming]
        etas = etas_s(coming, {**took_s, **durations_s(queue.entries)}, remaining_s)
        before = [None, *self._entries]
        rows = [
            _row(entry, one, etas.get(entry.id), self._fields.get(entry.order.experiment, ()))
            for entry, one in zip(self._entries, before, strict=False)
        ]
        self.table.show_rows([entry.id for entry in self._entries], rows)
        self.held.setText(f"held: {queue.held}" if queue.held else "")
        self.held.setVisible(bool(queue.held))
        self.hold.setChecked(bool(queue.held))
        self.hold.setText("Release" if queue.held else "Hold")
        self.body.show_content(bool(self._entries))
        self._offer()

    def chosen(self) -> QueueEntry | None:
        """The entry that is selected."""
        chosen = self.table.chosen()
        return next((entry for entry in self._entries if entry.id in chosen), None)

    def _button(self, text: str, name: str, tip: str, slot: Callable[[], object]) -> QPushButton:
        button = named(QPushButton(text), name, tip)
        button.clicked.connect(lambda: slot())
        button.setStyleSheet("padding: 4px 6px;")
        return button

    def _offer(self) -> None:
        entry = self.chosen()
        waiting = [e.id for e in self._entries if e.state == WAITING]
        movable = entry is not None and entry.id in waiting
        self.up.setEnabled(movable and entry is not None and waiting[0] != entry.id)
        self.down.setEnabled(movable and entry is not None and waiting[-1] != entry.id)
        self.repeat.setEnabled(entry is not None)
        self.cancel.setEnabled(entry is not None and entry.state in (PLAYING, WAITING))

    def _move(self, by: int) -> None:
        entry = self.chosen()
        if entry is None:
            return
        waiting = [e.id for e in self._entries if e.state == WAITING]
        place = waiting.index(entry.id) + (by if by < 0 else by + 1)
        self.move_wanted.emit(entry.id, waiting[place] if place < len(waiting) else 0)

    def _ask_repeat(self) -> None:
        entry = self.chosen()
        if entry is not None:
            self.repeat_wanted.emit(entry.id)

    def _ask_cancel(self) -> None:
        entry = self.chosen()
        if entry is not None:
            self.cancel_wanted.emit(entry.id)


def _row(
    entry: QueueEntry, before: QueueEntry | None, eta_s: float | None, known: Sequence[Field] = ()
) -> tuple[Cell, Cell, Cell]:
    order = entry.order
    times = f" ×{order.repeats}" if order.repeats > 1 else ""
    state = f"{entry.state} {entry.played + 1}/{order.repeats}" if times and entry.state == PLAYING else entry.state
    eta = "" if eta_s is None else names.duration(eta_s) if math.isfinite(eta_s) else "unknown"
    settings = settings_text(order.config, known)
    if before is not None and before.order.experiment == order.experiment:
        news = differences(before.order.config, order.config, known) or ["as the one before"]
    else:
        proposed = {field.path: field.to_text(field.default) or "not set" for field in known}
        news = [f"{key}: {text}" for key, text in settings.items() if text != proposed.get(key)] or ["as proposed"]
    what = order.experiment.replace("_", " ") + times
    tip = "\n".join(
        [
            *([entry.reason] if entry.reason else []),
            f"number {entry.id}",
            *(f"{key}: {text}" for key, text in settings.items()),
        ]
    )
    return (
        Cell(f"{what}\n{', '.join(news)}", "", tip),
        Cell(state, _ROLES.get(entry.state, ""), tip),
        Cell(eta, "", tip),
    )
