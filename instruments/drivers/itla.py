"""Integrable tunable laser (OIF-ITLA-MSA-01.3; Pure Photonics PPCL and others): 4-byte register frames over a serial port.

A frame is head, register, value (big endian); the top half of the head is a parity of the rest (§5 of the agreement).
"""

from __future__ import annotations

import math
import struct
import time
from functools import partial

from qcodes.instrument import Instrument, InstrumentBaseKWArgs
from qcodes.parameters import Parameter
from qcodes.validators import Bool, Numbers
from typing_extensions import Unpack

from ..errors import BadReply, ConnectionLost, InstrumentError
from .link import Link
from .serial_port import SerialStream

BAUD_RATE = 9600
READ, WRITE = 0, 1
OK, EXECUTION_ERROR, EXTENDED, PENDING = range(4)
NOP, MANUFACTURER, SERIAL, EXTENDED_DATA = 0x00, 0x02, 0x04, 0x0B
POWER, ENABLE, FREQUENCY_THZ, FREQUENCY_TENTH_GHZ = 0x31, 0x32, 0x35, 0x36
MEASURED_POWER, LOWEST_POWER, HIGHEST_POWER = 0x42, 0x50, 0x51
LOWEST_THZ, LOWEST_TENTH_GHZ, HIGHEST_THZ, HIGHEST_TENTH_GHZ = 0x52, 0x53, 0x54, 0x55
FINE_TUNE_MHZ = 0x62
SOFTWARE_ENABLE = 0x08
#: Field of the NOP register after an execution error (§9.4.1).
ERRORS = {
    0: "no error", 1: "register does not exist", 2: "register cannot be written", 3: "value out of range",
    4: "command ignored: an operation is pending", 5: "command ignored: the module is starting",
    6: "extended address out of range", 7: "extended address cannot be written", 8: "command failed",
    9: "not allowed now (is emission on?)",
}  # fmt: skip
PENDING_TIMEOUT_S = 30.0
POLL_S = 0.05


class ItlaLaser(Instrument):
    """A Laser. The frequency can only be changed beyond the fine tuning while emission is off.

    Args:
        address: the serial port.
    """

    def __init__(
        self, name: str, address: str, *, timeout: float = 0.5, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, **kwargs)
        self.address, self._timeout_s = address, timeout
        self._link: Link[SerialStream] = Link(name, address, self._connect, SerialStream.close)
        self.emission: Parameter[bool, ItlaLaser] = self.add_parameter(
            "emission", get_cmd=lambda: bool(self._read(ENABLE) & SOFTWARE_ENABLE), set_cmd=self._enable, vals=Bool()
        )
        """Laser on; setting it returns when the module has settled."""
        lowest, highest = (self._read_signed(register) for register in (LOWEST_POWER, HIGHEST_POWER))
        self.power: Parameter[float, ItlaLaser] = self.add_parameter(
            "power",
            unit="W",
            get_cmd=lambda: _watt(self._read_signed(POWER)),
            set_cmd=lambda watt: self._write(POWER, _centi_dbm(watt)),
            vals=Numbers(_watt(lowest) * (1 - 1e-9), _watt(highest) * (1 + 1e-9)),
        )
        """Output power set point."""
        self.measured_power: Parameter[float, ItlaLaser] = self.add_parameter(
            "measured_power", unit="W", get_cmd=lambda: _watt(self._read_signed(MEASURED_POWER))
        )
        """Power at the internal monitor."""
        self.frequency: Parameter[float, ItlaLaser] = self.add_parameter(
            "frequency",
            unit="Hz",
            get_cmd=self._get_frequency,
            set_cmd=self._set_frequency,
            vals=Numbers(self._pair_hz(LOWEST_THZ, LOWEST_TENTH_GHZ), self._pair_hz(HIGHEST_THZ, HIGHEST_TENTH_GHZ)),
        )
        """Optical frequency, in steps of 1 MHz."""

    def get_idn(self) -> dict[str, str | None]:
        vendor, serial = (self._link.query("identity", partial(self._text, register=r)) for r in (MANUFACTURER, SERIAL))
        return {"vendor": vendor, "model": "ITLA", "serial": serial, "firmware": None}

    def close(self) -> None:
        self._link.close()
        super().close()

    def _enable(self, on: bool) -> None:
        self._write(ENABLE, SOFTWARE_ENABLE if on else 0)

    def _get_frequency(self) -> float:
        return self._pair_hz(FREQUENCY_THZ, FREQUENCY_TENTH_GHZ) + 1e6 * self._read_signed(FINE_TUNE_MHZ)

    def _set_frequency(self, frequency_hz: float) -> None:
        tenths, fine_mhz = divmod(round(frequency_hz / 1e6), 100)
        thz, tenth_ghz = divmod(tenths, 10_000)
        if (thz, tenth_ghz) != (self._read(FREQUENCY_THZ), self._read(FREQUENCY_TENTH_GHZ)):
            self._write(FREQUENCY_THZ, thz)
            self._write(FREQUENCY_TENTH_GHZ, tenth_ghz)
        self._write(FINE_TUNE_MHZ, fine_mhz)

    def _pair_hz(self, thz: int, tenth_ghz: int) -> float:
        return 1e12 * self._read(thz) + 1e8 * self._read(tenth_ghz)

    # -- the wire ------------------------------------------------------------------------------------------------------

    def _connect(self) -> SerialStream:
        stream = SerialStream(self.address, BAUD_RATE, self._timeout_s)
        try:
            stream.send(_with_parity(struct.pack(">BBH", READ, NOP, 0)))
            while stream.read(4)[1] != NOP:
                pass  # a late answer of an earlier failure
        except BaseException:
            stream.close()
            raise
        return stream

    def _read(self, register: int) -> int:
        return self._link.query(f"register {register:#04x}", lambda stream: self._frame(stream, READ, register, 0)[1])

    def _read_signed(self, register: int) -> int:
        value = self._read(register)
        return value - 0x10000 if value & 0x8000 else value

    def _write(self, register: int, value: int) -> None:
        def action(stream: SerialStream) -> None:
            status, _ = self._frame(stream, WRITE, register, value & 0xFFFF)
            if status == PENDING:
                self._wait(stream)

        self._link.send(f"register {register:#04x} = {value}", action)

    def _wait(self, stream: SerialStream) -> None:
        deadline_s = time.monotonic() + PENDING_TIMEOUT_S
        while self._frame(stream, READ, NOP, 0)[1] & 0xFF00:
            if time.monotonic() > deadline_s:
                raise ConnectionLost(self.name, f"operation still pending after {PENDING_TIMEOUT_S:g} s")
            time.sleep(POLL_S)

    def _text(self, stream: SerialStream, register: int) -> str:
        _, length = self._frame(stream, READ, register, 0)
        words = [self._frame(stream, READ, EXTENDED_DATA, 0)[1] for _ in range((length + 1) // 2)]
        return struct.pack(f">{len(words)}H", *words).rstrip(b"\0").decode("ascii", "replace")

    def _frame(self, stream: SerialStream, direction: int, register: int, value: int) -> tuple[int, int]:
        """Status and value the module answers."""
        body = struct.pack(">BBH", direction, register, value)
        stream.send(_with_parity(body))
        answer = stream.read(4)
        if _with_parity(bytes([answer[0] & 0x0F]) + answer[1:]) != answer or answer[1] != register:
            raise BadReply(self.name, "frame with wrong parity or register", f"register {register:#04x}", answer.hex())
        status = answer[0] & 0x03
        if status == EXECUTION_ERROR and register != NOP:
            _, nop = self._frame(stream, READ, NOP, 0)
            words = ERRORS.get(nop & 0x0F, f"error {nop & 0x0F}")
            raise InstrumentError(self.name, f"refused: {words}", f"register {register:#04x} = {value}")
        return status, struct.unpack(">H", answer[2:])[0]


def _with_parity(frame: bytes) -> bytes:
    """The frame with the 4-bit interleaved parity in the top half of its head."""
    folded = (frame[0] & 0x0F) ^ frame[1] ^ frame[2] ^ frame[3]
    return bytes([((folded >> 4) ^ (folded & 0x0F)) << 4 | (frame[0] & 0x0F)]) + frame[1:]


def _watt(centi_dbm: int) -> float:
    return float(1e-3 * 10 ** (centi_dbm / 1000))


def _centi_dbm(watt: float) -> int:
    return round(1000 * math.log10(1e3 * watt))
