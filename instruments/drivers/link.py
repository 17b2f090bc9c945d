"""One conversation with one instrument: a lock, re-opening with back-off, stale answers dropped, errors that name things.

What goes wrong on a wire, and what is done about it here:

- two threads on one handle swap their answers          → one lock, held from the question to its answer
- an answer comes after the timeout and is taken for
  the answer to the next question                       → after any failure the transport is thrown away
- a broken question                                      → asked once more on a fresh transport (it changes nothing)
- a broken command                                       → reported, never repeated: it may have been obeyed
- the instrument is gone                                 → ConnectionLost at once while the back-off runs, no hanging
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from ..errors import ConnectionLost

T = TypeVar("T")
R = TypeVar("R")

FIRST_DELAY_S = 0.02
LONGEST_DELAY_S = 1.0


class BackOff:
    """When the next attempt to connect is due: at once, then after 20 ms, 40 ms, … 1 s."""

    def __init__(self) -> None:
        self._delay_s = 0.0
        self._due_s = 0.0

    def remaining_s(self) -> float:
        return max(0.0, self._due_s - time.monotonic())

    def failed(self) -> None:
        self._delay_s = min(max(2 * self._delay_s, FIRST_DELAY_S), LONGEST_DELAY_S)
        self._due_s = time.monotonic() + self._delay_s

    def succeeded(self) -> None:
        self._delay_s = self._due_s = 0.0


class Link(Generic[T]):
    """Exclusive use of a transport ``T`` that may break and be opened again.

    Args:
        instrument: name in error texts.
        address: where it is, for error texts.
        connect: opens a transport; raises OSError (TimeoutError included) or EOFError.
        disconnect: closes one; whatever it raises is ignored.
        usable: quick look whether an idle transport is still in step (peer there, no unread answer).
        on_reconnect: called after each opening but the first, e.g. to forget cached values.

    Exchanges given to ``query`` and ``send`` raise TimeoutError for "no answer in time" and other OSError or EOFError
    for "the transport broke". Whatever they raise, the transport is dropped, so nothing stale survives.
    """

    def __init__(
        self,
        instrument: str,
        address: str,
        connect: Callable[[], T],
        disconnect: Callable[[T], None],
        usable: Callable[[T], bool] = lambda transport: True,
        on_reconnect: Callable[[], None] = lambda: None,
    ) -> None:
        self.lock = threading.RLock()
        self.reconnects = 0
        self._instrument, self._address = instrument, address
        self._connect, self._disconnect, self._usable, self._on_reconnect = connect, disconnect, usable, on_reconnect
        self._transport: T | None = None
        self._back_off = BackOff()
        self._opened_before = False
        self._closed = False

    def open(self) -> T:
        """The transport, connected now if it was not. Raises ConnectionLost."""
        with self.lock:
            return self._ready("")

    def release(self) -> None:
        """Lets go of the transport; the next use opens it again."""
        with self.lock:
            self._drop()

    def close(self) -> None:
        """Closes for good."""
        with self.lock:
            self._closed = True
            self._drop()

    def unbroken_since(self, reconnects: int, command: str) -> None:
        """Raises ConnectionLost when the connection was renewed since ``reconnects``: the device may have forgotten ``command``."""
        if self.reconnects != reconnects:
            raise ConnectionLost(self._instrument, "lost the connection before it had settled, state unknown", command)

    def query(self, command: str, exchange: Callable[[T], R]) -> R:
        """The answer to a question without effect; asked again once if the transport broke (not if it was slow).

        Raises:
            ConnectionLost: no answer, or not reachable.
        """
        with self.lock:
            try:
                return self._once_or_again(command, exchange)
            except TimeoutError as error:
                raise self._lost("did not answer in time", command, error) from error
            except (OSError, EOFError) as error:
                raise self._lost("lost the connection", command, error) from error

    def send(self, command: str, action: Callable[[T], R]) -> R:
        """Carries out a command, once.

        Raises:
            ConnectionLost: the connection failed; whether the command was obeyed is unknown unless the text says so.
        """
        with self.lock:
            try:
                return self._once(command, action)
            except TimeoutError as error:
                raise self._lost("did not confirm in time, state unknown", command, error) from error
            except (OSError, EOFError) as error:
                raise self._lost("lost the connection, state unknown, not sent again", command, error) from error

    def _once_or_again(self, command: str, exchange: Callable[[T], R]) -> R:
        try:
            return self._once(command, exchange)
        except TimeoutError:
            raise
        except (OSError, EOFError):
            return self._once(command, exchange)

    def _once(self, command: str, exchange: Callable[[T], R]) -> R:
        transport = self._ready(command)
        try:
            return exchange(transport)
        except BaseException:
            self._drop()
            raise

    def _ready(self, command: str) -> T:
        if self._closed:
            raise ConnectionLost(self._instrument, "is closed", command)
        if self._transport is not None and not self._usable(self._transport):
            self._drop()
        if self._transport is None:
            self._transport = self._reopen(command)
        return self._transport

    def _reopen(self, command: str) -> T:
        wait_s = self._back_off.remaining_s()
        if wait_s > 0:
            raise ConnectionLost(
                self._instrument, f"not reachable at {self._address}, next attempt in {wait_s:.2f} s", command
            )
        try:
            transport = self._connect()
        except (OSError, EOFError) as error:
            self._back_off.failed()
            raise ConnectionLost(self._instrument, f"not reachable at {self._address}: {error}", command) from error
        self._back_off.succeeded()
        if self._opened_before:
            self.reconnects += 1
            self._on_reconnect()
        self._opened_before = True
        return transport

    def _drop(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            with contextlib.suppress(Exception):  # what is broken may fail to close in any way
                self._disconnect(transport)

    def _lost(self, what: str, command: str, error: BaseException) -> ConnectionLost:
        detail = f" ({error})" if str(error) else ""
        return ConnectionLost(self._instrument, f"{what}{detail}", command)
