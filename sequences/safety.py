"""The safe state of a lab: how it is reached, how it is verified, and when it is called for; detectors that latched are freed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from ..analysis.errors import ErbiaError
from ..instruments.errors import InstrumentError
from ..instruments.interfaces import PulseGenerator
from ..instruments.station import LoadedStation

log = logging.getLogger(__name__)


class InterlockTripped(InstrumentError):
    """A value left the range the station file's ``interlocks`` allow; the lab was made safe."""


def make_safe(lab: LoadedStation) -> None:
    """Stops the pulses and switches every emission off; goes on past an instrument that fails, then raises its error."""
    failures: list[ErbiaError] = []
    for name, component in lab.station.components.items():
        try:
            make_instrument_safe(component)
        except Exception as error:
            log.exception("%s could not be made safe", name)
            failures.append(error if isinstance(error, ErbiaError) else ErbiaError(f"{name}: not made safe: {error}"))
    if failures:
        raise failures[0]


def make_instrument_safe(instrument: Any) -> None:
    """Stops its pulses and switches its emission off, whatever it has of these."""
    if isinstance(instrument, PulseGenerator):
        instrument.stop()
    emission = _emission(instrument)
    if emission is not None:
        emission.set(False)


def unsafe_outputs(lab: LoadedStation) -> list[str]:
    """Asks every instrument: what still emits or plays, in words; empty when the lab is safe."""
    found = []
    for name, component in lab.station.components.items():
        emission = _emission(component)
        if emission is not None and emission.get():
            found.append(f"{name} emits")
        if isinstance(component, PulseGenerator) and component.running.get():
            found.append(f"{name} plays")
    return found


def free_latched(lab: LoadedStation, sources: Sequence[str]) -> list[str]:
    """Cycles the bias of every latched (blind) detector of these nodes; returns the names of those that count again.

    Raises:
        InstrumentError: one stays latched; names it and its bias.
    """
    freed = []
    for name in dict.fromkeys(c.detector for source in sources for c in lab.nodes[source].channels if c.detector):
        latched = lab.parameter(f"{name}.latched")
        if not latched.get():
            continue
        latched.instrument.reset()
        if latched.get():
            bias = lab.parameter(f"{name}.bias")
            raise InstrumentError(
                name, f"latched, and stays so at a bias of {bias.get():g} {bias.unit}: lower the bias"
            )
        freed.append(name)
    return freed


def check_interlocks(lab: LoadedStation) -> None:
    """Raises InterlockTripped when a value is out of the range the station file allows it, or cannot be read."""
    for rule in lab.file.interlocks:
        parameter = lab.parameter(rule.parameter)
        value = parameter.get()
        low = rule.minimum is not None and value < rule.minimum
        high = rule.maximum is not None and value > rule.maximum
        if low or high or value != value:
            limit = f"minimum {rule.minimum:g}" if low else f"maximum {rule.maximum:g}" if high else "a number"
            raise InterlockTripped(
                rule.parameter.partition(".")[0],
                f"interlock: {rule.parameter} = {value:g} {parameter.unit}, allowed {limit}; the lab was made safe",
            )


def _emission(component: Any) -> Any:
    return getattr(component, "parameters", {}).get("emission")
