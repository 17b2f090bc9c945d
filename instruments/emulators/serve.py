"""Starting the emulators of a whole station: each listens exactly where the station file says its instrument is.

An instrument is emulated when its address is on this computer: a loopback host, or a serial path that does not exist yet.
All others are taken to be real and are left alone. Several instruments may share one device (NI, Keysight mainframe).
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, Self

from ..addresses import is_on_this_computer, serial_path
from ..errors import ConfigError
from .bristol_871 import Bristol871Device
from .dlcpro import DlcProDevice, DlcProHost
from .fs725 import Fs725Device
from .itla import ItlaDevice
from .keysight_816x import Keysight816xDevice
from .lakeshore336 import LakeShore336Device
from .mpc320 import Mpc320Device
from .nidaqmx_server import NiDaqServer
from .pm100d import Pm100dDevice
from .ports import Ports
from .pulse_streamer import PulseStreamerDevice, PulseStreamerHost
from .santec import SantecDevice
from .serial_port import FrameDevice, LineFrames, SerialHost
from .sgs100a import Sgs100aDevice
from .tcp import LineDevice, TcpHost
from .websq import WebSqDevice, WebSqHost
from .white_rabbit import WhiteRabbitAgent


class Host(Protocol):
    """A running emulator."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One instrument of the station file; ``others`` are parts of the same device."""

    name: str
    type: str
    address: str
    init: Mapping[str, Any]
    others: tuple[Entry, ...] = ()

    @property
    def driver(self) -> str:
        """Name of the driver's class."""
        return self.type.rpartition(".")[2]


Starter = Callable[[Ports, Entry], Host]


class Emulators:
    """Running emulators by instrument name. A context manager."""

    def __init__(self, hosts: Mapping[str, Host], addresses: Mapping[str, str], real: tuple[str, ...]) -> None:
        self.hosts, self.addresses, self.real = dict(hosts), dict(addresses), real

    def close(self) -> None:
        for host in {id(host): host for host in self.hosts.values()}.values():
            with contextlib.suppress(OSError):
                host.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def serve(entries: Mapping[str, Mapping[str, Any]], ports: Ports) -> Emulators:
    """Starts an emulator for every instrument of a station that has one.

    Args:
        entries: the ``instruments:`` section: name → ``type``, ``address``, ``init``.
        ports: the world they are wired to.

    Raises:
        ConfigError: an emulated instrument's address is wrong, or something else listens there.
    """
    devices: dict[tuple[Starter, str], list[Entry]] = {}
    real: list[str] = []
    for name, plain in entries.items():
        entry = Entry(name, str(plain["type"]), str(plain.get("address") or ""), dict(plain.get("init") or {}))
        starter = STARTERS.get(entry.driver)
        if starter is None or not is_on_this_computer(entry.address):
            real.append(name)
        else:
            devices.setdefault((starter, entry.address), []).append(entry)
    hosts: dict[str, Host] = {}
    for (starter, _), (first, *others) in devices.items():
        host = _start(starter, ports, replace(first, others=tuple(others)))
        hosts |= dict.fromkeys([entry.name for entry in (first, *others)], host)
    addresses = {entry.name: entry.address for parts in devices.values() for entry in parts}
    return Emulators(hosts, addresses, tuple(real))


def _start(starter: Starter, ports: Ports, entry: Entry) -> Host:
    try:
        return starter(ports, entry)
    except (OSError, RuntimeError, ValueError, IndexError) as error:
        raise ConfigError(f"{entry.name}: cannot emulate {entry.driver} at {entry.address!r}: {error}") from error


def _host_and_ports(address: str) -> tuple[str, list[int]]:
    """Both ``host:port:port`` and ``TCPIP::host::port::SOCKET``."""
    words = [word for word in re.split(r":+", address) if word not in ("TCPIP", "TCPIP0", "SOCKET", "")]
    return words[0], [int(word) for word in words[1:]]


def _line(make: Callable[[Ports, str], LineDevice]) -> Starter:
    def start(ports: Ports, entry: Entry) -> Host:
        host, (port, *_) = _host_and_ports(entry.address)
        return TcpHost(make(ports, entry.name), host, port)

    return start


class _LinkedSerialHost(SerialHost):
    """A pseudo terminal that can be opened under the path the station file gives."""

    def __init__(self, device: FrameDevice, path: str) -> None:
        super().__init__(device)
        self._link = Path(path)
        self._link.symlink_to(self.path)

    def close(self) -> None:
        self._link.unlink(missing_ok=True)
        super().close()


def _serial(make: Callable[[Ports, str], FrameDevice]) -> Starter:
    def start(ports: Ports, entry: Entry) -> Host:
        if os.name == "nt":
            raise ValueError("Windows has no pseudo terminals")
        return _LinkedSerialHost(make(ports, entry.name), serial_path(entry.address))

    return start


def _dlcpro(ports: Ports, entry: Entry) -> Host:
    host, numbers = _host_and_ports(entry.address)
    command, monitoring = numbers or (1998, 1999)
    return DlcProHost(DlcProDevice(ports, entry.name), host, command, monitoring)


def _websq(ports: Ports, entry: Entry) -> Host:
    host, numbers = _host_and_ports(entry.address)
    counts_port = int(entry.init.get("counts_port", 12345))
    return WebSqHost(WebSqDevice(ports, entry.name), host, (numbers or [12000])[0], counts_port)


def _pulse_streamer(ports: Ports, entry: Entry) -> Host:
    return PulseStreamerHost(PulseStreamerDevice(ports, entry.name), entry.address)


def _ni(ports: Ports, entry: Entry) -> Host:
    host, (port, *_) = _host_and_ports(entry.address)
    return NiDaqServer(ports, host=host, port=port)


def _id900(ports: Ports, entry: Entry) -> Host:
    from .id900 import Id900Device, Id900Host  # pyzmq is optional

    host, numbers = _host_and_ports(entry.address)
    _, datalink = _host_and_ports(str(entry.init.get("datalink", "127.0.0.1")))
    return Id900Host(Id900Device(ports, entry.name), host, (numbers or [5555])[0], (datalink or [6060])[0])


def _white_rabbit(ports: Ports, entry: Entry) -> Host:
    host, numbers = _host_and_ports(entry.address)
    return WhiteRabbitAgent(ports, entry.name, host, (numbers or [161])[0])


def _keysight(ports: Ports, entry: Entry) -> Host:
    host, (port, *_) = _host_and_ports(entry.address)
    modules = {"KeysightLaser": "laser", "KeysightAttenuator": "voa", "KeysightSwitch": "switch"}
    empty = {module: f"{entry.name}_{module}" for module in modules.values()}
    named = empty | {modules[part.driver]: part.name for part in (entry, *entry.others)}
    return TcpHost(Keysight816xDevice(ports, named["laser"], named["voa"], named["switch"]), host, port)


#: How to emulate the instrument a driver talks to, by the driver's class.
STARTERS: Mapping[str, Starter] = {
    "SantecTsl": _line(SantecDevice),
    "ThorlabsPm100d": _line(Pm100dDevice),
    "Bristol871": _line(Bristol871Device),
    "LakeshoreModel336": _line(LakeShore336Device),
    "RobustLakeshore336": _line(LakeShore336Device),
    "RohdeSchwarzSGS100A": _line(Sgs100aDevice),
    "RobustSgs100a": _line(Sgs100aDevice),
    "KeysightLaser": _keysight,
    "KeysightAttenuator": _keysight,
    "KeysightSwitch": _keysight,
    "SrsFs725": _serial(lambda ports, name: LineFrames(Fs725Device(ports, name))),
    "ThorlabsMpc320": _serial(Mpc320Device),
    "ItlaLaser": _serial(ItlaDevice),
    "TopticaDlcPro": _dlcpro,
    "SingleQuantumWebSq": _websq,
    "SwabianPulseStreamer": _pulse_streamer,
    "IdqTimeController": _id900,
    "WhiteRabbitSwitch": _white_rabbit,
    "NiAnalogOutput": _ni,
    "NiAnalogInput": _ni,
    "NiEdgeCounter": _ni,
    "NiDigitalLines": _ni,
}
