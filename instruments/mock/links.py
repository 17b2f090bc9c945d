"""Published links: a preset with what it takes to play one attempt, and what the paper found.

A polarisation qubit is played as two time bins: modes, operators and probabilities are the same, half of eta² included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from math import acos, ceil, pi, sqrt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..interfaces import HeraldCondition, Pulse, PulseTable, Segment
from ..twin import World
from ..twin.conditions import Conditions
from .presets import load_preset, preset_notes
from .pulser import as_program

_SAMPLE_PS = 1000
_US = 1_000_000


class LinkTable(BaseModel):
    """One attempt: pump, rotate to the bright population, excite; once more after a half turn with two photons.

    After ``attempts_per_burst`` attempts, or a herald, comes a pause for cooling or checks of ``pause_s``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scheme: Literal["single_photon", "two_photon"]
    window_s: float = Field(gt=0)
    attempt_s: float = Field(gt=0)
    attempts_per_burst: int = Field(1000, gt=0)
    pause_s: float = Field(0.0, ge=0)
    pump_s: float = Field(1e-6, gt=0)
    bright_population: float = Field(0.5, gt=0, lt=1)
    bin_spacing_s: float = Field(0.0, ge=0)
    readout_s: float = Field(0.0, ge=0)


@dataclass(frozen=True, slots=True)
class Figure:
    """A published figure with its error upwards and downwards."""

    value: float
    above: float
    below: float

    def errors_off(self, simulated: float) -> float:
        """How many published errors ``simulated`` lies above (positive) or below the figure."""
        return (simulated - self.value) / (self.above if simulated > self.value else self.below)


@dataclass(frozen=True, slots=True)
class PublishedLink:
    """A world at its working point with the link's attempt loaded, and the paper's figures by name of the truth."""

    world: World
    published: Mapping[str, Figure]


def link_names() -> tuple[str, ...]:
    """The links that are shipped."""
    folder = files(__package__.split(".")[0] + ".configs") / "presets" / "links"
    return tuple(sorted(p.name.removesuffix(".yaml") for p in folder.iterdir()))


def load_link(name: str, seed: int = 0, overrides: Mapping[str, Any] | None = None) -> PublishedLink:
    """A link of ``configs/presets/links``, switched on, with some of its laboratory's values replaced.

    Raises ConfigError when there is no link of that name, or for an unknown value.
    """
    config, notes = load_preset(f"links/{name}", overrides), preset_notes(f"links/{name}")
    world = World(config, seed)
    world.set("laser", "power", config.laser.pi_power_w)
    world.set("laser", "emission", 1.0)
    for channel in config.detectors:
        world.set(f"snspd.{channel}", "bias", 18e-6)
    world.load(as_program(link_table(LinkTable.model_validate(notes["link"]), world.conditions)))
    published = {key: Figure(value, errors[0], errors[-1]) for key, (value, *errors) in notes["published"].items()}
    return PublishedLink(world, published)


def link_table(link: LinkTable, now: Conditions) -> PulseTable:
    """The attempt as a pulse table; windows open when the first photons can arrive."""
    half_ps = _grid(0.5 / now.config.alice.memory.rabi_hz)
    excite_ps = _grid(now.config.laser.pi_duration_s)
    tilt_ps = _grid(2 * acos(sqrt(link.bright_population)) / pi * half_ps * 1e-12)
    exact = 2 * acos(sqrt(link.bright_population)) / pi * half_ps / tilt_ps
    pump_ps = _grid(link.pump_s)
    first_ps = 2 * pump_ps + half_ps
    pumped_ps = 2 * pump_ps - tilt_ps
    attempt = [Pulse("initialise", 0, pump_ps), *_turn(pumped_ps + half_ps - _SAMPLE_PS, tilt_ps, exact)]
    attempt.append(Pulse("excitation", first_ps, excite_ps))
    starts = [first_ps]
    if link.scheme == "two_photon":
        starts.append(first_ps + _grid(link.bin_spacing_s))
        attempt += [*_turn((starts[0] + starts[1]) // 2 // 1000 * 1000 - half_ps // 2, half_ps, 1.0)]
        attempt.append(Pulse("excitation", starts[1], excite_ps))
    arrive_ps = now.fibre_delay_ps(0) + excite_ps // 2
    windows = [(s + arrive_ps, s + arrive_ps + round(link.window_s * 1e12)) for s in starts]
    attempt.append(Pulse("gate", windows[0][0] // 1000 * 1000, _grid((windows[-1][1] - windows[0][0]) * 1e-12) + 1000))
    rule = HeraldCondition(("ch1", "ch2"), windows[0], windows[1] if len(windows) > 1 else (0, 0))
    readout = _grid(link.readout_s)
    after = [Pulse(f"{node}_readout", 0, readout) for node in ("alice", "bob")] if readout else []
    return PulseTable(
        Segment(_grid(link.pause_s)),
        Segment(_grid(link.attempt_s), tuple(attempt)),
        link.attempts_per_burst,
        rule,
        Segment(readout + _US, tuple(after)),
    )


def _turn(start_ps: int, duration_ps: int, amplitude: float) -> list[Pulse]:
    return [Pulse(f"{node}_mw", start_ps, duration_ps, amplitude) for node in ("alice", "bob")]


def _grid(duration_s: float) -> int:
    """The next multiple of a nanosecond."""
    return max(ceil(duration_s * 1e12 / _SAMPLE_PS - 1e-6), 0) * _SAMPLE_PS
