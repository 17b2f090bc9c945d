"""The queue of a station on disk (SQLite): what was accepted is played, whatever happens to the engine in between.

Higher priority first, then as ordered; an entry with a due time waits for it and lets others pass.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...analysis.errors import DataError, UsageError
from .queue_values import PLAYING, WAITING, QueueEntry, RunOrder

_TABLES = """
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, position REAL, experiment TEXT, config_json TEXT, overrides_json TEXT, priority INTEGER,
    due_utc_s REAL, repeats INTEGER, batch TEXT, operator TEXT, resume_path TEXT, calibration TEXT, monitors_json TEXT,
    state TEXT, played INTEGER DEFAULT 0, submitted_utc_s REAL, started_utc_s REAL, ended_utc_s REAL,
    run_path TEXT DEFAULT '', reason TEXT DEFAULT ''
);
CREATE INDEX IF NOT EXISTS by_turn ON entries (state, priority DESC, position);
CREATE TABLE IF NOT EXISTS held (reason TEXT);
"""
_ORDERED = "experiment, config_json, overrides_json, priority, due_utc_s, repeats, batch, operator, resume_path, calibration, monitors_json"
_LISTED = (
    f"SELECT {_ORDERED}, id, state, played, submitted_utc_s, started_utc_s, ended_utc_s, run_path, reason FROM entries"
)
_TURN = "ORDER BY state = 'running' DESC, priority DESC, position"
#: So many of the latest that ended are listed.
_REMEMBERED = 200


class RunQueue:
    """One station's queue in one file. May be used from any thread; each change is on disk when the call returns."""

    def __init__(self, path: Path, now_s: Callable[[], float] = time.time) -> None:
        """Opens the queue. What an earlier engine left unfinished waits again, and the queue is held until released.

        Raises:
            DataError: the file is damaged, or not a queue of this version.
        """
        self._now_s = now_s
        self._lock = threading.RLock()
        self._database = sqlite3.connect(path, check_same_thread=False)
        try:
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.executescript(_TABLES)
            self._recover()
        except sqlite3.DatabaseError as error:
            self._database.close()
            raise DataError(f"{path}: not a queue this version can read ({error}); move it away") from error

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            self._database.close()

    def _recover(self) -> None:
        for entry in self._entries(f"WHERE state = '{PLAYING}'"):
            self.interrupted(entry.id)
            self.hold(f"the engine ended while it played entry {entry.id} ({entry.order.experiment})")
        waiting = self.waiting()
        if waiting and not self.held():
            self.hold(f"{waiting} entries wait from an earlier engine")

    # -- what is in it -----------------------------------------------------------------------------------------------

    def entries(self, finished: bool = False, batch: str = "") -> list[QueueEntry]:
        """What is played and what waits, in the order of play; then, if wanted, the latest that ended."""
        named = "AND (? = '' OR batch = ?)"
        found = self._entries(f"WHERE state IN ('{WAITING}', '{PLAYING}') {named} {_TURN}", (batch, batch))
        if finished:
            ended = (
                f"WHERE state NOT IN ('{WAITING}', '{PLAYING}') {named} ORDER BY ended_utc_s DESC LIMIT {_REMEMBERED}"
            )
            found += self._entries(ended, (batch, batch))
        return found

    def entry(self, id_: int) -> QueueEntry:
        """The entry of that number. Raises UsageError when there is none."""
        found = self._entries("WHERE id = ?", (id_,))
        if not found:
            raise UsageError(f"no entry {id_} in the queue; erbia queue list shows what there is")
        return found[0]

    def waiting(self) -> int:
        """How many entries wait."""
        with self._lock:
            (number,) = self._database.execute(f"SELECT COUNT(*) FROM entries WHERE state = '{WAITING}'").fetchone()
        return int(number)

    def next(self) -> QueueEntry | None:
        """Whose turn it is; None when nothing is due or the queue is held."""
        if self.held():
            return None
        due = f"WHERE state = '{WAITING}' AND (due_utc_s IS NULL OR due_utc_s <= ?)"
        found = self._entries(f"{due} ORDER BY priority DESC, position LIMIT 1", (self._now_s(),))
        return found[0] if found else None

    def next_due_in_s(self) -> float | None:
        """Time until the next entry is due; None when nothing waits for a time."""
        with self._lock:
            (due,) = self._database.execute(
                f"SELECT MIN(due_utc_s) FROM entries WHERE state = '{WAITING}' AND due_utc_s > ?", (self._now_s(),)
            ).fetchone()
        return None if due is None else max(0.0, float(due) - self._now_s())

    def held(self) -> str:
        """Why nothing further is played; empty when the queue goes on."""
        with self._lock:
            row = self._database.execute("SELECT reason FROM held").fetchone()
        return "" if row is None else str(row[0])

    # -- changes by clients ------------------------------------------------------------------------------------------

    def submit(self, *orders: RunOrder) -> list[QueueEntry]:
        """Puts orders at the end of their priority, all or none, and returns their entries."""
        with self._lock, self._database as database:
            last = self._last_position()
            (newest,) = database.execute("SELECT COALESCE(MAX(id), 0) FROM entries").fetchone()
            rows = [(last + n, *_row(order), WAITING, self._now_s()) for n, order in enumerate(orders, 1)]
            database.executemany(
                f"INSERT INTO entries (position, {_ORDERED}, state, submitted_utc_s) VALUES ({', '.join('?' * 14)})",
                rows,
            )
            return self._entries("WHERE id > ? ORDER BY id", (newest,))

    def move(self, id_: int, before: int) -> None:
        """Puts a waiting entry before another, whose priority it takes, or (0) at the end of all."""
        self._must_wait(id_)
        with self._lock, self._database as database:
            if before == 0:
                (priority,) = database.execute(
                    f"SELECT MIN(priority) FROM entries WHERE state = '{WAITING}'"
                ).fetchone()
                place = self._last_position() + 1
            else:
                self._must_wait(before)
                priority = self.entry(before).order.priority
                place = self._place_before(before)
            database.execute("UPDATE entries SET position = ?, priority = ? WHERE id = ?", (place, priority, id_))

    def set_priority(self, id_: int, priority: int) -> None:
        """Higher is played first."""
        self._must_wait(id_)
        self._change("priority = ?", (priority,), id_)

    def cancel(self, ids: Sequence[int], batch: str = "") -> list[int]:
        """Takes waiting entries out, by number or batch; returns those that are being played instead."""
        chosen = self._selected(ids, batch)
        for entry in chosen:
            if entry.state == WAITING:
                self._change("state = 'cancelled', ended_utc_s = ?", (self._now_s(),), entry.id)
        return [entry.id for entry in chosen if entry.state == PLAYING]

    def repeat(self, ids: Sequence[int], batch: str = "") -> list[QueueEntry]:
        """Queues the same orders again as new entries."""
        chosen = sorted(self._selected(ids, batch), key=lambda e: e.id)
        return self.submit(*(replace(e.order, resume_path="", due_utc_s=None) for e in chosen))

    def hold(self, reason: str) -> None:
        """Plays nothing further until released."""
        with self._lock, self._database as database:
            database.execute("DELETE FROM held")
            database.execute("INSERT INTO held VALUES (?)", (reason or "held",))

    def release(self) -> None:
        """Goes on."""
        with self._lock, self._database as database:
            database.execute("DELETE FROM held")

    # -- changes by the engine ---------------------------------------------------------------------------------------

    def started(self, id_: int) -> None:
        """The entry is being played."""
        self._change(f"state = '{PLAYING}', started_utc_s = ?, reason = ''", (self._now_s(),), id_)

    def recording(self, id_: int, run_path: str) -> None:
        """Into which file."""
        self._change("run_path = ?", (run_path,), id_)

    def ended(self, id_: int, status: str, reason: str) -> None:
        """One play has ended with ``done``, ``failed`` or ``aborted``; a repeated entry that is done waits again."""
        entry = self.entry(id_)
        played = entry.played + (status == "done")
        again = status == "done" and played < entry.order.repeats
        self._change(
            "state = ?, reason = ?, played = ?, resume_path = '', ended_utc_s = ?",
            (WAITING if again else status, reason, played, self._now_s()),
            id_,
        )

    def interrupted(self, id_: int) -> None:
        """The engine ended under it: it waits again, to go on in the file it had begun."""
        entry = self.entry(id_)
        path = entry.run_path if entry.run_path and Path(entry.run_path).exists() else entry.order.resume_path
        self._change(f"state = '{WAITING}', resume_path = ?, reason = 'interrupted'", (path,), id_)

    # -- parts -------------------------------------------------------------------------------------------------------

    def _entries(self, where: str, values: tuple[Any, ...] = ()) -> list[QueueEntry]:
        with self._lock:
            rows = self._database.execute(f"{_LISTED} {where}", values).fetchall()
        return [_entry(row) for row in rows]

    def _selected(self, ids: Sequence[int], batch: str) -> list[QueueEntry]:
        chosen = [self.entry(id_) for id_ in ids]
        if batch:
            chosen += self._entries("WHERE batch = ?", (batch,))
            if not chosen:
                raise UsageError(f"no batch {batch!r} in the queue")
        return chosen

    def _must_wait(self, id_: int) -> None:
        entry = self.entry(id_)
        if entry.state != WAITING:
            raise UsageError(f"entry {id_} is {entry.state}; only waiting entries can be moved")

    def _last_position(self) -> float:
        (position,) = self._database.execute("SELECT MAX(position) FROM entries").fetchone()
        return float(position or 0.0)

    def _place_before(self, id_: int) -> float:
        """A number between the position of an entry and the one ahead of it."""
        (after,) = self._database.execute("SELECT position FROM entries WHERE id = ?", (id_,)).fetchone()
        (ahead,) = self._database.execute("SELECT MAX(position) FROM entries WHERE position < ?", (after,)).fetchone()
        place = float(after - 1 if ahead is None else (ahead + after) / 2)
        if place < after and (ahead is None or ahead < place):
            return place
        self._renumber()  # no number is left between the two
        return self._place_before(id_)

    def _renumber(self) -> None:
        ids = [i for (i,) in self._database.execute("SELECT id FROM entries ORDER BY position")]
        self._database.executemany("UPDATE entries SET position = ? WHERE id = ?", [(p, i) for p, i in enumerate(ids)])

    def _change(self, what: str, values: tuple[Any, ...], id_: int) -> None:
        with self._lock, self._database as database:
            database.execute(f"UPDATE entries SET {what} WHERE id = ?", (*values, id_))


def _row(order: RunOrder) -> tuple[Any, ...]:
    return (
        order.experiment,
        order.config_json,
        order.overrides_json,
        order.priority,
        order.due_utc_s,
        order.repeats,
        order.batch,
        order.operator,
        order.resume_path,
        order.calibration,
        order.monitors_json,
    )


def _entry(row: tuple[Any, ...]) -> QueueEntry:
    return QueueEntry(row[11], RunOrder(*row[:11]), *row[12:])
