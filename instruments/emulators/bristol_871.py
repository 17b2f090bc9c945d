"""Bristol 871 on the wire: SCPI, read only."""

from __future__ import annotations

from .ports import Ports
from .scpi import Command, ScpiDevice

SPEED_OF_LIGHT_M_PER_S = 299_792_458.0
#: With less light it shows nothing.
LEAST_W = 1e-6


class Bristol871Device(ScpiDevice):
    """Shows the light at ``<name>.frequency_hz`` and ``<name>.power_w``; 0 when there is too little."""

    def __init__(self, ports: Ports, name: str, latency_s: float = 0.0) -> None:
        self._ports, self._name = ports, name
        super().__init__(
            "BRISTOL WAVELENGTH METER, 871A-NIR, 6894, 1.2.0",
            {
                "MEASure:FREQuency": Command(lambda _: f"{1e-12 * self._frequency_hz():.9f}"),
                "MEASure:WAVelength": Command(lambda _: f"{self._wavelength_nm():.7f}"),
                "MEASure:POWer": Command(lambda _: f"{1e3 * self._get('power_w'):.4E}"),
            },
            latency_s,
        )

    def _get(self, quantity: str) -> float:
        value = self._ports.get(f"{self._name}.{quantity}")
        assert isinstance(value, bool | int | float)
        return float(value)

    def _frequency_hz(self) -> float:
        return self._get("frequency_hz") if self._get("power_w") > LEAST_W else 0.0

    def _wavelength_nm(self) -> float:
        frequency_hz = self._frequency_hz()
        return 1e9 * SPEED_OF_LIGHT_M_PER_S / frequency_hz if frequency_hz else 0.0
