"""What the budget may know of a lab: the station file, and of a loaded one the values its instruments have now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from ..analysis.errors import UsageError
from ..analysis.quantity import parse_quantity
from ..instruments.errors import ConfigError
from ..instruments.interfaces import Node
from ..instruments.pulse_steps import PhaseOutput, Wiring
from ..instruments.station import LoadedStation, nodes_of
from ..instruments.station_file import InstrumentSection, StationFile, find_station, read_station


@dataclass(frozen=True)
class LabFacts:
    """Everything a budget is made from.

    Attributes:
        station: name for messages.
        file: the station file; its ``expected`` section holds what the hardware does.
        nodes: sites by name.
        value: present value of ``instrument.parameter``, None where nobody knows.
        held: whether a plan's own value for ``instrument.parameter`` is ignored, because the user holds another.
        refuses: why a value is not allowed for ``instrument.parameter``; empty when it is.
        unit: of ``instrument.parameter``; empty where nobody knows.
        sample_ps: grid of the pulse generator, None where it is not known.
        wiring: outputs of a generator of steps, None for other generators.
    """

    station: str
    file: StationFile
    nodes: Mapping[str, Node]
    value: Callable[[str], float | None] = field(repr=False)
    held: Callable[[str], bool] = field(repr=False)
    refuses: Callable[[str, Any], str] = field(repr=False)
    sample_ps: int | None = None
    wiring: Wiring | None = None
    unit: Callable[[str], str] = field(default=lambda name: "", repr=False)

    def instruments(self) -> list[str]:
        """Names of instruments and roles."""
        return [*self.file.instruments, *self.file.roles]


def facts_of_file(name_or_path: str | Path, held: Mapping[str, Any] | None = None) -> LabFacts:
    """Facts from a station file alone; no instrument is connected. ``held`` values win over the file's.

    Raises:
        ConfigError: the file is wrong.
        UsageError: a held value cannot be read, or is outside the file's limits.
    """
    path = find_station(name_or_path)
    file = read_station(path)
    values = {_resolved(file, name): _typed(name, value) for name, value in (held or {}).items()}

    def value(name: str) -> float | None:
        name = _resolved(file, name)
        return _number(values.get(name, _section(file, name).get("initial_value")))

    def refuses(name: str, wanted: Any) -> str:
        return _outside(name, wanted, _section(file, _resolved(file, name)).get("limits"))

    for name, wanted in values.items():
        if problem := refuses(name, wanted):
            raise UsageError(problem)

    def is_held(name: str) -> bool:
        return _resolved(file, name) in values

    grid_ps, wiring = _sample_ps(file), _wiring(file)
    return LabFacts(path.stem, file, nodes_of(file), value, is_held, refuses, grid_ps, wiring)


def facts_of(lab: LoadedStation) -> LabFacts:
    """Facts of a loaded station: values from the instruments' caches, limits from their parameters."""

    def value(name: str) -> float | None:
        try:
            return _number(lab.parameter(name).cache.get(get_if_invalid=False))
        except ConfigError:
            return None

    def refuses(name: str, wanted: Any) -> str:
        parameter = lab.parameter(name)
        try:
            parameter.validate(wanted)
        except (ValueError, TypeError):
            return f"{name} = {wanted!r} {parameter.unit} is refused; allowed is {parameter.vals}"
        return ""

    def held(name: str) -> bool:
        return _resolved(lab.file, name) in lab.held

    def unit(name: str) -> str:
        return str(lab.parameter(name).unit)

    grid_ps, wiring = _sample_ps(lab.file), _wiring(lab.file)
    return LabFacts(lab.path.stem, lab.file, lab.nodes, value, held, refuses, grid_ps, wiring, unit)


#: Units of the parameters the budget asks for, as they may be typed.
_UNITS = {"power": "W", "pump_power": "W", "setpoint": "K", "bias": "A", "frequency": "Hz"}


def _typed(name: str, value: Any) -> Any:
    unit = _UNITS.get(name.rsplit(".", 1)[-1])
    return parse_quantity(value, unit) if unit and isinstance(value, str) else value


def _pulser(file: StationFile) -> InstrumentSection | None:
    return file.instruments.get(file.roles.get("pulser", "pulser"))


def _sample_ps(file: StationFile) -> int | None:
    """The grid a generator's class promises; its module is imported, nothing is connected."""
    section = _pulser(file)
    if section is None:
        return None
    module, _, name = section.type.rpartition(".")
    try:
        found = getattr(import_module(module), name, None)
    except ImportError:  # an extra that is not installed here: planning must still work
        return None
    sample_ps = getattr(found, "sample_ps", None)
    return sample_ps if isinstance(sample_ps, int) else None


def _wiring(file: StationFile) -> Wiring | None:
    section = _pulser(file)
    if section is None or "outputs" not in section.init:
        return None
    outputs, quadratures = (_texts(section.init.get(key) or {}) for key in ("outputs", "quadratures"))
    phases = {channel: PhaseOutput(**where) for channel, where in (section.init.get("phases") or {}).items()}
    return Wiring(outputs, phases, quadratures)


def _texts(outputs: Mapping[str, Any]) -> dict[str, str]:
    return {channel: str(output) for channel, output in outputs.items()}


def _resolved(file: StationFile, name: str) -> str:
    head, dot, rest = name.partition(".")
    return file.roles.get(head, head) + dot + rest


def _section(file: StationFile, name: str) -> Mapping[str, Any]:
    instrument, _, parameter = name.partition(".")
    known = file.instruments.get(instrument)
    return known.parameters.get(parameter, {}) if known else {}


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def _outside(name: str, wanted: Any, limits: Any) -> str:
    if limits is None or isinstance(wanted, bool) or not isinstance(wanted, int | float):
        return ""
    low, high = (float(x) for x in (limits.split(",") if isinstance(limits, str) else limits))
    return "" if low <= wanted <= high else f"{name} = {wanted:g} is outside the limits {low:g} to {high:g}"
