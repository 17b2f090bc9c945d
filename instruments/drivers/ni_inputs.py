"""NI-DAQ analog inputs and digital lines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import nidaqmx
import numpy as np
from nidaqmx.constants import AcquisitionType
from nidaqmx.stream_readers import AnalogMultiChannelReader
from qcodes.instrument import InstrumentBaseKWArgs
from qcodes.parameters import Parameter
from qcodes.validators import Bool
from typing_extensions import Unpack

from ...analysis.records import FloatArray
from .ni_daq import NiInstrument
from .ni_tasks import LOCAL


class NiAnalogInput(NiInstrument):
    """An AnalogInput: present voltages, and records timed by the hardware.

    Args:
        channels: e.g. ``["Dev1/ai0", "Dev1/ai1"]``.
        range_v: expected lowest and highest voltage.
    """

    def __init__(
        self,
        name: str,
        address: str = LOCAL,
        *,
        channels: Sequence[str] = ("Dev1/ai0",),
        range_v: tuple[float, float] = (-10.0, 10.0),
        timeout: float | None = None,
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, address, timeout=timeout, **kwargs)
        self._inputs, self._range_v = tuple(channels), (float(range_v[0]), float(range_v[1]))
        self._clocked: tuple[int, float, str, str] | None = None
        for index in range(len(channels)):
            voltage: Parameter[float, NiAnalogInput] = self.add_parameter(
                "voltage" if index == 0 else f"voltage{index + 1}", unit="V", get_cmd=partial(self._voltage, index)
            )
            setattr(self, voltage.name, voltage)
        self._link.open()

    def arm(self, n: int, rate_hz: float, *, clock: str = "", trigger: str = "") -> None:
        """Readies a record of ``n`` samples a channel; it starts at once, at the trigger, or with the clock.

        Args:
            rate_hz: of the device's own clock, or of ``clock``.
            clock: terminal of a shared clock, e.g. ``/Dev1/ao/SampleClock``.
            trigger: terminal whose rising edge starts the record.
        """
        self._link.release()
        self._clocked = (n, rate_hz, clock, trigger)
        self._link.open()

    def fetch(self, timeout_s: float) -> FloatArray:
        """The record: float64 (channels, n) V. The inputs are free again afterwards.

        Raises:
            ConnectionLost: not complete within ``timeout_s``.
        """
        n = self._clocked[0] if self._clocked else 0
        values = np.zeros((len(self._inputs), n))
        try:
            self._send(
                f"fetch {n} samples",
                lambda task: AnalogMultiChannelReader(task.in_stream).read_many_sample(values, n, timeout=timeout_s),
            )
        finally:
            self._clocked = None
            self._link.release()
        return values

    def _voltage(self, index: int) -> float:
        values = np.zeros(len(self._inputs))
        self._query("read", lambda task: AnalogMultiChannelReader(task.in_stream).read_one_sample(values, timeout=0.0))
        return float(values[index])

    def _configure(self, task: nidaqmx.Task) -> None:
        low_v, high_v = self._range_v
        task.ai_channels.add_ai_voltage_chan(",".join(self._inputs), min_val=low_v, max_val=high_v)
        if self._clocked is None:
            return
        n, rate_hz, clock, trigger = self._clocked
        task.timing.cfg_samp_clk_timing(rate_hz, clock, sample_mode=AcquisitionType.FINITE, samps_per_chan=n)
        if trigger:
            task.triggers.start_trigger.cfg_dig_edge_start_trig(trigger)
        task.start()


class NiDigitalLines(NiInstrument):
    """DigitalLines: one parameter a line, by the names given.

    Args:
        lines: name → physical line, e.g. ``{"shutter": "Dev1/port0/line0"}``.

    The state of an output line cannot be read from the device; a line is unknown until it is set.
    """

    def __init__(
        self,
        name: str,
        address: str = LOCAL,
        *,
        lines: dict[str, str],
        timeout: float | None = None,
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, address, timeout=timeout, **kwargs)
        self.lines = dict(lines)
        for line, physical in lines.items():
            level: Parameter[bool, NiDigitalLines] = self.add_parameter(
                line, set_cmd=partial(self._set_line, physical), vals=Bool()
            )
            setattr(self, line, level)
        self._link.open()

    def _configure(self, task: nidaqmx.Task) -> None:
        """Lines are driven one at a time, each by a task of its own, so that setting one leaves the others alone."""

    def _set_line(self, physical: str, high: bool) -> None:
        def drive(_: nidaqmx.Task) -> None:
            with self._tasks() as task:
                task.do_channels.add_do_chan(physical)
                task.write(high, auto_start=True, timeout=0.0)

        self._send(f"{physical} = {high:d}", drive)
