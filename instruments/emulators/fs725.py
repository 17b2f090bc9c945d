"""SRS FS725 (PRS10) on the wire: two-letter commands, carriage return; what it does not know it does not answer."""

from __future__ import annotations

import re

from .ports import Ports
from .wire import FaultPlan, WireTrace

IDENTITY = "PRS10_3.24_SN_25317"
MAX_STEPS = 2000
STEP = 1e-12
#: From switching on to the lock on the rubidium line (typical, not verified).
WARM_UP_S = 300.0


class Fs725Device:
    """Ports: ``<name>.frequency_offset`` (fractional, written), ``<name>.locked`` and ``.pps_locked`` (read, where the world
    has them). It has been on for long; after a power cut it locks ``WARM_UP_S`` later."""

    terminator = "\r"
    answer_end = "\r"
    greeting = ""

    def __init__(self, ports: Ports, name: str, latency_s: float = 0.0) -> None:
        self.faults, self.trace, self.latency_s = FaultPlan(), WireTrace(), latency_s
        self._ports, self._name = ports, name
        self.power_on()
        self._warm_at_s = ports.now_s()

    def power_on(self) -> None:
        self._steps = 0
        self._warm_at_s = self._ports.now_s() + WARM_UP_S
        self._ports.set(f"{self._name}.frequency_offset", 0.0)

    def answer(self, message: str) -> str | None:
        if message == "ID?":
            return IDENTITY
        if message == "LO?":
            return f"{self._locked():d}"
        if message == "PL?":
            return f"{self._says('pps_locked', otherwise=False):d}"
        if message == "ST?":
            return f"0,0,0,{0 if self._locked() else 1},0,0"
        if message == "SF?":
            return str(self._steps)
        if (match := re.fullmatch(r"SF (-?\d+)", message)) and abs(int(match[1])) <= MAX_STEPS:
            self._steps = int(match[1])
            self._ports.set(f"{self._name}.frequency_offset", STEP * self._steps)
        return None

    def _locked(self) -> bool:
        return self._ports.now_s() >= self._warm_at_s and self._says("locked", otherwise=True)

    def _says(self, quantity: str, otherwise: bool) -> bool:
        """What the world says, if it says anything."""
        try:
            return bool(self._ports.get(f"{self._name}.{quantity}"))
        except KeyError:
            return otherwise
