"""Rohde & Schwarz SGS100A on the wire, for QCoDeS's own driver."""

from __future__ import annotations

from collections.abc import Callable

from .ports import Ports
from .scpi import Command, ScpiDevice, in_range

FREQUENCY_RANGE_HZ = (1e6, 12.75e9)
POWER_RANGE_DBM = (-120.0, 25.0)
#: Settings the emulator only remembers, with what the generator has after switching on.
REMEMBERED = {
    "SOUR:PHAS": "0", "IQ:STAT": "0", "SOUR:PULM:STAT": "0", "SOUR:PULM:SOUR": "EXT", "SOUR:ROSC:SOUR": "INT",
    "SOUR:LOSC:SOUR": "INT", "CONN:REFL:OUTP": "OFF", "SOUR:ROSC:OUTP:FREQ": "10MHZ", "SOUR:ROSC:EXT:FREQ": "10MHZ",
    "SOUR:IQ:IMP:STAT": "0", "SOUR:IQ:IMP:LEAK:I": "0", "SOUR:IQ:IMP:LEAK:Q": "0", "SOUR:IQ:IMP:IQR": "0",
    "SOUR:IQ:IMP:QUAD": "0", "CONN:TRIG:OMOD": "SVAL", "SOUR:PULM:DEL": "0", "SOUR:PULM:DOUB:DEL": "1e-6",
    "SOUR:PULM:DOUB:WIDT": "1e-6", "SOUR:PULM:MODE": "SING", "SOUR:PULM:PER": "1e-5", "SOUR:PULM:POL": "NORM",
    "SOUR:PULM:TRIG:EXT:GATE:POL": "NORM", "SOUR:PULM:TRIG:EXT:IMP": "G10K", "SOUR:PULM:TRIG:EXT:SLOP": "POS",
    "SOUR:PULM:TRIG:MODE": "AUTO", "SOUR:PULM:WIDT": "2e-6", "SOUR:OPMode": "NORM",
}  # fmt: skip


class Sgs100aDevice(ScpiDevice):
    """Ports: ``<name>.emission``, ``.frequency_hz``, ``.power_dbm``."""

    def __init__(self, ports: Ports, name: str, latency_s: float = 0.0) -> None:
        self._ports, self._name = ports, name
        self._settings = dict(REMEMBERED)
        frequency = Command(
            lambda _: f"{self._get('frequency_hz'):.2f}", self._set("frequency_hz", *FREQUENCY_RANGE_HZ)
        )
        power = Command(lambda _: f"{self._get('power_dbm'):.2f}", self._set("power_dbm", *POWER_RANGE_DBM))
        output = Command(lambda _: f"{bool(self._get('emission')):d}", self._switch)
        remembered = {header: self._remembered(header) for header in REMEMBERED}
        super().__init__(
            "Rohde&Schwarz,SGS100A,1416.0505k02/101234,4.2.76.0",
            {"SOUR:FREQ": frequency, "SOUR:POW": power, "OUTP:STAT": output} | remembered,
            latency_s,
        )
        self.power_on()

    def power_on(self) -> None:
        super().power_on()
        self._settings = dict(REMEMBERED)
        for quantity, value in {"emission": False, "frequency_hz": 1e9, "power_dbm": -30.0}.items():
            self._ports.set(f"{self._name}.{quantity}", value)

    def _get(self, quantity: str) -> float:
        value = self._ports.get(f"{self._name}.{quantity}")
        assert isinstance(value, bool | int | float)
        return float(value)

    def _set(self, quantity: str, low: float, high: float) -> Callable[[str], None]:
        return lambda text: self._ports.set(f"{self._name}.{quantity}", in_range(float(text), low, high))

    def _switch(self, text: str) -> None:
        self._ports.set(f"{self._name}.emission", {"0": False, "OFF": False, "1": True, "ON": True}[text])

    def _remembered(self, header: str) -> Command:
        def write(text: str) -> None:
            self._settings[header] = text

        return Command(lambda _: self._settings[header], write)
