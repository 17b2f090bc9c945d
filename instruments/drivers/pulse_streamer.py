"""Swabian Pulse Streamer 8/2 through the vendor's client (``pip install erbia[pulsestreamer]``).

A table with a herald condition uses the two slots of firmware 2: slot 0 repeats the burst until the hardware trigger (the
herald logic's output, wired to the trigger input) switches to slot 1, which plays ``on_herald`` once and switches back.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import struct
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import requests
from numpy.typing import NDArray
from pulsestreamer import NextAction, OutputState, PulseStreamer, Sequence, TriggerRearm, TriggerStart, When
from qcodes.instrument import Instrument, InstrumentBaseKWArgs
from qcodes.parameters import Parameter
from tinyrpc.exc import RPCError  # type: ignore[import-untyped]
from typing_extensions import Unpack

from ..errors import BadReply, InstrumentError, LimitError
from ..interfaces import PulseTable
from ..pulse_steps import MAX_STEPS, PhaseOutput, Steps, Wiring, burst_steps, channels_of, segment_steps
from .composites import find_parameter
from .link import Link
from .tcp import OPEN_TIMEOUT_S

R = TypeVar("R")

RPC_PORT = 8050
SAMPLE_PS = 1000
MAX_STEP_TICKS = 2**32 - 1
FULL_SCALE = 0x7FFF
FOREVER = -1
BURST_SLOT, HERALD_SLOT = 0, 1
#: Redirecting stdout is for the whole process: two threads at once would lose it.
_quiet = threading.Lock()


class SwabianPulseStreamer(Instrument):
    """A PulseGenerator. Nothing is played before ``start``; connecting and reading change nothing.

    Args:
        address: IP address or host name (the ports are fixed by the vendor).
        outputs: channel name → ``"0"`` … ``"7"`` or ``"A0"``, ``"A1"``.
        phases: channel name → ``{"output": "A1", "volt_per_rad": 0.3}`` for channels with a carrier phase.
        quadratures: channel name → digital output that shifts its carrier by 90°; phases are then multiples of π/2.
        switches: channel name → boolean parameter ``instrument.parameter`` of a slow switch in that path; ``load`` sets it
            true for the channels the table uses and false for the others, so that two channels may share an output.
        herald_logic: name of the instrument that decides on heralds and is wired to the trigger input; it gets the
            table's condition through its ``load_condition``.

    Raises:
        ConnectionLost: nothing answers at ``address``.
    """

    sample_ps = SAMPLE_PS

    def __init__(
        self,
        name: str,
        address: str,
        *,
        outputs: Mapping[str, str],
        phases: Mapping[str, Mapping[str, Any]] | None = None,
        quadratures: Mapping[str, str] | None = None,
        switches: Mapping[str, str] | None = None,
        herald_logic: str = "",
        timeout: float = 2.0,
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, **kwargs)
        self.address, self._timeout_s, self._herald_logic = address, timeout, herald_logic
        wired_phases = {channel: PhaseOutput(**options) for channel, options in (phases or {}).items()}
        self._wiring = Wiring(_texts(outputs), wired_phases, _texts(quadratures or {}))
        self._switches = dict(switches or {})
        self._loaded: PulseTable | None = None
        self._link: Link[PulseStreamer] = Link(name, address, self._connect, _disconnect)
        self.running: Parameter[bool, SwabianPulseStreamer] = self.add_parameter(
            "running", get_cmd=lambda: self._ask("isStreaming", lambda device: device.isStreaming())
        )
        """A sequence is being played."""
        self.temperature: Parameter[float, SwabianPulseStreamer] = self.add_parameter(
            "temperature", unit="°C", get_cmd=lambda: self._ask("getTemperature", lambda d: float(d.getTemperature()))
        )
        """Of the device."""
        self.underflow: Parameter[bool, SwabianPulseStreamer] = self.add_parameter(
            "underflow", get_cmd=lambda: self._ask("getUnderflow", lambda device: bool(device.getUnderflow()))
        )
        """Steps came too fast for the device: what was played is wrong."""
        self._link.open()

    def get_idn(self) -> dict[str, str | None]:
        serial = self._ask("getSerial", lambda device: str(device.getSerial()))
        firmware = self._ask("getFirmwareVersion", lambda device: str(device.getFirmwareVersion()))
        return {"vendor": "Swabian Instruments", "model": "Pulse Streamer 8/2", "serial": serial, "firmware": firmware}

    def close(self) -> None:
        self._link.close()
        super().close()

    def load(self, table: PulseTable) -> None:
        """Checks and uploads the table; it waits for ``start``.

        Raises:
            LimitError: the table needs what the outputs, the grid or the memory do not give.
        """
        burst = _encoded(burst_steps(table, self._wiring, SAMPLE_PS, self.name), self.name)
        used = channels_of(table)
        for channel, path in self._switches.items():
            find_parameter(self.name, path).set(channel in used)
        if table.condition is None:
            self._load_condition(table)
            runs = table.bursts or FOREVER
            self._do("stream", lambda device: _stream(device, burst, runs))
        else:
            self._load_branch(table, burst)
        self._loaded = table

    def arm(self) -> None:
        """Makes the loaded table ready to start again; uploads it again when the device has forgotten it."""
        if self._loaded is None:
            raise InstrumentError(self.name, "nothing is loaded; call load(table) first")
        if not self._ask("hasSequence", lambda device: device.hasSequence()):
            self.load(self._loaded)

    def start(self) -> None:
        """Plays from the beginning. Raises InstrumentError when the device has nothing to play."""
        branching = self._loaded is not None and self._loaded.condition is not None
        code = self._do("start", lambda device: device.start(BURST_SLOT) if branching else device.startNow())
        if code:
            raise InstrumentError(self.name, "did not start; was it armed?", "start", code)

    def stop(self) -> None:
        """Ends with all outputs low."""
        self._do("constant", lambda device: device.constant(OutputState.ZERO()))

    # -- the wire ------------------------------------------------------------------------------------------------------

    def _load_branch(self, table: PulseTable, burst: NDArray[Any]) -> None:
        if table.bursts:
            raise LimitError(self.name, f"cannot count to {table.bursts} bursts and branch on heralds; use bursts = 0")
        if table.on_herald is None:
            raise LimitError(self.name, "a condition needs something to play on a herald")
        herald = _encoded(segment_steps(table.on_herald, self._wiring, SAMPLE_PS, self.name), self.name)
        self._load_condition(table)
        self._do("upload", lambda device: _upload_branch(device, burst, herald))

    def _load_condition(self, table: PulseTable) -> None:
        if self._herald_logic:
            logic: Any = Instrument.find_instrument(self._herald_logic)
            logic.load_condition(table.condition)
        elif table.condition is not None:
            raise LimitError(self.name, "cannot decide on heralds by itself; set herald_logic: in the station file")

    def _connect(self) -> PulseStreamer:
        _probe(self.address, self._timeout_s)
        try:
            with _quiet, contextlib.redirect_stdout(io.StringIO()):  # the client prints while it connects
                device = PulseStreamer(self.address)
        except AssertionError as error:
            raise ConnectionError(str(error)) from error
        # The client waits ten seconds for everything; these are its own settings.
        device.proxy.client.transport.request_kwargs["timeout"] = self._timeout_s
        if device._socket is not None:
            device._socket.settimeout(self._timeout_s)
        return device

    def _ask(self, command: str, exchange: Callable[[PulseStreamer], R]) -> R:
        return self._link.query(command, lambda device: self._named(command, device, exchange))

    def _do(self, command: str, action: Callable[[PulseStreamer], R]) -> R:
        return self._link.send(command, lambda device: self._named(command, device, action))

    def _named(self, command: str, device: PulseStreamer, exchange: Callable[[PulseStreamer], R]) -> R:
        try:
            return exchange(device)
        except requests.Timeout as error:
            raise TimeoutError(f"nothing within {self._timeout_s:g} s") from error
        except requests.RequestException as error:
            raise ConnectionError(_innermost(error)) from error
        except struct.error as error:
            raise ConnectionError("the instrument closed the upload connection") from error
        except (RPCError, AssertionError, ValueError) as error:
            raise BadReply(self.name, f"failed: {error or type(error).__name__}", command) from error


def _texts(outputs: Mapping[str, Any]) -> dict[str, str]:
    return {channel: str(output) for channel, output in outputs.items()}


def _stream(device: PulseStreamer, steps: NDArray[Any], runs: int) -> None:
    device.setTrigger(TriggerStart.SOFTWARE, TriggerRearm.AUTO)
    device.stream(steps, runs, OutputState.ZERO())


def _upload_branch(device: PulseStreamer, burst: NDArray[Any], herald: NDArray[Any]) -> None:
    device.setTrigger(TriggerStart.HARDWARE_RISING, TriggerRearm.AUTO)
    device.upload(BURST_SLOT, burst, FOREVER, OutputState.ZERO(), NextAction.SWITCH_SLOT, When.TRIGGER)
    device.upload(HERALD_SLOT, herald, 1, OutputState.ZERO(), NextAction.SWITCH_SLOT, When.IMMEDIATE)


def _encoded(steps: Steps, instrument: str) -> NDArray[Any]:
    """Steps in the client's own record type, long ones split at 2³²-1 ns. Raises LimitError beyond two million."""
    ticks = steps.duration_ps // SAMPLE_PS
    copies = -(-ticks // MAX_STEP_TICKS)
    if copies.sum() > MAX_STEPS:
        raise LimitError(instrument, f"{copies.sum()} steps; the memory holds {MAX_STEPS}: use fewer attempts a burst")
    out = np.zeros(int(copies.sum()), Sequence.pulse_dtype)
    last = np.cumsum(copies) - 1
    out["count"] = MAX_STEP_TICKS
    out["count"][last] = ticks - (copies - 1) * MAX_STEP_TICKS
    out["digi"] = np.repeat(steps.digital, copies)
    analog = np.round(FULL_SCALE * np.repeat(steps.analog_v, copies, axis=0)).astype(np.int16)
    out["a0"], out["a1"] = analog[:, 0], analog[:, 1]
    return out


def _probe(host: str, timeout_s: float) -> None:
    """Asks for the serial number with a short timeout; the client itself would wait ten seconds for a dead address."""
    connection = http.client.HTTPConnection(host, RPC_PORT, timeout=min(timeout_s, OPEN_TIMEOUT_S))
    try:
        question = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "getSerial", "params": []})
        connection.request("POST", "/json-rpc", question, {"Content-Type": "application/json"})
        json.loads(connection.getresponse().read())
    except (http.client.HTTPException, ValueError) as error:
        raise ConnectionError(f"no Pulse Streamer: {error or type(error).__name__}") from error
    finally:
        connection.close()


def _disconnect(device: PulseStreamer) -> None:
    if device._socket is not None:
        device._socket.close()


def _innermost(error: BaseException) -> str:
    while error.__context__ is not None:
        error = error.__context__
    return str(error)
