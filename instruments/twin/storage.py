"""What an ensemble memory does with light during a program: which comb there is, and which echoes come when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos

from . import devices
from .conditions import LOCAL, NODES, Conditions
from .config import EnsembleConfig
from .ensemble import (
    ECHOES,
    Comb,
    bandwidth_factor,
    burnt_comb,
    decoherence_factor,
    gaussian_comb,
    spin_factor,
    stark_factor,
    transfer,
)
from .program import Program, Pulse


@dataclass(frozen=True, slots=True)
class Echo:
    """Light that leaves the memory ``at_ps`` after the attempt began, with this chance per photon that went in."""

    at_ps: int
    efficiency: float


@dataclass(frozen=True, slots=True)
class Glow:
    """Mean clicks an attempt at a node's own detector, uniform between two times."""

    node: int
    mean: float
    start_ps: int
    stop_ps: int


def comb(now: Conditions, program: Program, node: int) -> Comb | None:
    """The comb the program prepares: burnt by its pulses, else the configured one if it pumps, else none."""
    memory = now.node(node).ensemble
    if memory is None or not now.lit:
        return None
    burn = f"{NODES[node]}_burn"
    pulses = [*program.header.on(burn), *program.attempt.on(burn)]
    if pulses:
        pairs = [
            (memory.burn_strength * a.area * b.area, (b.centre_ps - a.centre_ps) * 1e-12)
            for a, b in pairwise(pulses)
            if pulses.index(a) % 2 == 0
        ]
        cycle_s = program.burst_ps * 1e-12
        return burnt_comb(memory, pairs, cycle_s, cycle_s / 2)
    return gaussian_comb(memory) if program.attempt.on("initialise") else None


def echoes(now: Conditions, program: Program, node: int, stored: Pulse, detuning_hz: float) -> list[Echo]:
    """Leak and echoes of a pulse of the attempt, ``detuning_hz`` from the comb's middle; without a comb only darkness.

    Between two control pulses the excitation is a spin wave, which delays the first echo by their distance.
    """
    memory, prepared = now.node(node).ensemble, comb(now, program, node)
    if memory is None or prepared is None:
        return []
    light = prepared.efficiencies() * bandwidth_factor(memory, stored.duration_ps * 1e-12, detuning_hz)
    stored_ps = stored.centre_ps
    found = [Echo(stored_ps, float(light[0]))]
    phonons = _phonons_hz(now, node)
    for m in range(1, ECHOES + 1):
        storage_s = m * prepared.period_s
        at_ps = stored_ps + round(storage_s * 1e12)
        gated = stark_factor(memory, _volt_seconds(now, program, node, stored_ps, at_ps))
        kept = float(light[m]) * decoherence_factor(memory, phonons, storage_s) * gated
        waited_ps, carried, left = _spin_wave(now, program, node, stored_ps, at_ps)
        found.append(Echo(at_ps, kept * left))
        if waited_ps:
            found.append(Echo(at_ps + waited_ps, kept * carried))
    return found


def seen_comb(now: Conditions, program: Program, node: int) -> Comb | None:
    """The comb as slow light sees it: blurred by the ions' linewidth and by the static electrode voltage."""
    memory, prepared = now.node(node).ensemble, comb(now, program, node)
    if memory is None or prepared is None:
        return None
    split_hz = memory.stark_split_hz_per_v * now.settings[f"{NODES[node]}_memory", "electrode_voltage"]
    return prepared.blurred(1 / memory.optical_t2_s + _phonons_hz(now, node), split_hz)


def passing(now: Conditions, program: Program, node: int, pulse: Pulse) -> list[Echo]:
    """What becomes of an input pulse: leak and echoes, or, if it outlasts the comb's period, its share that passes.

    Without a comb all of it passes.
    """
    memory, absorber, duration_s = now.node(node).ensemble, seen_comb(now, program, node), pulse.duration_ps * 1e-12
    if memory is None or absorber is None:
        return [Echo(pulse.centre_ps, 1.0)]
    shift_hz = now.shift_hz(node)
    if duration_s < absorber.period_s:
        return echoes(now, program, node, pulse, shift_hz)
    inside = bandwidth_factor(memory, duration_s, shift_hz)
    return [Echo(pulse.centre_ps, inside * absorber.transmission(shift_hz, duration_s))]


def retrieval(now: Conditions, program: Program, node: int, stored: Pulse) -> Echo:
    """The strongest echo of light stored by a pump pulse (efficiency 0 without a comb)."""
    later = echoes(now, program, node, stored, 0.0)[1:]
    return max(later, key=lambda echo: echo.efficiency, default=Echo(stored.centre_ps, 0.0))


def glows(now: Conditions, program: Program) -> tuple[Glow, ...]:
    """What weak pulses into the ensemble memories make the nodes' own detectors see in every attempt."""
    found = []
    for node, name in enumerate(NODES):
        memory = now.node(node).ensemble
        if memory is None:
            continue
        seen = memory.retrieval * now.efficiency(LOCAL[node])
        for pulse in program.attempt.on(f"{name}_input"):
            mean, half_ps = memory.input_mean_photons * pulse.area * seen, pulse.duration_ps // 2
            out = passing(now, program, node, pulse)
            found += [Glow(node, mean * e.efficiency, e.at_ps - half_ps, e.at_ps + half_ps) for e in out]
        found += _fluorescence(memory, program.attempt.on(f"{name}_control"), node, seen)
    return tuple(glow for glow in found if glow.mean > 1e-9)


def _fluorescence(memory: EnsembleConfig, controls: Sequence[Pulse], node: int, seen: float) -> list[Glow]:
    """Noise of control pulses, spread over a comb period after each."""
    period_ps = round(1e12 / memory.comb_spacing_hz)
    return [Glow(node, memory.control_noise * p.area * seen, p.stop_ps, p.stop_ps + period_ps) for p in controls]


def _phonons_hz(now: Conditions, node: int) -> float:
    return devices.phonon_rate_hz(now.node(node).memory, now.settings["cryostat", "temperature"])


def _volt_seconds(now: Conditions, program: Program, node: int, start_ps: int, stop_ps: int) -> float:
    """∫V dt of the electrode between two times: the static voltage and the pulses on it."""
    memory = now.node(node).ensemble
    assert memory is not None
    total = now.settings[f"{NODES[node]}_memory", "electrode_voltage"] * (stop_ps - start_ps)
    for pulse in program.attempt.on(f"{NODES[node]}_electrode"):
        shared = max(0, min(stop_ps, pulse.stop_ps) - max(start_ps, pulse.start_ps))
        total += memory.electrode_pulse_v * pulse.amplitude * cos(pulse.phase_rad) * shared
    return total * 1e-12


def _spin_wave(now: Conditions, program: Program, node: int, start_ps: int, stop_ps: int) -> tuple[int, float, float]:
    """How long the excitation rests in the spin, the share that comes back from there, and the share that never went."""
    memory = now.node(node).ensemble
    assert memory is not None
    controls = [p for p in program.attempt.on(f"{NODES[node]}_control") if p.centre_ps > start_ps]
    if len(controls) < 2 or controls[0].centre_ps > stop_ps:
        return 0, 0.0, 1.0
    there, back = controls[0].centre_ps, controls[1].centre_ps
    turns = [p.centre_ps for p in program.attempt.on(f"{NODES[node]}_mw") if there < p.centre_ps < back]
    edges = [there, *turns, back]
    net_s = abs(sum((-1) ** k * (b - a) for k, (a, b) in enumerate(pairwise(edges)))) * 1e-12
    spin = devices.decoherence(
        now.node(node).memory,
        now.settings["cryostat", "temperature"],
        now.settings[f"{NODES[node]}_memory", "magnetic_field"],
    )
    went, came = (transfer(memory, pulse.area) for pulse in controls[:2])
    kept = spin_factor(memory, net_s, (back - there) * 1e-12, spin.t2_s, spin.t2_exponent)
    return back - there, went * came * kept, 1 - went
