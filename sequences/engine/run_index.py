"""What is known about the run files of a folder, kept apart from the data so that 10,000 runs list at once."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from pathlib import Path

from ...analysis.errors import DataError, UsageError
from ...analysis.files.runfile import open_run
from .values import RunSummary

_FILE = ".erbia-runs.sqlite"
_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    name TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, run_id TEXT, experiment TEXT, status TEXT,
    created_utc TEXT, simulated INTEGER, results TEXT
);
CREATE TABLE IF NOT EXISTS notes (run_id TEXT PRIMARY KEY, star INTEGER, note TEXT);
"""


class RunIndex:
    """Index of one folder, in one small file there. May be used from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._database = sqlite3.connect(folder / _FILE, check_same_thread=False)
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Lets go of the index file."""
        self._database.close()

    def runs(self, active_path: str = "") -> list[RunSummary]:
        """Every run, newest first. Files that are new or have changed are looked into; the rest is remembered.

        ``active_path`` is the run being written now: any other that says "running" was interrupted.
        """
        with self._lock:
            self._refresh()
            rows = self._database.execute(
                "SELECT runs.run_id, name, experiment, status, created_utc, simulated, size, "
                "COALESCE(star, 0), COALESCE(note, ''), results "
                "FROM runs LEFT JOIN notes ON runs.run_id = notes.run_id ORDER BY name DESC"
            ).fetchall()
        return [self._summary(row, active_path) for row in rows]

    def path(self, run_id: str) -> Path:
        """The file of a run. Raises UsageError when the folder has none."""
        with self._lock:
            self._refresh()
            row = self._database.execute("SELECT name FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        if row is None:
            raise UsageError(f"no run {run_id} in {self._folder}")
        return self._folder / str(row[0])

    def annotate(self, run_id: str, star: bool, note: str) -> None:
        """Keeps the user's words about a run."""
        with self._lock, self._database as database:
            database.execute("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", (run_id, int(star), note))

    def _refresh(self) -> None:
        with os.scandir(self._folder) as entries:
            files = {e.name: e.stat() for e in entries if e.name.endswith(".h5")}
        known = {
            name: (size, mtime) for name, size, mtime in self._database.execute("SELECT name, size, mtime_ns FROM runs")
        }
        changed = [name for name, s in files.items() if known.get(name) != (s.st_size, s.st_mtime_ns)]
        gone = [(name,) for name in known if name not in files]
        rows = [
            (name, files[name].st_size, files[name].st_mtime_ns, *_look_into(self._folder / name)) for name in changed
        ]
        with self._database as database:
            database.executemany("DELETE FROM runs WHERE name = ?", gone)
            database.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def _summary(self, row: tuple[str, str, str, str, str, int, int, int, str, str], active_path: str) -> RunSummary:
        run_id, name, experiment, status, created_utc, simulated, size, star, note, results = row
        path = str(self._folder / name)
        if status == "running" and path != active_path:
            status = "interrupted"
        return RunSummary(
            run_id, path, experiment, status, created_utc, bool(simulated), size, bool(star), note, json.loads(results)
        )


def _look_into(path: Path) -> tuple[str, str, str, str, int, str]:
    """(run_id, experiment, status, created_utc, simulated, results) of a file; a bad one is "corrupt"."""
    try:
        run = open_run(path)
        results = {name: estimate.as_dict() for name, estimate in run.results.items()}
        return run.run_id, run.experiment, run.status, run.created_utc, int(run.simulated), json.dumps(results)
    except (DataError, OSError):
        return path.stem, "", "corrupt", "", 0, "{}"
