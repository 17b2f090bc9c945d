"""Bristol 871 laser wavelength meter: SCPI over its network or serial port."""

from __future__ import annotations

from qcodes.instrument import VisaInstrumentKWArgs
from typing_extensions import Unpack

from ..errors import InstrumentError
from .replies import number
from .robust_visa import RobustVisa


class Bristol871(RobustVisa):
    """A Wavemeter: ``frequency``, ``wavelength``, ``power``. Without light it reports 0, which is an error here.

    A snapshot shows what was last read: in the dark there is nothing to read.
    """

    error_query = None

    def __init__(self, name: str, address: str, **kwargs: Unpack[VisaInstrumentKWArgs]) -> None:
        super().__init__(name, address, **kwargs)
        self.frequency = self.add_parameter(
            "frequency", unit="Hz", get_cmd=lambda: 1e12 * self._lit(":MEAS:FREQ?"), snapshot_get=False
        )
        """Optical frequency."""
        self.wavelength = self.add_parameter(
            "wavelength", unit="m", get_cmd=lambda: 1e-9 * self._lit(":MEAS:WAV?"), snapshot_get=False
        )
        """Wavelength, in the medium set at the instrument (vacuum from the factory)."""
        self.power = self.add_reading("power", ":MEAS:POW?", lambda text: 1e-3 * number(text), unit="W")
        """Optical power, about ±15 %."""

    def _lit(self, command: str) -> float:
        value = self.reading(command, number)()
        if value <= 0:
            raise InstrumentError(self.name, "sees no light, or more than one laser", command, value)
        return value
