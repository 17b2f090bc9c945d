"""Santec TSL-570 on the wire: SCPI, carriage return."""

from __future__ import annotations

import math

from .motion import Motion, Slew
from .ports import Ports
from .scpi import INTERLOCKED, Command, ScpiDevice, ScpiError, in_range

SPEED_OF_LIGHT_M_PER_S = 299_792_458.0
WAVELENGTH_RANGE_M = (1480e-9, 1640e-9)
FREQUENCY_RANGE_HZ = (SPEED_OF_LIGHT_M_PER_S / 1640e-9, SPEED_OF_LIGHT_M_PER_S / 1480e-9)
POWER_RANGE_MW = (0.04, 20.0)
DEFAULT_WAVELENGTH_M = 1550e-9
#: Fastest sweep of a TSL-570; not verified.
TUNING_M_PER_S = 200e-9


class SantecDevice(ScpiDevice):
    """Maps commands to the ports ``<name>.emission``, ``.power_w``, ``.frequency_hz``.

    Args:
        tuning: how fast it tunes (m/s); ``*OPC?`` says whether it has arrived.
    """

    terminator = "\r"
    answer_end = "\r"

    def __init__(self, ports: Ports, name: str, latency_s: float = 0.0, tuning: float = TUNING_M_PER_S) -> None:
        self._ports, self._name, self._law = ports, name, Slew(tuning)
        self._wavelength_m = Motion(ports.now_s, self._tell, DEFAULT_WAVELENGTH_M)
        self.interlock_open = False
        flags = {
            "POWer:SHUTter": "shutter_closed",
            "COHCtrl": "coherence_control",
            "POWer:ATTenuation:AUTo": "attenuation_auto",
        }
        self._flags = dict.fromkeys(flags.values(), False)
        self._dbm, self._fine = False, 0.0
        commands = {header: self._flag(key) for header, key in flags.items()}
        commands |= {
            "*OPC": Command(query=lambda _: f"{self._is_settled():d}"),
            "POWer:STATe": Command(lambda _: f"+{bool(self._get('emission')):d}", self._set_emission),
            "POWer:UNIT": Command(lambda _: f"+{not self._dbm:d}", self._set_unit),
            "POWer": Command(self._power, self._set_power),
            "POWer:LEVel": Command(self._power, self._set_power),
            "POWer:ACTual": Command(lambda _: self._in_unit(self._emitted_mw())),
            "WAVelength": Command(self._wavelength, self._set_wavelength),
            "WAVelength:FREQuency": Command(self._frequency, self._set_frequency),
            "WAVelength:FINe": Command(lambda _: f"{self._fine:+.2f}", self._set_fine),
        }
        super().__init__("SANTEC,TSL-570,21020001,0026.0026.0011", commands, latency_s)
        self.power_on()

    def power_on(self) -> None:
        super().power_on()
        self._flags.update(shutter_closed=False, coherence_control=False, attenuation_auto=True)
        self._dbm, self._fine = True, 0.0
        self._put("emission", False)
        self._put("power_w", 1e-3)
        self._wavelength_m.place(DEFAULT_WAVELENGTH_M)

    def _get(self, quantity: str) -> float:
        value = self._ports.get(f"{self._name}.{quantity}")
        assert isinstance(value, bool | int | float)
        return float(value)

    def _put(self, quantity: str, value: bool | float) -> None:
        self._ports.set(f"{self._name}.{quantity}", value)

    def _flag(self, key: str) -> Command:
        def write(text: str) -> None:
            self._flags[key] = bool(int(text))

        return Command(lambda _: f"+{self._flags[key]:d}", write)

    def open_interlock(self) -> None:
        """The safety circuit opens: the laser goes off and stays off."""
        self.interlock_open = True
        self._put("emission", False)

    def _set_emission(self, text: str) -> None:
        if int(text) and self.interlock_open:
            raise ScpiError(*INTERLOCKED)
        self._put("emission", bool(int(text)))

    def _set_unit(self, text: str) -> None:
        self._dbm = int(text) == 0

    def _set_fine(self, text: str) -> None:
        self._fine = in_range(float(text), -100, 100)

    def _emitted_mw(self) -> float:
        lit = self._get("emission") and not self._flags["shutter_closed"]
        return 1e3 * self._get("power_w") if lit else 1e-7

    def _in_unit(self, power_mw: float) -> str:
        return f"{10 * math.log10(power_mw) if self._dbm else power_mw:+.6E}"

    def _power(self, which: str) -> str:
        limits = {"MIN": POWER_RANGE_MW[0], "MAX": POWER_RANGE_MW[1]}
        return self._in_unit(limits[which] if which in limits else 1e3 * self._get("power_w"))

    def _set_power(self, text: str) -> None:
        value = float(text)
        power_mw = 10 ** (value / 10) if self._dbm else value
        self._put("power_w", 1e-3 * in_range(power_mw, *POWER_RANGE_MW))

    def _wavelength(self, which: str) -> str:
        limits = {"MIN": WAVELENGTH_RANGE_M[0], "MAX": WAVELENGTH_RANGE_M[1]}
        value = limits[which] if which in limits else self._wavelength_m.present()
        return f"{value:+.8E}"

    def _set_wavelength(self, text: str) -> None:
        self._wavelength_m.go(in_range(float(text), *WAVELENGTH_RANGE_M), self._law)

    def _frequency(self, which: str) -> str:
        limits = {"MIN": FREQUENCY_RANGE_HZ[0], "MAX": FREQUENCY_RANGE_HZ[1]}
        value = limits[which] if which in limits else SPEED_OF_LIGHT_M_PER_S / self._wavelength_m.present()
        return f"{value:+.9E}"

    def _set_frequency(self, text: str) -> None:
        self._wavelength_m.go(SPEED_OF_LIGHT_M_PER_S / in_range(float(text), *FREQUENCY_RANGE_HZ), self._law)

    def _tell(self, wavelength_m: float) -> None:
        self._put("frequency_hz", SPEED_OF_LIGHT_M_PER_S / wavelength_m)

    def _is_settled(self) -> bool:
        return not self._wavelength_m.remaining_s()
