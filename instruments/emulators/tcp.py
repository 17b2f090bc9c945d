"""Serving instruments over TCP on loopback: one asyncio thread for all of them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any, Protocol, Self, TypeVar

from .wire import Fault, FaultPlan, WireTrace

R = TypeVar("R")
Converse = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]

GARBAGE = b"\xfe\x93#?\x00\x81"


class Device(Protocol):
    """What every emulated instrument has: faults, a trace, a latency and a power switch."""

    faults: FaultPlan
    trace: WireTrace
    latency_s: float

    def power_on(self) -> None:
        """Back to the state after switching on."""
        ...


class LineDevice(Device, Protocol):
    """An instrument that reads lines and answers some of them.

    Attributes:
        terminator: ends each line received.
        answer_end: ends each answer sent.
        greeting: sent to each new connection.
    """

    terminator: str
    answer_end: str
    greeting: str

    def answer(self, message: str) -> str | None:
        """Obeys a message; the text to send back, None for nothing."""
        ...


@cache
def event_loop() -> asyncio.AbstractEventLoop:
    """The loop all emulators of this process run on, in its own daemon thread."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="emulators", daemon=True).start()
    return loop


def run(coroutine: Coroutine[Any, Any, R]) -> R:
    """The result of a coroutine run on the emulators' loop."""
    return asyncio.run_coroutine_threadsafe(coroutine, event_loop()).result(10)


class TcpServer:
    """Listens at one port and lets ``converse`` handle each connection. ``unplug`` and ``plug`` act like the cable."""

    def __init__(self, converse: Converse, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host, self.port = host, port
        self._converse = converse
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.plug()

    @property
    def visa_address(self) -> str:
        return f"TCPIP::{self.host}::{self.port}::SOCKET"

    def plug(self) -> None:
        """Starts to listen, always at the same port."""
        self._server = run(asyncio.start_server(self._serve, self.host, self.port))
        self.port = self._server.sockets[0].getsockname()[1]

    def unplug(self) -> None:
        """Stops to listen and cuts every connection."""
        run(self._cut())

    def drop_clients(self) -> None:
        """Closes the open connections in good order; new ones are welcome."""
        run(self._close_writers())

    def close(self) -> None:
        self.unplug()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._converse(reader, writer)
        self._writers.discard(writer)
        writer.close()

    async def _cut(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _close_writers(self) -> None:
        for writer in tuple(self._writers):
            writer.close()


class TcpHost(TcpServer):
    """A TCP server for one device that talks in lines."""

    def __init__(self, device: LineDevice, host: str = "127.0.0.1", port: int = 0) -> None:
        self.device = device
        super().__init__(self._talk, host, port)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        device, end = self.device, self.device.terminator.encode()
        writer.write(device.greeting.encode())
        while not writer.is_closing():
            message = (await reader.readuntil(end)).decode("latin-1").strip("\r\n")
            device.trace.received(message)
            answer = device.answer(message)
            if answer is not None:
                await reply(device, writer, answer.encode(), device.answer_end.encode())


async def reply(device: Device, writer: asyncio.StreamWriter, answer: bytes, end: bytes) -> None:
    """Sends an answer, or what the fault plan makes of it."""
    device.trace.sent(answer.decode("latin-1"))
    fault = device.faults.take()
    if device.latency_s:
        await asyncio.sleep(device.latency_s)
    match fault:
        case Fault.SILENT:
            return
        case Fault.LATE:
            await asyncio.sleep(device.faults.late_s)
            writer.write(answer + end)
        case Fault.DROP:
            writer.close()
        case Fault.PARTIAL:
            writer.write(answer[: max(1, len(answer) // 2)])
            await writer.drain()
            writer.close()
        case Fault.GARBAGE:
            writer.write(GARBAGE + end)
        case Fault.RESET:
            device.power_on()
            writer.transport.abort()
        case _:
            writer.write(answer + end)
    if not writer.is_closing():
        await writer.drain()
