"""Swabian Pulse Streamer 8/2 on the wire: JSON-RPC over HTTP (8050) and the binary upload (21328).

The vendor's client has the ports built in, so each emulated device has its own loopback address (127.0.0.2, …).
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from .ports import Ports, PulseProgram, PulseSteps
from .tcp import TcpServer, reply
from .wire import FaultPlan, WireTrace

RPC_PORT, UPLOAD_PORT = 8050, 21328
MAGIC = 0x53504953
HEADER, SEQUENCE_HEADER_BYTES = struct.Struct("<4I2Q"), 32
STREAM, UPLOAD = 0x0, 0x100
STEP = np.dtype([("ticks", "<u4"), ("digital", "u1"), ("analog", "<i2", (2,))])
FULL_SCALE = 0x7FFF
IMMEDIATE, SOFTWARE = 0, 1
METHOD_NOT_FOUND, INTERNAL_ERROR = -32601, -32603
FIRMWARE = "2.1.2"


class PulseStreamerDevice:
    """State of one device; what it plays goes to the port ``<name>.program``, its resting level to ``<name>.constant``."""

    def __init__(self, ports: Ports, name: str, latency_s: float = 0.0) -> None:
        self.faults, self.trace, self.latency_s = FaultPlan(), WireTrace(), latency_s
        self._ports, self._name = ports, name
        self._clock = 0
        self.underflow = False
        self._trigger = (IMMEDIATE, 0)
        self._slots: dict[int, PulseSteps] = {}
        self._started_s: float | None = None
        self.power_on()
        self._methods: dict[str, Callable[..., Any]] = {
            "getSerial": lambda *_: "00:26:32:f0:3b:1b",
            "getFPGAID": lambda: "0123456789abcdef",
            "getFirmwareVersion": lambda: FIRMWARE,
            "getHardwareVersion": lambda: "3.4",
            "getTemperature": lambda: 41.5,
            "getUnderflow": lambda: int(self.underflow),
            "reset": self._reset,
            "constant": self._constant,
            "forceFinal": lambda: self._constant((0, 0, 0, 0)),
            "hasSequence": lambda: int(bool(self._slots)),
            "isStreaming": lambda: int(self._playing()),
            "hasFinished": lambda: int(self._started_s is not None and not self._playing()),
            "startNow": self._start,
            "start": lambda slot=0, slots_to_run=-1: self._start(),
            "rearm": lambda: int(bool(self._slots)),
            "setTrigger": self._set_trigger,
            "getTriggerStart": lambda: self._trigger[0],
            "getTriggerRearm": lambda: self._trigger[1],
            "selectClock": self._select_clock,
            "getClock": lambda: self._clock,
        }

    def power_on(self) -> None:
        self._clock, self._trigger, self.underflow = 0, (IMMEDIATE, 0), False
        self._reset()

    def call(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answers one JSON-RPC request."""
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
        method = self._methods.get(request["method"])
        if method is None:
            return answer | {"error": {"code": METHOD_NOT_FOUND, "message": "Method not found"}}
        try:
            return answer | {"result": method(*request.get("params", []))}
        except ValueError as error:  # the world has no place for what was asked
            return answer | {"error": {"code": INTERNAL_ERROR, "message": str(error)}}

    def load(self, slot: int, steps: PulseSteps) -> None:
        """Takes an uploaded sequence; slot 0 begins at once when no trigger is awaited."""
        self._slots = {slot: steps} if slot == 0 else self._slots | {slot: steps}
        self._started_s = None
        if self._trigger[0] == IMMEDIATE and slot == 0:
            self._start()

    def _reset(self) -> int:
        return self._constant((0, 0, 0, 0))

    def _constant(self, step: Any) -> int:
        self._slots, self._started_s = {}, None
        self._ports.set(f"{self._name}.program", PulseProgram((), self._ports.now_s()))
        self._ports.set(f"{self._name}.constant", int(step[1]))
        return 0

    def _start(self) -> int:
        if not self._slots:
            return -1
        self._started_s = self._ports.now_s()
        slots = tuple(self._slots[slot] for slot in sorted(self._slots))
        self._ports.set(f"{self._name}.program", PulseProgram(slots, self._started_s))
        return 0

    def _playing(self) -> bool:
        if self._started_s is None or not self._slots:
            return False
        return self._ports.now_s() - self._started_s < self._slots[0].length_s()

    def _set_trigger(self, start: int, rearm: int) -> int:
        self._trigger = (start, rearm)
        return 0

    def _select_clock(self, source: int) -> int:
        self._clock = source
        return 0


class PulseStreamerHost:
    """Both ports of one device, at the loopback address ``host``."""

    def __init__(self, device: PulseStreamerDevice, host: str = "127.0.0.2") -> None:
        self.device, self.endpoint = device, host
        self.rpc = TcpServer(self._http, host, RPC_PORT)
        self.uploads = TcpServer(self._upload, host, UPLOAD_PORT)

    def plug(self) -> None:
        self.rpc.plug()
        self.uploads.plug()

    def unplug(self) -> None:
        self.rpc.unplug()
        self.uploads.unplug()

    def close(self) -> None:
        self.unplug()

    def __enter__(self) -> PulseStreamerHost:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.split("content-length:")[1].split("\r\n")[0])
            request = json.loads(await reader.readexactly(length))
            self.device.trace.received(request["method"])
            body = json.dumps(self.device.call(request)).encode()
            answer_head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            await reply(self.device, writer, answer_head.encode() + body, b"")

    async def _upload(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            magic, number, command, _, n_bytes, _ = HEADER.unpack(await reader.readexactly(HEADER.size))
            if magic != MAGIC or command not in (STREAM, UPLOAD):
                return
            body = await reader.readexactly(n_bytes)
            slot, steps = decode(command, body)
            self.device.trace.received(f"upload slot {slot}: {len(steps.duration_ns)} steps, {steps.runs} runs")
            self.device.load(slot, steps)
            result = struct.pack("<8i", *[0] * 8) if command == UPLOAD else b""
            await reply(self.device, writer, HEADER.pack(MAGIC, number, 0, 0, len(result), 0) + result, b"")


def decode(command: int, body: bytes) -> tuple[int, PulseSteps]:
    """Slot and steps of an uploaded sequence."""
    runs, n_steps = struct.unpack_from("<qQ", body)
    slot = body[24] if command == UPLOAD else 0
    records = np.frombuffer(body, STEP, n_steps, SEQUENCE_HEADER_BYTES)
    analog_v = records["analog"].astype(np.float64) / FULL_SCALE
    return slot, PulseSteps(records["ticks"].astype(np.int64), records["digital"].copy(), analog_v, runs)
