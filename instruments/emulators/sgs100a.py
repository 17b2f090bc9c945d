"""Rohde & Schwarz SGS100A on the wire, for QCoDeS's own driver."""

from __future__ import annotations

from .motion import After, Motion
from .ports import Ports
from .scpi import Command, ScpiDevice, in_range

FREQUENCY_RANGE_HZ = (1e6, 12.75e9)
POWER_RANGE_DBM = (-120.0, 25.0)
START_HZ, START_DBM = 1e9, -30.0
#: Setting time of frequency and level by remote control: a typical figure, not verified.
SETTING = After(0.5e-3)
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
        self._ports, self._name, self._base_latency_s = ports, name, latency_s
        self._settings = dict(REMEMBERED)
        self._frequency_hz = Motion(ports.now_s, lambda hz: ports.set(f"{name}.frequency_hz", hz), START_HZ)
        self._power_dbm = Motion(ports.now_s, lambda dbm: ports.set(f"{name}.power_dbm", dbm), START_DBM)
        output = Command(lambda _: f"{bool(ports.get(f'{name}.emission')):d}", self._switch)
        remembered = {header: self._remembered(header) for header in REMEMBERED}
        super().__init__(
            "Rohde&Schwarz,SGS100A,1416.0505k02/101234,4.2.76.0",
            {
                "*OPC": Command(query=lambda _: self._complete()),
                "SOUR:FREQ": _settled_command(self._frequency_hz, *FREQUENCY_RANGE_HZ),
                "SOUR:POW": _settled_command(self._power_dbm, *POWER_RANGE_DBM),
                "OUTP:STAT": output,
            }
            | remembered,
            latency_s,
        )
        self.power_on()

    def power_on(self) -> None:
        super().power_on()
        self._settings = dict(REMEMBERED)
        self._ports.set(f"{self._name}.emission", False)
        self._frequency_hz.place(START_HZ)
        self._power_dbm.place(START_DBM)

    def answer(self, message: str) -> str | None:
        self.latency_s = self._base_latency_s
        return super().answer(message)

    def _complete(self) -> str:
        """``*OPC?`` is answered when everything is set."""
        self.latency_s += max(self._frequency_hz.remaining_s(), self._power_dbm.remaining_s())
        return "1"

    def _switch(self, text: str) -> None:
        self._ports.set(f"{self._name}.emission", {"0": False, "OFF": False, "1": True, "ON": True}[text])

    def _remembered(self, header: str) -> Command:
        def write(text: str) -> None:
            self._settings[header] = text

        return Command(lambda _: self._settings[header], write)


def _settled_command(motion: Motion, low: float, high: float) -> Command:
    """Reads back what was set; the output follows."""
    return Command(lambda _: f"{motion.target:.2f}", lambda text: motion.go(in_range(float(text), low, high), SETTING))
