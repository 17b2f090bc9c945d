"""The simulated lab behind a station's emulators, which run in another process (``erbia emulate``): its name and its truth."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

from .errors import ConnectionLost

TIMEOUT_S = 10.0


class RemoteWorld:
    """Asks the process that emulates a station.

    Args:
        address: ``host:port`` of ``twin.address`` in the station file.
        station: its name, for the error text.

    Raises:
        ConnectionLost: nobody emulates the station at present.
    """

    def __init__(self, address: str, station: str) -> None:
        self._address, self._station = address, station
        about = self._ask("about")
        self.seed: int = about["seed"]
        self.pace: float = about["pace"]

    def truth(self) -> dict[str, float]:
        """The lab's hidden truth (World.truth)."""
        truth: dict[str, float] = self._ask("truth")
        return truth

    def now_s(self) -> float:
        """Lab time."""
        return float(self._ask("now_s"))

    def _ask(self, what: str) -> Any:
        host, _, port = self._address.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), TIMEOUT_S) as connection:
                connection.sendall(what.encode() + b"\n")
                with connection.makefile("rb") as answers:
                    return json.loads(answers.readline())
        except (OSError, ValueError) as error:
            advice = f"no emulated lab at {self._address}; start it with: erbia emulate {self._station}"
            raise ConnectionLost("twin", f"{advice} ({error})", what) from error


class RemoteClock:
    """The clock of an emulated lab: the wall's, at the emulated lab's pace."""

    def __init__(self, world: RemoteWorld) -> None:
        self._world = world

    def now_s(self) -> float:
        return self._world.now_s()

    def sleep(self, duration_s: float) -> None:
        time.sleep(duration_s / self._world.pace)
