"""SRS FS725 (PRS10) on the wire: two-letter commands, carriage return; what it does not know it does not answer."""

from __future__ import annotations

import re

from .ports import Ports
from .wire import FaultPlan, WireTrace

IDENTITY = "PRS10_3.24_SN_25317"
MAX_STEPS = 2000
STEP = 1e-12


class Fs725Device:
    """Ports: ``<name>.frequency_offset`` (fractional, written), ``<name>.locked`` and ``.pps_locked`` (read)."""

    terminator = "\r"
    answer_end = "\r"
    greeting = ""

    def __init__(self, ports: Ports, name: str, latency_s: float = 0.0) -> None:
        self.faults, self.trace, self.latency_s = FaultPlan(), WireTrace(), latency_s
        self._ports, self._name = ports, name
        self.power_on()

    def power_on(self) -> None:
        self._steps = 0
        self._ports.set(f"{self._name}.frequency_offset", 0.0)

    def answer(self, message: str) -> str | None:
        if message == "ID?":
            return IDENTITY
        if message in ("LO?", "PL?"):
            quantity = "locked" if message == "LO?" else "pps_locked"
            return f"{bool(self._ports.get(f'{self._name}.{quantity}')):d}"
        if message == "ST?":
            locked = bool(self._ports.get(f"{self._name}.locked"))
            return f"0,0,0,{0 if locked else 1},0,0"
        if message == "SF?":
            return str(self._steps)
        if (match := re.fullmatch(r"SF (-?\d+)", message)) and abs(int(match[1])) <= MAX_STEPS:
            self._steps = int(match[1])
            self._ports.set(f"{self._name}.frequency_offset", STEP * self._steps)
        return None
