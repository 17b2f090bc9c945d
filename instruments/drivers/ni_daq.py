"""What all NI-DAQmx instruments share: one task behind a lock, opened again when the device server restarts.

``address`` decides where the tasks run: ``local``, or ``host:port`` of an NI gRPC Device Server.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeVar

import nidaqmx
from qcodes.instrument import Instrument, InstrumentBaseKWArgs
from typing_extensions import Unpack

from .link import Link
from .ni_tasks import LOCAL, TaskFactory, named_errors, task_factory

R = TypeVar("R")


class NiInstrument(Instrument):
    """One DAQmx task behind a lock; opened again when the server restarts. Subclasses say how to ``_configure`` it.

    Raises:
        ConnectionLost: no device server at ``address``.
        InstrumentError: no driver, no such device, or the channel is in use (see ``ni_tasks``).
    """

    default_timeout_s = 2.0

    def __init__(
        self, name: str, address: str = LOCAL, *, timeout: float | None = None, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, **kwargs)
        self.address = address
        self._tasks: TaskFactory = task_factory(address, timeout or self.default_timeout_s)
        self._link: Link[nidaqmx.Task] = Link(name, address, self._open_task, nidaqmx.Task.close)

    def get_idn(self) -> dict[str, str | None]:
        return {"vendor": "National Instruments", "model": "DAQmx", "serial": None, "firmware": None}

    def close(self) -> None:
        self._link.close()
        super().close()

    def _configure(self, task: nidaqmx.Task) -> None:
        raise NotImplementedError

    def _open_task(self) -> nidaqmx.Task:
        with named_errors(self.name, "create task"):
            task = self._tasks()
            try:
                self._configure(task)
            except BaseException:
                with contextlib.suppress(Exception):
                    task.close()
                raise
            return task

    def _query(self, command: str, exchange: Callable[[nidaqmx.Task], R]) -> R:
        return self._link.query(command, self._named(command, exchange))

    def _send(self, command: str, action: Callable[[nidaqmx.Task], R]) -> R:
        return self._link.send(command, self._named(command, action))

    def _named(self, command: str, exchange: Callable[[nidaqmx.Task], R]) -> Callable[[nidaqmx.Task], R]:
        def run(task: nidaqmx.Task) -> R:
            with named_errors(self.name, command):
                return exchange(task)

        return run
