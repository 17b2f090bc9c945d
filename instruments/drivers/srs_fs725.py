"""Stanford Research Systems FS725 rubidium frequency standard (PRS10 inside): RS-232, 9600 baud, carriage return.

Needs pyserial (``pip install erbia[serial]``); address e.g. ``ASRL/dev/ttyUSB0::INSTR`` or ``ASRL3::INSTR``.
"""

from __future__ import annotations

from qcodes.instrument import VisaInstrumentKWArgs
from qcodes.validators import Numbers
from typing_extensions import Unpack

from ..errors import InstrumentError
from .replies import flag, integer
from .robust_visa import RobustVisa

#: One step of the SF command (PRS10 manual): a fractional frequency of 10⁻¹².
STEP = 1e-12
MAX_STEPS = 2000
#: Bits of the six status bytes of ST?, in order, that mean trouble (PRS10 manual, "ST?").
STATUS_BYTES = ("power supplies", "lamp", "crystal heater", "frequency lock", "frequency control", "system level")


class SrsFs725(RobustVisa):
    """A FrequencyReference: ``locked``, ``frequency_offset``."""

    default_terminator = "\r"
    error_query = None
    sync_query = ("ID?", "PRS10")

    def __init__(self, name: str, address: str, **kwargs: Unpack[VisaInstrumentKWArgs]) -> None:
        super().__init__(name, address, **kwargs)
        self.locked = self.add_reading("locked", "LO?", flag)
        """The crystal is locked to the rubidium line (about 5 min after switching on)."""
        self.pps_locked = self.add_reading("pps_locked", "PL?", flag)
        """The standard follows the 1 pps input."""
        self.frequency_offset = self.add_parameter(
            "frequency_offset",
            get_cmd=self.reading("SF?", lambda text: STEP * integer(text)),
            set_cmd=self._set_offset,
            vals=Numbers(-MAX_STEPS * STEP, MAX_STEPS * STEP),
        )
        """Fractional frequency offset, in steps of 10⁻¹²; only in effect while not following the 1 pps input."""
        self.trouble = self.add_reading("trouble", "ST?", _trouble)
        """Names of the parts whose status byte is not zero, comma separated; empty when all is well."""

    def get_idn(self) -> dict[str, str | None]:
        model, firmware, _, serial = [*self.ask("ID?").split("_"), "", "", ""][:4]
        return {
            "vendor": "Stanford Research Systems",
            "model": f"FS725 ({model})",
            "serial": serial,
            "firmware": firmware,
        }

    def _set_offset(self, offset: float) -> None:
        steps = round(offset / STEP)
        with self.exclusive():
            self.write(f"SF {steps}")
            if self.reading("SF?", integer)() != steps:
                raise InstrumentError(self.name, "did not take the offset", f"SF {steps}")


def _trouble(text: str) -> str:
    values = [integer(word) for word in text.split(",")]
    if len(values) != len(STATUS_BYTES):
        raise ValueError(f"{len(values)} status bytes instead of {len(STATUS_BYTES)}")
    return ", ".join(part for part, value in zip(STATUS_BYTES, values, strict=True) if value)
