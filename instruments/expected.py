"""The ``expected:`` section of a station file: what the lab's own measurements and data sheets say about its hardware.

The budget before a run is made of these numbers. Analysis never uses them, and the twin does not know them.
"""

from __future__ import annotations

from math import inf
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from ..analysis.quantity import parse_quantity
from .config_file import Part


def _number(unit: str) -> BeforeValidator:
    return BeforeValidator(lambda value: parse_quantity(value, unit))


Seconds = Annotated[float, _number("s"), Field(gt=0)]
Watts = Annotated[float, _number("W"), Field(gt=0)]
Hertz = Annotated[float, _number("Hz"), Field(ge=0)]
BytesPerSecond = Annotated[float, _number("B/s"), Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class ExpectedLaser(Part):
    """A square pulse of full amplitude, this long at this power, is a π pulse on the memories."""

    pi_power_w: Watts
    pi_duration_s: Seconds


class ExpectedNode(Part):
    """What a node emits, how much of it gets to the midpoint, and how long it remembers; nothing of it for a node without a memory.

    Attributes:
        emits: ``photon``: the bright state gives one photon a π pulse; ``pairs``: a source that gives a pair with
            ``pair_probability`` a full-amplitude pulse at the laser's π power.
        collection: from a photon emitted to a photon in the fibre.
        loss_db: of the fibre to the midpoint, connectors included.
        lifetime_s: 1/e length of the photon.
        spin_pi_s: length of a full-amplitude square π pulse on the spin; None: every pulse turns by π times its amplitude.
        coherence_s, coherence_exponent: of the memory with its flips: exp[-(t/T)^n].
        readout_bright_hz, readout_dark_hz: click rates under read-out light.
        pairs_hz_per_w: clicks of the local detector a watt of pair-source pump.
    """

    emits: Literal["photon", "pairs"] = "photon"
    pair_probability: Fraction = 0.0
    collection: Fraction = 0.0
    loss_db: Annotated[float, Field(ge=0)] = 0.0
    lifetime_s: Seconds = inf
    spin_pi_s: Seconds | None = None
    coherence_s: Seconds = inf
    coherence_exponent: Annotated[float, Field(gt=0)] = 1.0
    readout_bright_hz: Hertz = 0.0
    readout_dark_hz: Hertz = 0.0
    pairs_hz_per_w: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _complete(self) -> Self:
        lacking = {"loss_db", "lifetime_s", "coherence_s"} - self.model_fields_set
        if self.collection > 0 and lacking:
            raise ValueError(f"a node whose photons are collected also needs {', '.join(sorted(lacking))}")
        return self


class ExpectedLight(Part):
    """Steady light of an instrument with ``emission`` and ``rate``: share of its photons that reaches each detector."""

    share: dict[str, Fraction]


class ExpectedMidpoint(Part):
    """Transmission from fibre end to detector, overlap |<a|b>|² of the two nodes' photons, optical phase noise (rms)."""

    transmission: Fraction
    visibility: Fraction
    phase_sigma_rad: Annotated[float, Field(ge=0)] | None = None


class ExpectedDetector(Part):
    """At the working bias. ``gate`` is the output that opens it; without one it looks all the time.

    ``max_photons_hz`` is the brightest light it takes while it looks, before it latches or is harmed.
    """

    efficiency: Fraction
    dark_rate_hz: Hertz
    gate: str = ""
    max_photons_hz: Hertz


class ExpectedOutput(Part):
    """What a pulse on an output does at full amplitude, and what the output stands.

    Attributes:
        photons_hz: photons a second that reach a detector (``snspd.ch1``) while the output is on, filters included.
        delay_s: how long that light is under way.
        heat_w: heat left at the cold stage while on; it goes with the square of the amplitude.
        max_duty: longest share of the time on.
        min_pulse_s: shortest pulse.
    """

    photons_hz: dict[str, Hertz] = Field(default_factory=dict)
    delay_s: Annotated[float, _number("s"), Field(ge=0)] = 0.0
    heat_w: Annotated[float, _number("W"), Field(ge=0)] = 0.0
    max_duty: Fraction = 1.0
    min_pulse_s: Annotated[float, _number("s"), Field(ge=0)] = 0.0


class ExpectedTagger(Part):
    """Rate of tags that gets to the computer for good."""

    max_rate_hz: Hertz


class ExpectedSection(Part):
    """Everything that is known; what is missing shows in the budget as not known."""

    laser: ExpectedLaser | None = None
    nodes: dict[str, ExpectedNode] = Field(default_factory=dict)
    midpoint: ExpectedMidpoint | None = None
    detectors: dict[str, ExpectedDetector] = Field(default_factory=dict)
    outputs: dict[str, ExpectedOutput] = Field(default_factory=dict)
    lights: dict[str, ExpectedLight] = Field(default_factory=dict)
    taggers: dict[str, ExpectedTagger] = Field(default_factory=dict)
    cooling_power_w: Watts | None = None
    disk_bytes_per_s: BytesPerSecond | None = None
