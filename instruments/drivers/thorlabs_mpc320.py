"""Thorlabs MPC320/MPC220 motorised polarisation controller: APT messages over its USB serial port.

Message numbers and layouts: Thorlabs APT communications protocol. A message is a 6-byte head (number, two parameters or
a data length, destination, source), followed by data when the destination has its top bit set.
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from functools import partial

from qcodes.instrument import Instrument, InstrumentBaseKWArgs
from qcodes.parameters import Parameter
from qcodes.validators import Numbers
from typing_extensions import Unpack

from ..errors import ConnectionLost
from .link import Link
from .serial_port import SerialStream

BAUD_RATE = 115_200
HOST, DEVICE, HAS_DATA = 0x01, 0x50, 0x80
REQUEST_INFO, INFO = 0x0005, 0x0006
MOVE_HOME, MOVE_ABSOLUTE = 0x0443, 0x0453
REQUEST_STATUS, STATUS = 0x0490, 0x0491
MOVING = 0x10 | 0x20 | 0x40 | 0x80 | 0x200
#: 170° are 1370 steps.
DEGREES_PER_STEP = 170 / 1370
LARGEST_DEGREES = 170.0
MOVE_TIMEOUT_S = 20.0
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Message:
    """One APT message."""

    number: int
    data: bytes


class ThorlabsMpc320(Instrument):
    """A PolarizationController: ``angle1``, ``angle2``, ``angle3`` of its paddles.

    Args:
        address: the serial port, e.g. ``/dev/ttyUSB0`` or ``COM5``.
        paddles: 3, or 2 for an MPC220.
    """

    def __init__(
        self, name: str, address: str, *, paddles: int = 3, timeout: float = 1.0, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, **kwargs)
        self.address, self._timeout_s = address, timeout
        self._link: Link[SerialStream] = Link(name, address, self._connect, SerialStream.close)
        self._paddles = range(1, paddles + 1)
        for paddle in self._paddles:
            angle: Parameter[float, ThorlabsMpc320] = self.add_parameter(
                f"angle{paddle}",
                unit="deg",
                get_cmd=partial(self._angle, paddle),
                set_cmd=partial(self._move, paddle),
                vals=Numbers(0, LARGEST_DEGREES),
            )
            setattr(self, f"angle{paddle}", angle)
        self._link.open()

    def get_idn(self) -> dict[str, str | None]:
        info = self._link.query("info", partial(_ask, request=(REQUEST_INFO, 0), reply=INFO)).data
        serial, model = struct.unpack_from("<I8s", info)
        minor, interim, major = info[14], info[15], info[16]
        return {
            "vendor": "Thorlabs",
            "model": model.rstrip(b"\0 ").decode("ascii", "replace"),
            "serial": str(serial),
            "firmware": f"{major}.{interim}.{minor}",
        }

    def home(self) -> None:
        """Moves every paddle to its reference and waits."""
        for paddle in self._paddles:
            self._send(f"home {paddle}", _head(MOVE_HOME, _bit(paddle)))
            self._wait(paddle, f"home {paddle}")

    def close(self) -> None:
        self._link.close()
        super().close()

    def _move(self, paddle: int, degrees: float) -> None:
        steps = round(degrees / DEGREES_PER_STEP)
        data = struct.pack("<Hi", _bit(paddle), steps)
        self._send(f"paddle {paddle} to {degrees:g} deg", _with_data(MOVE_ABSOLUTE, data))
        self._wait(paddle, f"paddle {paddle} to {degrees:g} deg")

    def _angle(self, paddle: int) -> float:
        return DEGREES_PER_STEP * self._status(paddle)[0]

    def _wait(self, paddle: int, command: str) -> None:
        reconnects, deadline_s, moves = self._link.reconnects, time.monotonic() + MOVE_TIMEOUT_S, True
        while moves:
            moves = bool(self._status(paddle)[1] & MOVING)
            self._link.unbroken_since(reconnects, command)
            if moves and time.monotonic() > deadline_s:
                raise ConnectionLost(self.name, f"paddle {paddle} still moves after {MOVE_TIMEOUT_S:g} s", command)
            time.sleep(POLL_S if moves else 0)

    def _status(self, paddle: int) -> tuple[int, int]:
        """Position in steps and status bits of a paddle."""

        def ask(stream: SerialStream) -> tuple[int, int]:
            while True:
                data = _ask(stream, (REQUEST_STATUS, _bit(paddle)), STATUS).data
                bit, position, _, _, bits = struct.unpack("<HiHhI", data)
                if bit == _bit(paddle):
                    return position, bits

        return self._link.query(f"status of paddle {paddle}", ask)

    def _send(self, what: str, message: bytes) -> None:
        self._link.send(what, lambda stream: stream.send(message))

    def _connect(self) -> SerialStream:
        stream = SerialStream(self.address, BAUD_RATE, self._timeout_s)
        try:
            # Late answers of an earlier failure come before this one and are dropped.
            _ask(stream, (REQUEST_INFO, 0), INFO)
        except BaseException:
            stream.close()
            raise
        return stream


def _ask(stream: SerialStream, request: tuple[int, int], reply: int) -> Message:
    stream.discard()
    stream.send(_head(*request))
    while True:
        message = _read(stream)
        if message.number == reply:
            return message


def _read(stream: SerialStream) -> Message:
    number, length, destination, _ = struct.unpack("<HHBB", stream.read(6))
    return Message(number, stream.read(length) if destination & HAS_DATA else b"")


def _head(number: int, parameter: int) -> bytes:
    return struct.pack("<HBBBB", number, parameter, 0, DEVICE, HOST)


def _with_data(number: int, data: bytes) -> bytes:
    return struct.pack("<HHBB", number, len(data), DEVICE | HAS_DATA, HOST) + data


def _bit(paddle: int) -> int:
    return 1 << (paddle - 1)
