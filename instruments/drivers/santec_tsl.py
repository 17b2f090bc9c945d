"""Santec TSL-570/770 tunable laser: SCPI over LAN (port 5000, carriage return) or GPIB.

The laser must be set to its own SCPI dialect (SYSTEM menu, command set "SCPI", not "TSL-550"): lengths are then in metres.
Command names: Santec TSL-570 operation manual, chapter 7.
"""

from __future__ import annotations

import math

from qcodes.instrument import VisaInstrumentKWArgs
from qcodes.parameters import Parameter
from qcodes.validators import Bool, Numbers
from typing_extensions import Unpack

from ..errors import InstrumentError, LimitError
from .replies import flag, number, one_of
from .robust_visa import RobustVisa


class SantecTsl(RobustVisa):
    """A Laser. Connecting only reads; limits of frequency and wavelength are those the laser reports.

    Args:
        address: e.g. ``TCPIP::10.0.0.5::5000::SOCKET``.

    Raises:
        ConnectionLost: nothing answers.
        InstrumentError: something else answers, or the laser is in its old command set.
    """

    default_terminator = "\r"
    error_query = ":SYST:ERR?"

    def __init__(self, name: str, address: str, **kwargs: Unpack[VisaInstrumentKWArgs]) -> None:
        super().__init__(name, address, **kwargs)
        self._check_identity()
        self.emission: Parameter[bool, SantecTsl] = self.add_parameter(
            "emission",
            get_cmd=self.reading(":POW:STAT?", flag),
            set_cmd=self.writing(":POW:STAT {:d}"),
            vals=Bool(),
        )
        """Laser diode on (takes about 30 s to settle on the real device)."""
        self.shutter_open: Parameter[bool, SantecTsl] = self.add_parameter(
            "shutter_open",
            get_cmd=self.reading(":POW:SHUT?", lambda text: not flag(text)),
            set_cmd=lambda is_open: self.write(f":POW:SHUT {not is_open:d}"),
            vals=Bool(),
        )
        """Internal shutter."""
        self.power: Parameter[float, SantecTsl] = self.add_parameter(
            "power",
            unit="W",
            get_cmd=lambda: self._get_power_w(":POW?"),
            set_cmd=self._set_power_w,
            vals=Numbers(0, 0.1),
        )
        """Output power set point; the laser refuses what its diode cannot give."""
        self.measured_power: Parameter[float, SantecTsl] = self.add_parameter(
            "measured_power", unit="W", get_cmd=lambda: self._get_power_w(":POW:ACT?")
        )
        """Power at the internal monitor."""
        self.frequency: Parameter[float, SantecTsl] = self.add_parameter(
            "frequency",
            unit="Hz",
            get_cmd=self.reading(":WAV:FREQ?", number),
            set_cmd=self.settling(":WAV:FREQ {:.0f}"),
            vals=self._device_limits(":WAV:FREQ?"),
        )
        """Optical frequency; setting it returns when the laser has tuned."""
        self.wavelength: Parameter[float, SantecTsl] = self.add_parameter(
            "wavelength",
            unit="m",
            get_cmd=self.reading(":WAV?", number),
            set_cmd=self.settling(":WAV {:.10e}"),
            vals=self._device_limits(":WAV?"),
        )
        """Vacuum wavelength."""
        self.fine_tuning: Parameter[float, SantecTsl] = self.add_parameter(
            "fine_tuning",
            get_cmd=self.reading(":WAV:FIN?", number),
            set_cmd=self.writing(":WAV:FIN {:.2f}"),
            vals=Numbers(-100, 100),
        )
        """Fine tuning, -100 … 100 (device units, not calibrated)."""
        self.coherence_control: Parameter[bool, SantecTsl] = self.add_parameter(
            "coherence_control",
            get_cmd=self.reading(":COHC?", flag),
            set_cmd=self.writing(":COHC {:d}"),
            vals=Bool(),
        )
        """Line broadening; off for spectroscopy."""
        self.settled: Parameter[bool, SantecTsl] = self.add_parameter("settled", get_cmd=self.reading("*OPC?", flag))
        """False while a setting is still being approached."""

    def _check_identity(self) -> None:
        identity = self.ask("*IDN?")
        if not identity.upper().startswith("SANTEC,TSL"):
            raise InstrumentError(self.name, "is not a Santec TSL", "*IDN?", identity)
        wavelength = self.ask(":WAV?")
        if not 0 < float(wavelength) < 1e-3:
            raise InstrumentError(
                self.name, "answers in nm: select the SCPI command set in its menu", ":WAV?", wavelength
            )

    def _device_limits(self, query: str) -> Numbers:
        lowest = self.reading(f"{query} MIN", number)()
        highest = self.reading(f"{query} MAX", number)()
        return Numbers(lowest, highest)

    def _power_unit(self) -> str:
        return self.reading(":POW:UNIT?", one_of({"0": "dBm", "+0": "dBm", "1": "mW", "+1": "mW"}))()

    def _get_power_w(self, query: str) -> float:
        with self.exclusive():
            unit = self._power_unit()
            value = self.reading(query, number)()
        return 1e-3 * (10 ** (value / 10) if unit == "dBm" else value)

    def _set_power_w(self, power_w: float) -> None:
        with self.exclusive():
            if self._power_unit() == "mW":
                self.write(f":POW {1e3 * power_w:.6e}")
            elif power_w > 0:
                self.write(f":POW {10 * math.log10(1e3 * power_w):.4f}")
            else:
                raise LimitError(
                    self.name, "cannot be set to 0 W while it counts in dBm: switch emission off instead", ":POW"
                )
