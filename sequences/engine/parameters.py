"""The station's parameters as plain values: a tree for the clients, read from the caches, and checked settings."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from enum import Enum
from typing import Any

from qcodes.instrument import InstrumentBase
from qcodes.parameters import ParameterBase
from qcodes.station import Station

from ...analysis.errors import UsageError
from ...analysis.quantity import format_quantity
from .health import Health, HealthBook
from .values import InstrumentState, ParameterState, StationState

_HIDDEN = {"IDN", "timeout"}


def describe_station(station: Station, health: HealthBook) -> StationState:
    """Every instrument with every scalar parameter as last known. Asks no instrument."""
    instruments = (c for c in list(station.components.values()) if isinstance(c, InstrumentBase))
    return StationState(tuple(describe_instrument(i, health.of(i.name)) for i in instruments), time.time())


def find_parameter(station: Station, name: str) -> ParameterBase:
    """The parameter called ``instrument[.submodule].parameter``.

    Raises:
        UsageError: no such instrument or parameter; says which there are.
    """
    instrument_name, _, rest = name.partition(".")
    instrument = station.components.get(instrument_name)
    if not isinstance(instrument, InstrumentBase):
        raise UsageError(f"no instrument {instrument_name!r} in the station; it has {', '.join(station.components)}")
    parameters = dict(_parameters(instrument))
    if rest not in parameters:
        raise UsageError(f"{instrument_name} has no parameter {rest!r}; it has {', '.join(parameters)}")
    return parameters[rest]


def measured_parameters(station: Station) -> list[tuple[str, ParameterBase]]:
    """What can be read but not set, with its full name."""
    return [
        (f"{instrument.name}.{name}", parameter)
        for instrument in station.components.values()
        if isinstance(instrument, InstrumentBase)
        for name, parameter in _parameters(instrument)
        if parameter.gettable and not parameter.settable
    ]


def describe_parameter(name: str, parameter: ParameterBase) -> ParameterState:
    """The parameter as last known, with the limits its validators give."""
    lower, upper = _limits(parameter)
    stamp = parameter.cache.timestamp
    return ParameterState(
        name=name,
        label=getattr(parameter, "label", "") or parameter.name,
        unit=getattr(parameter, "unit", "") or "",
        value=_plain(parameter.cache.get(get_if_invalid=False)),
        read_utc_s=None if stamp is None else stamp.timestamp(),
        settable=parameter.settable,
        lower=lower,
        upper=upper,
        choices=_choices(parameter),
    )


def check_setting(name: str, parameter: ParameterBase, value: Any) -> None:
    """Refuses a value the parameter must not be given.

    Raises:
        UsageError: read-only, wrong type, not finite or beyond a limit; says what is allowed.
    """
    state = describe_parameter(name, parameter)
    if not state.settable:
        raise UsageError(f"{name} is read-only")
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        low, high = state.lower, state.upper
        if not math.isfinite(number):
            raise UsageError(f"{name} = {value} refused: not a finite number")
        if (low is not None and number < low) or (high is not None and number > high):
            asked = format_quantity(number, state.unit)
            raise UsageError(f"{name} = {asked} refused: allowed {_allowed(low, high, state.unit)}, set by the station")
    try:
        parameter.validate(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} = {value!r} refused: {str(error).splitlines()[0]}") from error


def _allowed(low: float | None, high: float | None, unit: str) -> str:
    if low is None or high is None:
        return f"≥ {format_quantity(low, unit)}" if low is not None else f"≤ {format_quantity(high or 0.0, unit)}"
    return f"{format_quantity(low, unit)} … {format_quantity(high, unit)}"


def describe_instrument(instrument: InstrumentBase, health: Health) -> InstrumentState:
    """The instrument with every scalar parameter as last known."""
    parameters = tuple(
        describe_parameter(f"{instrument.name}.{name}", parameter)
        for name, parameter in _parameters(instrument)
        if parameter.gettable or parameter.settable
    )
    scalars = tuple(p for p in parameters if p.value is not _NOT_SCALAR)
    return InstrumentState(instrument.name, type(instrument).__name__, scalars, health.failure, health.answered_utc_s)


def _parameters(instrument: InstrumentBase, prefix: str = "") -> Iterator[tuple[str, ParameterBase]]:
    for name, parameter in instrument.parameters.items():
        if name not in _HIDDEN:
            yield prefix + name, parameter
    for name, module in instrument.instrument_modules.items():
        yield from _parameters(module, f"{prefix}{name}.")


_NOT_SCALAR = object()


def _plain(value: Any) -> Any:
    """A JSON scalar, None for a number that is not finite, or the mark that this is no scalar."""
    if isinstance(value, Enum):
        return value.name
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else _NOT_SCALAR


def _limits(parameter: ParameterBase) -> tuple[float | None, float | None]:
    """The tightest bounds of all validators."""
    lows = [v.min_value for v in parameter.validators if hasattr(v, "min_value")]
    highs = [v.max_value for v in parameter.validators if hasattr(v, "max_value")]
    low = max((float(v) for v in lows if math.isfinite(v)), default=None)
    high = min((float(v) for v in highs if math.isfinite(v)), default=None)
    return low, high


def _choices(parameter: ParameterBase) -> tuple[Any, ...]:
    values = [v.values for v in parameter.validators if hasattr(v, "values")]
    return tuple(sorted((_plain(v) for v in values[0]), key=str)) if values else ()
