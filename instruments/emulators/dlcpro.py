"""Toptica DLC pro on the wire: DeCoP command line with its prompt, and the monitoring line."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from .motion import Exponential, Law, Motion, Slew
from .ports import Ports
from .tcp import TcpHost, TcpServer
from .wire import FaultPlan, WireTrace

SPEED_OF_LIGHT_M_PER_S = 299_792_458.0
WAVELENGTH_RANGE_NM = (1500.0, 1580.0)
UNKNOWN, READ_ONLY, OUT_OF_RANGE, NOT_ALLOWED = -3, -5, -12, -17
LOCK_STATES = {False: (0, "Idle"), True: (3, "Locked")}
MONITOR_PERIOD_S = 0.02
#: The motor of a CTL, the piezo's amplifier, the diode's temperature, in nm, V, °C: typical figures, not verified.
TUNING, PIEZO, THERMAL = Slew(10.0), Exponential(1e-3, 1e-3), Exponential(2.0, 1e-3)
START_NM, START_PIEZO_V, START_CELSIUS = 1536.0, 70.0, 20.0


class DlcProDevice:
    """Maps parameters to the ports ``<name>.emission``, ``.power_w``, ``.frequency_hz``, ``.current_a``, ``.piezo_v``,
    ``.lock``; ``<name>.locked``, when the world has it, decides whether an engaged lock holds."""

    terminator = "\n"
    answer_end = "\n> "
    greeting = "DeCoP Command Line\r\n> "

    def __init__(self, ports: Ports, name: str, latency_s: float = 0.0) -> None:
        self.faults, self.trace, self.latency_s = FaultPlan(), WireTrace(), latency_s
        self._ports, self._name = ports, name
        self._plain: dict[str, Any] = {}
        self.interlock_open = False
        self._motor_nm = Motion(
            ports.now_s, lambda nm: ports.set(f"{name}.frequency_hz", SPEED_OF_LIGHT_M_PER_S / (1e-9 * nm)), START_NM
        )
        self._piezo_v = Motion(ports.now_s, lambda v: ports.set(f"{name}.piezo_v", v), START_PIEZO_V)
        self._diode_celsius = Motion(ports.now_s, lambda _: None, START_CELSIUS)
        self.power_on()
        self._derived: dict[str, Callable[[], Any]] = {
            "interlock-open": lambda: self.interlock_open,
            "emission": self._emits,
            "laser1:emission": self._emits,
            "laser1:dl:cc:enabled": self._emits,
            "laser1:dl:cc:current-set": lambda: 1e3 * self._get("current_a"),
            "laser1:dl:cc:current-act": lambda: 1e3 * self._get("current_a") * self._emits(),
            "laser1:dl:pc:voltage-set": lambda: self._piezo_v.target,
            "laser1:dl:pc:voltage-act": self._piezo_v.present,
            "laser1:dl:tc:temp-set": lambda: self._diode_celsius.target,
            "laser1:dl:tc:temp-act": self._diode_celsius.present,
            "laser1:dl:tc:ready": lambda: not self._diode_celsius.remaining_s(),
            "laser1:ctl:wavelength-set": lambda: self._motor_nm.target,
            "laser1:ctl:wavelength-act": self._motor_nm.present,
            "laser1:ctl:power:power-act": lambda: 1e3 * self._get("power_w") * self._emits(),
            "laser1:power-stabilization:setpoint": lambda: 1e3 * self._get("power_w"),
            "laser1:dl:lock:lock-enabled": lambda: bool(self._get("lock")),
            "laser1:dl:lock:state": lambda: LOCK_STATES[self._locked()][0],
            "laser1:dl:lock:state-txt": lambda: LOCK_STATES[self._locked()][1],
        }
        self._setters: dict[str, Callable[[Any], int]] = {
            "laser1:dl:cc:enabled": self._set_emission,
            "laser1:dl:cc:current-set": lambda ma: self._put("current_a", 1e-3 * ma, 0, 0.5),
            "laser1:dl:pc:voltage-set": lambda v: _sent(self._piezo_v, PIEZO, v, -1, 140),
            "laser1:dl:tc:temp-set": lambda celsius: _sent(self._diode_celsius, THERMAL, celsius, 5, 50),
            "laser1:ctl:wavelength-set": lambda nm: _sent(self._motor_nm, TUNING, nm, *WAVELENGTH_RANGE_NM),
            "laser1:power-stabilization:setpoint": lambda mw: self._put("power_w", 1e-3 * mw, 0, 1),
            "laser1:dl:lock:lock-enabled": lambda on: self._put("lock", bool(on), 0, 1),
        }

    def power_on(self) -> None:
        self._plain = {
            "serial-number": "DLC PRO_012345",
            "system-type": "DLC pro",
            "fw-ver": "3.2.0",
            "laser1:ctl:wavelength-min": WAVELENGTH_RANGE_NM[0],
            "laser1:ctl:wavelength-max": WAVELENGTH_RANGE_NM[1],
            "laser1:scan:enabled": False,
            "laser1:scan:frequency": 10.0,
            "laser1:scan:amplitude": 0.0,
            "laser1:power-stabilization:enabled": False,
        }
        for quantity, value in {"emission": False, "power_w": 1e-3, "current_a": 0.1}.items():
            self._ports.set(f"{self._name}.{quantity}", value)
        self._ports.set(f"{self._name}.lock", False)
        self._motor_nm.place(START_NM)
        self._piezo_v.place(START_PIEZO_V)
        self._diode_celsius.place(START_CELSIUS)

    def open_interlock(self) -> None:
        """The safety circuit opens: the laser goes off and stays off."""
        self.interlock_open = True
        self._ports.set(f"{self._name}.emission", False)

    def answer(self, message: str) -> str:
        if match := re.fullmatch(r"\(param-(?:ref|gsv) '([^)\s]+)\)", message):
            value = self.value(match[1])
            return f"Error: {UNKNOWN} unknown parameter '{match[1]}" if value is None else encode(value)
        if match := re.fullmatch(r"\(param-set! '(\S+) (.+)\)", message):
            return str(self._assign(match[1], match[2]))
        return "Error: -1 syntax error"

    def value(self, path: str) -> Any:
        """Present value of a parameter, None when there is none of that name."""
        return self._derived[path]() if path in self._derived else self._plain.get(path)

    def _assign(self, path: str, text: str) -> int:
        old = self.value(path)
        if old is None:
            return UNKNOWN
        value = text == "#t" if isinstance(old, bool) else text.strip('"') if isinstance(old, str) else float(text)
        if path in self._setters:
            return self._setters[path](value)
        if path in self._derived or path.endswith(("-min", "-max", "-number", "-type", "-ver")):
            return READ_ONLY
        self._plain[path] = value
        return 0

    def _get(self, quantity: str) -> float:
        value = self._ports.get(f"{self._name}.{quantity}")
        assert isinstance(value, bool | int | float)
        return float(value)

    def _put(self, quantity: str, value: float, low: float, high: float) -> int:
        if not low <= value <= high:
            return OUT_OF_RANGE
        self._ports.set(f"{self._name}.{quantity}", value)
        return 0

    def _emits(self) -> bool:
        return bool(self._get("emission"))

    def _set_emission(self, on: bool) -> int:
        if on and self.interlock_open:
            return NOT_ALLOWED
        return self._put("emission", bool(on), 0, 1)

    def _locked(self) -> bool:
        if not self._get("lock"):
            return False
        try:
            return bool(self._ports.get(f"{self._name}.locked"))
        except KeyError:
            return True


class DlcProHost:
    """Command and monitoring ports of one controller."""

    def __init__(self, device: DlcProDevice, host: str = "127.0.0.1", port: int = 0, monitoring_port: int = 0) -> None:
        self.device = device
        self.command = TcpHost(device, host, port)
        self.monitoring = TcpServer(self._monitor, host, monitoring_port)

    @property
    def endpoint(self) -> str:
        return f"{self.command.host}:{self.command.port}:{self.monitoring.port}"

    def plug(self) -> None:
        self.command.plug()
        self.monitoring.plug()

    def unplug(self) -> None:
        self.command.unplug()
        self.monitoring.unplug()

    def drop_clients(self) -> None:
        self.command.drop_clients()
        self.monitoring.drop_clients()

    def close(self) -> None:
        self.unplug()

    def __enter__(self) -> DlcProHost:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def _monitor(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        watched: dict[str, Any] = {}
        pushing = asyncio.ensure_future(self._push(watched, writer))
        try:
            while line := await reader.readline():
                message = line.decode().strip()
                self.device.trace.received(message)
                if match := re.match(r"\(add '([^\s)]+)", message):
                    watched[match[1]] = object()
                elif match := re.match(r"\(remove '([^\s)]+)", message):
                    watched.pop(match[1], None)
        finally:
            pushing.cancel()

    async def _push(self, watched: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            for path, last in tuple(watched.items()):
                value = self.device.value(path)
                if value != last:
                    watched[path] = value
                    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
                    report = f"({now}Z '{path} {encode(value)})"
                    self.device.trace.sent(report)
                    writer.write(f"{report}\n".encode())
            await asyncio.sleep(MONITOR_PERIOD_S)


def _sent(motion: Motion, law: Law, value: float, low: float, high: float) -> int:
    """Lets a value go where it is told, if that is allowed; DeCoP's return code."""
    if not low - 1e-6 <= value <= high + 1e-6:
        return OUT_OF_RANGE
    motion.go(value, law)
    return 0


def encode(value: Any) -> str:
    """A value in DeCoP's spelling."""
    if isinstance(value, bool):
        return "#t" if value else "#f"
    return f'"{value}"' if isinstance(value, str) else repr(value)
