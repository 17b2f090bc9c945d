"""Lake Shore Model 336 on the wire (TCP 7777 dialect), for QCoDeS's own driver."""

from __future__ import annotations

from .motion import After, Motion, Slew
from .ports import Ports
from .scpi import Command, ScpiDevice, in_range

CHANNELS = "ABCD"
OUTPUTS = range(1, 5)
#: Settings kept as text by (header, input or output), with what the controller has after switching on.
OUTPUT_SETTINGS = {
    "OUTMODE": "1,1,0",
    "PID": "50.0,20.0,0.0",
    "HTRSET": "0,1,0,+1.000,1",
    "RANGE": "0",
    "RAMP": "0,0.1",
}
INPUT_SETTINGS = {"INTYPE": "1,0,0,1,1", "TLIMIT": "+0.0000", "INCRV": "21"}
SETPOINT_RANGE_K = (0.0, 400.0)


class LakeShore336Device(ScpiDevice):
    """Every input shows the port ``<name>.temperature_k``; output 1's set point is ``<name>.setpoint_k``, and ramps when told
    so. How the temperature follows is the world's business."""

    terminator = "\n"
    answer_end = "\r\n"

    def __init__(self, ports: Ports, name: str, latency_s: float = 0.0) -> None:
        self._ports, self._name = ports, name
        self._settings: dict[tuple[str, str], str] = {}
        self._setpoint_k: Motion | None = None
        kelvin = Command(lambda _: f"{self._temperature_k():+.4f}")
        super().__init__(
            "LSCI,MODEL336,LSA12AB/0000000,2.9",
            {
                "KRDG": kelvin,
                "SRDG": Command(lambda _: "+1.0000E+02"),
                "RDGST": Command(lambda _: "000"),
                "RAMPST": Command(self._is_ramping),
                "HTR": Command(lambda _: "+000.0"),
                "CRVHDR": Command(lambda _: "DT-670,STANDARD C,2,+500.000,1"),
                "SETP": Command(lambda _: f"{self._present_k():+.4f}", self._set_point),
            }
            | {header: self._remembered(header) for header in OUTPUT_SETTINGS | INPUT_SETTINGS | {"INNAME": ""}},
            latency_s,
        )
        self.power_on()

    def power_on(self) -> None:
        super().power_on()
        self._setpoint_k = None
        self._settings = {(header, f"{k}"): text for header, text in OUTPUT_SETTINGS.items() for k in OUTPUTS}
        self._settings |= {(header, c): text for header, text in INPUT_SETTINGS.items() for c in CHANNELS}
        self._settings |= {("INNAME", c): f"Input {c}" for c in CHANNELS}

    def _temperature_k(self) -> float:
        value = self._ports.get(f"{self._name}.temperature_k")
        assert isinstance(value, int | float)
        return float(value)

    def _present_k(self) -> float:
        """The set point of output 1 now: on its way while it ramps."""
        if self._setpoint_k is not None and self._setpoint_k.remaining_s():
            return self._setpoint_k.present()
        value = self._ports.get(f"{self._name}.setpoint_k")
        assert isinstance(value, int | float)
        return float(value)

    def _set_point(self, text: str) -> None:
        output, kelvin = text.split(",")
        if int(output) != 1:
            return
        target_k = in_range(float(kelvin), *SETPOINT_RANGE_K)
        ramps, k_per_min = self._settings["RAMP", "1"].split(",")
        self._setpoint_k = Motion(self._ports.now_s, self._tell, self._present_k())
        self._setpoint_k.go(target_k, Slew(float(k_per_min) / 60) if int(ramps) and float(k_per_min) else After(0.0))

    def _tell(self, kelvin: float) -> None:
        self._ports.set(f"{self._name}.setpoint_k", kelvin)

    def _is_ramping(self, output: str) -> str:
        return f"{bool(int(output) == 1 and self._setpoint_k and self._setpoint_k.remaining_s()):d}"

    def _remembered(self, header: str) -> Command:
        def write(text: str) -> None:
            which, _, value = text.partition(",")
            if (header, which.strip()) not in self._settings:
                raise ValueError(text)
            self._settings[(header, which.strip())] = value.strip().strip('"')

        return Command(lambda which: self._settings[(header, which)], write)
