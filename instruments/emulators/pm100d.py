"""Thorlabs PM100D on the wire: SCPI."""

from __future__ import annotations

import math

from .ports import Ports
from .scpi import Command, ScpiDevice, in_range


class Pm100dDevice(ScpiDevice):
    """Shows the port ``<name>.power_w``."""

    def __init__(self, ports: Ports, name: str, latency_s: float = 0.0) -> None:
        self._ports, self._name = ports, name
        self._settings: dict[str, str] = {}
        power = Command(lambda _: f"{self._shown():.8E}")
        super().__init__(
            "Thorlabs,PM100D,P0012345,2.7.0",
            {
                "MEASure:POWer": power,
                "READ": power,
                "SENSe:CORRection:WAVelength": self._setting("wavelength", 400, 1700),
                "SENSe:POWer:UNIT": Command(lambda _: self._settings["unit"], self._set_unit),
                "SENSe:POWer:RANGe:AUTO": self._setting("auto", 0, 1),
                "SENSe:AVERage:COUNt": self._setting("averages", 1, 10_000),
            },
            latency_s,
        )
        self.power_on()

    def power_on(self) -> None:
        super().power_on()
        self._settings = {"wavelength": "1550", "unit": "W", "auto": "1", "averages": "1"}

    def _shown(self) -> float:
        power_w = self._ports.get(f"{self._name}.power_w")
        assert isinstance(power_w, int | float)
        return float(power_w) if self._settings["unit"] == "W" else 10 * math.log10(1e3 * power_w)

    def _setting(self, key: str, low: float, high: float) -> Command:
        def write(text: str) -> None:
            self._settings[key] = f"{in_range(float(text), low, high):g}"

        return Command(lambda _: self._settings[key], write)

    def _set_unit(self, text: str) -> None:
        if text not in ("W", "DBM"):
            raise ValueError(text)
        self._settings["unit"] = text
