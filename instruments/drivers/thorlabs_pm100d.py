"""Thorlabs PM100D, PM100USB, PM101 optical power meters: SCPI over USB (or any VISA address)."""

from __future__ import annotations

from qcodes.instrument import VisaInstrumentKWArgs
from qcodes.validators import Bool, Ints, Numbers
from typing_extensions import Unpack

from .replies import flag, integer, number, one_of
from .robust_visa import RobustVisa

#: Longest time a sample takes.
SAMPLE_S = 5e-3


class ThorlabsPm100d(RobustVisa):
    """A PowerMeter. No waiting in the driver: the meter answers when it has averaged."""

    def __init__(self, name: str, address: str, **kwargs: Unpack[VisaInstrumentKWArgs]) -> None:
        super().__init__(name, address, **kwargs)
        self.power = self.add_parameter("power", unit="W", get_cmd=self._get_power_w)
        """Optical power, whatever unit the meter shows."""
        self.wavelength = self.add_parameter(
            "wavelength",
            unit="m",
            get_cmd=self.reading("SENS:CORR:WAV?", lambda text: 1e-9 * number(text)),
            set_cmd=lambda m: self.write(f"SENS:CORR:WAV {1e9 * m:.4f}"),
            vals=Numbers(185e-9, 25e-6),
        )
        """Wavelength the responsivity is taken at."""
        self.auto_range = self.add_setting("auto_range", "SENS:POW:RANG:AUTO", flag, "{:d}", vals=Bool())
        """The meter chooses its range."""
        self.range = self.add_setting("range", "SENS:POW:RANG", number, "{:.6e}", unit="W", vals=Numbers(1e-9, 100))
        """Highest power of the present range; setting it ends ``auto_range``. More is a BadReply, not a number."""
        self.averages = self.add_setting("averages", "SENS:AVER:COUN", integer, "{:d}", vals=Ints(1, 10_000))
        """Samples of about 3 ms averaged for one answer."""

    def _get_power_w(self) -> float:
        with self.exclusive():
            unit = self.reading("SENS:POW:UNIT?", one_of({"W": "W", "DBM": "DBM"}))()
            averaging_s = SAMPLE_S * self.reading("SENS:AVER:COUN?", integer)()
            with self.timeout.set_to((self.timeout() or 0.0) + averaging_s):
                value = self.reading("MEAS:POW?", number)()
        return 1e-3 * 10 ** (value / 10) if unit == "DBM" else value
