"""ID Quantique ID900 / ID1000 time controller: SCPI over ZeroMQ, tags through the vendor's DataLinkTargetService.

Command port 5555 (REQ/REP). The DataLinkTargetService (port 6060, usually on this computer) receives the tags and offers
each channel on a ZeroMQ PAIR socket as little-endian int64 ps.
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
from ..errors import ConnectionLost, InstrumentError, LimitError
from ..interfaces import HeraldCondition
from .link import Link
from .replies import flag, integer, number, parsed
from .robust_visa import invalidate_caches
from .tag_merge import TagMerger
from .tcp import OPEN_TIMEOUT_S, split_endpoint

R = TypeVar("R")

COMMAND_PORT, DATALINK_PORT, FIRST_STREAM_PORT = 5555, 6060, 4241
#: Tags younger than this may still be under way on a slower channel.
HOLD_BACK_S = 0.1
#: No two crystals differ by more; guards the hold-back in long runs.
WORST_SKEW = 1e-4
POLL_S = 0.01
#: Combiners used for heralds: click in the early window, click in the late window, both; the last drives output 1.
EARLY, LATE, BOTH = "TSCO1", "TSCO2", "TSCO3"


class IdqTimeController(Instrument):
    """A TimeTagger, and herald logic: a click in each of two windows after START makes a pulse at output 1.

    Args:
        address: ``host`` or ``host:port`` of the time controller.
        datalink: ``host`` or ``host:port`` of the DataLinkTargetService.
        channels: inputs to record.
        stream_ports: one a channel, for the tags.
        herald_inputs: input of each midpoint detector, by the names herald conditions use, e.g. ``{"A": 1, "B": 2}``.

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
        self._merger = TagMerger(name)
        self._started_s = 0.0
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
            LimitError: a detector that is not in ``herald_inputs``, or no late window.
        """
        if condition is None:
            self._set_word("OUTP1:LINK", "NONE")
            return
        missing = [name for name in condition.detectors if name not in self._herald_inputs]
        if missing or condition.late_ps[0] >= condition.late_ps[1]:
            what = f"no input for detector {missing[0]!r}; set herald_inputs" if missing else "needs two windows"
            raise LimitError(self.name, what, "load_condition")
        first, second = (f"INPU{self._herald_inputs[name]}" for name in condition.detectors)
        for combiner, window_ps in ((EARLY, condition.early_ps), (LATE, condition.late_ps)):
            self._combine(combiner, first, second, "OR")
            for edge, delay_ps in zip(("BEGI", "END"), window_ps, strict=True):
                self._set_word(f"{combiner}:WIND:{edge}:LINK", "STAR")
                self._set_word(f"{combiner}:WIND:{edge}:DELA", str(delay_ps))
            self._set_word(f"{combiner}:WIND:ENAB", "ON")
        self._combine(BOTH, EARLY, LATE, "AND")
        self._set_word("OUTP1:DELA", str(condition.latency_ps))
        self._set_word("OUTP1:LINK", BOTH)

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
            self._data_command(f"start-stream --address {self._host} --channel {channel} --stream-port {port}")
            self._streams[channel] = self._open_stream(port)
            self._command(f"RAW{channel}:ERRORS:CLEAR")
            self._command(f"RAW{channel}:SEND ON")
        self._merger = TagMerger(self.name)
        self._command("REC:NUM 0")
        self._command("REC:PLAY")
        self._started_s = time.monotonic()

    def stop(self) -> None:
        """Ends recording."""
        self._command("REC:STOP")
        for channel in self._ports:
            self._command(f"RAW{channel}:SEND OFF")
        for identity in self._data_command("list"):
            self._data_command(f"stop --id {identity}")
        self._close_streams()

    def read(self, timeout_s: float) -> TagBlock:
        """The next block; it ends ``HOLD_BACK_S`` before now.

        Raises:
            ConnectionLost: not recording, or the device stopped answering for ``timeout_s``.
        """
        if not self._streams:
            raise ConnectionLost(self.name, "is not recording; call start() first", "read")
        deadline_s = time.monotonic() + timeout_s
        while (t_stop_ps := self._safe_ps()) <= self._merger.handed_out_ps:
            if time.monotonic() > deadline_s:
                raise ConnectionLost(self.name, f"no new time within {timeout_s:g} s", "read")
            time.sleep(POLL_S)
        for channel, stream in self._streams.items():
            errors = parsed(self.name, f"RAW{channel}:ERRORS?", self.ask(f"RAW{channel}:ERRORS?"), integer)
            if errors:
                self._command(f"RAW{channel}:ERRORS:CLEAR")
                self._merger.lost(-1)
            for chunk in _arrived(stream):
                self._merger.add(channel, np.frombuffer(chunk[: len(chunk) // 8 * 8], "<i8").astype(np.int64))
        return self._merger.take(t_stop_ps)

    def close(self) -> None:
        self._close_streams()
        self._scpi.close()
        self._datalink.close()
        self._context.destroy(linger=0)
        super().close()

    # -- the wire ------------------------------------------------------------------------------------------------------

    def _safe_ps(self) -> int:
        """Tags before this have surely arrived."""
        elapsed_s = time.monotonic() - self._started_s
        return max(0, int((elapsed_s * (1 - WORST_SKEW) - HOLD_BACK_S) * PS_PER_S))

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
