"""ID Quantique ID900 on the wire: SCPI over ZeroMQ, and the DataLinkTargetService with its tag streams."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable

import zmq

from ...analysis.records import PS_PER_S
from .ports import Ports
from .wire import Fault, FaultPlan, WireTrace

IDENTITY = "IDQ,ID900,2042,1.15.0"
BLOCK_S = 0.01
WINDOW_FIELDS = ("WIND:BEGI:LINK", "WIND:BEGI:DELA", "WIND:END:LINK", "WIND:END:DELA")
GARBAGE = b"\xfe\x93#?"


class Id900Device:
    """Settings in a table; while recording, the clicks of the tagger ``name`` stream out."""

    def __init__(self, ports: Ports, name: str, n_channels: int = 4, latency_s: float = 0.0) -> None:
        self.faults, self.trace, self.latency_s = FaultPlan(), WireTrace(), latency_s
        self.ports, self.name, self.n_channels = ports, name, n_channels
        self.recording_since_ps: int | None = None
        self.errors = dict.fromkeys(range(1, n_channels + 1), 0)
        self.settings: dict[str, str] = {}
        self.power_on()

    def power_on(self) -> None:
        self.recording_since_ps = None
        self.errors = dict.fromkeys(self.errors, 0)
        self.settings = {"REC:NUM": "1", "OUTP1:LINK": "NONE", "OUTP1:DELA": "0"}
        for k in range(1, 4):
            fields = ("FIR:LINK", "SEC:LINK", "OPIN", "WIND:ENAB", *WINDOW_FIELDS)
            self.settings |= {f"TSCO{k}:{field}": "NONE" for field in fields}
        for k in self.errors:
            self.settings |= {
                f"INPU{k}:ENAB": "ON",
                f"INPU{k}:THRE": "0.500V",
                f"DELA{k}:VALU": "0",
                f"RAW{k}:SEND": "OFF",
            }

    def answer(self, message: str) -> str:
        if message == "*IDN?":
            return IDENTITY
        if match := re.fullmatch(r"RAW(\d):ERRORS(\?|:CLEAR)", message):
            return self._raw_errors(int(match[1]), match[2])
        if match := re.fullmatch(r"INPU(\d):COUN\?", message):
            return str(self._counter(int(match[1])))
        if message in ("REC:PLAY", "REC:STOP"):
            self.recording_since_ps = self.now_ps() if message == "REC:PLAY" else None
            return "OK"
        header, _, value = message.partition(" ")
        if header.endswith("?") and header[:-1] in self.settings:
            return self.settings[header[:-1]]
        if value and header in self.settings:
            self.settings[header] = value
            return "OK"
        return f"ERROR: unknown command {message}"

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

    def unplug(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        for stream in self._streams.values():
            stream.stop()
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
        if match := re.fullmatch(r"stop --id (\S+)", message):
            stream = self._streams.pop(match[1], None)
            if stream is not None:
                stream.stop()
            return json.dumps({"id": match[1]})
        if match := re.fullmatch(r"start-stream --address \S+ --channel (\d+) --stream-port (\d+)", message):
            identity = f"stream-{match[1]}-{match[2]}"
            self._streams[identity] = _TagStream(self.device, int(match[1]), f"tcp://{self.host}:{match[2]}")
            return json.dumps({"id": identity})
        return json.dumps({"error": {"description": f"unknown command {message}"}})


class _TagStream:
    """Sends the clicks of one channel to whoever connects."""

    def __init__(self, device: Id900Device, channel: int, endpoint: str) -> None:
        self._device, self._channel = device, channel
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PAIR)
        self._socket.setsockopt(zmq.SNDTIMEO, 100)
        self._socket.bind(endpoint)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._socket.close(linger=0)
        self._context.term()

    def _run(self) -> None:
        sent_ps: int | None = None
        while not self._stopping.wait(BLOCK_S):
            since_ps = self._device.recording_since_ps
            if since_ps is None or not self._device.sends(self._channel):
                continue
            now_ps = self._device.now_ps()
            tags = self._device.ports.clicks(self._device.name, since_ps if sent_ps is None else sent_ps, now_ps)
            sent_ps = now_ps
            t_ps = tags.on(self._channel) - since_ps
            if len(t_ps):
                try:
                    self._socket.send(t_ps.astype("<i8").tobytes())
                except zmq.Again:
                    self._device.overflow(self._channel)
