"""Keeps the measured values fresh while somebody looks: reads every parameter that can only be read, now and then."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from qcodes.parameters import ParameterBase
from qcodes.station import Station

from .health import HealthBook
from .parameters import measured_parameters

log = logging.getLogger(__name__)

PERIOD_S = 1.0


class Poller:
    """A thread that reads while ``wanted()``. A parameter that fails is told once, and again when it answers."""

    def __init__(
        self, station: Station, health: HealthBook, wanted: Callable[[], bool], period_s: float = PERIOD_S
    ) -> None:
        self._station, self._health, self._wanted, self._period_s = station, health, wanted, period_s
        self._silent: set[str] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="poller", daemon=True)

    def start(self) -> None:
        """Begins reading."""
        self._thread.start()

    def close(self) -> None:
        """Ends after the reading under way, however long an instrument keeps it."""
        self._ended.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while not self._ended.wait(self._period_s):
            if self._wanted():
                self.read_all()

    def read_all(self) -> None:
        """Reads each measured parameter once."""
        for name, parameter in measured_parameters(self._station):
            if self._ended.is_set():
                return
            self._read(name, parameter)

    def _read(self, name: str, parameter: ParameterBase) -> None:
        instrument = name.partition(".")[0]
        try:
            parameter.get()
        except Exception as error:
            # QCoDeS appends to the arguments of an error where it happened; the first is what was said.
            words = str(error.args[0]) if error.args else type(error).__name__
            if name not in self._silent:
                log.warning("%s cannot be read: %s", name, words)
            self._silent.add(name)
            self._health.failed(instrument, words)
        else:
            if name in self._silent:
                log.info("%s can be read again", name)
            self._silent.discard(name)
            if not any(silent.partition(".")[0] == instrument for silent in self._silent):
                self._health.answered(instrument)
