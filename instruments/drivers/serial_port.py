"""A serial port for instruments that talk in frames of bytes (needs pyserial: ``pip install erbia[serial]``)."""

from __future__ import annotations

import serial  # type: ignore[import-untyped]


class SerialStream:
    """An open port. Raises TimeoutError when bytes are missing, OSError when the port is gone."""

    def __init__(self, port: str, baud_rate: int, timeout_s: float, hardware_handshake: bool = False) -> None:
        self._port = serial.Serial(
            port, baud_rate, timeout=timeout_s, write_timeout=timeout_s, rtscts=hardware_handshake
        )

    def send(self, data: bytes) -> None:
        try:
            self._port.write(data)
        except serial.SerialTimeoutException as error:
            raise TimeoutError("the port does not take bytes") from error

    def read(self, n: int) -> bytes:
        """Exactly ``n`` bytes."""
        data: bytes = self._port.read(n)
        if len(data) < n:
            raise TimeoutError(f"{len(data)} of {n} bytes within {self._port.timeout:g} s")
        return data

    def discard(self) -> None:
        """Throws away what has arrived."""
        self._port.reset_input_buffer()

    def close(self) -> None:
        self._port.close()
