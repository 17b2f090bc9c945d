"""How fast the simulated lab is: click streams, heralding attempts, herald-only weeks, and exactness of sparse sampling.

Run ``python benchmarks/twin.py [python with SeQUeNCe]``. Rates are per second of wall time and per second of processor time of this process (the
latter is what an otherwise idle core gives); each line also says which demand it stands against.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import pi
from pathlib import Path

import numpy as np

from erbia.analysis.records import PS_PER_S, Int64Array
from erbia.instruments.interfaces import HeraldCondition, Pulse, PulseTable, Segment
from erbia.instruments.mock import load_world
from erbia.instruments.mock.pulser import as_program
from erbia.instruments.twin import World
from erbia.instruments.twin.bench import Emitter, PulsedPairs, Thermal
from erbia.instruments.twin.clocks import Clock
from erbia.instruments.twin.config import ClockConfig, DetectorConfig, LightSourceConfig, TaggerConfig
from erbia.instruments.twin.detector import Pixel
from erbia.instruments.twin.streams import Arrivals, key, stream
from erbia.instruments.twin.tagger import Input

US = 1_000_000


def timed(work: Callable[[], int]) -> tuple[int, float, float]:
    """(items, wall seconds, processor seconds)."""
    wall, cpu = time.perf_counter(), time.process_time()
    items = work()
    return items, time.perf_counter() - wall, time.process_time() - cpu


def report(name: str, items: int, wall_s: float, cpu_s: float, demand: float) -> None:
    print(f"{name:<58} {items / wall_s:10.3g} /s wall {items / cpu_s:10.3g} /s cpu   demanded {demand:.3g}")


def click_stream(seed: int, rate_hz: float, duration_s: float) -> Iterator[Int64Array]:
    """Tags of one channel with everything on: Poisson light, recovery, EMG jitter, dead time, clock, digitisation."""
    light = Arrivals(key(seed, "light"), 0, rate_hz)
    pixel = Pixel(DetectorConfig(), seed, "ch1")
    tagger = Input(TaggerConfig(), Clock(ClockConfig(skew=1e-7, white_frequency=1e-12), stream(seed, "clock")), seed, 1)
    step_ps = 20 * 10**9
    for stop_ps in range(step_ps, round(duration_s * PS_PER_S) + 1, step_ps):
        yield tagger.digitise(pixel.click(light.take_until(stop_ps), stop_ps), stop_ps - 10**6)


def tags_of(seed: int) -> int:
    """How many tags a second of 10 Mcps of light makes."""
    return sum(len(tags) for tags in click_stream(seed, 1e7, 1.0))


def click_streams() -> None:
    """One channel in one thread, two channels in two; and whether the threads change a single tag."""
    tags_of(0)
    report("click stream, 10 Mcps of light, one thread", *timed(lambda: tags_of(1)), 2e7)
    seeds = (1, 2)
    with ThreadPoolExecutor(2) as pool:
        report("click stream, two channels in two threads", *timed(lambda: sum(pool.map(tags_of, seeds))), 3.5e7)
        together = list(pool.map(lambda seed: np.concatenate(list(click_stream(seed, 1e7, 0.2))), seeds))
    alone = [np.concatenate(list(click_stream(seed, 1e7, 0.2))) for seed in seeds]
    same = all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))
    print(f"two threads give the same {sum(map(len, alone))} tags as one, bit for bit: {'yes' if same else 'NO'}")


def light_sources() -> None:
    """Photons a second of processor time of the correlation sources."""
    config = LightSourceConfig()
    sources = {
        "thermal light, 10 Mcps": Thermal(key(1, "thermal"), 0, 1e7, config.coherence_time_s),
        "thermal light, 50 Mcps": Thermal(key(1, "thermal"), 0, 5e7, config.coherence_time_s),
        "one emitter, 50 Mcps": Emitter(key(1, "emitter"), 0, 5e7, config.emitter_lifetime_s),
        "pulsed pairs, 8 M a second": PulsedPairs(key(1, "pairs"), 0, 8e6, config),
    }
    for name, source in sources.items():
        source.take_until(10**9)
        begun, photons = time.process_time(), len(source.take_until(2 * 10**11))
        print(f"{name:<58} {photons / (time.process_time() - begun):10.3g} /s cpu")


def heralding_world(collection: float, seed: int = 1) -> World:
    """The default lab at its working point with another photon collection."""
    dim = {node: {"memory": {"collection": collection}} for node in ("alice", "bob")}
    world = load_world({"seed": seed, "overrides": dim})
    for component, parameter, value in (
        ("laser", "power", 1e-3),
        ("laser", "emission", 1.0),
        ("alice_memory", "electrode_voltage", 1.0),
        ("bob_memory", "electrode_voltage", 2.0),
        *((f"snspd.ch{n}", "bias", 18e-6) for n in (1, 2, 3, 4)),
    ):
        world.set(component, parameter, value)
    world.load(as_program(barrett_kok_table()))
    return world


def barrett_kok_table() -> PulseTable:
    """Time-bin heralding without local read-out."""

    def turn(start_ps: int, duration_ps: int) -> list[Pulse]:
        return [Pulse(f"{node}_mw", start_ps, duration_ps, 1.0, pi / 2) for node in ("alice", "bob")]

    attempt = [Pulse("initialise", 0, 5 * US), *turn(6 * US, 50_000), Pulse("excitation", 6_100_000, 50_000)]
    attempt += [*turn(11_975_000, 100_000), Pulse("excitation", 12_100_000, 50_000)]
    attempt += [Pulse("gate", 15_800_000, 4_200_000), Pulse("gate", 21_800_000, 4_200_000)]
    rule = HeraldCondition(("ch1", "ch2"), (15_900_000, 19_900_000), (21_900_000, 25_900_000), 100_000)
    return PulseTable(Segment(US), Segment(40 * US, tuple(attempt)), 10_000, rule, Segment(US))


def attempts(world: World, duration_s: float) -> int:
    """Heralding with every click recorded at the midpoint; returns attempts played."""
    world.start_playing()
    world.start_tagger("tagger")
    world.advance(round(duration_s * PS_PER_S))
    tags = world.read_tagger("tagger", 1).tags
    assert len(tags) > 0
    return round(duration_s / 40e-6)


def herald_week(world: World) -> int:
    """A week of heralds alone, times and outcomes."""
    return len(world.sample_heralds(7 * 86_400 * PS_PER_S)[0])


def sparse_against_enumeration() -> None:
    """Counts of every pattern over 1e9 attempts, in standard deviations."""
    world = heralding_world(0.0068)
    model = world.current_model()
    assert model is not None
    counts, played = world.count_patterns(10**9)
    expected = model.probability[1:] * played
    seen = expected > 5
    pulls = (counts[1:][seen] - expected[seen]) / np.sqrt(expected[seen])
    print(
        f"patterns over {played:.3g} attempts: largest of {seen.sum()} pulls {np.abs(pulls).max():.2f} (demanded < 3 sigma)"
    )
    print(f"sum of pattern probabilities - 1 = {model.probability.sum() - 1:.1e} (demanded 1e-12)")


def dense_draws(rounds: int = 2_000_000) -> None:
    """Every attempt drawn by itself from the enumeration, against the sparse draws (photon by photon: test_midpoint.py)."""
    model = heralding_world(0.0068).current_model()
    assert model is not None
    rng = np.random.default_rng(7)
    drawn = np.searchsorted(np.cumsum(model.probability), rng.random(rounds), side="right")
    counts = np.bincount(drawn, minlength=len(model.probability))[: len(model.probability)]
    sparse, played = heralding_world(0.0068).count_patterns(rounds)
    both = (counts + sparse * rounds / played) / 2
    seen = (both > 5) & (np.arange(len(both)) > 0)
    pulls = (counts - sparse * rounds / played)[seen] / np.sqrt(2 * both[seen])
    print(
        f"dense against sparse draws of {rounds:.2g} attempts: largest of {seen.sum()} pulls {np.abs(pulls).max():.2f}"
    )


def compare(python: str) -> tuple[int, float]:
    """Attempts and processor seconds of SeQUeNCe, run by a Python that has it."""
    script = Path(__file__).parent / "sequence_peer.py"
    told = subprocess.run([python, str(script)], capture_output=True, text=True, check=True).stdout.split()
    return int(told[-2]), float(told[-1])


def main(peer: str | None = None) -> None:
    click_streams()
    light_sources()
    world = heralding_world(0.0068)
    attempts(world, 100.0)
    name = f"attempts at p_herald = {world.truth()['herald_probability']:.2g}, every click"
    played, wall_s, cpu_s = timed(lambda: attempts(world, 4000.0))
    report(name, played, wall_s, cpu_s, 5e8)
    mine = played / cpu_s
    slow = heralding_world(0.0135)
    rate = slow.truth()["herald_rate_hz"]
    n, wall_s, cpu_s = timed(lambda: herald_week(slow))
    print(
        f"{f'week of a {rate:.2f} Hz link, heralds only':<58} {wall_s:10.3g} s wall {cpu_s:10.3g} s cpu, {n} heralds   demanded 1 s"
    )
    sparse_against_enumeration()
    dense_draws()
    print(
        f"largest memory so far: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB (demanded < 500 MB)"
    )
    if peer is not None:
        done, cpu_s = compare(peer)
        print(f"{'SeQUeNCe 0.8.5, two routers, Barrett-Kok attempts':<58} {done / cpu_s:10.3g} /s cpu")
        print(f"ratio of attempts per second of processor: {mine / (done / cpu_s):.2g} (demanded 1e5)")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
