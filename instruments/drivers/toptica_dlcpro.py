"""Toptica DLC pro with a tunable (CTL) head, through the vendor's SDK (``pip install erbia[toptica]``).

mA, V, °C, nm and mW on the wire; A, V, °C, m and W here. The SDK's own wait for a dead address has no end; this one has.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from qcodes.instrument import Instrument, InstrumentBaseKWArgs
from qcodes.parameters import Parameter
from qcodes.validators import Bool, Numbers
from toptica.lasersdk.asyncio.connection import ConnectionClosedError, UnavailableError
from toptica.lasersdk.client import (
    Client,
    DecopError,
    DecopValueError,
    DeviceNotFoundError,
    DeviceTimeoutError,
    NetworkConnection,
)
from typing_extensions import Unpack

from ..errors import BadReply, ConnectionLost, InstrumentError
from .link import Link
from .robust_visa import invalidate_caches
from .tcp import OPEN_TIMEOUT_S

R = TypeVar("R")

COMMAND_PORT, MONITORING_PORT = 1998, 1999
SPEED_OF_LIGHT_M_PER_S = 299_792_458.0
#: The motor has arrived when it stands still (between two looks) this near its set point, in nm.
STILL_NM, NEAR_NM = 1e-4, 1e-2
TUNE_TIMEOUT_S, LOOK_S = 30.0, 5e-3


class TopticaDlcPro(Instrument):
    """A Laser.

    Args:
        address: host, or ``host:command_port:monitoring_port``.
        laser: ``laser1`` … ``laser4``.
        max_current_a, max_piezo_v: hard limits besides those of the controller.

    Raises:
        ConnectionLost: nothing answers.
    """

    def __init__(
        self,
        name: str,
        address: str,
        *,
        laser: str = "laser1",
        max_current_a: float = 0.3,
        max_piezo_v: float = 140.0,
        timeout: float = 1.0,
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, **kwargs)
        self.address, self._laser, self._timeout_s = address, laser, timeout
        host, *ports = address.split(":")
        self._host = host
        self._ports = (int(ports[0]), int(ports[1])) if ports else (COMMAND_PORT, MONITORING_PORT)
        self._watched: dict[str, tuple[type, Callable[[Any], None]]] = {}
        self._link: Link[Client] = Link(
            name,
            address,
            self._connect,
            Client.close,
            usable=lambda client: client.is_open,
            on_reconnect=lambda: invalidate_caches(self),
        )
        self.emission = self._flag("emission", "dl:cc:enabled", reading="emission")
        """Diode current on. Needs the key and a closed interlock."""
        self.power = self._setting("power", "W", "power-stabilization:setpoint", 1e-3, Numbers(0, 1))
        """Set point of the power stabilisation (``power_stabilization`` must be on for it to act)."""
        self.power_stabilization = self._flag("power_stabilization", "power-stabilization:enabled")
        """Holds the output power at ``power``."""
        self.measured_power = self._reading("measured_power", "W", "ctl:power:power-act", 1e-3)
        """Power at the internal photodiode."""
        self.wavelength: Parameter[float, TopticaDlcPro] = self.add_parameter(
            "wavelength",
            unit="m",
            get_cmd=lambda: 1e-9 * self._get("ctl:wavelength-set", float),
            set_cmd=self._tune,
            vals=self._wavelength_limits(),
        )
        """Vacuum wavelength the motor goes to; setting it returns when it is there."""
        self.measured_wavelength = self._reading("measured_wavelength", "m", "ctl:wavelength-act", 1e-9)
        """Where the motor is."""
        shortest_m, longest_m = self._wavelength_limits().valid_values
        self.frequency: Parameter[float, TopticaDlcPro] = self.add_parameter(
            "frequency",
            unit="Hz",
            get_cmd=lambda: SPEED_OF_LIGHT_M_PER_S / self.wavelength.get(),
            set_cmd=lambda hz: self.wavelength.set(SPEED_OF_LIGHT_M_PER_S / hz),
            vals=Numbers(SPEED_OF_LIGHT_M_PER_S / longest_m, SPEED_OF_LIGHT_M_PER_S / shortest_m),
        )
        """Optical frequency, by the motor."""
        self.current = self._setting("current", "A", "dl:cc:current-set", 1e-3, Numbers(0, max_current_a))
        """Diode current."""
        self.measured_current = self._reading("measured_current", "A", "dl:cc:current-act", 1e-3)
        """Diode current that flows."""
        self.piezo_voltage = self._setting("piezo_voltage", "V", "dl:pc:voltage-set", 1.0, Numbers(-1, max_piezo_v))
        """Grating piezo: fine tuning."""
        self.measured_piezo_voltage = self._reading("measured_piezo_voltage", "V", "dl:pc:voltage-act", 1.0)
        """What is across the piezo; differs while it settles or scans."""
        self.diode_temperature = self._setting("diode_temperature", "°C", "dl:tc:temp-set", 1.0, Numbers(5, 50))
        """Set point of the diode temperature; it takes seconds to get there, which ``temperature_ready`` tells."""
        self.measured_diode_temperature = self._reading("measured_diode_temperature", "°C", "dl:tc:temp-act", 1.0)
        """Temperature of the diode."""
        self.temperature_ready: Parameter[bool, TopticaDlcPro] = self.add_parameter(
            "temperature_ready", get_cmd=partial(self._get, "dl:tc:ready", bool)
        )
        """The diode is at its set point."""
        self.scan = self._flag("scan", "scan:enabled")
        """Scan generator on."""
        self.scan_frequency = self._setting("scan_frequency", "Hz", "scan:frequency", 1.0, Numbers(0.02, 400))
        """Scans a second."""
        self.scan_amplitude = self._setting("scan_amplitude", "V", "scan:amplitude", 1.0, Numbers(0, max_piezo_v))
        """Peak to peak."""
        self.lock = self._flag("lock", "dl:lock:lock-enabled")
        """Frequency lock engaged."""
        self.lock_state: Parameter[str, TopticaDlcPro] = self.add_parameter(
            "lock_state", get_cmd=partial(self._get, "dl:lock:state-txt", str)
        )
        """What the lock does, in the controller's words."""
        self.interlock_open: Parameter[bool, TopticaDlcPro] = self.add_parameter(
            "interlock_open", get_cmd=lambda: self._ask("interlock-open", bool)
        )
        """The safety circuit keeps the laser off."""

    def get_idn(self) -> dict[str, str | None]:
        return {
            "vendor": "Toptica",
            "model": self._ask("system-type", str),
            "serial": self._ask("serial-number", str),
            "firmware": self._ask("fw-ver", str),
        }

    def watch(self, label: str, kind: type[R], callback: Callable[[R], None]) -> None:
        """Calls ``callback`` with each new value the monitoring line reports, when ``poll`` is called.

        Args:
            label: below the laser, e.g. ``dl:lock:state``.
            kind: bool, int, float or str.
        """
        self._watched[label] = (kind, callback)
        self._link.query(f"add {label}", lambda client: self._named(label, partial(self._subscribe, client, label)))

    def poll(self) -> None:
        """Hands over what the monitoring line has reported since the last call."""
        self._link.query("poll", lambda client: self._named("poll", client.poll))

    def close(self) -> None:
        self._link.close()
        super().close()

    # -- parameters ----------------------------------------------------------------------------------------------------

    def _setting(
        self, name: str, unit: str, label: str, scale: float, vals: Numbers
    ) -> Parameter[float, TopticaDlcPro]:
        return self.add_parameter(
            name,
            unit=unit,
            get_cmd=lambda: scale * self._get(label, float),
            set_cmd=lambda value: self._set(label, value / scale),
            vals=vals,
        )

    def _reading(self, name: str, unit: str, label: str, scale: float) -> Parameter[float, TopticaDlcPro]:
        return self.add_parameter(name, unit=unit, get_cmd=lambda: scale * self._get(label, float))

    def _flag(self, name: str, label: str, reading: str = "") -> Parameter[bool, TopticaDlcPro]:
        return self.add_parameter(
            name,
            get_cmd=partial(self._get, reading or label, bool),
            set_cmd=partial(self._set, label),
            vals=Bool(),
        )

    def _wavelength_limits(self) -> Numbers:
        return Numbers(*(1e-9 * self._get(f"ctl:wavelength-{end}", float) for end in ("min", "max")))

    def _tune(self, wavelength_m: float) -> None:
        self._set("ctl:wavelength-set", 1e9 * wavelength_m)
        command, reconnects = f"ctl:wavelength-set = {1e9 * wavelength_m:.4f}", self._link.reconnects
        deadline_s, here_nm = time.monotonic() + TUNE_TIMEOUT_S, self._get("ctl:wavelength-act", float)
        while True:
            before_nm, here_nm = here_nm, self._get("ctl:wavelength-act", float)
            self._link.unbroken_since(reconnects, command)
            if abs(here_nm - before_nm) < STILL_NM and abs(here_nm - 1e9 * wavelength_m) < NEAR_NM:
                return
            if time.monotonic() > deadline_s:
                what = f"still at {here_nm:.4f} nm after {TUNE_TIMEOUT_S:g} s"
                raise ConnectionLost(self.name, what, command)
            time.sleep(LOOK_S)

    # -- the wire ------------------------------------------------------------------------------------------------------

    def _get(self, label: str, kind: type[R]) -> R:
        return self._ask(f"{self._laser}:{label}", kind)

    def _ask(self, path: str, kind: type[R]) -> R:
        sdk_kind: Any = kind
        value: Any = self._link.query(path, lambda client: self._named(path, lambda: client.get(path, sdk_kind)))
        return kind(value)  # type: ignore[call-arg]

    def _set(self, label: str, value: Any) -> None:
        path = f"{self._laser}:{label}"
        self._link.send(f"{path} = {value}", lambda client: self._named(path, lambda: client.set(path, value)))

    def _connect(self) -> Client:
        with socket.create_connection((self._host, self._ports[0]), OPEN_TIMEOUT_S):
            pass
        client = Client(NetworkConnection(self._host, *self._ports, timeout=self._timeout_s))
        try:
            client.open()
            for label in self._watched:
                self._subscribe(client, label)
        except DecopError as error:
            client.close()
            raise ConnectionError(str(error) or type(error).__name__) from error
        return client

    def _subscribe(self, client: Client, label: str) -> None:
        kind, callback = self._watched[label]
        client.subscribe(f"{self._laser}:{label}", lambda _, __, value: callback(value.get()), kind)

    def _named(self, path: str, exchange: Callable[[], R]) -> R:
        try:
            return exchange()
        except DeviceTimeoutError as error:
            raise TimeoutError(f"nothing within {self._timeout_s:g} s") from error
        except (ConnectionClosedError, UnavailableError, DeviceNotFoundError) as error:
            raise ConnectionError(str(error) or "the controller closed the connection") from error
        except DecopValueError as error:
            raise BadReply(self.name, "unexpected answer", path, str(error)) from error
        except DecopError as error:
            raise InstrumentError(self.name, "refused the command", path, str(error)) from error
