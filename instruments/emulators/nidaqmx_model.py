"""An emulated NI-DAQmx device (shaped like a PCIe-6363): tasks, sample clocks, triggers and reservations. No wire.

Signals are ports named by terminal: ``Dev1/ao0`` (float or Waveform, written here), ``Dev1/ai0`` (sampled),
``Dev1/ctr0`` or the terminal given to the counter (edges so far, sampled), ``Dev1/port0/line0`` (bool, written).
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

import numpy as np

from ...analysis.records import BoolArray, FloatArray
from .nidaqmx_task import (
    CHANNELS,
    INVALID_DEVICE,
    INVALID_TASK,
    INVALID_VALUE,
    NO_SAMPLES_WRITTEN,
    NO_SUCH_TERMINAL,
    PAL_RESOURCE_RESERVED,
    PHYSICAL_CHANNEL_MISSING,
    SAMPLES_NOT_YET_AVAILABLE,
    WAIT_TIMED_OUT,
    Channel,
    Gate,
    Kind,
    NiError,
    Task,
    expand,
)
from .ports import LOGIC_V, Ports, Waveform

POLL_S = 0.0005
#: Fraction of a sample by which rounding of times may be off.
CLOCK_SLACK = 1e-3


class DaqDevice:
    """The device and its tasks. Every method raises NiError as the driver would."""

    def __init__(self, ports: Ports, name: str = "Dev1") -> None:
        self.ports, self.name = ports, name
        self.lock = threading.RLock()
        self.tasks: dict[str, Task] = {}
        self._made = 0
        self._reserved: dict[str, str] = {}
        self.power_on()

    def power_on(self) -> None:
        with self.lock:
            self.tasks.clear()
            self._reserved.clear()
            for k in range(4):
                self.ports.set(f"{self.name}/ao{k}", 0.0)

    # -- tasks ---------------------------------------------------------------------------------------------------------

    def create(self, name: str) -> tuple[Task, bool]:
        with self.lock:
            self._made += 1
            name = name or f"_unnamedTask<{self._made}>"
            is_new = name not in self.tasks
            if is_new:
                self.tasks[name] = Task(name)
            return self.tasks[name], is_new

    def task(self, name: str) -> Task:
        if name not in self.tasks:
            raise NiError(INVALID_TASK, "Task specified is invalid or does not exist.")
        return self.tasks[name]

    def clear(self, name: str) -> None:
        with self.lock:
            if name in self.tasks:
                self.stop(self.tasks[name])
                del self.tasks[name]

    def add_channels(
        self, task: Task, physical: str, name: str, kind: Kind, low_v: float = -10.0, high_v: float = 10.0
    ) -> None:
        expanded = expand(physical)
        for one in expanded:
            self._check_exists(one, kind)
            label = name if name and len(expanded) == 1 else one
            task.channels.append(Channel(label, one, kind, self._terminal(one), low_v, high_v))

    def _check_exists(self, physical: str, kind: Kind) -> None:
        device, _, channel = physical.partition("/")
        if device != self.name:
            raise NiError(INVALID_DEVICE, f"Device identifier is invalid.\n\nDevice Specified: {device}")
        if not any(re.fullmatch(pattern, channel) and kind in kinds for pattern, kinds in CHANNELS):
            raise NiError(
                PHYSICAL_CHANNEL_MISSING,
                f"Physical channel specified does not exist on this device.\n\nPhysical Channel Name: {channel}",
            )

    def _terminal(self, physical: str) -> str:
        """The port behind a channel; the internal read-back ``_ao0_vs_aognd`` is the output itself."""
        read_back = re.fullmatch(r"(.*)/_(ao\d)_vs_aognd", physical)
        return f"{read_back[1]}/{read_back[2]}" if read_back else physical

    def start(self, task: Task) -> None:
        with self.lock:
            if task.armed:
                return
            if task.clock is not None and task.kind is Kind.AO and task.buffer is None:
                raise NiError(NO_SAMPLES_WRITTEN, "Generation cannot be started, because no samples were written.")
            self._reserve(task)
            task.armed, task.read_so_far = True, 0
            if not task.start_trigger:
                self._begin(task, self.ports.now_s())

    def stop(self, task: Task) -> None:
        with self.lock:
            if task.kind is Kind.AO and task.started_s is not None and task.clock is not None:
                self._freeze_outputs(task)
            task.armed, task.started_s = False, None
            self._reserved = {resource: owner for resource, owner in self._reserved.items() if owner != task.name}

    def trigger(self, terminal: str, t_s: float | None = None) -> None:
        """An edge at a terminal: tasks armed on it begin."""
        with self.lock:
            t_s = self.ports.now_s() if t_s is None else t_s
            for task in self.tasks.values():
                if task.armed and task.started_s is None and _bare(task.start_trigger) == _bare(terminal):
                    self._begin(task, t_s)

    def _reserve(self, task: Task) -> None:
        for resource in task.resources():
            if self._reserved.get(resource, task.name) != task.name:
                raise NiError(
                    PAL_RESOURCE_RESERVED,
                    "The specified resource is reserved. The operation could not be completed as specified.",
                )
        self._reserved.update(dict.fromkeys(task.resources(), task.name))

    def check_free(self, task: Task) -> None:
        """An on-demand access to something another task holds is refused."""
        with self.lock:
            if any(self._reserved.get(resource, task.name) != task.name for resource in task.resources()):
                raise NiError(
                    PAL_RESOURCE_RESERVED,
                    "The specified resource is reserved. The operation could not be completed as specified.",
                )

    def _begin(self, task: Task, t_s: float) -> None:
        task.started_s = t_s
        if task.gate is not None:
            task.gate.passed, task.gate.until_s = 0.0, t_s
        if task.kind is Kind.CI:
            for channel in task.channels:
                task.edges_at_start[channel.name] = float(self.ports.sample(channel.terminal, np.array([t_s]))[0])
        if task.kind is Kind.AO and task.buffer is not None:
            self._play(task)
        self.trigger(f"{self.name}/{(task.kind or Kind.AI).name.lower()}/StartTrigger", t_s)

    # -- clocks --------------------------------------------------------------------------------------------------------

    def clock_of(self, task: Task) -> tuple[float, float] | None:
        """(time of the first sample in s, rate in Hz) of the clock that drives a running task."""
        if task.clock is None or task.started_s is None:
            return None
        source = _bare(task.clock.source)
        if not source or source.lower().endswith("onboardclock"):
            return task.started_s, task.clock.rate_hz
        for other in self.tasks.values():
            if other is not task and other.kind and source == f"{self.name}/{other.kind.name.lower()}/SampleClock":
                clock = self.clock_of(other)
                return None if clock is None else (max(clock[0], _next_tick(clock, task.started_s)), clock[1])
        if re.fullmatch(rf"{self.name}/(ai|ao)/SampleClock", source):
            return None  # nobody drives it yet
        raise NiError(NO_SUCH_TERMINAL, f"Source terminal to be routed could not be found: {task.clock.source}")

    def available(self, task: Task) -> int:
        """Samples acquired but not read yet."""
        clock = self.clock_of(task)
        if clock is None or task.clock is None:
            return 0
        acquired = max(0, int(np.floor((self.ports.now_s() - clock[0]) * clock[1])) + 1)
        return (min(acquired, task.clock.n) if task.clock.finite else acquired) - task.read_so_far

    def is_done(self, task: Task) -> bool:
        if task.clock is None or not task.armed:
            return True
        clock = self.clock_of(task)
        if clock is None:
            return False
        return task.clock.finite and self.ports.now_s() - clock[0] >= task.clock.n / clock[1]

    def wait_done(self, task: Task, timeout_s: float) -> None:
        if not _poll(lambda: self.is_done(task), timeout_s):
            raise NiError(WAIT_TIMED_OUT, "Wait Until Done did not indicate that the task was done in time.")

    def sample_times(self, task: Task, n: int, timeout_s: float) -> FloatArray:
        """Lab times of the next ``n`` samples (-1: all there are, or all of a finite task): float64 (n,) s."""
        if task.clock is None:
            return np.full(max(n, 1), self.ports.now_s())
        if not task.armed:
            self.start(task)
        if n == -1:
            n = task.clock.n - task.read_so_far if task.clock.finite else self.available(task)
        if not _poll(lambda: self.available(task) >= n, timeout_s):
            raise NiError(SAMPLES_NOT_YET_AVAILABLE, "Some or all of the samples requested have not yet been acquired.")
        clock = self.clock_of(task)
        assert clock is not None
        index = task.read_so_far + np.arange(n)
        task.read_so_far += n
        times: FloatArray = clock[0] + index / clock[1]
        return times

    # -- data ----------------------------------------------------------------------------------------------------------

    def write_analog(self, task: Task, samples_v: FloatArray) -> None:
        """float64 (channels, N) V: kept as the buffer of a clocked task, put out at once otherwise."""
        for channel, row in zip(task.channels, samples_v, strict=True):
            if row.min() < channel.low_v or row.max() > channel.high_v:
                raise NiError(
                    INVALID_VALUE, "Requested value is not a supported value for this property: out of range."
                )
        if task.clock is None:
            self.check_free(task)
            for channel, row in zip(task.channels, samples_v, strict=True):
                self.ports.set(channel.terminal, float(row[-1]))
            return
        with self.lock:
            task.buffer = samples_v
            if task.started_s is not None:
                self._play(task)

    def write_lines(self, task: Task, levels: BoolArray) -> None:
        """bool (channels, N)."""
        self.check_free(task)
        for channel, row in zip(task.channels, levels, strict=True):
            self.ports.set(channel.terminal, bool(row[-1]))

    def read_analog(self, task: Task, n: int, timeout_s: float) -> FloatArray:
        """float64 (channels, n) V."""
        t_s = self.sample_times(task, n, timeout_s)
        return np.array([self.ports.sample(channel.terminal, t_s) for channel in task.channels])

    def read_counts(self, task: Task, n: int, timeout_s: float) -> FloatArray:
        """float64 (channels, n): edges since the start of the task, modulo 2³²."""
        if not task.armed:
            self.start(task)
        t_s = self.sample_times(task, n, timeout_s)
        return np.array([np.floor(self._edges(task, channel, t_s)) % 2**32 for channel in task.channels])

    def read_lines(self, task: Task, n: int, timeout_s: float) -> BoolArray:
        """bool (channels, n)."""
        t_s = self.sample_times(task, n, timeout_s)
        return np.array([self.ports.sample(channel.terminal, t_s) > 0.5 for channel in task.channels])

    def _edges(self, task: Task, channel: Channel, t_s: FloatArray) -> FloatArray:
        """Edges counted since the start of the task, at each of the ascending ``t_s``."""
        if task.gate is None:
            return self.ports.sample(channel.terminal, t_s) - task.edges_at_start.get(channel.name, 0.0)
        return np.array([self._gated(task.gate, channel, float(t)) for t in t_s])

    def _gated(self, gate: Gate, channel: Channel, t_s: float) -> float:
        if t_s > gate.until_s:
            terminal = _bare(gate.terminal)
            turns_s = np.concatenate([[gate.until_s], self.ports.changes_s(terminal, gate.until_s, t_s), [t_s]])
            edges = np.diff(self.ports.sample(channel.terminal, turns_s))
            high = self.ports.sample(terminal, turns_s[:-1]) > LOGIC_V
            gate.passed += float(edges[high == gate.counts_while_high].sum())
            gate.until_s = t_s
        return gate.passed

    def route_counter(self, task: Task, terminal: str) -> None:
        """Counts the edges of another terminal."""
        task.channels = [Channel(c.name, c.physical, c.kind, _bare(terminal)) for c in task.channels]

    def _play(self, task: Task) -> None:
        assert task.buffer is not None
        assert task.clock is not None
        clock = self.clock_of(task)
        if clock is None:
            return
        for channel, row in zip(task.channels, task.buffer, strict=True):
            samples = np.resize(row, task.clock.n) if task.clock.finite else row
            self.ports.set(channel.terminal, Waveform(samples, clock[1], clock[0], 1 if task.clock.finite else 0))

    def _freeze_outputs(self, task: Task) -> None:
        now_s = np.array([self.ports.now_s()])
        for channel in task.channels:
            self.ports.set(channel.terminal, float(self.ports.sample(channel.terminal, now_s)[0]))


def _bare(terminal: str) -> str:
    return terminal.lstrip("/")


def _next_tick(clock: tuple[float, float], t_s: float) -> float:
    """First tick of the clock at or after ``t_s``."""
    start_s, rate_hz = clock
    return float(start_s + np.ceil(max(0.0, t_s - start_s) * rate_hz - CLOCK_SLACK) / rate_hz)


def _poll(condition: Callable[[], bool], timeout_s: float) -> bool:
    end_s = time.monotonic() + timeout_s if timeout_s >= 0 else float("inf")
    while not condition():
        if time.monotonic() > end_s:
            return False
        time.sleep(POLL_S)
    return True
