"""The hidden truth of a world: closed formulas and enumerated states, never an estimate from tags.

Correlators are those of the two memories when their read-out begins, seen in the frame where the pulses played since the
last excitation (refocusing, analysis rotations) are undone; they are folded so that psi+ and psi- count alike.
"""

from __future__ import annotations

from math import exp, sqrt
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from ...analysis.records import PS_PER_S
from .attempt_model import AttemptModel
from .conditions import LOCAL, NODES
from .local import PairArm, arms_taken
from .node import Readout, operations
from .program import Program
from .spin import PAULI_X, PAULI_Y, PAULI_Z, ComplexArray, Excite, Rotate
from .streams import key
from .truth_devices import device_truth, photon_truth, storage_truth
from .truth_state import as_read_out, raw_figures
from .waveforms import emg_cdf

if TYPE_CHECKING:
    from .world import World

_I = np.eye(2, dtype=complex)


def truth(world: World) -> dict[str, float]:
    """All hidden values that make sense at present (those of a heralded link only with a heralding program)."""
    values = {"temperature_k": world.get("cryostat", "temperature")}
    values |= _memories(world) | _jitter(world) | _clock(world) | _pairs(world) | device_truth(world)
    for n, fault in enumerate(world.faults()):
        values[f"fault_{n}_{fault.kind}_{fault.component}_at_s"] = fault.at_ps / PS_PER_S
    model = world.current_model()
    if world.program is None or model is None:
        return values
    values |= (
        _readouts(world, model)
        | _clicks_after_herald(world, model)
        | photon_truth(world, model)
        | storage_truth(world, world.program)
    )
    if world.program.rule is not None:
        values |= _link(world, world.program, model)
    return values


def _memories(world: World) -> dict[str, float]:
    found = {}
    for node, name in enumerate(NODES):
        spin = world.conditions.decoherence(node)
        found[f"{name}_storage_time_s"] = spin.t2_s
        found[f"{name}_t1_s"] = spin.t1_s
    found["storage_time_s"] = found["alice_storage_time_s"]
    found["storage_exponent"] = n = world.config.alice.memory.t2_exponent
    both = sum(found[f"{name}_storage_time_s"] ** -n for name in NODES)
    found["entanglement_storage_time_s"] = float(both ** (-1 / n))
    return found


def _jitter(world: World) -> dict[str, float]:
    """Probe clicks at ch1 against the sync marker: the detector's EMG and the tagger's two inputs."""
    pixel, inputs = world.config.detectors["ch1"], world.config.taggers["tagger"]
    sigma = sqrt(pixel.jitter_sigma_ps**2 + 2 * inputs.jitter_ps**2)
    width = emg_fwhm_ps(sigma, pixel.jitter_tau_ps)
    return {"jitter_sigma_ps": sigma, "jitter_tau_ps": pixel.jitter_tau_ps, "jitter_fwhm_ps": width}


def emg_fwhm_ps(sigma_ps: float, tau_ps: float) -> float:
    """Full width at half maximum of an exponentially modified Gaussian, by root finding."""
    unit = max(sigma_ps + tau_ps, 1e-3)
    grid = np.linspace(-6 * unit, 10 * unit, 20001)
    density = np.gradient(emg_cdf(grid, sigma_ps, tau_ps), grid)
    half = np.flatnonzero(density >= density.max() / 2)

    def excess(t: float) -> float:
        return float(np.interp(t, grid, density) - density.max() / 2)

    left = brentq(excess, grid[half[0] - 1], grid[half[0]])
    right = brentq(excess, grid[half[-1]], grid[half[-1] + 1])
    return float(right - left)


def _clock(world: World) -> dict[str, float]:
    """t_b = t_a + offset + skew·t_a for photon pairs: clocks, arms and detectors' mean delays together."""
    (offset_a, skew_a), (offset_b, skew_b) = (world.clock_line(f"{n}_tagger") for n in NODES)
    source, pixels = world.config.pair_source, world.config.detectors
    detectors = pixels["ch4"].jitter_tau_ps - pixels["ch3"].jitter_tau_ps
    delays = {"ch3": source.alice_delay_ps, "ch4": source.bob_delay_ps}
    route = arms_taken(world.conditions.pair_site)
    path = sum(delays[arm] for arm in route["ch4"]) - sum(delays[arm] for arm in route["ch3"]) + detectors
    warm_ps, warm_skew = _warmth(world)
    skew = (1 + skew_b) / (1 + skew_a) * (1 + warm_skew) - 1
    bare = offset_b - offset_a * (1 + skew)
    return {
        "clock_offset_ps": bare + (path + warm_ps) * (1 + skew_b),
        "clock_skew": skew,
        "bare_clock_offset_ps": bare + detectors,
        "one_way_delay_ps": sum(delays.values()) * (1 + skew_b),  # as Bob's clock counts it
    }


def _warmth(world: World) -> tuple[float, float]:
    """Best straight line (ps at lab time 0, slope) through what the fibres' temperature adds to the pairs' delay."""
    source = world.config.pair_source
    arms = (
        PairArm(world.config.alice.fibre, source.alice_delay_ps, key(0, "truth")),
        PairArm(world.config.bob.fibre, source.bob_delay_ps, key(0, "truth")),
    )
    if not any(arm.warms for arm in arms):
        return 0.0, 0.0
    t_ps = np.linspace(world.steady_since_ps, max(world.now_ps, world.steady_since_ps + 1), 1000)
    slope, start = np.polyfit(t_ps - t_ps.mean(), arms[1].warmth_ps(t_ps) - arms[0].warmth_ps(t_ps), 1)
    return float(start - slope * t_ps.mean()), float(slope)


def _pairs(world: World) -> dict[str, float]:
    rates = world.conditions.pair_rates_hz()
    singles = {"alice_singles_hz": world.expected_rate_hz("ch3"), "bob_singles_hz": world.expected_rate_hz("ch4")}
    return {"pair_rate_hz": rates["both"], **singles}


def _readouts(world: World, model: AttemptModel) -> dict[str, float]:
    found = {}
    for r in model.herald_readouts or model.attempt_readouts:
        bright, dark = click_probabilities(world, r)
        found[f"{NODES[r.node]}_p_bright_click"] = bright
        found[f"{NODES[r.node]}_p_dark_click"] = dark
    return found


def _clicks_after_herald(world: World, model: AttemptModel) -> dict[str, float]:
    """Chance that a node's read-out clicks once a herald has come."""
    chance = model.herald_probability
    if chance <= 0:
        return {}
    populations = model.probability[model.heralds] @ model.herald_populations[model.heralds] / chance
    found = {}
    for r in model.herald_readouts:
        bright, dark = click_probabilities(world, r)
        share = float(populations[0] + populations[1 + r.node])
        found[f"{NODES[r.node]}_click_after_herald"] = share * bright + (1 - share) * dark
    return found


def click_probabilities(world: World, readout: Readout) -> tuple[float, float]:
    """Chance of at least one click during a read-out of the bright and of the dark state, detector darks included."""
    dark_hz = world.conditions.dark_rate_hz(LOCAL[readout.node])
    stray = dark_hz * readout.duration_ps * 1e-12
    return 1 - exp(-readout.bright_mean - stray), 1 - exp(-readout.dark_mean - stray)


def _link(world: World, program: Program, model: AttemptModel) -> dict[str, float]:
    chance = model.herald_probability
    found = {
        "herald_probability": chance,
        "herald_rate_hz": chance / (model.mean_attempt_ps * 1e-12),
    }
    if chance <= 0:
        return found
    frame = np.kron(*(played_since_excitation(world, program, i) for i in (0, 1)))
    folded = {"XX": 0.0, "YY": 0.0, "ZZ": 0.0}
    states = {}
    for sign in (1, -1):
        state = model.herald_states[model.outcome == sign].sum(axis=0) / chance
        states[sign] = frame.conj().T @ state @ frame
        for name, matrix in (("XX", PAULI_X), ("YY", PAULI_Y), ("ZZ", PAULI_Z)):
            value = float(np.trace(states[sign] @ np.kron(matrix, matrix)).real)
            folded[name] += value if name == "ZZ" else sign * value
    found |= {"exx": folded["XX"], "eyy": folded["YY"], "ezz": folded["ZZ"]}
    found["fidelity"] = (1 + folded["XX"] + folded["YY"] - folded["ZZ"]) / 4
    found["chsh_s"] = sqrt(2) * (abs(folded["XX"]) + abs(folded["ZZ"]))
    if len(model.herald_readouts) == 2:
        clicks = {r.node: click_probabilities(world, r) for r in model.herald_readouts}
        found["chsh_s_raw"] = sum(raw_chsh(states[sign], sign, clicks) for sign in (1, -1))
        found |= raw_figures(as_read_out(states, clicks))
    return found


def played_since_excitation(world: World, program: Program, node: int) -> ComplexArray:
    """The ideal turns (drive on resonance) of a node after its last excitation, up to its read-out: (2, 2) unitary."""
    played = operations(world.conditions, program, program.attempt, node, seen=True)
    model = world.current_model()
    assert model is not None
    played = [o for o in played if o.time_ps <= model.arrival_ps[node]]
    last = max((i for i, o in enumerate(played) if isinstance(o, Excite)), default=-1)
    until = next((r.start_ps for r in model.herald_readouts if r.node == node), program.on_herald.length_ps)
    after = operations(world.conditions, program, program.on_herald, node, seen=False)
    total = _I
    for operation in [*played[last + 1 :], *(o for o in after if o.time_ps <= until)]:
        if isinstance(operation, Rotate):
            total = np.array(operation.unitary) @ total
    return total


def raw_chsh(state: ComplexArray, sign: int, click: dict[int, tuple[float, float]]) -> float:
    """CHSH sum of raw read-out results (bright when it clicks), settings Z, X and (Z±X)/√2, signs chosen for psi±.

    ``click``: for each node the chance of a click when bright and when dark.
    """
    alice = [_outcome(axis, *click[0]) for axis in (PAULI_Z, PAULI_X)]
    bob = [_outcome(axis, *click[1]) for axis in ((PAULI_Z + PAULI_X) / sqrt(2), (PAULI_Z - PAULI_X) / sqrt(2))]
    weights = np.array([[-1, -1], [sign, -sign]])
    return float(sum(weights[i, j] * np.trace(state @ np.kron(alice[i], bob[j])).real for i in (0, 1) for j in (0, 1)))


def _outcome(axis: ComplexArray, p_bright: float, p_dark: float) -> ComplexArray:
    """Operator of the result +1 (click) or -1 (none) when measuring along ``axis``."""
    outcome: ComplexArray = (p_bright - p_dark) * axis + (p_bright + p_dark - 1) * _I
    return outcome
