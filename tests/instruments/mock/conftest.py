"""A mock lab set to its working point, and the pulse tables of the usual experiments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import pi
from typing import Any

import numpy as np
import pytest

from erbia.analysis.records import PS_PER_S, TimeTags
from erbia.instruments.interfaces import HeraldCondition, Pulse, PulseTable, Segment
from erbia.instruments.mock import (
    MockDelayLine,
    MockErbiumMemory,
    MockFrequencyShifter,
    MockLaser,
    MockLightSource,
    MockPairSource,
    MockPhaseShifter,
    MockPolarizationController,
    MockPulseGenerator,
    MockSnspd,
    MockTemperatureController,
    MockTimeTagger,
    load_world,
)

US = 1_000_000
TAGGERS = ("tagger", "alice_tagger", "bob_tagger")
EARLY, LATE = (15_900_000, 19_900_000), (21_900_000, 25_900_000)
LATENCY = 100_000


def turn(
    start_ps: int, duration_ps: int, phase_rad: float = 0.0, nodes: tuple[str, ...] = ("alice", "bob")
) -> list[Pulse]:
    """Microwave pulse on the given nodes; 50 ns is a quarter turn, 100 ns a half."""
    return [Pulse(f"{node}_mw", start_ps, duration_ps, 1.0, phase_rad) for node in nodes]


def herald_table(
    basis: str = "Z",
    pi_pulse: bool = True,
    gate_shift_ps: int = 0,
    attempt_ps: int = 60 * US,
    attempts_per_burst: int = 100,
    bursts: int = 0,
    initialise: bool = True,
    refocus: bool = True,
) -> PulseTable:
    """Barrett-Kok time-bin heralding over 2 x 2 km with read-out in X, Y or Z at the spin echo."""
    attempt = [Pulse("initialise", 0, 5 * US)] if initialise else []
    attempt += [*turn(6_000_000, 50_000), Pulse("excitation", 6_100_000, 50_000)]
    attempt += turn(11_975_000, 100_000) if pi_pulse else []
    attempt += [Pulse("excitation", 12_100_000, 50_000)]
    attempt += [
        Pulse("gate", 15_800_000 + gate_shift_ps, 4_200_000),
        Pulse("gate", 21_800_000 + gate_shift_ps, 4_200_000),
    ]
    attempt += turn(23_975_000, 100_000) if refocus else []
    after = turn(182_000, 100_000) if refocus else []
    after += {"Z": [], "X": turn(6_207_000, 50_000, -pi / 2), "Y": turn(6_207_000, 50_000)}[basis]
    after += [Pulse("alice_readout", 6_400_000, 150 * US), Pulse("bob_readout", 6_400_000, 150 * US)]
    return PulseTable(
        Segment(10 * US, (Pulse("sync", 0, US),)),
        Segment(attempt_ps, tuple(attempt)),
        attempts_per_burst,
        HeraldCondition(("ch1", "ch2"), EARLY, LATE, LATENCY),
        Segment(160 * US, tuple(after)),
        bursts,
    )


def echo_table(tau_ps: int, node: str = "alice") -> PulseTable:
    """Spin echo of one memory with total storage ``2·tau_ps``, read out in every attempt."""
    t0 = 6_025_000
    end = t0 + 2 * tau_ps
    pulses = [Pulse("initialise", 0, 5 * US), *turn(t0 - 25_000, 50_000, nodes=(node,))]
    pulses += turn(t0 + tau_ps - 50_000, 100_000, nodes=(node,)) + turn(end - 25_000, 50_000, nodes=(node,))
    pulses += [Pulse(f"{node}_readout", end + 100_000, 150 * US)]
    return PulseTable(Segment(US, (Pulse("sync", 0, US),)), Segment(end + 160 * US, tuple(pulses)), 1)


def probe_table() -> PulseTable:
    """Weak pulses 1 us after a sync marker, at 100 kHz."""
    pulses = (Pulse("sync", 0, 100_000), Pulse("gate", 500_000, US), Pulse("probe", US, 1000))
    return PulseTable(Segment(0), Segment(10 * US, pulses), 100)


@dataclass(frozen=True)
class Lab:
    """The mock instruments of one world."""

    world: Any
    laser: MockLaser
    memories: dict[str, MockErbiumMemory]
    snspd: MockSnspd
    taggers: dict[str, MockTimeTagger]
    pulser: MockPulseGenerator
    cryostat: MockTemperatureController
    pair_source: MockPairSource
    light: MockLightSource
    phase_shifter: MockPhaseShifter
    paddles: dict[str, MockPolarizationController]
    delays: dict[str, MockDelayLine]
    shifters: dict[str, MockFrequencyShifter]

    def record(self, duration_s: float, table: PulseTable | None = None) -> dict[str, TimeTags]:
        """Plays ``table`` (if any) and reads all taggers for ``duration_s`` of lab time."""
        for tagger in self.taggers.values():
            tagger.start()
        if table is not None:
            self.pulser.load(table)
            self.pulser.arm()
            self.pulser.start()
        stop_ps = self.world.now_ps + round(duration_s * PS_PER_S)
        parts: dict[str, list[TimeTags]] = {name: [] for name in self.taggers}
        while self.world.now_ps < stop_ps:
            self.world.advance(min(stop_ps - self.world.now_ps, PS_PER_S))
            for name, tagger in self.taggers.items():
                parts[name].append(tagger.read(1.0).tags)
        self.pulser.stop()
        for tagger in self.taggers.values():
            tagger.stop()
        return {name: TimeTags.concatenate(p) for name, p in parts.items()}


def switch_on(lab: Lab) -> Lab:
    """Sets every knob to its working point, laser on."""
    lab.laser.power(1e-3)
    lab.laser.emission(True)
    lab.memories["alice"].electrode_voltage(1.0)
    lab.memories["bob"].electrode_voltage(2.0)
    for pixel in lab.snspd.channels:
        pixel.bias(18e-6)
    return lab


@pytest.fixture
def make_lab() -> Iterator[Callable[..., Lab]]:
    """Builds labs (``overrides``, ``seed``, ``pace``), switched on; closes their instruments at the end."""
    made: list[Lab] = []

    def make(seed: int = 1, **twin: Any) -> Lab:
        world = load_world({"seed": seed, **twin})
        n = f"_{len(made)}"
        lab = Lab(
            world,
            MockLaser(f"laser{n}", world, "laser"),
            {node: MockErbiumMemory(f"{node}{n}", world, f"{node}_memory") for node in ("alice", "bob")},
            MockSnspd(f"snspd{n}", world, "snspd"),
            {name: MockTimeTagger(name + n, world, name) for name in TAGGERS},
            MockPulseGenerator(f"pulser{n}", world, "pulser"),
            MockTemperatureController(f"cryostat{n}", world, "cryostat"),
            MockPairSource(f"pair_source{n}", world, "pair_source"),
            MockLightSource(f"light_source{n}", world, "light_source"),
            MockPhaseShifter(f"phase_shifter{n}", world, "phase_shifter"),
            {
                node: MockPolarizationController(f"{node}_paddles{n}", world, f"{node}_polarization")
                for node in ("alice", "bob")
            },
            {node: MockDelayLine(f"{node}_delay{n}", world, f"{node}_delay") for node in ("alice", "bob")},
            {node: MockFrequencyShifter(f"{node}_shifter{n}", world, f"{node}_shifter") for node in ("alice", "bob")},
        )
        made.append(lab)
        return switch_on(lab)

    yield make
    for lab in made:
        for inst in (
            lab.laser,
            *lab.memories.values(),
            lab.snspd,
            *lab.taggers.values(),
            lab.pulser,
            lab.cryostat,
            lab.pair_source,
            lab.light,
            lab.phase_shifter,
            *lab.paddles.values(),
            *lab.delays.values(),
            *lab.shifters.values(),
        ):
            inst.close()


@dataclass(frozen=True)
class HeraldRecord:
    """What a plain reading of the tags says, one row a herald: pattern bits, psi sign, results (+1 bright) of both nodes."""

    pattern: np.ndarray
    sign: np.ndarray
    alice: np.ndarray
    bob: np.ndarray


def heralds(tags: dict[str, TimeTags]) -> HeraldRecord:
    """Reads heralds the pedestrian way; drops the last if its read-out is not complete."""
    count = min(len(tags[name].on(7)) for name in TAGGERS)
    decided = tags["tagger"].on(7)[:count]
    start = decided - LATE[1] - LATENCY
    pattern = np.zeros(count, int)
    for bit, (channel, (lo, hi)) in enumerate([(1, EARLY), (2, EARLY), (1, LATE), (2, LATE)]):
        pattern |= (clicks_between(tags["tagger"].on(channel), start + lo - 100, start + hi + 100) > 0).astype(
            int
        ) << bit
    same, different = np.isin(pattern, (5, 10)), np.isin(pattern, (6, 9))
    result = []
    for name in TAGGERS[1:]:
        arrived = tags[name].on(7)[:count]
        result.append(np.where(clicks_between(tags[name].on(1), arrived + 6 * US, arrived + 160 * US) > 0, 1, -1))
    return HeraldRecord(pattern, np.where(same, 1, np.where(different, -1, 0)), result[0], result[1])


def clicks_between(t_ps: np.ndarray, lo: np.ndarray, hi: np.ndarray) -> np.ndarray:
    """How many of the sorted times lie in each stretch."""
    return np.searchsorted(t_ps, hi) - np.searchsorted(t_ps, lo)


@pytest.fixture
def tables() -> dict[str, Callable[..., PulseTable]]:
    return {"herald": herald_table, "echo": echo_table, "probe": probe_table}


@pytest.fixture
def read_heralds() -> Callable[[dict[str, TimeTags]], HeraldRecord]:
    return heralds
