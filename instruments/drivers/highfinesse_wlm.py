"""HighFinesse wavelength meters (WS5 … WS8, WSU) through the vendor's library wlmData, which talks to the running WLM program."""

from __future__ import annotations

import ctypes
import math
from functools import partial
from typing import Any

from qcodes.instrument import Instrument, InstrumentBaseKWArgs
from qcodes.parameters import Parameter
from typing_extensions import Unpack

from ..errors import ConnectionLost, InstrumentError

#: What the library returns instead of a reading.
PROBLEMS = {
    0: "has no reading yet",
    -1: "sees no light",
    -2: "cannot make sense of the light: more than one laser, or a broad line",
    -3: "gets too little light",
    -4: "gets too much light",
    -6: "does not offer this reading",
    -8: "cannot tell pulses apart",
    -10: "has no such channel",
    -14: "is out of its range",
}
MISSING = -5
TYPE, VERSION = 0, 1


class HighFinesseWlm(Instrument):
    """A Wavemeter. Readings that are no number are errors, never stored.

    Args:
        library: file name or path of the vendor's library (``wlmData.dll``, ``libwlmData.so``).
        channel: input of the fibre switch, 1 without one.

    Raises:
        ConnectionLost: no library, or the wavelength meter's program does not run.
    """

    def __init__(
        self, name: str, library: str = "wlmData.dll", *, channel: int = 1, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, **kwargs)
        self._channel = channel
        try:
            self._library: Any = ctypes.CDLL(library)
        except OSError as error:
            raise ConnectionLost(name, f"cannot load HighFinesse's library {library}: {error}") from error
        for function in ("GetFrequencyNum", "GetWavelengthNum", "GetPowerNum"):
            getattr(self._library, function).argtypes = (ctypes.c_long, ctypes.c_double)
            getattr(self._library, function).restype = ctypes.c_double
        self._library.GetTemperature.argtypes = (ctypes.c_double,)
        self._library.GetTemperature.restype = ctypes.c_double
        if self._library.GetWLMCount(0) < 1:
            raise ConnectionLost(name, "the wavelength meter's program does not run", "GetWLMCount")
        self.frequency = self._add("frequency", "Hz", "GetFrequencyNum", 1e12)
        """Optical frequency."""
        self.wavelength = self._add("wavelength", "m", "GetWavelengthNum", 1e-9)
        """Vacuum wavelength."""
        self.power = self._add("power", "W", "GetPowerNum", 1e-6)
        """Optical power, as far as the instrument measures it."""
        self.temperature: Parameter[float, HighFinesseWlm] = self.add_parameter(
            "temperature", unit="°C", get_cmd=self._temperature_c
        )
        """Of the interferometer."""

    def get_idn(self) -> dict[str, str | None]:
        kind, version = (str(self._library.GetWLMVersion(which)) for which in (TYPE, VERSION))
        return {"vendor": "HighFinesse", "model": f"WS{kind}", "serial": version, "firmware": None}

    def _add(self, name: str, unit: str, function: str, scale: float) -> Parameter[float, HighFinesseWlm]:
        return self.add_parameter(name, unit=unit, get_cmd=partial(self._reading, function, scale), snapshot_get=False)

    def _reading(self, function: str, scale: float) -> float:
        return scale * self._checked(function, getattr(self._library, function)(self._channel, 0.0))

    def _temperature_c(self) -> float:
        return self._checked("GetTemperature", self._library.GetTemperature(0.0))

    def _checked(self, function: str, value: float) -> float:
        if value == MISSING:
            raise ConnectionLost(self.name, "the wavelength meter's program has ended", function)
        if not 0 < value < math.inf:
            problem = PROBLEMS.get(round(value)) if math.isfinite(value) else None
            raise InstrumentError(self.name, problem or "gives no reading", function, value)
        return value
