"""Makes a station safe when its engine dies: a small process that waits for the end of a pipe and does nothing else.

The engine says ``safe`` before it leaves. When the pipe ends without that word, every instrument is opened on its own,
without touching its settings, its pulses are stopped and its emission is switched off.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

_SAFE = b"safe\n"
log = logging.getLogger(__name__)


@contextmanager
def watched(station: str, log_file: Path) -> Iterator[None]:
    """A watchdog lives as long as this context, and acts if this process does not reach its end."""
    with log_file.open("ab") as words:
        dog = subprocess.Popen(
            [sys.executable, "-m", __name__, station],
            stdin=subprocess.PIPE,
            stdout=words,
            stderr=words,
            start_new_session=True,
        )
    assert dog.stdin is not None
    try:
        yield
    except BaseException:
        dog.stdin.close()
        raise
    with suppress(BrokenPipeError):
        dog.stdin.write(_SAFE)
        dog.stdin.close()
    dog.wait(timeout=10.0)


def switch_off(station: str) -> list[str]:
    """Opens each instrument of a station that is no mock and makes it safe; returns what failed, in words."""
    from ...instruments.station_file import find_station, read_station
    from ..safety import make_instrument_safe

    failures = []
    for name, section in read_station(find_station(station)).instruments.items():
        try:
            module, _, class_name = section.type.rpartition(".")
            cls = getattr(import_module(module), class_name)
            if getattr(cls, "needs_world", False):
                continue
            where = {} if section.address is None else {"address": section.address}
            instrument = cls(name, **where, **section.init)
            try:
                make_instrument_safe(instrument)
            finally:
                instrument.close()
        except Exception as error:
            failures.append(f"{name}: {type(error).__name__}: {error}")
    return failures


def main() -> int:
    """Waits for the engine's end; 0 when it was in order or the station is safe now."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if sys.stdin.buffer.read().endswith(_SAFE):
        return 0
    log.error("the engine of %s died; switching off", sys.argv[1])
    failures = switch_off(sys.argv[1])
    for failure in failures:
        log.error("not switched off: %s", failure)
    if not failures:
        log.warning("%s is in its safe state", sys.argv[1])
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
