"""Thorlabs MPC320 on the wire: APT messages (for SerialHost)."""

from __future__ import annotations

import struct

from .ports import Ports
from .wire import FaultPlan, WireTrace

HEAD_BYTES, HAS_DATA, HOST, DEVICE = 6, 0x80, 0x01, 0x50
REQUEST_INFO, INFO, MOVE_HOME, MOVE_ABSOLUTE, REQUEST_STATUS, STATUS = 0x0005, 0x0006, 0x0443, 0x0453, 0x0490, 0x0491
DEGREES_PER_STEP = 170 / 1370
MOVING, SETTLED = 0x10, 0x400


class Mpc320Device:
    """Ports ``<name>.angle<k>_deg``; a paddle is on its way for ``settle_s`` after a move."""

    def __init__(self, ports: Ports, name: str, latency_s: float = 0.0, settle_s: float = 0.0) -> None:
        self.faults, self.trace, self.latency_s = FaultPlan(), WireTrace(), latency_s
        self._ports, self._name, self._settle_s = ports, name, settle_s
        self.power_on()

    def power_on(self) -> None:
        self._arrival_s = dict.fromkeys((1, 2, 4), 0.0)
        for paddle in (1, 2, 3):
            self._ports.set(f"{self._name}.angle{paddle}_deg", 0.0)

    def take(self, buffer: bytes) -> tuple[bytes | None, bytes]:
        """Cuts one APT message off the buffer."""
        if len(buffer) < HEAD_BYTES:
            return None, buffer
        _, length, destination, _ = struct.unpack_from("<HHBB", buffer)
        size = HEAD_BYTES + (length if destination & HAS_DATA else 0)
        return (buffer[:size], buffer[size:]) if len(buffer) >= size else (None, buffer)

    def reply_to(self, message: bytes) -> bytes | None:
        number, parameter = struct.unpack_from("<HB", message)
        self.trace.received(f"{number:#06x}")
        if number == REQUEST_INFO:
            info = struct.pack("<I8sHBBBB", 38123456, b"MPC320\0\0", 44, 3, 0, 1, 0) + bytes(66)
            return self._message(INFO, info)
        if number == REQUEST_STATUS and parameter in self._arrival_s:
            return self._message(STATUS, self._status(parameter))
        if number == MOVE_HOME and parameter in self._arrival_s:
            self._move(parameter, 0)
        if number == MOVE_ABSOLUTE:
            self._move(*struct.unpack("<Hi", message[HEAD_BYTES:]))
        return None

    def _move(self, bit: int, steps: int) -> None:
        self._ports.set(f"{self._name}.angle{bit.bit_length()}_deg", DEGREES_PER_STEP * steps)
        self._arrival_s[bit] = self._ports.now_s() + self._settle_s

    def _status(self, bit: int) -> bytes:
        angle = self._ports.get(f"{self._name}.angle{bit.bit_length()}_deg")
        assert isinstance(angle, int | float)
        moving = self._ports.now_s() < self._arrival_s[bit]
        return struct.pack("<HiHhI", bit, round(angle / DEGREES_PER_STEP), 0, 0, MOVING if moving else SETTLED)

    def _message(self, number: int, data: bytes) -> bytes:
        return struct.pack("<HHBB", number, len(data), HOST | HAS_DATA, DEVICE) + data
