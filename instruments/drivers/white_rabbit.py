"""White Rabbit switch status over SNMP version 2c (RFC 3416), read only: no more of SNMP than one Get.

Object numbers: WR-SWITCH-MIB, wrsGeneralStatusGroup (enterprise 96, switch 100).
"""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from functools import partial

from qcodes.instrument import Instrument, InstrumentBaseKWArgs
from qcodes.parameters import Parameter
from typing_extensions import Unpack

from ..errors import BadReply
from .link import Link
from .tcp import split_endpoint

PORT = 161
GENERAL_STATUS = (1, 3, 6, 1, 4, 1, 96, 100, 6, 1)
MAIN, TIMING, NETWORKING = 1, 3, 4
WORDS = {0: "not available", 1: "ok", 2: "error", 3: "warning", 4: "warning, not available", 5: "bug", 6: "first read"}
INTEGER, OCTETS, NULL, OID, SEQUENCE, GET, RESPONSE = 0x02, 0x04, 0x05, 0x06, 0x30, 0xA0, 0xA2
VERSION_2C = 1


class WhiteRabbitSwitch(Instrument):
    """``timing_ok`` and the switch's own summary of its state.

    Args:
        address: ``host`` or ``host:port``.
        community: read password.
    """

    def __init__(
        self,
        name: str,
        address: str,
        *,
        community: str = "public",
        timeout: float = 1.0,
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, **kwargs)
        self.address, self._community, self._timeout_s = address, community.encode(), timeout
        self._numbers = itertools.count(1)
        self._link: Link[socket.socket] = Link(name, address, self._connect, socket.socket.close)
        for label, field in {"main": MAIN, "timing": TIMING, "networking": NETWORKING}.items():
            status: Parameter[str, WhiteRabbitSwitch] = self.add_parameter(
                f"{label}_status", get_cmd=partial(self._status, field)
            )
            setattr(self, status.name, status)
        self.timing_ok: Parameter[bool, WhiteRabbitSwitch] = self.add_parameter(
            "timing_ok", get_cmd=lambda: self._status(TIMING) == "ok"
        )
        """The switch keeps time with its source."""
        self._status(MAIN)

    def get_idn(self) -> dict[str, str | None]:
        return {"vendor": "White Rabbit", "model": "switch", "serial": None, "firmware": None}

    def close(self) -> None:
        self._link.close()
        super().close()

    def _status(self, field: int) -> str:
        oid = (*GENERAL_STATUS, field, 0)
        value = self._link.query(".".join(map(str, oid)), lambda connection: self._get(connection, oid))
        if value not in WORDS:
            raise BadReply(self.name, "status the MIB does not know", ".".join(map(str, oid)), value)
        return WORDS[value]

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        connection.settimeout(self._timeout_s)
        connection.connect(split_endpoint(self.address, PORT))
        return connection

    def _get(self, connection: socket.socket, oid: tuple[int, ...]) -> int:
        number = next(self._numbers)
        connection.send(_request(number, self._community, oid))
        while True:
            packet = connection.recv(2048)
            try:
                answered, value = _response(packet)
            except (ValueError, IndexError, StopIteration) as error:
                raise BadReply(self.name, "not an SNMP answer", ".".join(map(str, oid)), packet.hex()) from error
            if answered == number:  # an answer to an earlier question is dropped
                return value


def _request(number: int, community: bytes, oid: tuple[int, ...]) -> bytes:
    binding = _tlv(SEQUENCE, _tlv(OID, _oid(oid)) + _tlv(NULL, b""))
    zero = _tlv(INTEGER, b"\0")
    pdu = _tlv(GET, _tlv(INTEGER, number.to_bytes(5, "big")) + zero + zero + _tlv(SEQUENCE, binding))
    return _tlv(SEQUENCE, _tlv(INTEGER, bytes([VERSION_2C])) + _tlv(OCTETS, community) + pdu)


def _response(packet: bytes) -> tuple[int, int]:
    """Request number and integer value of an answer. ValueError when it is an error or something else."""
    ((kind, body),) = _parts(packet)
    _, _, (pdu, content) = _parts(body)
    (_, number), (_, error), _, (_, bindings) = _parts(content)
    ((_, binding),) = _parts(bindings)
    _, (tag, value) = _parts(binding)
    if kind != SEQUENCE or pdu != RESPONSE or int.from_bytes(error, "big") or tag != INTEGER:
        raise ValueError("error status, or no integer")
    return int.from_bytes(number, "big"), int.from_bytes(value, "big", signed=True)


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if at + length > len(data):
            raise ValueError("cut short")
        yield tag, data[at : at + length]
        at += length


def _tlv(tag: int, content: bytes) -> bytes:
    length = bytes([len(content)]) if len(content) < 0x80 else bytes([0x82]) + len(content).to_bytes(2, "big")
    return bytes([tag]) + length + content


def _oid(numbers: tuple[int, ...]) -> bytes:
    """First two numbers share a byte; the others are base 128 with the top bit on all but the last byte."""
    out = bytes([40 * numbers[0] + numbers[1]])
    for number in numbers[2:]:
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(number & 0x7F | 0x80)
        out += bytes(reversed(digits))
    return out
