"""NI-DAQ edge counter: rates, counts at the ticks of a shared clock, and a gate."""

from __future__ import annotations

import time

import nidaqmx
import numpy as np
from nidaqmx.constants import AcquisitionType, Level, TriggerType
from nidaqmx.stream_readers import CounterReader
from qcodes.instrument import InstrumentBaseKWArgs
from qcodes.parameters import Parameter
from qcodes.validators import Numbers
from typing_extensions import Unpack

from ...analysis.records import Int64Array
from .ni_daq import NiInstrument
from .ni_tasks import LOCAL

COUNTER_RANGE = 2**32


class NiEdgeCounter(NiInstrument):
    """An EdgeCounter: rising edges at a counter's input.

    Args:
        counter: e.g. ``Dev1/ctr0``.
        terminal: input, e.g. ``/Dev1/PFI8``; empty for the counter's default.
        gate: terminal that must be high for an edge to count; empty for always.
    """

    def __init__(
        self,
        name: str,
        address: str = LOCAL,
        *,
        counter: str = "Dev1/ctr0",
        terminal: str = "",
        gate: str = "",
        timeout: float | None = None,
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, address, timeout=timeout, **kwargs)
        self.counter, self.terminal, self.gate = counter, terminal, gate
        self._clocked: tuple[int, str] | None = None
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

    def arm(self, n: int, clock: str) -> None:
        """Counts at ``n`` ticks of a clock, e.g. ``/Dev1/ao/SampleClock``, as soon as that clock runs."""
        self._link.release()
        self._clocked = (n, clock)
        self._link.open()

    def fetch(self, timeout_s: float) -> Int64Array:
        """Edges since ``arm`` at each tick: int64 (n,). The counter then counts freely again.

        Raises:
            ConnectionLost: the clock has not ticked ``n`` times within ``timeout_s``.
        """
        n = self._clocked[0] if self._clocked else 0
        try:
            counts = self._send(f"fetch {n} counts", lambda task: _read_counts(task, n, timeout_s))
        finally:
            self._clocked = None
            self._link.release()
        return counts

    def _configure(self, task: nidaqmx.Task) -> None:
        channel = task.ci_channels.add_ci_count_edges_chan(self.counter)
        if self.terminal:
            channel.ci_count_edges_term = self.terminal
        if self.gate:
            pause = task.triggers.pause_trigger
            pause.trig_type = TriggerType.DIGITAL_LEVEL
            pause.dig_lvl_src = self.gate
            pause.dig_lvl_when = Level.LOW
        if self._clocked:
            n, clock = self._clocked
            # The clock's own rate counts; the number given only sizes the driver's buffer.
            task.timing.cfg_samp_clk_timing(1e5, clock, sample_mode=AcquisitionType.FINITE, samps_per_chan=n)
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


def _read_counts(task: nidaqmx.Task, n: int, timeout_s: float) -> Int64Array:
    counts = np.zeros(n, np.uint32)
    CounterReader(task.in_stream).read_many_sample_uint32(counts, n, timeout=timeout_s)
    return counts.astype(np.int64)
