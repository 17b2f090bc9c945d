"""NI-DAQmx instruments: an analog output that ramps, an edge counter.

``address`` decides where the tasks run: ``local``, or ``host:port`` of an NI gRPC Device Server.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import nidaqmx
import numpy as np
from nidaqmx.stream_readers import CounterReader
from nidaqmx.stream_writers import AnalogSingleChannelWriter
from qcodes.instrument import Instrument, InstrumentBaseKWArgs
from qcodes.parameters import Parameter
from qcodes.validators import Numbers
from typing_extensions import Unpack

from ...analysis.records import FloatArray
from ..errors import InstrumentError
from .link import Link
from .ni_tasks import LOCAL, NoSuchDevice, TaskFactory, named_errors, task_factory

R = TypeVar("R")

RAMP_STEP_S = 0.005
COUNTER_RANGE = 2**32


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


class NiAnalogOutput(NiInstrument):
    """An AnalogOutput: the voltage moves to a new value no faster than ``slew_rate``.

    Args:
        channel: e.g. ``Dev1/ao0``.
        limits_v: lowest and highest voltage this output may ever have.
        slew_rate_v_per_s: initial and highest allowed slew rate.

    The level at connection is read back from the device; one that cannot be read must be told once with ``assume``.
    """

    def __init__(
        self,
        name: str,
        address: str = LOCAL,
        *,
        channel: str = "Dev1/ao0",
        limits_v: tuple[float, float] = (-10.0, 10.0),
        slew_rate_v_per_s: float = 100.0,
        timeout: float | None = None,
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, address, timeout=timeout, **kwargs)
        self.channel = channel
        self._limits_v = (float(limits_v[0]), float(limits_v[1]))
        self._level_v: float | None = None
        self._ramping = threading.Lock()
        self.slew_rate: Parameter[float, NiAnalogOutput] = self.add_parameter(
            "slew_rate",
            unit="V/s",
            set_cmd=None,
            initial_value=slew_rate_v_per_s,
            vals=Numbers(1e-6, slew_rate_v_per_s),
        )
        """Speed of every voltage change; kept in the computer."""
        self.voltage: Parameter[float, NiAnalogOutput] = self.add_parameter(
            "voltage", unit="V", get_cmd=self._get_level_v, set_cmd=self._ramp_to, vals=Numbers(*self._limits_v)
        )
        """Output voltage; setting it returns when the ramp has arrived."""
        self._link.open()

    def assume(self, voltage_v: float) -> None:
        """Tells the driver the present level of an output that cannot be read back."""
        self.voltage.validate(voltage_v)
        self._level_v = float(voltage_v)

    def _configure(self, task: nidaqmx.Task) -> None:
        low_v, high_v = self._limits_v
        task.ao_channels.add_ao_voltage_chan(self.channel, min_val=low_v, max_val=high_v)
        self._level_v = self._read_back()

    def _read_back(self) -> float | None:
        device, _, output = self.channel.partition("/")
        monitor = self._tasks()
        try:
            with named_errors(self.name, "read back"):
                monitor.ai_channels.add_ai_voltage_chan(f"{device}/_{output}_vs_aognd")
                return float(monitor.read(timeout=0.0))
        except NoSuchDevice:
            return None
        finally:
            with contextlib.suppress(Exception):
                monitor.close()

    def _get_level_v(self) -> float:
        self._query("channel", lambda task: None)
        if self._level_v is None:
            raise InstrumentError(
                self.name, "level unknown: this output cannot be read back; call assume(voltage_v) once"
            )
        return self._level_v

    def _ramp_to(self, target_v: float) -> None:
        with self._ramping:
            for level_v in ramp_levels(self._get_level_v(), target_v, self.slew_rate(), RAMP_STEP_S):
                due_s = time.perf_counter() + RAMP_STEP_S
                self._write_level(float(level_v))
                if level_v != target_v:
                    time.sleep(max(0.0, due_s - time.perf_counter()))

    def _write_level(self, level_v: float) -> None:
        self._send(
            f"{self.channel} = {level_v:g} V",
            lambda task: AnalogSingleChannelWriter(task.out_stream, auto_start=True).write_one_sample(
                level_v, timeout=0.0
            ),
        )
        self._level_v = level_v


class NiEdgeCounter(NiInstrument):
    """An EdgeCounter: rising edges at a counter's input.

    Args:
        counter: e.g. ``Dev1/ctr0``.
        terminal: input, e.g. ``/Dev1/PFI8``; empty for the counter's default.
    """

    def __init__(
        self,
        name: str,
        address: str = LOCAL,
        *,
        counter: str = "Dev1/ctr0",
        terminal: str = "",
        timeout: float | None = None,
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, address, timeout=timeout, **kwargs)
        self.counter, self.terminal = counter, terminal
        self.integration_time: Parameter[float, NiEdgeCounter] = self.add_parameter(
            "integration_time", unit="s", set_cmd=None, initial_value=0.1, vals=Numbers(1e-3, 100.0)
        )
        """How long ``count_rate`` counts; kept in the computer."""
        self.counts: Parameter[int, NiEdgeCounter] = self.add_parameter("counts", get_cmd=self._get_counts)
        """Edges since the connection was made, modulo 2³²."""
        self.count_rate: Parameter[float, NiEdgeCounter] = self.add_parameter(
            "count_rate", unit="Hz", get_cmd=self._get_rate_hz, snapshot_get=False
        )
        """Mean rate over ``integration_time``; takes that long."""
        self._link.open()

    def _configure(self, task: nidaqmx.Task) -> None:
        channel = task.ci_channels.add_ci_count_edges_chan(self.counter)
        if self.terminal:
            channel.ci_count_edges_term = self.terminal
        task.start()

    def _get_counts(self) -> int:
        return self._query(
            "counts", lambda task: int(CounterReader(task.in_stream).read_one_sample_uint32(timeout=0.0))
        )

    def _get_rate_hz(self) -> float:
        """Counts twice on one unbroken task; the moment of a reading is the middle of its call."""
        return self._query("count_rate", self._count_for)

    def _count_for(self, task: nidaqmx.Task) -> float:
        reader = CounterReader(task.in_stream)

        def reading() -> tuple[float, int]:
            before_s = time.perf_counter()
            count = int(reader.read_one_sample_uint32(timeout=0.0))
            return (before_s + time.perf_counter()) / 2, count

        start_s, start = reading()
        time.sleep(self.integration_time())
        stop_s, stop = reading()
        return ((stop - start) % COUNTER_RANGE) / (stop_s - start_s)


def ramp_levels(start_v: float, stop_v: float, slew_rate_v_per_s: float, step_s: float) -> FloatArray:
    """The levels of a staircase from ``start_v`` (left out) to ``stop_v`` (included): float64 (N,) V, N ≥ 1."""
    n = max(1, int(np.ceil(abs(stop_v - start_v) / (slew_rate_v_per_s * step_s) - 1e-9)))
    levels: FloatArray = start_v + (stop_v - start_v) * np.arange(1, n + 1) / n
    levels[-1] = stop_v
    return levels
