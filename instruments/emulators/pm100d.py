"""Thorlabs PM100D on the wire: SCPI."""

from __future__ import annotations

import math

from .ports import Ports
from .scpi import Command, ScpiDevice, in_range

#: One sample (manual: about 3 ms), and a change of range by one decade (not verified).
SAMPLE_S, RANGE_S = 3e-3, 10e-3
LOWEST_RANGE_W, HIGHEST_RANGE_W = 1e-9, 1.0
#: A range reads so much beyond its name.
HEADROOM = 1.1
OVER_RANGE = 9.9e37


class Pm100dDevice(ScpiDevice):
    """Shows the port ``<name>.power_w``: as many samples of it as are averaged, and only within its range."""

    def __init__(self, ports: Ports, name: str, latency_s: float = 0.0) -> None:
        self._ports, self._name, self._base_latency_s = ports, name, latency_s
        self._settings: dict[str, str] = {}
        self._range_w = HIGHEST_RANGE_W
        power = Command(lambda _: f"{self._measured():.8E}")
        super().__init__(
            "Thorlabs,PM100D,P0012345,2.7.0",
            {
                "MEASure:POWer": power,
                "READ": power,
                "SENSe:CORRection:WAVelength": self._setting("wavelength", 400, 1700),
                "SENSe:POWer:UNIT": Command(lambda _: self._settings["unit"], self._set_unit),
                "SENSe:POWer:RANGe": Command(lambda _: f"{self._range_w:.6E}", self._set_range),
                "SENSe:POWer:RANGe:AUTO": self._setting("auto", 0, 1),
                "SENSe:AVERage:COUNt": self._setting("averages", 1, 10_000),
            },
            latency_s,
        )
        self.power_on()

    def power_on(self) -> None:
        super().power_on()
        self._range_w = HIGHEST_RANGE_W
        self._settings = {"wavelength": "1550", "unit": "W", "auto": "1", "averages": "1"}

    def answer(self, message: str) -> str | None:
        self.latency_s = self._base_latency_s
        return super().answer(message)

    def _measured(self) -> float:
        """The mean of the samples, which take their time."""
        n = int(self._settings["averages"])
        power_w = sum(self._sample_w() for _ in range(n)) / n
        self.latency_s += n * SAMPLE_S
        if self._settings["auto"] == "1":
            chosen_w = _range_for(abs(power_w))
            self.latency_s += RANGE_S * abs(round(math.log10(chosen_w / self._range_w)))
            self._range_w = chosen_w
        if power_w > HEADROOM * self._range_w:
            return OVER_RANGE
        if self._settings["unit"] == "W":
            return power_w
        return 10 * math.log10(1e3 * power_w) if power_w > 0 else -OVER_RANGE

    def _sample_w(self) -> float:
        power_w = self._ports.get(f"{self._name}.power_w")
        assert isinstance(power_w, int | float)
        return float(power_w)

    def _set_range(self, text: str) -> None:
        self._range_w = _range_for(in_range(float(text), 0.0, HIGHEST_RANGE_W))
        self._settings["auto"] = "0"

    def _setting(self, key: str, low: float, high: float) -> Command:
        def write(text: str) -> None:
            self._settings[key] = f"{in_range(float(text), low, high):g}"

        return Command(lambda _: self._settings[key], write)

    def _set_unit(self, text: str) -> None:
        if text not in ("W", "DBM"):
            raise ValueError(text)
        self._settings["unit"] = text


def _range_for(power_w: float) -> float:
    """The narrowest decade that holds a power."""
    decade = math.ceil(math.log10(max(power_w, LOWEST_RANGE_W)) - 1e-9)
    return float(min(max(10.0**decade, LOWEST_RANGE_W), HIGHEST_RANGE_W))
