"""NI-DAQ analog output: ramps, and waveforms timed by the hardware."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import nidaqmx
import numpy as np
from nidaqmx.constants import AcquisitionType
from nidaqmx.stream_writers import AnalogSingleChannelWriter
from qcodes.instrument import InstrumentBaseKWArgs
from qcodes.parameters import Parameter
from qcodes.validators import Numbers
from typing_extensions import Unpack

from ...analysis.records import FloatArray
from ..errors import ConnectionLost, InstrumentError, LimitError
from .ni_daq import NiInstrument
from .ni_tasks import LOCAL, NoSuchDevice, ResourceReserved, named_errors
from .ramps import ramp_levels

RAMP_STEP_S = 0.005


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
        self._playing: nidaqmx.Task | None = None
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
        """The output measured by the device itself; None where it cannot, or while its inputs are busy."""
        device, _, output = self.channel.partition("/")
        monitor = self._tasks()
        try:
            with named_errors(self.name, "read back"):
                monitor.ai_channels.add_ai_voltage_chan(f"{device}/_{output}_vs_aognd")
                return float(monitor.read(timeout=0.0))
        except (NoSuchDevice, ResourceReserved):
            return None
        finally:
            with contextlib.suppress(Exception):
                monitor.close()

    def _get_level_v(self) -> float:
        measured_v = self._query("read back", lambda task: self._read_back())
        level_v = self._level_v if measured_v is None else measured_v
        if level_v is None:
            raise InstrumentError(
                self.name, "level unknown: this output cannot be read back; call assume(voltage_v) once"
            )
        return level_v

    def _ramp_to(self, target_v: float) -> None:
        if self._playing is not None:
            raise InstrumentError(self.name, "plays a waveform; call stop_playing() first", f"voltage = {target_v:g} V")
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

    def play(self, samples_v: FloatArray, rate_hz: float, *, repeats: int = 1, trigger: str = "") -> None:
        """Starts a waveform timed by the hardware; its clock is ``/DevN/ao/SampleClock`` for others to share.

        Args:
            samples_v: float64 (N,) V, N ≥ 2; the output ramps to the first one before.
            rate_hz: samples a second.
            repeats: how often; 0 until ``stop_playing``.
            trigger: terminal whose rising edge starts it; empty for at once.

        Raises:
            LimitError: a sample outside the limits, or a step faster than ``slew_rate``.
        """
        self._check_waveform(samples_v, rate_hz, repeats)
        self.stop_playing()
        self.voltage.set(float(samples_v[0]))
        self._link.release()  # the channel is needed by the clocked task
        with self._connection_errors("play"):
            task = self._tasks()
            self._playing = task
            task.ao_channels.add_ao_voltage_chan(self.channel, min_val=self._limits_v[0], max_val=self._limits_v[1])
            mode = AcquisitionType.FINITE if repeats else AcquisitionType.CONTINUOUS
            n = len(samples_v) * max(repeats, 1)
            task.timing.cfg_samp_clk_timing(rate_hz, sample_mode=mode, samps_per_chan=n)
            if trigger:
                task.triggers.start_trigger.cfg_dig_edge_start_trig(trigger)
            task.write(np.asarray(samples_v, np.float64), auto_start=False, timeout=1.0)
            task.start()

    def wait_played(self, timeout_s: float) -> None:
        """Returns when a finite waveform has been put out. Raises ConnectionLost after ``timeout_s``."""
        task = self._playing
        if task is None:
            raise InstrumentError(self.name, "is not playing", "wait_played")
        with self._connection_errors("wait_played"):
            task.wait_until_done(timeout_s)

    def stop_playing(self) -> None:
        """Ends a waveform; the output stays where it is."""
        task, self._playing = self._playing, None
        if task is not None:
            with self._connection_errors("stop_playing"):
                task.stop()
                task.close()
            self._link.release()

    def close(self) -> None:
        task, self._playing = self._playing, None
        if task is not None:
            with contextlib.suppress(Exception):
                task.close()
        super().close()

    def _check_waveform(self, samples_v: FloatArray, rate_hz: float, repeats: int) -> None:
        low_v, high_v = self._limits_v
        if np.ndim(samples_v) != 1 or len(samples_v) < 2 or not np.all(np.isfinite(samples_v)):
            raise LimitError(self.name, "a waveform is a list of at least two finite voltages")
        outside = np.flatnonzero((samples_v < low_v) | (samples_v > high_v))
        if len(outside):
            k = int(outside[0])
            raise LimitError(self.name, f"sample {k} is {samples_v[k]:g} V, allowed are {low_v:g} to {high_v:g} V")
        around = np.append(samples_v, samples_v[0]) if repeats != 1 else samples_v
        steps_v_per_s = np.abs(np.diff(around)) * rate_hz
        fastest = int(np.argmax(steps_v_per_s))
        if steps_v_per_s[fastest] > self.slew_rate() * (1 + 1e-9):
            raise LimitError(
                self.name,
                f"{steps_v_per_s[fastest]:g} V/s after sample {fastest}, the slew rate allows {self.slew_rate():g} V/s",
            )

    @contextlib.contextmanager
    def _connection_errors(self, command: str) -> Iterator[None]:
        try:
            with named_errors(self.name, command):
                yield
        except OSError as error:
            self._playing = None
            raise ConnectionLost(self.name, f"lost the connection, state unknown ({error})", command) from error
