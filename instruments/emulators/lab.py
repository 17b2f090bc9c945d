"""A whole station emulated on one simulated lab, on loopback, at the wall's pace or faster."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Self

from ..errors import ConfigError
from ..station_file import InstrumentSection, StationFile
from ..twin import World
from .serve import Emulators, serve
from .tcp import TcpServer
from .wiring import wires_of
from .world_ports import WorldPorts

#: Drivers that measure time by the computer they run on: at another pace than the wall's their readings would be wrong.
WALL_TIMED = ("NiEdgeCounter",)


class EmulatedLab:
    """Every instrument of a station that has a loopback address, served; the lab behind them tells its truth on request.

    Args:
        file: the station.
        world: the lab; its time is that of the emulators from now on.
        pace: lab seconds a second.

    Raises:
        ConfigError: an address is wrong or taken, or an instrument cannot go at that pace.
    """

    def __init__(self, file: StationFile, world: World, pace: float = 1.0) -> None:
        slow = [n for n, s in file.instruments.items() if s.type.rpartition(".")[2] in WALL_TIMED]
        if pace != 1 and slow:
            raise ConfigError(f"{slow[0]} counts by this computer's clock, so pace must be 1, not {pace:g}")
        self.world, self.pace, self._file = world, pace, file
        self.ports = WorldPorts(world, wires_of(file), pace)
        self.emulators: Emulators = serve({n: s.model_dump() for n, s in file.instruments.items()}, self.ports)
        self._service: TcpServer | None = None
        if file.twin is not None and file.twin.address is not None:
            host, _, port = file.twin.address.rpartition(":")
            try:
                self._service = TcpServer(self._talk, host, int(port))
            except OSError as error:
                self.emulators.close()
                raise ConfigError(f"twin.address {file.twin.address}: {error}") from error

    def endpoints(self) -> list[dict[str, str]]:
        """Every instrument of the station: name, driver, address, and whether it is emulated, real or made of others."""
        return [
            {
                "instrument": name,
                "driver": section.type.rpartition(".")[2],
                "address": section.address or "",
                "is": _kind(section, name in self.emulators.hosts),
            }
            for name, section in self._file.instruments.items()
        ]

    def close(self) -> None:
        if self._service is not None:
            self._service.close()
        self.emulators.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(json.dumps(self._answer(line.decode().strip())).encode() + b"\n")
            await writer.drain()

    def _answer(self, question: str) -> Any:
        match question:
            case "about":
                return {"seed": self.world.seed, "pace": self.pace}
            case "truth":
                return self.ports.truth()
            case "now_s":
                return self.ports.now_s()
        return {"error": f"unknown question {question!r}"}


def _kind(section: InstrumentSection, emulated: bool) -> str:
    if emulated:
        return "emulated"
    if section.type.startswith("erbia.instruments.mock."):
        return "mock, in the run"
    return "real" if section.address else "made of others"
