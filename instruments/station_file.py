"""What a station file may say. Keys are fixed; an unknown one is an error that names file and line."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator
from ruamel.yaml import YAML

from ..analysis.quantity import parse_quantity
from .config_file import Part, check
from .errors import ConfigError
from .expected import ExpectedSection
from .layers import EXTENDS, Layers, read_layers
from .monitored import CalibrationSection, MonitorSection

Seconds = Annotated[float, BeforeValidator(lambda value: parse_quantity(value, "s"))]


class InstrumentSection(Part):
    """One instrument: a section of a QCoDeS station file, as QCoDeS defines it."""

    type: str
    address: str | None = None
    enable_forced_reconnect: bool | None = None
    auto_reconnect: bool | None = None
    init: dict[str, Any] = Field(default_factory=dict)
    parameters: dict[str, dict[str, Any]] = Field(default_factory=dict)
    add_parameters: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @field_validator("type")
    @classmethod
    def _dotted(cls, value: str) -> str:
        if "." not in value:
            raise ValueError(f"{value!r} names no class; write package.module.Class")
        return value


class ChannelSection(Part):
    """One tagger input."""

    name: str
    delay_ps: int = 0
    detector: str = ""


class NodeSection(Part):
    """One site: its instruments by role, and how long light takes from it to the midpoint."""

    tagger: str
    memory: str | None = None
    detector: str | None = None
    photon_delay_s: Seconds = Field(default=0.0, ge=0.0)


class LinkSection(Part):
    """One optical or electrical connection between ports (``instrument.port``).

    ``broken: allowed`` admits a link that cannot exist, from something simulated to something real.
    """

    source: str
    target: str
    kind: Literal["optical", "electrical"] = "optical"
    broken: Literal["refused", "allowed"] = "refused"


class TwinSection(Part):
    """The simulated lab behind mock and emulated instruments.

    ``address``: where its emulators tell what is true of it. ``components``: which part of the lab an emulated instrument
    is, where the names differ (``{wavemeter: laser}``).
    """

    preset: str
    overrides: dict[str, Any] = Field(default_factory=dict)
    seed: int = 0
    pace: Literal["free"] | float = "free"
    address: str | None = None
    components: dict[str, str] = Field(default_factory=dict)

    def lab(self) -> dict[str, Any]:
        """The keys that make the lab: preset, overrides, seed, pace."""
        return self.model_dump(include={"preset", "overrides", "seed", "pace"})


class InterlockSection(Part):
    """When ``parameter`` leaves ``[minimum, maximum]`` the lab is made safe."""

    parameter: str
    minimum: float | None = None
    maximum: float | None = None


class StationFile(Part):
    """A whole station file, with what it extends merged in."""

    extends: str | None = None
    instruments: dict[str, InstrumentSection]
    nodes: dict[str, NodeSection] = Field(default_factory=dict)
    channels: dict[str, dict[int, ChannelSection]] = Field(default_factory=dict)
    roles: dict[str, str] = Field(default_factory=dict)
    wiring: tuple[LinkSection, ...] = ()
    twin: TwinSection | None = None
    interlocks: tuple[InterlockSection, ...] = ()
    monitors: dict[str, MonitorSection] = Field(default_factory=dict)
    calibrations: dict[str, CalibrationSection] = Field(default_factory=dict)
    expected: ExpectedSection = ExpectedSection()


def find_station(name_or_path: str | Path) -> Path:
    """Path of a shipped station (by name) or of a file. Raises ConfigError listing the shipped ones."""
    path = Path(name_or_path)
    if path.suffix in {".yaml", ".yml"}:
        return path
    folder = Path(__file__).parent.parent / "configs" / "stations"
    shipped = sorted(p.stem for p in folder.glob("*.yaml"))
    if str(name_or_path) not in shipped:
        raise ConfigError(f"no station {str(name_or_path)!r}: give a .yaml file or one of {', '.join(shipped)}")
    return folder / f"{name_or_path}.yaml"


def read_station(path: Path) -> StationFile:
    """The checked station file. Raises ConfigError naming file, line and allowed values."""
    layers = station_layers(path)
    station = check(layers.merged(), StationFile, layers.place)
    for where, name in _references(station):
        if name not in station.instruments:
            raise ConfigError(
                f"{path}: {where} names instrument {name!r}; the file has {', '.join(station.instruments)}"
            )
    return station


def station_layers(path: Path) -> Layers:
    """The file and those it extends, itself first; tells which of them says what. Raises ConfigError."""
    return read_layers(path, find_station)


def station_text(path: Path) -> str:
    """All that makes a station, as one file: its own text, or that of the whole chain merged. Raises ConfigError."""
    layers = station_layers(path)
    if len(layers.paths) == 1:
        return path.read_text(encoding="utf-8")
    out = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.width = None, 120
    yaml.representer.sort_base_mapping_type_on_output = False
    yaml.dump({key: value for key, value in layers.merged().items() if key != EXTENDS}, out)
    return f"# merged from {', '.join(p.name for p in layers.paths)}\n{out.getvalue()}"


def addresses_of(instruments: Mapping[str, InstrumentSection]) -> dict[str, str]:
    """Addresses by instrument, of those that have one."""
    return {name: section.address for name, section in instruments.items() if section.address is not None}


def _references(station: StationFile) -> list[tuple[str, str]]:
    """Every place that names an instrument, with that name."""
    found = [(f"channels.{tagger}", tagger) for tagger in station.channels]
    found += [(f"roles.{role}", name) for role, name in station.roles.items()]
    for name, node in station.nodes.items():
        found += [
            (f"nodes.{name}.{role}", instrument)
            for role in ("tagger", "memory", "detector")
            if (instrument := getattr(node, role)) is not None
        ]
    for link in station.wiring:
        found += [("wiring", end.split(".")[0]) for end in (link.source, link.target)]
    for tagger, channels in station.channels.items():
        found += [(f"channels.{tagger}", c.detector.split(".")[0]) for c in channels.values() if c.detector]
    return found
