"""Serving line-based instruments over TCP on loopback: one asyncio thread for all of them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from functools import cache
from typing import Any, Protocol, TypeVar

from .wire import Fault, FaultPlan, WireTrace

R = TypeVar("R")

GARBAGE = b"\xfe\x93#?\x00\x81"


class LineDevice(Protocol):
    """An instrument that reads lines and answers some of them.

    Attributes:
        terminator: ends each line received.
        answer_end: ends each line sent.
        greeting: sent to each new connection.
        latency_s: time between question and answer.
    """

    faults: FaultPlan
    trace: WireTrace
    terminator: str
    answer_end: str
    greeting: str
    latency_s: float

    def answer(self, message: str) -> str | None:
        """Obeys a message; the text to send back, None for nothing."""
        ...

    def power_on(self) -> None:
        """Back to the state after switching on."""
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


class TcpHost:
    """A TCP server for one device. A context manager; ``unplug`` and ``plug`` act like the network cable."""

    def __init__(self, device: LineDevice, host: str = "127.0.0.1", port: int = 0) -> None:
        self.device, self.host, self.port = device, host, port
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
        run(self._hang_up())

    def drop_clients(self) -> None:
        """Closes the open connections in good order; new ones are welcome."""
        run(self._close_writers())

    def close(self) -> None:
        self.unplug()

    def __enter__(self) -> TcpHost:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def _hang_up(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _close_writers(self) -> None:
        for writer in tuple(self._writers):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        device = self.device
        end = device.terminator.encode()
        writer.write(device.greeting.encode())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while not writer.is_closing():
                line = await reader.readuntil(end)
                message = line.decode("latin-1").strip("\r\n")
                device.trace.received(message)
                answer = device.answer(message)
                if answer is not None:
                    await self._reply(writer, answer + device.answer_end)
        self._writers.discard(writer)
        writer.close()

    async def _reply(self, writer: asyncio.StreamWriter, answer: str) -> None:
        device = self.device
        device.trace.sent(answer)
        fault = device.faults.take()
        if device.latency_s:
            await asyncio.sleep(device.latency_s)
        match fault:
            case Fault.SILENT:
                return
            case Fault.LATE:
                await asyncio.sleep(device.faults.late_s)
            case Fault.DROP:
                writer.close()
                return
            case Fault.PARTIAL:
                writer.write(answer[: max(1, len(answer) // 2 - 1)].encode())
                await writer.drain()
                writer.close()
                return
            case Fault.GARBAGE:
                writer.write(GARBAGE + device.answer_end.encode())
                return
            case Fault.RESET:
                device.power_on()
                writer.transport.abort()
                return
        writer.write(answer.encode())
        await writer.drain()
