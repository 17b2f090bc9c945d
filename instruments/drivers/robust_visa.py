"""RobustVisa: the base of every VISA driver here. Lock, reconnection, no stale answer, no repeated command.

pyvisa-py's TCP sockets need care, each point seen in a test of this module: a peer that closed looks like "no data yet"
until the timeout, with the processor spinning; a write to a dead peer raises a bare BrokenPipeError; a refused
connection shows only at the first write; a device clear on a closed peer never returns.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import pyvisa
from pyvisa.constants import StatusCode
from pyvisa.resources import MessageBasedResource, SerialInstrument
from qcodes.instrument import InstrumentBase, VisaInstrument, VisaInstrumentKWArgs
from qcodes.parameters import Parameter
from typing_extensions import Unpack

from ..errors import BadReply, ConnectionLost, InstrumentError
from .link import Link
from .replies import flag, integer, parsed

R = TypeVar("R")

OPEN_TIMEOUT_S = 1.0
SETTLE_POLL_S = 0.002


class RobustVisa(VisaInstrument):
    """A VISA instrument that survives its connection.

    Subclasses set ``default_terminator``, ``default_timeout`` (s) and ``error_query``, and build parameters with
    ``reading`` and ``writing``. ``address`` and ``timeout`` stay readable when the connection is down.

    Raises:
        ConnectionLost: nothing answers at ``address``.
    """

    default_terminator = "\n"
    default_timeout = 1.0
    #: Asked after each command, in the same exchange, so that a refused command is noticed. None: device has no queue.
    error_query: str | None = "SYST:ERR?"
    #: Longest time any setting takes.
    settle_timeout_s = 30.0
    #: A question and the head of its answer. On a serial line, which has no connections to renew, everything before that
    #: answer is a late one and is thrown away after each opening.
    sync_query: tuple[str, str] | None = None

    def __init__(self, name: str, address: str, **kwargs: Unpack[VisaInstrumentKWArgs]) -> None:
        kwargs.setdefault("device_clear", False)  # a fresh socket has nothing to clear
        self._home = address
        self._visalib = kwargs.get("visalib") or ""
        self._terminator: str | None = kwargs.get("terminator", self.default_terminator)
        self._timeout_s: float | None = kwargs.get("timeout", self.default_timeout)
        self._link: Link[MessageBasedResource] = Link(
            name,
            address,
            self._open_handle,
            MessageBasedResource.close,
            usable=_in_step,
            on_reconnect=lambda: invalidate_caches(self),
        )
        super().__init__(name, address, **kwargs)

    @property
    def address(self) -> str | None:
        return self._home

    @property
    def reconnects(self) -> int:
        """How often the connection was opened again."""
        return self._link.reconnects

    def exclusive(self) -> AbstractContextManager[Any]:
        """No other thread talks to the instrument inside ``with instrument.exclusive():``."""
        return self._link.lock

    def reading(self, command: str, parse: Callable[[str], R]) -> Callable[[], R]:
        """A getter: asks ``command`` and parses the answer; BadReply when it does not fit."""
        return lambda: parsed(self.name, command, self.ask(command), parse)

    def writing(self, template: str) -> Callable[[Any], None]:
        """A setter: formats the value into ``template``, sends it and checks that the device accepted it."""
        return lambda value: self.write(template.format(value))

    def settling(self, template: str) -> Callable[[Any], None]:
        """A setter for what takes time: it returns when ``*OPC?`` says that the device has arrived."""

        def set_and_wait(value: Any) -> None:
            command = template.format(value)
            self.write(command)
            self._until_settled(command)

        return set_and_wait

    def _until_settled(self, command: str) -> None:
        """Returns when ``*OPC?`` is answered with 1 on an unbroken connection.

        Raises:
            ConnectionLost: not within ``settle_timeout_s``, or the device was away meanwhile.
        """
        reconnects, settled, deadline_s = self.reconnects, False, time.monotonic() + self.settle_timeout_s
        while not settled:
            settled = self.reading("*OPC?", flag)()
            self._link.unbroken_since(reconnects, command)
            if not settled and time.monotonic() > deadline_s:
                raise ConnectionLost(self.name, f"still not settled after {self.settle_timeout_s:g} s", command)
            time.sleep(0 if settled else SETTLE_POLL_S)

    def add_setting(
        self, name: str, header: str, parse: Callable[[str], Any], spelling: str = "{}", **options: Any
    ) -> Parameter[Any, Any]:
        """A parameter read with ``header?`` and set with ``header value``; ``options`` are QCoDeS's (unit, vals, …)."""
        return self.add_parameter(
            name,
            get_cmd=self.reading(f"{header}?", parse),
            set_cmd=self.writing(f"{header} {spelling}"),
            **options,
        )

    def add_reading(self, name: str, command: str, parse: Callable[[str], Any], **options: Any) -> Parameter[Any, Any]:
        """A parameter that can only be read."""
        return self.add_parameter(name, get_cmd=self.reading(command, parse), **options)

    def ask(self, cmd: str) -> str:
        """The answer to ``cmd``. Raises ConnectionLost or BadReply."""
        return self._link.query(cmd, lambda handle: self._converse(handle, cmd))

    def write(self, cmd: str) -> None:
        """Sends ``cmd`` once. Raises ConnectionLost, or InstrumentError when the device refused it."""
        error = self._link.send(cmd, lambda handle: self._command(handle, cmd))
        if error and parsed(self.name, cmd, error, _error_number):
            raise InstrumentError(self.name, "refused the command", cmd, error)

    def close(self) -> None:
        self._link.close()
        super().close()

    # -- the wire ------------------------------------------------------------------------------------------------------

    def _converse(self, handle: MessageBasedResource, cmd: str) -> str:
        try:
            handle.write(cmd)
            _await_answer(handle)
            answer = handle.read(encoding="latin-1")
        except pyvisa.VisaIOError as error:
            raise _as_os_error(error) from error
        if not answer.isascii():
            raise BadReply(self.name, "answered bytes that are not text", cmd, answer)
        return answer

    def _command(self, handle: MessageBasedResource, cmd: str) -> str:
        try:
            handle.write(cmd)
        except pyvisa.VisaIOError as error:
            raise _as_os_error(error) from error
        return self._converse(handle, self.error_query) if self.error_query else ""

    def _connect_and_handle_error(self, address: str, visalib: str | None) -> MessageBasedResource:
        try:
            return self._link.open()
        except ConnectionLost:
            self.close()
            raise

    def _open_handle(self) -> MessageBasedResource:
        self._visa_handle = _open(self._home, self._visalib)
        self.set_terminator(self._terminator)
        self._set_visa_timeout(self._timeout_s)
        if self.sync_query and isinstance(self._visa_handle, SerialInstrument):
            _synchronize(self._visa_handle, *self.sync_query)
        return self._visa_handle

    def set_terminator(self, terminator: str | None) -> None:
        self._terminator = terminator
        super().set_terminator(terminator)

    def _set_visa_timeout(self, timeout: float | None) -> None:
        self._timeout_s = timeout
        super()._set_visa_timeout(timeout)

    def _get_visa_timeout(self) -> float | None:
        return self._timeout_s


def invalidate_caches(instrument: InstrumentBase) -> None:
    """Forgets every remembered value: after a reconnection the device may have been switched off and on."""
    for parameter in instrument.parameters.values():
        parameter.cache.invalidate()
    for submodule in instrument.instrument_modules.values():
        invalidate_caches(submodule)


def _open(address: str, visalib: str) -> MessageBasedResource:
    try:
        handle = pyvisa.ResourceManager(visalib).open_resource(address, open_timeout=int(1000 * OPEN_TIMEOUT_S))
    except pyvisa.VisaIOError as error:
        raise _as_os_error(error) from error
    except Exception as error:
        # pyvisa-py raises the bare class when a socket does not open in time.
        if type(error) is not Exception:
            raise
        raise TimeoutError(str(error)) from error
    if not isinstance(handle, MessageBasedResource):
        handle.close()
        raise ConnectionError("is not an instrument that talks in messages")
    connection = _tcp_socket(handle)
    if connection is not None:
        if code := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            handle.close()
            raise ConnectionError(os.strerror(code))
        # A command followed by a question would else wait 40 ms for the acknowledgement of the first packet.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return handle


def _session(handle: MessageBasedResource) -> Any:
    """pyvisa-py's session behind the handle; None with another VISA library."""
    sessions = getattr(handle.visalib, "sessions", {})
    return sessions.get(handle.session) if isinstance(sessions, dict) else None


def _tcp_socket(handle: MessageBasedResource) -> socket.socket | None:
    interface = getattr(_session(handle), "interface", None)
    return interface if isinstance(interface, socket.socket) else None


def _synchronize(handle: MessageBasedResource, question: str, head: str) -> None:
    try:
        handle.write(question)
        while not handle.read(encoding="latin-1").startswith(head):
            pass
    except pyvisa.VisaIOError as error:
        raise _as_os_error(error) from error


def _in_step(handle: MessageBasedResource) -> bool:
    """Whether an idle line is open and silent: nothing unread (a late answer) and no end of stream."""
    connection = _tcp_socket(handle)
    if connection is None:
        return not getattr(getattr(_session(handle), "interface", None), "in_waiting", 0)
    if getattr(_session(handle), "_pending_buffer", b""):
        return False
    return not select.select([connection], [], [], 0)[0]


def _await_answer(handle: MessageBasedResource) -> None:
    """Waits for the first byte of an answer; sees a peer that closed at once instead of after the timeout."""
    connection = _tcp_socket(handle)
    if connection is None:
        return
    timeout_s = handle.timeout / 1000
    if not select.select([connection], [], [], None if timeout_s == float("inf") else timeout_s)[0]:
        raise TimeoutError(f"nothing within {timeout_s:g} s")
    if not connection.recv(1, socket.MSG_PEEK):
        raise ConnectionResetError("the instrument closed the connection")


def _as_os_error(error: pyvisa.VisaIOError) -> OSError:
    if error.error_code == StatusCode.error_timeout:
        return TimeoutError("answer incomplete or missing at the timeout")
    return ConnectionError(str(error))


def _error_number(text: str) -> int:
    """The number at the head of a SCPI error such as ``-222,"Data out of range"``; 0 is no error."""
    return integer(text.split(",")[0])
