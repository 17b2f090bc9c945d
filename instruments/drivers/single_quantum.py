"""Single Quantum WebSQ (Atlas, Eos) SNSPD driver electronics: JSON over TCP.

Control port 12000: JSON objects, each answer ends in 0x17. Counts port 12345: one CSV line ``unix_time,c1,…`` a period.
Currents are µA and levels mV on the wire, A and V here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from qcodes.instrument import InstrumentBaseKWArgs
from qcodes.parameters import Parameter
from qcodes.validators import Bool, Numbers
from typing_extensions import Unpack

from ..errors import BadReply, ConnectionLost, InstrumentError
from .bias_box import BiasBox
from .link import Link
from .robust_visa import invalidate_caches
from .tcp import TcpStream, split_endpoint

CONTROL_PORT, COUNTS_PORT = 12000, 12345
END = b"\x17"
#: A label nobody can change, hence never broadcast: its answer comes after everything asked before.
FENCE = "NumberOfDetectors"
RELATIVE_RESOLUTION = 1e-3
SETTLE_POLL_S = 0.002


class SingleQuantumWebSq(BiasBox):
    """A SinglePhotonDetector with one channel a nanowire. Reading never switches anything on.

    Args:
        address: ``host`` or ``host:control_port``.
        counts_port: where the electronics send the counts.
        latch_voltage_v: a wire with more than this across it is latched (a superconducting wire shows next to none).

    Raises:
        ConnectionLost: nothing answers.
        BadReply: something else answers.
    """

    def __init__(
        self,
        name: str,
        address: str,
        *,
        counts_port: int = COUNTS_PORT,
        max_bias_a: float = 40e-6,
        bias_slew_a_per_s: float = 200e-6,
        latch_voltage_v: float = 5e-3,
        timeout: float = 1.0,
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, max_bias_a=max_bias_a, bias_slew_a_per_s=bias_slew_a_per_s, **kwargs)
        host, port = split_endpoint(address, CONTROL_PORT)
        self.address, self._counts_at, self._timeout_s = address, (host, counts_port), timeout
        self._latch_voltage_v = latch_voltage_v
        self._link: Link[TcpStream] = Link(
            name,
            address,
            lambda: TcpStream(host, port, timeout),
            TcpStream.close,
            usable=TcpStream.is_open,
            on_reconnect=lambda: invalidate_caches(self),
        )
        self.enabled: Parameter[bool, SingleQuantumWebSq] = self.add_parameter(
            "enabled",
            get_cmd=lambda: bool(self._get("DetectorEnable")),
            set_cmd=lambda on: self._set("DetectorEnable", "DetectorEnable", on),
            vals=Bool(),
        )
        """Bias sources of all channels on."""
        self.measurement_period: Parameter[float, SingleQuantumWebSq] = self.add_parameter(
            "measurement_period",
            unit="s",
            get_cmd=lambda: 1e-3 * self._number("InptMeasurementPeriod"),
            set_cmd=lambda s: self._set("SetMeasurementPeriod", "InptMeasurementPeriod", round(1e3 * s)),
            vals=Numbers(0.01, 10),
        )
        """Counting time of ``count_rate``."""
        self._add_channels(int(self._number("NumberOfDetectors")))
        for index, channel in enumerate(self.channels):
            channel.add_parameter(
                "trigger_level",
                unit="V",
                get_cmd=lambda k=index: 1e-3 * self._vector("TriggerLevel")[k],
                set_cmd=lambda v, k=index: self._set_one("SetAllTriggerLevels", "TriggerLevel", k, 1e3 * v),
                vals=Numbers(-1, 1),
            )

    def get_idn(self) -> dict[str, str | None]:
        return {"vendor": "Single Quantum", "model": "WebSQ", "serial": None, "firmware": None}

    def close(self) -> None:
        self._link.close()
        super().close()

    def read_bias_a(self, index: int) -> float:
        return 1e-6 * self._vector("BiasCurrent")[index]

    def write_bias_a(self, index: int, bias_a: float) -> None:
        self._set_one("SetAllBiasCurrents", "BiasCurrent", index, 1e6 * bias_a)

    def read_latched(self, index: int) -> bool:
        return abs(1e-3 * self._vector("BiasVoltage")[index]) > self._latch_voltage_v

    def read_rate_hz(self, index: int) -> float:
        return self.count_rates_hz()[index]

    def count_rates_hz(self) -> list[float]:
        """Rates of all channels over one period that began after this call.

        Raises:
            ConnectionLost: the counts port is silent.
            BadReply: a line that is not time and counts.
        """
        period_s = self.measurement_period.get()
        try:
            stream = TcpStream(*self._counts_at, self._timeout_s + 2 * period_s)
            try:
                stream.read_until(b"\n")  # its period began before
                line = stream.read_until(b"\n").decode("latin-1")
            finally:
                stream.close()
        except OSError as error:
            raise ConnectionLost(self.name, f"no counts from port {self._counts_at[1]}: {error}") from error
        try:
            counts = [float(word) for word in line.split(",")[1:]]
        except ValueError as error:
            raise BadReply(self.name, "unexpected line of counts", "counts", line) from error
        if len(counts) != len(self.channels):
            raise BadReply(self.name, f"counts of {len(counts)}, not {len(self.channels)} channels", "counts", line)
        return [count / period_s for count in counts]

    # -- the wire ------------------------------------------------------------------------------------------------------

    def _get(self, label: str) -> Any:
        return self._link.query(label, lambda stream: self._ask(stream, label))

    def _set(self, command: str, label: str, value: Any) -> None:
        self._send(label, command, lambda _: value)

    def _set_one(self, command: str, label: str, index: int, value: float) -> None:
        def changed(old: Any) -> Any:
            return [value if k == index else x for k, x in enumerate(self._checked_vector(label, old))]

        self._send(label, command, changed)

    def _send(self, label: str, command: str, change: Callable[[Any], Any]) -> None:
        """Reads, changes, writes and reads again in one exchange: the electronics confirm nothing by themselves."""

        def exchange(stream: TcpStream) -> tuple[Any, Any]:
            wanted = change(self._ask(stream, label))
            stream.send(json.dumps({"command": command, "label": label, "value": wanted}).encode())
            deadline_s = time.monotonic() + self._timeout_s
            while not _same(wanted, got := self._ask(stream, label)) and time.monotonic() < deadline_s:
                time.sleep(SETTLE_POLL_S)  # a current takes its time
            return wanted, got

        wanted, got = self._link.send(f"{command} {label}", exchange)
        if not _same(wanted, got):
            raise InstrumentError(self.name, f"did not take {label} = {wanted}", command, got)

    def _ask(self, stream: TcpStream, label: str) -> Any:
        """The last value of ``label`` before the fence: broadcasts of older changes look just like answers."""
        stream.send(b"".join(json.dumps({"request": wanted}).encode() for wanted in dict.fromkeys((label, FENCE))))
        values: dict[str, Any] = {}
        while FENCE not in values:
            raw = stream.read_until(END).decode("latin-1")
            try:
                message = json.loads(raw)
                value = message["value"]
                values[message["label"]] = value["value"] if isinstance(value, dict) else value
            except (ValueError, KeyError, TypeError) as error:
                raise BadReply(self.name, "unexpected answer", label, raw) from error
        if label not in values:
            raise TimeoutError("later questions were answered, this one was not")
        return values[label]

    def _number(self, label: str) -> float:
        value = self._get(label)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadReply(self.name, "expected a number", label, value)
        return float(value)

    def _vector(self, label: str) -> list[float]:
        return self._checked_vector(label, self._get(label))

    def _checked_vector(self, label: str, value: Any) -> list[float]:
        if not isinstance(value, list) or len(value) != len(self.channels):
            raise BadReply(self.name, f"expected a list of {len(self.channels)} numbers", label, value)
        return [float(x) for x in value]


def _same(wanted: Any, got: Any) -> bool:
    if isinstance(wanted, list):
        return isinstance(got, list) and len(got) == len(wanted) and all(map(_same, wanted, got))
    if isinstance(wanted, bool):
        return wanted is got
    return isinstance(got, int | float) and bool(abs(wanted - got) <= RELATIVE_RESOLUTION * max(abs(wanted), 1.0))
