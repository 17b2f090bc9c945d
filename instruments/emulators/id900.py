"""ID Quantique ID900 on the wire: SCPI over ZeroMQ, and the DataLinkTargetService with its tag streams."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import zmq

from ...analysis.records import PS_PER_S
from .ports import HeraldWindows, Ports
from .wire import Fault, FaultPlan, WireTrace

IDENTITY = "IDQ,ID900,2042,1.15.0"
COMBINERS = range(1, 9)
WINDOW_FIELDS = ("WIND:BEGI:LINK", "WIND:BEGI:DELA", "WIND:END:LINK", "WIND:END:DELA")
LONG_FORMS = {"ENABle": "ENAB"}
GARBAGE = b"\xfe\x93#?"


class Id900Device:
    """Settings in a table; while recording, the clicks of the tagger ``name`` go out, a message a channel and period.

    Ports: ``<name>.zero_ps``, the tagger's time when the recording began, and ``<name>.herald``, the herald windows the
    combiners and output 1 are set for.
    """

    def __init__(self, ports: Ports, name: str, n_channels: int = 4, latency_s: float = 0.0) -> None:
        self.faults, self.trace, self.latency_s = FaultPlan(), WireTrace(), latency_s
        self.ports, self.name, self.n_channels = ports, name, n_channels
        self.recording_since_ps: int | None = None
        self._sent = self._asked_until = 0
        self.errors = dict.fromkeys(range(1, n_channels + 1), 0)
        self.settings: dict[str, str] = {}
        self.power_on()

    def power_on(self) -> None:
        self.recording_since_ps = None
        self.errors = dict.fromkeys(self.errors, 0)
        self.settings = {"REC:NUM": "1", "REC:PWID": "1000000000000", "REC:PPER": "1000000040000"}
        self.settings |= {"REC:TRIG:ARM:MODE": "AUTO", "REC:ENAB": "OFF", "OUTP1:LINK": "NONE", "OUTP1:DELA": "0"}
        for k in COMBINERS:
            fields = ("FIR:LINK", "SEC:LINK", "OPIN", "WIND:ENAB", *WINDOW_FIELDS)
            self.settings |= {f"TSCO{k}:{field}": "NONE" for field in fields}
        for k in self.errors:
            self.settings |= {
                f"INPU{k}:ENAB": "ON",
                f"INPU{k}:THRE": "0.500V",
                f"DELA{k}:VALU": "0",
                f"RAW{k}:SEND": "OFF",
                f"RAW{k}:REF:LINK": "NONE",
            }
        self.ports.set(f"{self.name}.herald", HeraldWindows())

    def answer(self, message: str) -> str:
        return [self._obey(command) for command in parse_command(message)][-1]

    def _obey(self, message: str) -> str:
        if message == "*IDN?":
            return IDENTITY
        if match := re.fullmatch(r"RAW(\d):ERRORS(\?|:CLEAR)", message):
            return self._raw_errors(int(match[1]), match[2])
        if match := re.fullmatch(r"INPU(\d):COUN\?", message):
            return str(self._counter(int(match[1])))
        if message in ("REC:PLAY", "REC:STOP"):
            self._record(message == "REC:PLAY")
            return "OK"
        header, _, value = message.partition(" ")
        header = ":".join(LONG_FORMS.get(word, word) for word in header.split(":"))
        if header.endswith("?") and header[:-1] in self.settings:
            return self.settings[header[:-1]]
        if value and header in self.settings:
            self.settings[header] = value
            self.ports.set(f"{self.name}.herald", self._herald_windows())
            return "OK"
        return f"ERROR: unknown command {message}"

    def _record(self, on: bool) -> None:
        self.recording_since_ps = self.now_ps() if on else None
        self._sent = self._asked_until = 0
        if self.recording_since_ps is not None:
            self.ports.set(f"{self.name}.zero_ps", self.recording_since_ps)

    def finished(self) -> list[dict[int, bytes]]:
        """The periods that have ended since last asked: for each channel its tags, little-endian int64 ps."""
        since_ps = self.recording_since_ps
        if since_ps is None:
            return []
        period_ps, width_ps = int(self.settings["REC:PPER"]), int(self.settings["REC:PWID"])
        n = (self.now_ps() - since_ps) // period_ps
        periods = []
        for k in range(self._sent, n):
            start_ps = since_ps + k * period_ps
            periods.append({channel: self._tags(channel, start_ps, width_ps) for channel in self.errors})
        if self._sent < self._asked_until <= n:
            self.ports.recorded(self.name)
        self._sent = max(n, self._sent)
        return periods

    def _tags(self, channel: int, start_ps: int, width_ps: int) -> bytes:
        """Tags of one input behind its delay, from the start of a period: little-endian int64 ps."""
        if self.settings[f"INPU{channel}:ENAB"] != "ON":
            return b""
        first_ps = start_ps - int(self.settings[f"DELA{channel}:VALU"])
        clicks = self.ports.clicks(self.name, first_ps, first_ps + width_ps)
        return (clicks.on(channel) - first_ps).astype("<i8").tobytes()

    def asked(self, periods: int) -> None:
        """The user was told that so many periods are finished; it waits for the one in progress and the next."""
        self._asked_until = periods + 2

    def _herald_windows(self) -> HeraldWindows:
        """What output 1 decides: one windowed combiner, both of two, or nothing."""
        output = self.settings["OUTP1:LINK"]
        if not output.startswith("TSCO"):
            return HeraldWindows()
        parts = [self.settings[f"{output}:{end}:LINK"] for end in ("FIR", "SEC")]
        pair = self.settings[f"{output}:OPIN"] == "AND" and all(part.startswith("TSCO") for part in parts)
        try:
            windows = [self._window(part) for part in (parts if pair else [output])]
        except ValueError:
            return HeraldWindows()
        return HeraldWindows(windows[0], windows[1] if pair else (0, 0), int(self.settings["OUTP1:DELA"]))

    def _window(self, combiner: str) -> tuple[int, int]:
        begin, end = (int(self.settings[f"{combiner}:WIND:{edge}:DELA"]) for edge in ("BEGI", "END"))
        return begin, end

    def now_ps(self) -> int:
        return self.ports.tagger_now_ps(self.name)

    def sends(self, channel: int) -> bool:
        return self.settings[f"RAW{channel}:SEND"] == "ON" and self.recording_since_ps is not None

    def overflow(self, channel: int) -> None:
        """Tags of that channel were lost."""
        self.errors[channel] += 1

    def _raw_errors(self, channel: int, action: str) -> str:
        if action == "?":
            return str(self.errors[channel])
        self.errors[channel] = 0
        return "OK"

    def _counter(self, channel: int) -> int:
        now_ps = self.now_ps()
        return len(self.ports.clicks(self.name, now_ps - PS_PER_S, now_ps).on(channel))


class Id900Host:
    """The device's command port and the DataLinkTargetService, each on a thread of its own."""

    def __init__(self, device: Id900Device, host: str = "127.0.0.1", port: int = 0, datalink_port: int = 0) -> None:
        self.device, self.host, self._fixed = device, host, (port, datalink_port)
        self._streams: dict[str, _TagStream] = {}
        self._lock = threading.Lock()
        self.plug()

    @property
    def endpoint(self) -> str:
        return f"{self.host}:{self._fixed[0]}"

    @property
    def datalink(self) -> str:
        return f"{self.host}:{self._fixed[1]}"

    def plug(self) -> None:
        self._context = zmq.Context()
        self._stopping = threading.Event()
        commands, self._commands_port = self._bind(self._fixed[0])
        datalink, self._datalink_port = self._bind(self._fixed[1])
        self._fixed = (self._commands_port, self._datalink_port)
        self._threads = [
            threading.Thread(target=self._serve, args=(commands, self.device.answer), daemon=True),
            threading.Thread(target=self._serve, args=(datalink, self._datalink_answer), daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self._end_ticks = self.device.ports.on_tick(self._send_finished)

    def unplug(self) -> None:
        self._end_ticks()
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        with self._lock:
            for stream in self._streams.values():
                stream.close()
            self._streams.clear()
        self._context.destroy(linger=0)

    def close(self) -> None:
        self.unplug()

    def __enter__(self) -> Id900Host:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _bind(self, port: int) -> tuple[zmq.Socket[bytes], int]:
        # A ROUTER may leave a question unanswered, which a REP socket cannot.
        router = self._context.socket(zmq.ROUTER)
        router.bind(f"tcp://{self.host}:{port or '*'}")
        return router, int(router.getsockopt_string(zmq.LAST_ENDPOINT).rsplit(":", 1)[1])

    def _serve(self, router: zmq.Socket[bytes], answer: Callable[[str], str]) -> None:
        while not self._stopping.is_set():
            if not router.poll(20):
                continue
            *envelope, body = router.recv_multipart()
            message = body.decode()
            self.device.trace.received(message)
            self._reply(router, envelope, answer(message).encode())
        router.close(linger=0)

    def _reply(self, router: zmq.Socket[bytes], envelope: list[bytes], answer: bytes) -> None:
        device = self.device
        device.trace.sent(answer.decode())
        if device.latency_s:
            time.sleep(device.latency_s)
        match device.faults.take():
            case Fault.SILENT | Fault.DROP | Fault.PARTIAL:
                return  # ZeroMQ delivers whole messages or none
            case Fault.LATE:
                time.sleep(device.faults.late_s)
            case Fault.GARBAGE:
                answer = GARBAGE
            case Fault.RESET:
                device.power_on()
                return
        router.send_multipart([*envelope, answer])

    def _datalink_answer(self, message: str) -> str:
        if message == "list":
            return json.dumps(list(self._streams))
        with self._lock:
            if match := re.fullmatch(r"stop --id (\S+)", message):
                stream = self._streams.pop(match[1], None)
                if stream is not None:
                    stream.close()
                return json.dumps({"id": match[1]})
            if match := re.fullmatch(r"status --id (\S+)", message):
                found = self._streams.get(match[1])
                if found is not None:
                    self.device.asked(found.periods)
                    return json.dumps(
                        {"id": match[1], "acquisitions_count": found.periods, "timestamps_count": found.tags}
                    )
            if match := re.fullmatch(r"start-stream --address \S+ --channel (\d+) --stream-port (\d+)", message):
                identity = f"stream-{match[1]}-{match[2]}"
                self._streams[identity] = _TagStream(int(match[1]), f"tcp://{self.host}:{match[2]}")
                return json.dumps({"id": identity})
        return json.dumps({"error": {"description": f"unknown command {message}"}})

    def _send_finished(self) -> None:
        with self._lock:
            periods = self.device.finished()
            for stream in self._streams.values():
                sends = self.device.sends(stream.channel)
                stream.send([period[stream.channel] for period in periods] if sends else [])


class _TagStream:
    """The messages of one channel, for whoever connects; kept until somebody does."""

    def __init__(self, channel: int, endpoint: str) -> None:
        self.channel = channel
        self.periods = self.tags = 0
        self._unsent: deque[bytes] = deque()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PAIR)
        self._socket.setsockopt(zmq.SNDHWM, 0)
        self._socket.bind(endpoint)

    def send(self, messages: Sequence[bytes]) -> None:
        self._unsent.extend(messages)
        self.periods += len(messages)
        self.tags += sum(len(message) for message in messages) // 8
        with contextlib.suppress(zmq.Again):
            while self._unsent:
                self._socket.send(self._unsent[0], zmq.NOBLOCK)
                self._unsent.popleft()

    def close(self) -> None:
        self._socket.close(linger=0)
        self._context.term()


def parse_command(text: str) -> list[str]:
    """``"REC:PWID 1;PPER 2"`` → each command with its whole header: a command without colon stays in the same branch."""
    commands: list[str] = []
    branch = ""
    for part in (piece.strip() for piece in text.split(";")):
        header, space, value = part.partition(" ")
        whole = header.lstrip(":") if header.startswith(":") or not commands else branch + header
        branch = whole[: whole.rfind(":") + 1]
        commands.append(whole + space + value)
    return commands
