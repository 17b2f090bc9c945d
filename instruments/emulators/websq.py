"""Single Quantum WebSQ on the wire: JSON control port with broadcasts, and the counts port."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from .motion import Motion, Slew
from .ports import Ports
from .tcp import TcpServer, reply
from .wire import FaultPlan, WireTrace

END = b"\x17"
#: Resistance of a latched wire as its bias source sees it, and of a superconducting one (the leads).
LATCHED_OHM, LEADS_OHM = 1e3, 10.0
DEFAULT_PERIOD_MS = 100
MAX_BIAS_UA = 100.0
#: How fast a bias source changes its current (A/s).
RAMP = Slew(5e-3)


class WebSqDevice:
    """Maps labels to the ports ``<name>.enabled`` and ``<name>.ch<k>.bias_a``, ``.latched``, ``.clicks`` (counted).

    Currents ramp to what is set. While the detectors are not enabled no current flows, whatever is set.
    """

    def __init__(self, ports: Ports, name: str, n_channels: int = 4, latency_s: float = 0.0) -> None:
        self.faults, self.trace, self.latency_s = FaultPlan(), WireTrace(), latency_s
        self._ports, self._name, self._n = ports, name, n_channels
        self._enabled = False
        self._bias_a = [Motion(ports.now_s, partial(self._tell, k), 0.0) for k in range(n_channels)]
        self.power_on()
        self._getters: dict[str, Callable[[], Any]] = {
            "NumberOfDetectors": lambda: n_channels,
            "InptMeasurementPeriod": lambda: self._period_ms,
            "BiasCurrent": lambda: [1e6 * bias_a.present() for bias_a in self._bias_a],
            "TriggerLevel": lambda: self._trigger_mv,
            "BiasVoltage": lambda: [self._voltage_mv(k) for k in range(n_channels)],
            "DetectorEnable": lambda: self._enabled,
        }
        self._setters: dict[str, Callable[[Any], None]] = {
            "SetAllBiasCurrents": self._set_bias,
            "SetAllTriggerLevels": self._set_trigger,
            "SetMeasurementPeriod": self._set_period,
            "DetectorEnable": self._enable,
        }

    def power_on(self) -> None:
        self._period_ms, self._trigger_mv = DEFAULT_PERIOD_MS, [10.0] * self._n
        self._enable(False)
        for bias_a in self._bias_a:
            bias_a.place(0.0)

    def obey(self, message: dict[str, Any]) -> tuple[list[str], list[str]]:
        """Labels to answer to the sender, and labels to broadcast to everybody."""
        if message.get("request") == "labelProps":
            return list(self._getters), []
        if message.get("request") in self._getters:
            return [message["request"]], []
        if message.get("command") in self._setters and message.get("label") in self._getters:
            self._setters[message["command"]](message["value"])
            return [], [message["label"]]
        return [], []

    def packed(self, label: str) -> bytes:
        return json.dumps({"label": label, "value": self._getters[label]()}).encode()

    def bias_set_a(self, k: int) -> float:
        """What the bias of a channel is set to; it flows while the detectors are enabled."""
        return self._bias_a[k].target

    @property
    def period_s(self) -> float:
        return 1e-3 * self._period_ms

    def clicks(self, t_s: float) -> list[int]:
        """Clicks so far on each channel."""
        return [int(self._ports.sample(f"{self._name}.ch{k + 1}.clicks", np.array([t_s]))[0]) for k in range(self._n)]

    def now_s(self) -> float:
        return self._ports.now_s()

    def _of(self, k: int, quantity: str) -> float:
        value = self._ports.get(f"{self._name}.ch{k + 1}.{quantity}")
        assert isinstance(value, bool | int | float)
        return float(value)

    def _enable(self, on: bool) -> None:
        self._enabled = bool(on)
        self._ports.set(f"{self._name}.enabled", self._enabled)
        for k, bias_a in enumerate(self._bias_a):
            self._tell(k, bias_a.present())

    def _tell(self, k: int, bias_a: float) -> None:
        """The current that flows."""
        self._ports.set(f"{self._name}.ch{k + 1}.bias_a", bias_a if self._enabled else 0.0)

    def _voltage_mv(self, k: int) -> float:
        return 1e3 * self._of(k, "bias_a") * (LATCHED_OHM if self._of(k, "latched") else LEADS_OHM)

    def _set_bias(self, currents_ua: list[float]) -> None:
        for k, current_ua in enumerate(currents_ua[: self._n]):
            if 0 <= current_ua <= MAX_BIAS_UA:
                self._bias_a[k].go(1e-6 * current_ua, RAMP)

    def _set_trigger(self, levels_mv: list[float]) -> None:
        self._trigger_mv = [float(level) for level in levels_mv[: self._n]]

    def _set_period(self, period_ms: int) -> None:
        self._period_ms = int(period_ms)


class WebSqHost:
    """Both ports of one WebSQ."""

    def __init__(self, device: WebSqDevice, host: str = "127.0.0.1", port: int = 0, counts_port: int = 0) -> None:
        self.device = device
        self._clients: set[asyncio.StreamWriter] = set()
        self.control = TcpServer(self._talk, host, port)
        self.counts = TcpServer(self._count, host, counts_port)

    @property
    def endpoint(self) -> str:
        return f"{self.control.host}:{self.control.port}"

    def plug(self) -> None:
        self.control.plug()
        self.counts.plug()

    def unplug(self) -> None:
        self.control.unplug()
        self.counts.unplug()

    def close(self) -> None:
        self.unplug()

    def __enter__(self) -> WebSqHost:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        buffer = ""
        try:
            while (chunk := await reader.read(65536)) and not writer.is_closing():
                messages, buffer = _objects(buffer + chunk.decode())
                for message in messages:
                    await self._obey(message, writer)
        finally:
            self._clients.discard(writer)

    async def _obey(self, message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        self.device.trace.received(json.dumps(message))
        answers, broadcasts = self.device.obey(message)
        for label in broadcasts:
            self.device.trace.sent(self.device.packed(label).decode())
            for client in tuple(self._clients):
                client.write(self.device.packed(label) + END)
        for label in answers:
            await reply(self.device, writer, self.device.packed(label), END)

    async def _count(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        before, t_s = self.device.clicks(self.device.now_s()), self.device.now_s()
        while not writer.is_closing():
            t_s += self.device.period_s
            await asyncio.sleep(max(0.0, t_s - self.device.now_s()))
            after = self.device.clicks(t_s)
            counted = [b - a for a, b in zip(before, after, strict=True)]
            writer.write((",".join(map(str, [time.time(), *counted])) + "\n").encode())
            await writer.drain()
            before = after


def _objects(text: str) -> tuple[list[dict[str, Any]], str]:
    """Complete JSON objects at the head of ``text`` (clients put nothing between them), and the rest."""

    def found() -> Iterator[tuple[dict[str, Any], int]]:
        at = 0
        while at < len(text):
            try:
                value, at = json.JSONDecoder().raw_decode(text, at)
            except ValueError:
                return
            yield value, at

    pairs = list(found())
    return [value for value, _ in pairs], text[pairs[-1][1] :] if pairs else text
