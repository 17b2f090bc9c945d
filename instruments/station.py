"""From a station file to a live QCoDeS Station, its nodes, its clock and, when anything is simulated, its world."""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from qcodes.instrument import Instrument
from qcodes.station import Station
from ruamel.yaml import YAML

from ..analysis.errors import ErbiaError
from .addresses import is_on_this_computer
from .causality import refuse_impossible_links
from .errors import ConfigError, InstrumentError
from .interfaces import Channel, LabClock, Node
from .remote_world import RemoteClock, RemoteWorld
from .station_file import InstrumentSection, StationFile, find_station, read_station, station_text
from .taps import Taps


class WallClock:
    """Time of a lab with real instruments."""

    def now_s(self) -> float:
        return time.monotonic()

    def sleep(self, duration_s: float) -> None:
        time.sleep(duration_s)


@dataclass(frozen=True)
class LoadedStation:
    """A lab ready to use.

    Attributes:
        station: the QCoDeS Station; ``station.laser`` and so on.
        nodes: sites by name, each with its instruments by role and its tagger's channels.
        roles: lab-wide instruments by role (``laser``, ``pulser``, …).
        simulated: True when any instrument is a mock or emulated.
        clock: the only source of time.
        world: the simulated lab (a RemoteWorld when another process emulates it), or None.
        path, text: the station file it came from, and what it says with what it extends.
        taps: what mirrors real instruments into the simulated lab, in a station that has both.
    """

    station: Station
    file: StationFile
    nodes: Mapping[str, Node]
    roles: Mapping[str, str]
    simulated: bool
    clock: LabClock
    world: Any
    path: Path
    text: str
    held: dict[str, Any] = field(default_factory=dict)
    taps: Taps | None = None

    def instrument(self, name: str) -> Any:
        """The instrument of that name or role. Raises ConfigError listing what there is."""
        name = self.roles.get(name, name)
        if name not in self.station.components:
            raise ConfigError(
                f"no instrument {name!r} in {self.path.name}; it has {', '.join(self.station.components)}"
            )
        return self.station.components[name]

    def parameter(self, dotted: str) -> Any:
        """The QCoDeS parameter ``instrument.parameter`` or ``instrument.module.parameter``."""
        head, *rest = dotted.split(".")
        node = self.instrument(head)
        for part in rest:
            children = {**node.submodules, **node.parameters} if hasattr(node, "submodules") else {}
            if part not in children:
                raise ConfigError(f"{dotted}: {head} has no {part!r}; it has {', '.join(children)}")
            node = children[part]
        if not hasattr(node, "cache"):
            raise ConfigError(f"{dotted} is not a parameter; add one of {', '.join(node.parameters)}")
        return node

    def monitored(self) -> list[Any]:
        """The parameters the station file marks ``monitor: true``."""
        return [
            self.parameter(f"{instrument}.{name}")
            for instrument, section in self.file.instruments.items()
            for name, options in section.parameters.items()
            if options.get("monitor")
        ]

    def is_mock(self, name: str) -> bool:
        """Whether the instrument lives in this process and nowhere else."""
        return _is_mock(self.station.components.get(name))

    def is_simulated(self, name: str) -> bool:
        """Whether a mock or an emulator answers for the instrument."""
        return self.is_mock(name) or name in _emulated(self.file)

    def restart(self, name: str) -> Any:
        """Closes one instrument and opens it again as the file says; returns it.

        Raises:
            ConfigError: no such instrument.
            InstrumentError: it does not come back.
        """
        name = self.roles.get(name, name)
        if name not in self.file.instruments:
            raise ConfigError(f"no instrument {name!r} in {self.path.name}; it has {', '.join(self.file.instruments)}")
        if name in self.station.components:
            self.instrument(name).close()
            self.station.remove_component(name)
        mock = _is_mock(_import_class(self.path, name, self.file.instruments[name]))
        _load_instrument(self.station, name, {"world": self.world} if mock else {})
        restarted: Any = self.station.components[name]
        if self.taps is not None and not mock:
            self.taps.mirror(restarted)
        return restarted

    def close(self) -> None:
        """Closes every instrument."""
        if self.taps is not None:
            self.taps.close()
        for component in list(self.station.components.values()):
            if isinstance(component, Instrument):
                component.close()


def load(name_or_path: str | Path, seed: int | None = None) -> LoadedStation:
    """Loads and connects every instrument of a station.

    Args:
        name_or_path: a shipped station's name or a ``.yaml`` file.
        seed: of the simulated world; the station file's when None.

    Raises:
        ConfigError: the file is wrong (names file, line and allowed values).
        InstrumentError: an instrument cannot be reached.
    """
    path = find_station(name_or_path)
    file = read_station(path)
    beside = str(path.parent.resolve())
    if beside not in sys.path:
        sys.path.append(beside)  # drivers may lie beside the station file; last, so that they hide nothing
    classes = {name: _import_class(path, name, section) for name, section in file.instruments.items()}
    mocks = {name for name, cls in classes.items() if _is_mock(cls)}
    emulated = _emulated(file) - mocks
    refuse_impossible_links(path, file, mocks)
    world: Any = _make_world(path, file, mocks, seed) if mocks else _remote_world(path, file, emulated, seed)
    station = Station(default=False)
    station.load_config(_qcodes_config(file))
    try:
        for name in file.instruments:
            _load_instrument(station, name, {"world": world} if name in mocks else {})
    except BaseException:
        station.close_all_registered_instruments()
        raise
    real: list[Any] = [station.components[name] for name in file.instruments if name not in mocks]
    return LoadedStation(
        station=station,
        file=file,
        nodes=nodes_of(file),
        roles=dict(file.roles),
        simulated=bool(mocks | emulated),
        clock=_clock(world, all_simulated=mocks == set(file.instruments)),
        world=world,
        path=path,
        text=station_text(path),
        taps=Taps(real, world) if mocks and real else None,
    )


def _import_class(path: Path, name: str, section: InstrumentSection) -> type:
    module, _, class_name = section.type.rpartition(".")
    try:
        return getattr(import_module(module), class_name)  # type: ignore[no-any-return]
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{path}: instrument {name!r}: cannot import {section.type}: {error}") from error


def _is_mock(instrument: object) -> bool:
    return bool(getattr(instrument, "needs_world", False))


def _make_world(path: Path, file: StationFile, mocks: set[str], seed: int | None) -> Any:
    if not mocks:
        return None
    if file.twin is None:
        raise ConfigError(f"{path}: {', '.join(sorted(mocks))} are simulated, so the file needs a twin: section")
    from .mock import load_world  # the simulator is only loaded when something is simulated

    try:
        twin = file.twin.lab()
        if mocks != set(file.instruments) and twin["pace"] == "free":
            twin["pace"] = 1.0  # with one real instrument the wall is the clock of all
        return load_world(twin, seed=seed)
    except (ValueError, KeyError) as error:
        raise ConfigError(f"{path}: twin: {error}") from error


def _emulated(file: StationFile) -> set[str]:
    """Instruments on loopback in a file that has a simulated lab: an emulator answers there, not a device."""
    if file.twin is None:
        return set()
    return {name for name, section in file.instruments.items() if is_on_this_computer(section.address or "")}


def _remote_world(path: Path, file: StationFile, emulated: set[str], seed: int | None) -> RemoteWorld | None:
    if not emulated or file.twin is None or file.twin.address is None:
        return None
    world = RemoteWorld(file.twin.address, path.stem)
    if seed is not None and seed != world.seed:
        raise ConfigError(f"{path}: the lab is emulated with seed {world.seed}; start it with --seed {seed}")
    return world


def _clock(world: Any, all_simulated: bool) -> LabClock:
    """The world's clock when nothing is real, else the wall's: one real instrument sets the pace of all."""
    if isinstance(world, RemoteWorld):
        return RemoteClock(world)
    if not all_simulated:
        return WallClock()
    from .mock import MockLabClock

    clock: LabClock = MockLabClock(world)
    return clock


def _qcodes_config(file: StationFile) -> str:
    sections = {
        name: section.model_dump(exclude_none=True, exclude_defaults=True) for name, section in file.instruments.items()
    }
    out = io.StringIO()
    YAML(typ="safe", pure=True).dump({"instruments": sections}, out)
    return out.getvalue()


def _load_instrument(station: Station, name: str, extra: Mapping[str, Any]) -> None:
    try:
        with contextlib.redirect_stdout(sys.stderr):  # QCoDeS drivers print a greeting; stdout is for results
            station.load_instrument(name, revive_instance=False, **extra)
    except ErbiaError:
        raise
    except Exception as error:  # QCoDeS and vendor drivers raise anything here; the name must be in the text
        raise InstrumentError(name, f"cannot be set up: {type(error).__name__}: {error}") from error


def nodes_of(file: StationFile) -> dict[str, Node]:
    """The sites of a station file by name, each with its instruments by role and its tagger's channels."""
    return {
        name: Node(
            name=name,
            instruments={role: value for role in ("tagger", "memory", "detector") if (value := getattr(section, role))},
            channels=tuple(
                Channel(number, c.name, c.delay_ps, c.detector)
                for number, c in sorted(file.channels.get(section.tagger, {}).items())
            ),
            photon_delay_ps=round(section.photon_delay_s * 1e12),
        )
        for name, section in file.nodes.items()
    }
