"""Makes a station safe when the process that owns it dies: a small process that waits for the end of a pipe.

The owner says ``safe`` before it leaves. When the pipe ends without that word, every instrument that is no mock is opened
without touching its settings, its pulses are stopped and its emission is switched off.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil

from ..analysis.errors import UsageError
from ..instruments.station_file import InstrumentSection, addresses_of, read_station
from .owners import Ownership, is_alive

_SAFE = b"safe\n"
#: An owner that lives longer gets a watchdog that has loaded the drivers already and acts at once.
_SETTLED_S = 10.0
log = logging.getLogger(__name__)


class Watchdog:
    """Looks after a station as long as this process lives; one that dies itself is replaced."""

    def __init__(self, station: Path, folder: Path) -> None:
        """``folder`` gets the log and holds the files by which owners of instruments are known."""
        self._command = [sys.executable, "-m", __name__, str(station.resolve()), str(folder)]
        self._log_file = folder / f"watchdog-{station.stem}.log"
        self._lock, self._relieved = threading.Lock(), False
        self._dog = self._start()
        threading.Thread(target=self._replace, name="watchdog", daemon=True).start()

    @property
    def pid(self) -> int:
        """Of the process that watches now."""
        return self._dog.pid

    def relieve(self) -> None:
        """The station is in its safe state and let go."""
        with self._lock:
            self._relieved = True
            assert self._dog.stdin is not None
            with suppress(BrokenPipeError):
                self._dog.stdin.write(_SAFE)
            with suppress(BrokenPipeError):
                self._dog.stdin.close()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log_file.open("ab") as words:
            return subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=words, stderr=words, bufsize=0, start_new_session=True
            )

    def _replace(self) -> None:
        while True:
            self._dog.wait()
            with self._lock:
                if self._relieved:
                    return
                log.warning("the watchdog of the station ended; another one takes over (%s)", self._log_file)
                self._dog = self._start()


def switch_off(instruments: dict[str, InstrumentSection]) -> Iterator[str]:
    """Opens the instruments that are no mocks, in order, and makes each safe at once; yields what failed, in words.

    They stay open until the last is done, because some are made of others.
    """
    from .safety import make_instrument_safe

    opened: list[Any] = []
    try:
        for name, section in instruments.items():
            try:
                cls = _class_of(section)
                if getattr(cls, "needs_world", False):
                    continue
                where = {} if section.address is None else {"address": section.address}
                opened.append(cls(name, **where, **section.init))
                make_instrument_safe(opened[-1])
            except Exception as error:
                yield f"{name}: {type(error).__name__}: {error}"
    finally:
        for instrument in opened:
            with suppress(Exception):
                instrument.close()


def _class_of(section: InstrumentSection) -> Any:
    module, _, class_name = section.type.rpartition(".")
    return getattr(import_module(module), class_name)


class _Pipe:
    """The end of the pipe to the owner, waited for in a thread."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self.in_order = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        self.in_order = sys.stdin.buffer.read().endswith(_SAFE)
        self._ended.set()

    def ended(self, limit_s: float | None = None) -> bool:
        return self._ended.wait(limit_s)


def _wait_for_end(pid: int, created_s: float) -> None:
    """A process that is killed loses its pipes a moment before it is gone."""
    deadline = time.monotonic() + 10.0
    while is_alive(pid, created_s) and time.monotonic() < deadline:
        time.sleep(0.01)


def main() -> int:
    """Waits for the owner's end; 0 when it was in order, the station is safe now, or somebody else has taken it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    station, folder = Path(sys.argv[1]), Path(sys.argv[2])
    owner = psutil.Process(os.getppid())
    owner_created_s = owner.create_time()
    pipe = _Pipe()
    instruments = read_station(station).instruments
    if not pipe.ended(_SETTLED_S):
        for section in instruments.values():
            with suppress(ImportError, AttributeError):
                _class_of(section)
    pipe.ended()
    if pipe.in_order:
        return 0
    log.error("the owner of %s died; switching off", station)
    _wait_for_end(owner.pid, owner_created_s)
    try:
        ownership = Ownership(folder, addresses_of(instruments), "switching off")
    except UsageError as error:
        log.warning("%s; left to the new owner", error)
        return 0
    try:
        failures = list(switch_off(instruments))
    finally:
        ownership.release()
    for failure in failures:
        log.error("not switched off: %s", failure)
    if not failures:
        log.warning("%s is in its safe state", station)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
