"""A TCP connection for instruments that are not VISA: every wait has an end, and the end of the stream is an error."""

from __future__ import annotations

import select
import socket
import time

OPEN_TIMEOUT_S = 1.0
CHUNK = 65536


class TcpStream:
    """One open connection. Raises TimeoutError, ConnectionError or another OSError.

    Args:
        timeout_s: longest wait of one ``read_until`` or ``send``.
    """

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._buffer = b""
        self._socket = socket.create_connection((host, port), OPEN_TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        self._socket.settimeout(self.timeout_s)
        self._socket.sendall(data)

    def read_until(self, end: bytes) -> bytes:
        """Bytes up to ``end``, which is left out."""
        deadline_s = time.monotonic() + self.timeout_s
        while end not in self._buffer:
            self._receive(deadline_s)
        answer, self._buffer = self._buffer.split(end, 1)
        return answer

    def drain(self) -> None:
        """Throws away what has come unasked."""
        self._buffer = b""
        while select.select([self._socket], [], [], 0)[0]:
            self._receive(time.monotonic() + self.timeout_s)
            self._buffer = b""

    def close(self) -> None:
        self._socket.close()

    def is_open(self) -> bool:
        """False once the peer has closed."""
        if not select.select([self._socket], [], [], 0)[0]:
            return True
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def _receive(self, deadline_s: float) -> None:
        remaining_s = deadline_s - time.monotonic()
        if remaining_s <= 0:
            raise TimeoutError(f"nothing complete within {self.timeout_s:g} s")
        self._socket.settimeout(remaining_s)
        try:
            chunk = self._socket.recv(CHUNK)
        except TimeoutError as error:
            raise TimeoutError(f"nothing complete within {self.timeout_s:g} s") from error
        if not chunk:
            raise ConnectionResetError("the instrument closed the connection")
        self._buffer += chunk


def split_endpoint(endpoint: str, default_port: int) -> tuple[str, int]:
    """``host`` or ``host:port`` → (host, port)."""
    host, _, port = endpoint.partition(":")
    return host, int(port) if port else default_port
