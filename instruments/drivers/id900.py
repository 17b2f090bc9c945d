"""ID Quantique ID900 / ID1000 time controller: SCPI over ZeroMQ, tags through the vendor's DataLinkTargetService.

Command port 5555 (REQ/REP). The DataLinkTargetService (port 6060, usually on this computer) receives the tags and offers
each channel on a ZeroMQ PAIR socket as little-endian int64 ps. The device records in periods and sends, after each, one
message a channel (empty when nothing clicked) with times from the start of that period: blocks end where periods end, by
the device's own clock.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import zmq
from qcodes.instrument import ChannelTuple, Instrument, InstrumentBaseKWArgs, InstrumentChannel
from qcodes.parameters import Parameter
from qcodes.validators import Bool, Ints, Numbers
from typing_extensions import Unpack

from ...analysis.records import PS_PER_S, TagBlock
from ..errors import BadReply, ConnectionLost, InstrumentError, LimitError
from ..interfaces import HeraldCondition
from .link import Link
from .periods import Parts
from .replies import flag, integer, number, parsed
from .robust_visa import invalidate_caches
from .tcp import OPEN_TIMEOUT_S, split_endpoint

R = TypeVar("R")

COMMAND_PORT, DATALINK_PORT, FIRST_STREAM_PORT = 5555, 6060, 4241
#: Between two periods the device records nothing; it wants at least this.
DEAD_TIME_PS = 40_000
SHORTEST_PERIOD_S = 0.2
#: Combiners used for heralds: click in the early window, click in the late window, both; the last drives output 1.
#: The first four feed the tag streams.
EARLY, LATE, BOTH = "TSCO5", "TSCO6", "TSCO7"


class IdqTimeController(Instrument):
    """A TimeTagger, and herald logic: a click in each of two windows after START makes a pulse at output 1.

    Args:
        address: ``host`` or ``host:port`` of the time controller.
        datalink: ``host`` or ``host:port`` of the DataLinkTargetService.
        channels: inputs to record.
        stream_ports: one a channel, for the tags.
        herald_inputs: input of each midpoint detector, by the names herald conditions use, e.g. ``{"A": 1, "B": 2}``.
        period_s: how often the device hands out its tags (s, at least 0.2); it records nothing for 40 ns between two periods.

    Raises:
        ConnectionLost: nothing answers.
    """

    def __init__(
        self,
        name: str,
        address: str,
        *,
        datalink: str = "127.0.0.1",
        channels: Sequence[int] = (1, 2, 3, 4),
        stream_ports: Sequence[int] | None = None,
        herald_inputs: Mapping[str, int] | None = None,
        period_s: float = SHORTEST_PERIOD_S,
        timeout: float = 1.0,
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, **kwargs)
        self.address, self._timeout_s = address, timeout
        self._herald_inputs = dict(herald_inputs or {})
        self._context = zmq.Context()
        self._ports = dict(zip(channels, stream_ports or range(FIRST_STREAM_PORT, 9999), strict=False))
        self._host = split_endpoint(address, COMMAND_PORT)[0]
        self._datalink_host = split_endpoint(datalink, DATALINK_PORT)[0]
        self._scpi = self._request_link(address, COMMAND_PORT)
        self._datalink = self._request_link(datalink, DATALINK_PORT)
        self._streams: dict[int, zmq.Socket[bytes]] = {}
        self._acquisitions: dict[int, str] = {}
        if period_s < SHORTEST_PERIOD_S:
            raise LimitError(name, f"period_s is {period_s:g}; the device needs at least {SHORTEST_PERIOD_S:g} s")
        self._period_ps = round(period_s * PS_PER_S)
        self._parts = Parts(name, self._period_ps, self._ports)
        made = [IdqInput(self, f"ch{number}", number) for number in channels]
        for channel in made:
            self.add_submodule(channel.short_name, channel)
        self.inputs: ChannelTuple[IdqInput] = self.add_submodule("inputs", ChannelTuple(self, "inputs", IdqInput, made))
        """The inputs, also as ``ch1`` and so on."""
        self._scpi.open()

    def get_idn(self) -> dict[str, str | None]:
        words = [*self.ask("*IDN?").split(","), "", "", ""]
        return {"vendor": words[0], "model": words[1], "serial": words[2], "firmware": words[3]}

    def ask(self, cmd: str) -> str:
        return self._scpi.query(cmd, lambda connection: _exchange(connection, cmd))

    def set_checked(self, header: str, text: str, same: Callable[[str], bool]) -> None:
        """Sets and reads back in one exchange. Raises InstrumentError when the device has not taken it."""

        def exchange(connection: zmq.Socket[bytes]) -> str:
            _exchange(connection, f"{header} {text}")
            return _exchange(connection, f"{header}?")

        answer = self._scpi.send(f"{header} {text}", exchange)
        if not parsed(self.name, header, answer, same):
            raise InstrumentError(self.name, "did not take the setting", f"{header} {text}", answer)

    def load_condition(self, condition: HeraldCondition | None) -> None:
        """Programs the combiners; None switches output 1 off. START must get a pulse at the start of each attempt.

        The combiners ask for a click in either window at either detector; a second click in a window is not refused by
        them and has to be sorted out from the tags.

        Raises:
            LimitError: a detector that is not in ``herald_inputs``.
        """
        if condition is None:
            self._set_word("OUTP1:LINK", "NONE")
            return
        missing = [name for name in condition.detectors if name not in self._herald_inputs]
        if missing:
            raise LimitError(self.name, f"no input for detector {missing[0]!r}; set herald_inputs", "load_condition")
        first, second = (f"INPU{self._herald_inputs[name]}" for name in condition.detectors)
        for combiner, window_ps in zip((EARLY, LATE), condition.windows_ps, strict=False):
            self._combine(combiner, first, second, "OR")
            for edge, delay_ps in zip(("BEGI", "END"), window_ps, strict=True):
                self._set_word(f"{combiner}:WIND:{edge}:LINK", "STAR")
                self._set_word(f"{combiner}:WIND:{edge}:DELA", str(delay_ps))
            self._set_word(f"{combiner}:WIND:ENAB", "ON")
        if len(condition.windows_ps) == 2:
            self._combine(BOTH, EARLY, LATE, "AND")
        self._set_word("OUTP1:DELA", str(condition.latency_ps))
        self._set_word("OUTP1:LINK", BOTH if len(condition.windows_ps) == 2 else EARLY)

    def _combine(self, combiner: str, first: str, second: str, operation: str) -> None:
        self._set_word(f"{combiner}:FIR:LINK", first)
        self._set_word(f"{combiner}:SEC:LINK", second)
        self._set_word(f"{combiner}:OPIN", operation)

    def _set_word(self, header: str, word: str) -> None:
        self.set_checked(header, word, lambda answer: answer == word)

    # -- TimeTagger ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins recording; time zero is now."""
        self.stop()
        for channel, port in self._ports.items():
            started = f"start-stream --address {self._host} --channel {channel} --stream-port {port}"
            self._acquisitions[channel] = str(self._data_command(started)["id"])
            self._streams[channel] = self._open_stream(port)
            self._command(f"RAW{channel}:ERRORS:CLEAR")
            self._command(f"RAW{channel}:REF:LINK NONE")
            self._command(f"RAW{channel}:SEND ON")
        self._parts = Parts(self.name, self._period_ps, self._ports)
        self._command("REC:TRIG:ARM:MODE MANUal")
        self._command("REC:ENABle ON")
        self._command("REC:NUM INF")
        self._command(f"REC:PWID {self._period_ps - DEAD_TIME_PS}")
        self._command(f"REC:PPER {self._period_ps}")
        self._command("REC:PLAY")

    def stop(self) -> None:
        """Ends recording."""
        self._command("REC:STOP")
        for channel in self._ports:
            self._command(f"RAW{channel}:SEND OFF")
        for identity in self._data_command("list"):
            self._data_command(f"stop --id {identity}")
        self._close_streams()

    def read(self, timeout_s: float) -> TagBlock:
        """The next block: everything that reached the inputs before this call, and at most two periods more.

        Raises:
            ConnectionLost: not recording, or no message within ``timeout_s``.
        """
        if not self._streams:
            raise ConnectionLost(self.name, "is not recording; call start() first", "read")
        deadline_s = time.monotonic() + timeout_s
        # Behind those the service has finished one may be on its way; the next is still recorded and reaches past now.
        wanted = self._finished_periods() + 2
        while self._parts.received < wanted and (left_s := deadline_s - time.monotonic()) > 0:
            self._collect(left_s)
        if not self._parts.complete:
            raise ConnectionLost(self.name, f"no tags and no end of a period within {timeout_s:g} s", "read")
        return self._parts.take(lost=self._lost_tags())

    def close(self) -> None:
        self._close_streams()
        self._scpi.close()
        self._datalink.close()
        self._context.destroy(linger=0)
        super().close()

    def _collect(self, timeout_s: float) -> None:
        """Takes what has come on every channel, after waiting for something to come."""
        zmq.zmq_poll([(stream, zmq.POLLIN) for stream in self._streams.values()], timeout=int(1000 * timeout_s))
        for channel, stream in self._streams.items():
            for message in _arrived(stream):
                self._parts.add(channel, np.frombuffer(message[: len(message) // 8 * 8], "<i8").astype(np.int64))

    def _finished_periods(self) -> int:
        """How many periods the service has finished, on the channel that is furthest."""
        finished = []
        for identity in self._acquisitions.values():
            command = f"status --id {identity}"
            status = self._data_command(command)
            count = status.get("acquisitions_count") if isinstance(status, dict) else None
            if not isinstance(count, int):
                raise BadReply(self.name, "expected acquisitions_count", command, status)
            finished.append(count)
        return max(finished)

    def _lost_tags(self) -> bool:
        """Whether any channel counts errors; clears them."""
        lost = False
        for channel in self._streams:
            if parsed(self.name, f"RAW{channel}:ERRORS?", self.ask(f"RAW{channel}:ERRORS?"), integer):
                self._command(f"RAW{channel}:ERRORS:CLEAR")
                lost = True
        return lost

    # -- the wire ------------------------------------------------------------------------------------------------------

    def _request_link(self, address: str, default_port: int) -> Link[zmq.Socket[bytes]]:
        host, port = split_endpoint(address, default_port)

        def connect() -> zmq.Socket[bytes]:
            with socket.create_connection((host, port), OPEN_TIMEOUT_S):  # ZeroMQ itself never says "refused"
                pass
            connection = self._context.socket(zmq.REQ)
            milliseconds = int(1000 * self._timeout_s)
            for option, value in {zmq.RCVTIMEO: milliseconds, zmq.SNDTIMEO: milliseconds, zmq.LINGER: 0}.items():
                connection.setsockopt(option, value)
            connection.connect(f"tcp://{host}:{port}")
            return connection

        return Link(
            self.name,
            f"{host}:{port}",
            connect,
            lambda connection: connection.close(),
            on_reconnect=lambda: invalidate_caches(self),
        )

    def _command(self, command: str) -> None:
        answer = self._scpi.send(command, lambda connection: _exchange(connection, command))
        if answer.upper().startswith("ERR"):
            raise InstrumentError(self.name, "refused the command", command, answer)

    def _data_command(self, command: str) -> Any:
        answer = self._datalink.send(command, lambda connection: _exchange(connection, command))
        result = parsed(self.name, command, answer or "null", json.loads)
        if isinstance(result, dict) and "error" in result:
            raise InstrumentError(self.name, "the DataLinkTargetService refused", command, answer)
        return result or []

    def _open_stream(self, port: int) -> zmq.Socket[bytes]:
        stream = self._context.socket(zmq.PAIR)
        stream.setsockopt(zmq.LINGER, 0)
        stream.connect(f"tcp://{self._datalink_host}:{port}")
        return stream

    def _close_streams(self) -> None:
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()
        self._acquisitions.clear()


class IdqInput(InstrumentChannel[IdqTimeController]):
    """One input of the time controller."""

    def __init__(
        self, parent: IdqTimeController, name: str, number_: int, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(parent, name, **kwargs)
        block = f"INPU{number_}"
        self.enabled: Parameter[bool, IdqInput] = self.add_parameter(
            "enabled",
            get_cmd=self._reading(f"{block}:ENAB?", flag),
            set_cmd=lambda on: parent.set_checked(f"{block}:ENAB", "ON" if on else "OFF", lambda t: flag(t) == on),
            vals=Bool(),
        )
        """The input records."""
        self.threshold: Parameter[float, IdqInput] = self.add_parameter(
            "threshold",
            unit="V",
            get_cmd=self._reading(f"{block}:THRE?", _volts),
            set_cmd=lambda v: parent.set_checked(f"{block}:THRE", f"{v:+.3f}V", lambda t: abs(_volts(t) - v) < 2e-3),
            vals=Numbers(-2, 2),
        )
        """Trigger level."""
        self.delay: Parameter[int, IdqInput] = self.add_parameter(
            "delay",
            unit="ps",
            get_cmd=self._reading(f"DELA{number_}:VALU?", integer),
            set_cmd=lambda ps: parent.set_checked(f"DELA{number_}:VALU", f"{ps}", lambda t: integer(t) == ps),
            vals=Ints(0, 10**9),
        )
        """Added to every tag."""
        self.counts: Parameter[int, IdqInput] = self.add_parameter(
            "counts", get_cmd=self._reading(f"{block}:COUN?", integer)
        )
        """The input's counter, in the mode its front panel or the vendor's software has set."""

    def _reading(self, command: str, parse: Callable[[str], R]) -> Callable[[], R]:
        return lambda: parsed(self.parent.name, command, self.parent.ask(command), parse)


def _exchange(connection: zmq.Socket[bytes], message: str) -> str:
    try:
        connection.send_string(message)
        return connection.recv_string().strip()
    except zmq.Again as error:
        raise TimeoutError("nothing came back") from error
    except UnicodeDecodeError as error:
        return repr(error.object)  # no parser takes this for an answer
    except zmq.ZMQError as error:
        raise ConnectionError(str(error)) from error


def _arrived(stream: zmq.Socket[bytes]) -> list[bytes]:
    chunks: list[bytes] = []
    try:
        while True:
            chunks.append(stream.recv(zmq.NOBLOCK))
    except zmq.Again:
        return chunks


def _volts(text: str) -> float:
    return number(text.upper().removesuffix("V"))
