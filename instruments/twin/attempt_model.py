"""From parameters and pulses to probabilities: everything about one attempt, derived once and then only sampled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from math import tau

import numpy as np

from ...analysis.records import BoolArray, FloatArray, Int64Array
from . import devices
from .config import DetectorConfig, NodeConfig, TwinConfig
from .midpoint import Emission, Interferometer, enumerate_patterns
from .program import Program, Pulse, Section
from .settings import Settings
from .spin import ComplexArray, Decoherence, Excite, Initialise, Operation, Rotate, evolve, rotation
from .waveforms import Cdf, Intervals, TimeTable, emg_cdf, photon_cdf, probability_in, time_table

NODES = ("alice", "bob")
MAX_EXCITATIONS = 4
_MAX_SLOTS = 5


class ProgramError(ValueError):
    """The loaded pulses ask for something the simulated lab does not have."""


@dataclass(frozen=True, slots=True, eq=False)
class ClickSource:
    """One origin of clicks of one pattern bit: its share and when its clicks come (ps after the attempt began)."""

    weight: float
    times: TimeTable


@dataclass(frozen=True, slots=True)
class Readout:
    """Fluorescence read-out of one node (0 Alice, 1 Bob): mean detected photons of the bright and the dark state."""

    node: int
    start_ps: int
    duration_ps: int
    bright_mean: float
    dark_mean: float


@dataclass(frozen=True, slots=True, eq=False)
class AttemptModel:
    """One attempt of the loaded program under the present settings.

    Attributes:
        probability: float64 (M,), chance of each click pattern (bit 2·slot+detector).
        heralds: bool (M,); ``outcome`` int64 (M,): +1 psi+ (same detector), -1 psi-, 0 no herald.
        sources: for each bit, where its clicks come from.
        attempt_readouts, herald_readouts: read-outs played in every attempt / after a herald (times in their section).
        attempt_populations, herald_populations: float64 (M, 4), conditional populations 00, 01, 10, 11 when read out.
        herald_states: complex (M, 4, 4), unnormalised two-spin states at read-out.
        arrival_ps: after the attempt began, when the herald marker reaches each node.
        hold_ps: from the start of a heralded attempt to the next burst.
        mean_attempt_ps: lab time an attempt takes on average, headers and heralds included.
    """

    probability: FloatArray
    heralds: BoolArray
    outcome: Int64Array
    sources: tuple[tuple[ClickSource, ...], ...]
    attempt_readouts: tuple[Readout, ...]
    attempt_populations: FloatArray
    herald_readouts: tuple[Readout, ...]
    herald_populations: FloatArray
    herald_states: ComplexArray
    visibility: float
    decision_ps: int
    arrival_ps: tuple[int, int]
    hold_ps: int
    mean_attempt_ps: float

    @property
    def herald_probability(self) -> float:
        return float(self.probability[self.heralds].sum())

    def click_rate_hz(self, channel: str) -> float:
        """Mean rate of clicks the program causes at a detector."""
        if channel in ("ch1", "ch2"):
            bits = range(0 if channel == "ch1" else 1, len(self.sources), 2)
            masks = np.arange(len(self.probability))
            clicks = sum(float(self.probability[(masks >> b & 1) == 1].sum()) for b in bits)
        else:
            node = 0 if channel == "ch3" else 1
            clicks = _read_out_clicks(self.attempt_readouts, node, self.probability @ self.attempt_populations)
            heralded = self.probability[self.heralds] @ self.herald_populations[self.heralds]
            clicks += _read_out_clicks(self.herald_readouts, node, heralded)
        return clicks / (self.mean_attempt_ps * 1e-12)

    @property
    def click_probability(self) -> float:
        """Chance that an attempt gives at least one midpoint click."""
        return float(self.probability[1:].sum())


def build(config: TwinConfig, settings: Settings, program: Program) -> AttemptModel:
    """Derives the model. Raises ProgramError for pulses the lab cannot play."""
    slots = _slots(program)
    excitations = program.attempt.on("excitation")
    if len(excitations) > MAX_EXCITATIONS:
        raise ProgramError(
            f"an attempt may hold at most {MAX_EXCITATIONS} excitation pulses, the table has {len(excitations)}"
        )
    optics = _optics(config, settings)
    emissions = [_emission(config, settings, p, slots) for p in excitations]
    stray = _stray(config, settings, program, slots)
    arrival = _arrival(config, program)
    attempt_readouts = _readouts(config, settings, program.attempt)
    herald_readouts = _readouts(config, settings, program.on_herald)
    attempt_states = enumerate_patterns(
        *(_node(config, settings, program, i, _readout_time(attempt_readouts, i, program.attempt.length_ps), None) for i in (0, 1)),
        emissions, optics, stray,
    )  # fmt: skip
    probability = np.maximum(np.einsum("mii->m", attempt_states).real, 0)
    herald_states, outcome = attempt_states, np.zeros(len(probability), np.int64)
    if program.rule is not None and len(probability) >= 16:
        outcome = _outcomes(len(probability))
        herald_states = enumerate_patterns(
            *(_node(config, settings, program, i, _readout_time(herald_readouts, i, program.on_herald.length_ps), arrival[i]) for i in (0, 1)),
            emissions, optics, stray,
        )  # fmt: skip
    decision = program.rule.decision_ps if program.rule else 0
    hold_ps = max(arrival) + program.on_herald.length_ps
    return AttemptModel(
        probability=probability / probability.sum(),
        heralds=outcome != 0,
        outcome=outcome,
        sources=_click_sources(config, settings, program, slots, emissions),
        attempt_readouts=attempt_readouts,
        attempt_populations=_populations(attempt_states),
        herald_readouts=herald_readouts,
        herald_populations=_populations(herald_states),
        herald_states=herald_states,
        visibility=emissions[0].overlap if emissions else 0.0,
        decision_ps=decision,
        arrival_ps=arrival,
        hold_ps=hold_ps,
        mean_attempt_ps=_mean_attempt_ps(program, float(probability[outcome != 0].sum()), hold_ps),
    )


def _read_out_clicks(readouts: tuple[Readout, ...], node: int, populations: FloatArray) -> float:
    bright = float(populations[0] + populations[1 if node == 0 else 2])
    dark = float(populations.sum()) - bright
    return sum(bright * r.bright_mean + dark * r.dark_mean for r in readouts if r.node == node)


def _mean_attempt_ps(program: Program, herald_probability: float, hold_ps: int) -> float:
    """Lab time an attempt takes on average, headers and heralds included."""
    n, p = program.attempts_per_burst, herald_probability
    if p == 0:
        return program.burst_ps / n
    attempts = -np.expm1(n * np.log1p(-p)) / p  # mean number played in a burst
    heralded = p * attempts
    time_ps = program.header.length_ps + (attempts - heralded) * program.attempt.length_ps + heralded * hold_ps
    return float(time_ps / attempts)


def operations(
    config: TwinConfig, settings: Settings, section: Section, node: int, offset_ps: int = 0, *, seen: bool
) -> list[Operation]:
    """What the pulses of a section do to a node's spin; ``seen`` photons keep their bin, others go unwatched."""
    name = NODES[node]
    memory = getattr(config, name).memory
    spin = devices.decoherence(
        memory, settings["cryostat", "temperature"], settings[f"{name}_memory", "magnetic_field"]
    )
    lit = bool(settings["laser", "emission"]) and settings["laser", "power"] > 0
    found: list[Operation] = []
    bins = 0
    for pulse in section.pulses:
        if pulse.channel == f"{name}_mw":
            found.append(_rotate(pulse, tau * memory.rabi_hz, spin, offset_ps))
        elif pulse.channel == "initialise" and lit:
            found.append(Initialise(offset_ps + pulse.stop_ps, memory.initialise_fidelity))
        elif pulse.channel == "excitation":
            chance = devices.excitation_probability(
                config.laser, settings["laser", "power"], detuning_hz(config, settings, node), pulse.duration_ps * 1e-12,
                pulse.area,
            ) if lit else 0.0  # fmt: skip
            found.append(Excite(offset_ps + pulse.centre_ps, chance, bins if seen else None))
            bins += 1
    return found


def detuning_hz(config: TwinConfig, settings: Settings, node: int) -> float:
    """Laser minus memory resonance."""
    component = f"{NODES[node]}_memory"
    memory = getattr(config, NODES[node]).memory
    line = devices.resonance_hz(memory, settings[component, "electrode_voltage"], settings[component, "magnetic_field"])
    return settings["laser", "frequency"] - line


def _rotate(pulse: Pulse, rabi_rad_per_s: float, spin: Decoherence, offset_ps: int) -> Rotate:
    """The pulse as a turn at its centre; the waiting on either side already holds half its free precession."""
    duration_s = pulse.duration_ps * 1e-12
    free = tau * spin.detuning_hz * duration_s
    undo = rotation(0.0, 0.0, -free / 2)
    matrix = undo @ rotation(rabi_rad_per_s * pulse.area * duration_s, pulse.phase_rad, free) @ undo
    rows = tuple((complex(a), complex(b)) for a, b in matrix)
    return Rotate(offset_ps + pulse.centre_ps, (rows[0], rows[1]))


def _node(
    config: TwinConfig, settings: Settings, program: Program, node: int, until_ps: int, herald_ps: int | None
) -> ComplexArray:
    """Spin and photons of one attempt at ``until_ps`` of the section being played.

    ``herald_ps``: arrival of the herald marker; until then the node goes on with the attempt and, if that is over, with
    the next ones (which reset the memory).
    """
    name = NODES[node]
    memory: NodeConfig = getattr(config, name)
    spin = devices.decoherence(
        memory.memory, settings["cryostat", "temperature"], settings[f"{name}_memory", "magnetic_field"]
    )
    played = operations(config, settings, program.attempt, node, seen=True)
    bins = len(program.attempt.on("excitation"))
    if herald_ps is None:
        return evolve(played, until_ps, bins, spin)
    late = herald_ps // program.attempt.length_ps
    for n in range(max(1, late - 1), late + 1):  # earlier ones are reset by the last full one
        played += operations(config, settings, program.attempt, node, n * program.attempt.length_ps, seen=False)
    photons = [o for o in played if o.time_ps <= herald_ps or (isinstance(o, Excite) and o.photon_bin is not None)]
    after = operations(config, settings, program.on_herald, node, herald_ps, seen=False)
    return evolve(photons + after, herald_ps + until_ps, bins, spin)


def _slots(program: Program) -> list[Intervals]:
    """Stretches of gated time: early window, late window, then what is left of each gate."""
    gates = _union((p.start_ps, p.stop_ps) for p in program.attempt.on("gate"))
    if program.rule is None:
        rest, slots = gates, []
    else:
        windows = _union((program.rule.early_ps, program.rule.late_ps))
        slots = [_intersect(gates, (program.rule.early_ps,)), _intersect(gates, (program.rule.late_ps,))]
        rest = _subtract(gates, windows)
    free = _MAX_SLOTS - len(slots)
    single, merged = rest[: free - 1], rest[free - 1 :]
    return slots + [(i,) for i in single] + ([merged] if merged else [])


def _union(intervals: Iterable[tuple[int, int]]) -> Intervals:
    out: list[tuple[int, int]] = []
    for start, stop in sorted(intervals):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], stop))
        elif stop > start:
            out.append((start, stop))
    return tuple(out)


def _intersect(a: Intervals, b: Intervals) -> Intervals:
    both = ((max(x[0], y[0]), min(x[1], y[1])) for x in a for y in b)
    return tuple(i for i in both if i[1] > i[0])


def _subtract(a: Intervals, b: Intervals) -> Intervals:
    edges = [0, *(e for i in b for e in i), max((i[1] for i in a), default=0)]
    gaps = tuple((edges[k], edges[k + 1]) for k in range(0, len(edges) - 1, 2))
    return _intersect(a, tuple(g for g in gaps if g[1] > g[0]))


def _outcomes(patterns: int) -> Int64Array:
    masks = np.arange(patterns)
    early, late = masks & 3, masks >> 2 & 3
    one_each = ((early == 1) | (early == 2)) & ((late == 1) | (late == 2))
    return np.where(one_each, np.where(early == late, 1, -1), 0)


def _optics(config: TwinConfig, settings: Settings) -> Interferometer:
    m = config.midpoint
    eta = tuple(_efficiency(config, settings, c) for c in ("ch1", "ch2"))
    return Interferometer(
        m.splitter_transmission, (eta[0], eta[1]), m.phase_rad, m.phase_sigma_rad, m.phase_walk_rad2_per_s
    )


def _efficiency(config: TwinConfig, settings: Settings, channel: str) -> float:
    detector: DetectorConfig = config.detectors[channel]  # type: ignore[index]
    return devices.efficiency(
        detector, settings[f"snspd.{channel}", "bias"], bool(settings[f"snspd.{channel}", "latched"])
    )


def _photon(config: TwinConfig, node: int, pulse: Pulse, channel: str) -> Cdf:
    """When a photon of this pulse from this node makes ``channel`` click, ps after the attempt began."""
    source: NodeConfig = getattr(config, NODES[node])
    detector: DetectorConfig = config.detectors[channel]  # type: ignore[index]
    start = pulse.centre_ps + devices.fibre_delay_ps(source.fibre)
    shape = partial(
        photon_cdf,
        lifetime_ps=source.memory.lifetime_s * 1e12,
        sigma_ps=detector.jitter_sigma_ps,
        tau_ps=detector.jitter_tau_ps,
    )
    return lambda t_ps: shape(t_ps - start)


def _emission(config: TwinConfig, settings: Settings, pulse: Pulse, slots: list[Intervals]) -> Emission:
    arrive = []
    for node, name in enumerate(NODES):
        source: NodeConfig = getattr(config, name)
        path = source.memory.collection * devices.fibre_transmission(source.fibre) * config.midpoint.transmission
        arrive.append(path * np.array([probability_in(_photon(config, node, pulse, "ch1"), s) for s in slots]))
    delay = devices.fibre_delay_ps(config.alice.fibre) - devices.fibre_delay_ps(config.bob.fibre)
    apart_hz = detuning_hz(config, settings, 0) - detuning_hz(config, settings, 1)
    overlap = devices.overlap(config.alice.memory, config.bob.memory, apart_hz, delay)
    return Emission(arrive[0], arrive[1], overlap, pulse.centre_ps)


def _stray(config: TwinConfig, settings: Settings, program: Program, slots: list[Intervals]) -> FloatArray:
    chance = [
        1 - np.exp(-sum(mean for mean, _ in _stray_sources(config, settings, program, s, d)))
        for s in slots
        for d in (0, 1)
    ]
    return np.array(chance, float)


def _stray_sources(
    config: TwinConfig, settings: Settings, program: Program, slot: Intervals, detector: int
) -> list[tuple[float, Cdf]]:
    """Mean clicks and their distribution: darks (uniform) and probe pulses, at one detector in one slot."""
    channel = f"ch{detector + 1}"
    pixel: DetectorConfig = config.detectors[channel]  # type: ignore[index]
    bias, latched = settings[f"snspd.{channel}", "bias"], bool(settings[f"snspd.{channel}", "latched"])
    length_s = sum(b - a for a, b in slot) * 1e-12
    found: list[tuple[float, Cdf]] = [(devices.dark_rate_hz(pixel, bias, latched) * length_s, lambda t: t * 1e-12)]
    for pulse in program.attempt.on("probe"):
        cdf = partial(_delayed_emg, start_ps=pulse.start_ps, pixel=pixel)
        photons = config.midpoint.probe_mean_photons * pulse.amplitude * devices.efficiency(pixel, bias, latched)
        found.append((photons * probability_in(cdf, slot), cdf))
    return found


def _delayed_emg(t_ps: FloatArray, start_ps: int, pixel: DetectorConfig) -> FloatArray:
    return emg_cdf(t_ps - start_ps, pixel.jitter_sigma_ps, pixel.jitter_tau_ps)


def _click_sources(
    config: TwinConfig, settings: Settings, program: Program, slots: list[Intervals], emissions: list[Emission]
) -> tuple[tuple[ClickSource, ...], ...]:
    """Shares are those of unconditional clicks: photon, dark or probe."""
    spins = [_node(config, settings, program, i, program.attempt.length_ps, None) for i in (0, 1)]
    through = (config.midpoint.splitter_transmission, 1 - config.midpoint.splitter_transmission)
    by_bit = []
    for s, slot in enumerate(slots):
        for d in (0, 1):
            means = _stray_sources(config, settings, program, slot, d)
            sharp = [p.start_ps for p in program.attempt.on("probe")]
            for k, (pulse, emission) in enumerate(zip(program.attempt.on("excitation"), emissions, strict=True)):
                for node, arrive in enumerate((emission.arrive_a, emission.arrive_b)):
                    split = through[0] if node == d else through[1]
                    emitted = _photon_number(spins[node], k)
                    mean = emitted * arrive[s] * split * _efficiency(config, settings, f"ch{d + 1}")
                    means.append((float(mean), _photon(config, node, pulse, f"ch{d + 1}")))
                    sharp.append(pulse.centre_ps + devices.fibre_delay_ps(getattr(config, NODES[node]).fibre))
            pixel: DetectorConfig = config.detectors[f"ch{d + 1}"]  # type: ignore[index]
            by_bit.append(_tables(means, slot, _sharp_grid(sharp, pixel)))
    return tuple(by_bit)


def _tables(means: list[tuple[float, Cdf]], slot: Intervals, sharp_ps: FloatArray) -> tuple[ClickSource, ...]:
    total = sum(mean for mean, _ in means)
    return tuple(ClickSource(mean / total, time_table(cdf, slot, sharp_ps)) for mean, cdf in means if mean > 0)


def _sharp_grid(starts: list[int], pixel: DetectorConfig) -> FloatArray:
    """Fine points around every step of the distributions: ten sigma before to ten sigma and twenty tau after."""
    sigma, tail = pixel.jitter_sigma_ps, pixel.jitter_tau_ps
    step = np.concatenate([np.linspace(-10 * sigma, 10 * sigma, 401), 10 * sigma + np.linspace(0, 20 * tail, 201)])
    return np.unique(np.concatenate([s + step for s in starts])) if starts else np.empty(0)


def _photon_number(node: ComplexArray, k: int) -> float:
    occupied = np.array([n >> k & 1 for n in range(node.shape[1])])
    return float(np.einsum("snsn,n->", node, occupied).real)


def _readouts(config: TwinConfig, settings: Settings, section: Section) -> tuple[Readout, ...]:
    found = []
    lit = bool(settings["laser", "emission"]) and settings["laser", "power"] > 0
    for node, (name, channel) in enumerate(zip(NODES, ("ch3", "ch4"), strict=True)):
        pulses = section.on(f"{name}_readout")
        if len(pulses) > 1:
            raise ProgramError(f"a section may hold one {name}_readout pulse, the table has {len(pulses)}")
        memory = getattr(config, name).memory
        eta = _efficiency(config, settings, channel) if lit else 0.0
        for pulse in pulses:
            seconds = pulse.duration_ps * 1e-12 * eta
            dark = memory.readout_background_hz * seconds
            bright = devices.readout_rate_hz(memory, detuning_hz(config, settings, node)) * seconds + dark
            found.append(Readout(node, pulse.start_ps, pulse.duration_ps, bright, dark))
    return tuple(found)


def _readout_time(readouts: tuple[Readout, ...], node: int, otherwise_ps: int) -> int:
    return next((r.start_ps for r in readouts if r.node == node), otherwise_ps)


def _arrival(config: TwinConfig, program: Program) -> tuple[int, int]:
    decision = program.rule.decision_ps if program.rule else 0
    return (
        decision + devices.fibre_delay_ps(config.alice.fibre),
        decision + devices.fibre_delay_ps(config.bob.fibre),
    )


def _populations(states: ComplexArray) -> FloatArray:
    diagonal = np.maximum(np.einsum("mii->mi", states).real, 0)
    total = diagonal.sum(axis=1, keepdims=True)
    return np.divide(diagonal, total, out=np.full_like(diagonal, 0.25), where=total > 0)
