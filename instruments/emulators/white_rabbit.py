"""The SNMP agent of a White Rabbit switch on the wire: answers Get for the general status, over UDP."""

from __future__ import annotations

import socket
import threading
import time
from typing import Self

from .ports import Ports
from .wire import Fault, FaultPlan, WireTrace

#: 1.3.6.1.4.1.96.100.6.1.<field>.0 as it stands in a packet.
GENERAL_STATUS = bytes([0x2B, 6, 1, 4, 1, 96, 100, 6, 1])
MAIN, TIMING, NETWORKING = 1, 3, 4
OK, ERROR = 1, 2
INTEGER, OID, SEQUENCE, RESPONSE, NO_SUCH_OBJECT = 0x02, 0x06, 0x30, 0xA2, 0x80


class WhiteRabbitAgent:
    """Timing is ok while the port ``<name>.timing_ok`` is true. A context manager."""

    def __init__(self, ports: Ports, name: str, host: str = "127.0.0.1", port: int = 0, latency_s: float = 0.0) -> None:
        self.faults, self.trace, self.latency_s = FaultPlan(), WireTrace(), latency_s
        self._ports, self._name, self._host, self._port = ports, name, host, port
        self.plug()

    @property
    def endpoint(self) -> str:
        return f"{self._host}:{self._port}"

    def plug(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self._host, self._port))
        self._socket.settimeout(0.02)
        self._port = self._socket.getsockname()[1]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._socket.close()

    def close(self) -> None:
        self.unplug()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                packet, sender = self._socket.recvfrom(2048)
            except (TimeoutError, ConnectionResetError):
                continue
            self.trace.received(packet.hex())
            answer = self._answer(packet)
            self.trace.sent(answer.hex())
            time.sleep(self.latency_s)
            match self.faults.take():
                case Fault.SILENT | Fault.DROP | Fault.RESET:
                    continue
                case Fault.LATE:
                    time.sleep(self.faults.late_s)
                case Fault.PARTIAL:
                    answer = answer[: len(answer) // 2]
                case Fault.GARBAGE:
                    answer = b"\xfe\x93#?"
            self._socket.sendto(answer, sender)

    def _answer(self, packet: bytes) -> bytes:
        """The request with its kind changed and the value in place of the null at its end."""
        at = packet.index(GENERAL_STATUS) + len(GENERAL_STATUS)
        field = packet[at]
        states = {MAIN: OK, NETWORKING: OK, TIMING: OK if self._ports.get(f"{self._name}.timing_ok") else ERROR}
        value = bytes([INTEGER, 1, states[field]]) if field in states else bytes([NO_SUCH_OBJECT, 0])
        name = bytes([OID, len(GENERAL_STATUS) + 2]) + GENERAL_STATUS + bytes([field, 0])
        number_at = packet.index(b"\xa0") + 2
        number = packet[number_at : number_at + 2 + packet[number_at + 1]]
        bindings = _wrap(SEQUENCE, _wrap(SEQUENCE, name + value))
        pdu = _wrap(RESPONSE, number + b"\x02\x01\x00\x02\x01\x00" + bindings)
        return _wrap(SEQUENCE, packet[2 : packet.index(b"\xa0")] + pdu)


def _wrap(tag: int, content: bytes) -> bytes:
    return bytes([tag, len(content)]) + content
