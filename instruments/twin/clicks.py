"""Where the midpoint's clicks come from and when: photons of each emission, dark counts, probe pulses."""

from __future__ import annotations

from functools import partial
from math import hypot

import numpy as np

from ...analysis.records import FloatArray
from . import devices
from .conditions import MIDPOINT, Conditions
from .config import DetectorConfig
from .midpoint import Emission
from .program import Program, Pulse
from .spin import ComplexArray
from .waveforms import Cdf, TimeTable, emg_cdf, photon_cdf, probability_in, time_table
from .windows import Intervals, length_ps

Origin = tuple[float, Cdf]  # mean clicks, and their distribution in time


def emission(now: Conditions, pulse: Pulse, slots: list[Intervals]) -> Emission:
    """How the photons of one excitation pulse reach the splitter."""
    arrive = []
    for node in (0, 1):
        source = now.node(node)
        path = source.memory.collection * now.arm_transmission(node)
        cdf = _photon(now, node, pulse, MIDPOINT[0])
        arrive.append(path * np.array([probability_in(cdf, s) for s in slots]))
    late_ps = now.light_delay_ps(0) - now.light_delay_ps(1)
    wander_hz = hypot(now.diffusion_hz(0), now.diffusion_hz(1))
    overlap = devices.overlap(now.node(0).memory, now.node(1).memory, now.photons_apart_hz(), late_ps, wander_hz)
    return Emission(arrive[0], arrive[1], overlap, pulse.centre_ps)


def stray(now: Conditions, program: Program, slots: list[Intervals]) -> FloatArray:
    """Chance of a click that is no photon of the nodes, by pattern bit: float64 (2S,)."""
    means = [sum(mean for mean, _ in _stray(now, program, slot, channel)) for slot in slots for channel in MIDPOINT]
    chance: FloatArray = -np.expm1(-np.array(means, float))
    return chance


def click_times(
    now: Conditions, program: Program, slots: list[Intervals], emissions: list[Emission], nodes: list[ComplexArray]
) -> tuple[TimeTable | None, ...]:
    """For each pattern bit when its clicks come (None: never), origins mixed as they are in unconditional clicks."""
    return tuple(
        _table(
            _stray(now, program, slot, channel) + _photons(now, program, s, d, emissions, nodes),
            slot,
            _sharp_grid(now, program, channel),
        )
        for s, slot in enumerate(slots)
        for d, channel in enumerate(MIDPOINT)
    )


def light_times(
    now: Conditions, program: Program, slots: list[Intervals], emissions: list[Emission], nodes: list[ComplexArray]
) -> tuple[TimeTable | None, ...]:
    """For each pattern bit when the photons behind its clicks arrive, the detector's jitter not included."""
    return tuple(
        _table(
            [
                (mean, _arrival(now, node, pulse))
                for mean, node, pulse in _photon_means(now, program, s, d, emissions, nodes)
            ],
            slot,
            np.empty(0),
        )
        for s, slot in enumerate(slots)
        for d in range(len(MIDPOINT))
    )


def stray_times(now: Conditions, program: Program, slots: list[Intervals]) -> tuple[TimeTable | None, ...]:
    """For each pattern bit when clicks come that are no photon of the nodes."""
    return tuple(
        _table(_stray(now, program, slot, channel), slot, _sharp_grid(now, program, channel))
        for slot in slots
        for channel in MIDPOINT
    )


def _stray(now: Conditions, program: Program, slot: Intervals, channel: str) -> list[Origin]:
    """Darks (uniform), probe and reference pulses at one detector in one slot."""
    pixel = now.pixel(channel)
    found: list[Origin] = [(now.dark_rate_hz(channel) * length_ps(slot) * 1e-12, lambda t_ps: t_ps * 1e-12)]
    midpoint, fringe = now.config.midpoint, now.fringe()[MIDPOINT.index(channel)]
    brightness = {"probe": midpoint.probe_mean_photons, "reference": midpoint.reference_mean_photons * fringe}
    for pulse in program.attempt.on(*brightness):
        cdf = partial(_delayed_emg, start_ps=pulse.start_ps, pixel=pixel)
        photons = brightness[pulse.channel] * pulse.amplitude * now.efficiency(channel)
        found.append((photons * probability_in(cdf, slot), cdf))
    return found


def _photons(
    now: Conditions, program: Program, slot: int, detector: int, emissions: list[Emission], nodes: list[ComplexArray]
) -> list[Origin]:
    means = _photon_means(now, program, slot, detector, emissions, nodes)
    return [(mean, _photon(now, node, pulse, MIDPOINT[detector])) for mean, node, pulse in means]


def _photon_means(
    now: Conditions, program: Program, slot: int, detector: int, emissions: list[Emission], nodes: list[ComplexArray]
) -> list[tuple[float, int, Pulse]]:
    """Mean clicks at one detector in one slot by node and pulse."""
    transmission = now.config.midpoint.splitter_transmission
    found = []
    for k, (pulse, light) in enumerate(zip(program.attempt.on("excitation"), emissions, strict=True)):
        for node, arrive in enumerate((light.arrive_a, light.arrive_b)):
            split = transmission if node == detector else 1 - transmission
            mean = _photon_number(nodes[node], k) * arrive[slot] * split * now.efficiency(MIDPOINT[detector])
            found.append((float(mean), node, pulse))
    return found


def _photon(now: Conditions, node: int, pulse: Pulse, channel: str) -> Cdf:
    """When a photon of this pulse from this node makes ``channel`` click, ps after the attempt began."""
    pixel = now.pixel(channel)
    start_ps = pulse.centre_ps + now.light_delay_ps(node)
    lifetime_ps = now.node(node).memory.lifetime_s * 1e12
    return lambda t_ps: photon_cdf(t_ps - start_ps, lifetime_ps, pixel.jitter_sigma_ps, pixel.jitter_tau_ps)


def _arrival(now: Conditions, node: int, pulse: Pulse) -> Cdf:
    """When a photon of this pulse from this node meets the splitter, ps after the attempt began."""
    start_ps = pulse.centre_ps + now.light_delay_ps(node)
    lifetime_ps = now.node(node).memory.lifetime_s * 1e12
    return lambda t_ps: photon_cdf(t_ps - start_ps, lifetime_ps, 0.0, 0.0)


def _delayed_emg(t_ps: FloatArray, start_ps: int, pixel: DetectorConfig) -> FloatArray:
    return emg_cdf(t_ps - start_ps, pixel.jitter_sigma_ps, pixel.jitter_tau_ps)


def _photon_number(node: ComplexArray, k: int) -> float:
    occupied = np.array([n >> k & 1 for n in range(node.shape[1])])
    return float(np.einsum("snsn,n->", node, occupied).real)


def _table(origins: list[Origin], slot: Intervals, sharp_ps: FloatArray) -> TimeTable | None:
    inside = [(mean, probability_in(cdf, slot), cdf) for mean, cdf in origins if mean > 0]
    shares = [(mean / chance, cdf) for mean, chance, cdf in inside if chance > 0]
    if not shares:
        return None
    return time_table(lambda t_ps: np.asarray(sum(share * cdf(t_ps) for share, cdf in shares)), slot, sharp_ps)


def _sharp_grid(now: Conditions, program: Program, channel: str) -> FloatArray:
    """Fine points around every step of the distributions: ten sigma before to ten sigma and twenty tau after."""
    pixel = now.pixel(channel)
    steps = [p.start_ps for p in program.attempt.on("probe", "reference")]
    steps += [p.centre_ps + now.light_delay_ps(node) for p in program.attempt.on("excitation") for node in (0, 1)]
    if not steps:
        return np.empty(0)
    reach = 10 * pixel.jitter_sigma_ps
    near = np.concatenate([np.linspace(-reach, reach, 401), reach + np.linspace(0, 20 * pixel.jitter_tau_ps, 201)])
    return np.unique(np.concatenate([step + near for step in steps]))
