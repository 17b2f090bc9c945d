"""An integrable tunable laser on the wire: OIF-ITLA-MSA register frames (for SerialHost)."""

from __future__ import annotations

import math
import struct

from .ports import Ports
from .wire import FaultPlan, WireTrace

OK, EXECUTION_ERROR, EXTENDED, PENDING = range(4)
NOP, MANUFACTURER, SERIAL, EXTENDED_DATA = 0x00, 0x02, 0x04, 0x0B
POWER, ENABLE, THZ, TENTH_GHZ, MEASURED_POWER, FINE_TUNE_MHZ = 0x31, 0x32, 0x35, 0x36, 0x42, 0x62
NO_SUCH_REGISTER, READ_ONLY, OUT_OF_RANGE, NOT_ALLOWED = 1, 2, 3, 9
POWER_RANGE = (600, 1350)
FINE_RANGE_MHZ = (-12_000, 12_000)
LIMITS = {0x50: POWER_RANGE[0], 0x51: POWER_RANGE[1], 0x52: 191, 0x53: 5000, 0x54: 196, 0x55: 2500}
TEXTS = {MANUFACTURER: b"PURE PHOTONICS\0\0", SERIAL: b"CRTNB1234\0"}
DARK = -6000


class ItlaDevice:
    """Ports ``<name>.emission``, ``.power_w``, ``.frequency_hz``; switching on takes ``settle_s``."""

    def __init__(self, ports: Ports, name: str, latency_s: float = 0.0, settle_s: float = 0.0) -> None:
        self.faults, self.trace, self.latency_s = FaultPlan(), WireTrace(), latency_s
        self._ports, self._name, self._settle_s = ports, name, settle_s
        self.interlock_open = False
        self.power_on()

    def power_on(self) -> None:
        self._registers = {POWER: 1000, ENABLE: 0, THZ: 195, TENTH_GHZ: 0, FINE_TUNE_MHZ: 0}
        self._error, self._settled_s, self._text = 0, 0.0, b""
        self._tell()

    def take(self, buffer: bytes) -> tuple[bytes | None, bytes]:
        """Cuts one frame off the buffer."""
        return (buffer[:4], buffer[4:]) if len(buffer) >= 4 else (None, buffer)

    def reply_to(self, message: bytes) -> bytes:
        head, register, value = struct.unpack(">BBH", message)
        self.trace.received(f"{'write' if head & 1 else 'read'} {register:#04x}")
        status, answer = self._write(register, value) if head & 1 else self._read(register)
        return _with_parity(struct.pack(">BBH", status, register, answer & 0xFFFF))

    def _read(self, register: int) -> tuple[int, int]:
        if register == NOP:
            pending = 0x0100 if self._ports.now_s() < self._settled_s else 0
            return OK, pending | self._error
        if register in TEXTS:
            self._text = TEXTS[register]
            return EXTENDED, len(self._text)
        if register == EXTENDED_DATA:
            word, self._text = self._text[:2], self._text[2:]
            return OK, struct.unpack(">H", word.ljust(2, b"\0"))[0]
        if register == MEASURED_POWER:
            return OK, self._registers[POWER] if self._registers[ENABLE] else DARK
        if register in LIMITS:
            return OK, LIMITS[register]
        if register in self._registers:
            return OK, self._registers[register]
        return self._refuse(NO_SUCH_REGISTER)

    def _write(self, register: int, value: int) -> tuple[int, int]:
        signed = value - 0x10000 if value & 0x8000 else value
        if register not in self._registers:
            return self._refuse(READ_ONLY if register in LIMITS else NO_SUCH_REGISTER)
        if register in (THZ, TENTH_GHZ) and self._registers[ENABLE]:
            return self._refuse(NOT_ALLOWED)
        if register == ENABLE and value and self.interlock_open:
            return self._refuse(NOT_ALLOWED)
        ranges = {POWER: POWER_RANGE, FINE_TUNE_MHZ: FINE_RANGE_MHZ}
        low, high = ranges.get(register, (0, 0xFFFF))
        if not low <= signed <= high:
            return self._refuse(OUT_OF_RANGE)
        self._registers[register] = signed
        self._tell()
        if register == ENABLE and signed:
            self._settled_s = self._ports.now_s() + self._settle_s
        return (PENDING if self._ports.now_s() < self._settled_s else OK), value

    def open_interlock(self) -> None:
        """The module's disable pin: the laser goes off and stays off."""
        self.interlock_open = True
        self._registers[ENABLE] = 0
        self._tell()

    def _refuse(self, error: int) -> tuple[int, int]:
        self._error = error
        return EXECUTION_ERROR, 0

    def _tell(self) -> None:
        registers = self._registers
        frequency_hz = 1e12 * registers[THZ] + 1e8 * registers[TENTH_GHZ] + 1e6 * registers[FINE_TUNE_MHZ]
        self._ports.set(f"{self._name}.emission", bool(registers[ENABLE]))
        self._ports.set(f"{self._name}.power_w", 1e-3 * math.pow(10, registers[POWER] / 1000))
        self._ports.set(f"{self._name}.frequency_hz", frequency_hz)


def _with_parity(frame: bytes) -> bytes:
    folded = (frame[0] & 0x0F) ^ frame[1] ^ frame[2] ^ frame[3]
    return bytes([((folded >> 4) ^ (folded & 0x0F)) << 4 | (frame[0] & 0x0F)]) + frame[1:]
