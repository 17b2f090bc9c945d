"""Serving instruments on a pseudo terminal: to the driver it is a serial port (Linux and macOS)."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from typing import Protocol, Self

from .tcp import GARBAGE, Device, LineDevice
from .wire import Fault


class FrameDevice(Device, Protocol):
    """An instrument that reads bytes: ``take`` cuts the next whole message off the buffer."""

    def take(self, buffer: bytes) -> tuple[bytes | None, bytes]:
        """(next message or None when it is not complete, rest)."""
        ...

    def reply_to(self, message: bytes) -> bytes | None:
        """Obeys a message; bytes to send back, None for nothing."""
        ...


class LineFrames:
    """Makes a FrameDevice of a LineDevice."""

    def __init__(self, device: LineDevice) -> None:
        self.faults, self.trace, self.latency_s = device.faults, device.trace, device.latency_s
        self.power_on: Callable[[], None] = device.power_on
        self._device = device

    def take(self, buffer: bytes) -> tuple[bytes | None, bytes]:
        message, end, rest = buffer.partition(self._device.terminator.encode())
        return (message, rest) if end else (None, buffer)

    def reply_to(self, message: bytes) -> bytes | None:
        text = message.decode("latin-1").strip("\r\n")
        self.trace.received(text)
        answer = self._device.answer(text)
        return None if answer is None else (answer + self._device.answer_end).encode()


def has_pseudo_terminals() -> bool:
    """Whether this system gives pseudo terminals: Windows has none, a bare container may lack ``/dev/pts``."""
    try:
        ends = os.openpty()
    except (AttributeError, OSError):
        return False
    for end in ends:
        os.close(end)
    return True


class SerialHost:
    """A pseudo terminal with the device at its other end; ``path`` is what the driver opens."""

    def __init__(self, device: FrameDevice) -> None:
        self.device = device
        self._master, self._slave = os.openpty()
        _make_raw(self._slave)
        self.path = os.ttyname(self._slave)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def visa_address(self) -> str:
        return f"ASRL{self.path}::INSTR"

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _serve(self) -> None:
        buffer = b""
        while not self._stopping.is_set():
            if not select.select([self._master], [], [], 0.02)[0]:
                continue
            buffer += os.read(self._master, 4096)
            message, buffer = self.device.take(buffer)
            while message is not None:
                answer = self.device.reply_to(message)
                if answer is not None:
                    self._reply(answer)
                message, buffer = self.device.take(buffer)

    def _reply(self, answer: bytes) -> None:
        device = self.device
        device.trace.sent(answer.decode("latin-1"))
        if device.latency_s:
            time.sleep(device.latency_s)
        match device.faults.take():
            case Fault.SILENT | Fault.DROP:
                return
            case Fault.LATE:
                time.sleep(device.faults.late_s)
            case Fault.PARTIAL:
                answer = answer[: len(answer) // 2]
            case Fault.GARBAGE:
                answer = GARBAGE + answer[-1:]
            case Fault.RESET:
                device.power_on()
                return
        os.write(self._master, answer)


def _make_raw(terminal: int) -> None:
    import tty  # not on Windows, where there are no pseudo terminals either

    tty.setraw(terminal)
