"""Thorlabs MPC320 on the wire: APT messages (for SerialHost)."""

from __future__ import annotations

import struct
from functools import partial

from .motion import Motion, Slew
from .ports import Ports
from .wire import FaultPlan, WireTrace

HEAD_BYTES, HAS_DATA, HOST, DEVICE = 6, 0x80, 0x01, 0x50
REQUEST_INFO, INFO, MOVE_HOME, MOVE_ABSOLUTE, REQUEST_STATUS, STATUS = 0x0005, 0x0006, 0x0443, 0x0453, 0x0490, 0x0491
DEGREES_PER_STEP = 170 / 1370
MOVING, SETTLED = 0x10, 0x400
#: Degrees a second: typical, not verified.
FULL_SPEED = 400.0


class Mpc320Device:
    """Ports ``<name>.angle<k>_deg``; paddles turn at ``speed`` (degrees a second)."""

    def __init__(self, ports: Ports, name: str, latency_s: float = 0.0, speed: float = FULL_SPEED) -> None:
        self.faults, self.trace, self.latency_s = FaultPlan(), WireTrace(), latency_s
        self._law = Slew(speed)
        self._angles = {
            1 << (paddle - 1): Motion(ports.now_s, partial(ports.set, f"{name}.angle{paddle}_deg"), 0.0)
            for paddle in (1, 2, 3)
        }

    def power_on(self) -> None:
        for angle in self._angles.values():
            angle.place(0.0)

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
        if number == REQUEST_STATUS and parameter in self._angles:
            return self._message(STATUS, self._status(parameter))
        if number == MOVE_HOME and parameter in self._angles:
            self._move(parameter, 0)
        if number == MOVE_ABSOLUTE:
            self._move(*struct.unpack("<Hi", message[HEAD_BYTES:]))
        return None

    def _move(self, bit: int, steps: int) -> None:
        if bit in self._angles:
            self._angles[bit].go(DEGREES_PER_STEP * steps, self._law)

    def _status(self, bit: int) -> bytes:
        angle = self._angles[bit]
        moving = angle.remaining_s() > 0
        position = round(angle.present() / DEGREES_PER_STEP)
        return struct.pack("<HiHhI", bit, position, 0, 0, MOVING if moving else SETTLED)

    def _message(self, number: int, data: bytes) -> bytes:
        return struct.pack("<HHBB", number, len(data), HOST | HAS_DATA, DEVICE) + data
