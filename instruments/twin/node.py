"""One node through an attempt: what pulses do to its spin, what it emits, and how it is read out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, log1p, tau

from . import devices
from .conditions import LOCAL, NODES, Conditions
from .config import MemoryConfig
from .program import Program, Pulse, Section
from .spin import (
    ComplexArray,
    Decoherence,
    Depolarise,
    Excite,
    Fade,
    Initialise,
    Operation,
    Rotate,
    Store,
    evolve,
    rotation,
)
from .storage import retrieval

#: A turn with more than this share of amplitude moved counts as a half turn.
_HALF_TURN = 0.9


class ProgramError(ValueError):
    """The loaded pulses ask for something the simulated lab does not have."""


@dataclass(frozen=True, slots=True)
class Readout:
    """Read-out of one node (0 Alice, 1 Bob): mean detected photons of the bright and the dark state.

    They come at any time of the read-out; what is brighter of an echo comes between ``echo_ps`` (in the section's time).
    """

    node: int
    start_ps: int
    duration_ps: int
    bright_mean: float
    dark_mean: float
    echo_ps: tuple[int, int] | None = None


def operations(
    now: Conditions, program: Program, section: Section, node: int, offset_ps: int = 0, *, seen: bool
) -> list[Operation]:
    """What the pulses of a section do to a node's spin; ``seen`` photons keep their bin, others go unwatched."""
    if now.node(node).ensemble is not None:
        return _absorptive(now, program, section, node, offset_ps, seen=seen)
    memory = now.node(node).memory
    detuning_hz = now.decoherence(node).detuning_hz
    found: list[Operation] = []
    bins = 0
    for pulse in section.pulses:
        if pulse.channel == f"{NODES[node]}_mw":
            found.append(_rotate(pulse, tau * memory.rabi_hz, detuning_hz, offset_ps))
        elif pulse.channel == "initialise" and now.lit:
            found.append(Initialise(offset_ps + pulse.stop_ps, _pumped(memory, pulse.duration_ps)))
        elif pulse.channel == "excitation":
            chance = now.excitation_probability(node, pulse.duration_ps, pulse.area)
            found.append(Excite(offset_ps + pulse.centre_ps, chance, bins if seen else None, memory.double_excitation))
            bins += 1
    if bins and memory.depolarising > 0:
        found.append(Depolarise(max(o.time_ps for o in found if isinstance(o, Excite)), memory.depolarising))
    return found


def _absorptive(
    now: Conditions, program: Program, section: Section, node: int, offset_ps: int, *, seen: bool
) -> list[Operation]:
    """An ensemble node: the memory starts every attempt empty, pump pulses fill it, the comb gives the echo back.

    What is not read in the strongest echo is lost; without preparation there is no comb.
    """
    found: list[Operation] = [Initialise(offset_ps, 0.0)] if section.on("excitation") else []
    for k, pulse in enumerate(section.on("excitation")):
        filled = offset_ps + pulse.centre_ps
        found.append(Store(filled, now.pair_probability(node, pulse.area), k if seen else None))
        found.append(Fade(filled, retrieval(now, program, node, pulse).efficiency))
    return found


def _pumped(memory: MemoryConfig, duration_ps: int) -> float:
    """Population of |0> after pumping an unpolarised spin: 1 - exp(-t/τ)/2, and never above the limit."""
    return min(memory.pumping_limit, 1.0 - exp(-duration_ps * 1e-12 / memory.pumping_time_s) / 2)


def attempt_state(now: Conditions, program: Program, node: int, until_ps: int) -> ComplexArray:
    """Spin and photons of an attempt nobody interrupts: complex (2, 2^K, 2, 2^K) at ``until_ps``."""
    played = operations(now, program, program.attempt, node, seen=True)
    last = max((o.time_ps for o in played if isinstance(o, Excite | Store)), default=0)
    return evolve(played, max(until_ps, last), len(program.attempt.on("excitation")), _decoupled(now, node, played))


def heralded_state(now: Conditions, program: Program, node: int, until_ps: int, herald_ps: int) -> ComplexArray:
    """Spin and photons at ``until_ps`` of the section played after a herald.

    Until the herald's marker arrives at ``herald_ps`` the node goes on with the attempt and, if that is over, with the
    next ones, which reset the memory.
    """
    played = operations(now, program, program.attempt, node, seen=True)
    over = herald_ps // program.attempt.length_ps
    for n in range(max(1, over - 1), over + 1):  # earlier ones are wiped out by the last complete one
        played += operations(now, program, program.attempt, node, n * program.attempt.length_ps, seen=False)
    played = [
        o for o in played if o.time_ps <= herald_ps or (isinstance(o, Excite | Store) and o.photon_bin is not None)
    ]
    played += operations(now, program, program.on_herald, node, herald_ps, seen=False)
    return evolve(played, herald_ps + until_ps, len(program.attempt.on("excitation")), _decoupled(now, node, played))


def _decoupled(now: Conditions, node: int, played: list[Operation]) -> Decoherence:
    """T2 grows with the number N of half turns as N^exponent (de Lange et al., Science 330, 60, 2010)."""
    spin, exponent = now.decoherence(node), now.node(node).memory.decoupling_exponent
    half_turns = sum(isinstance(o, Rotate) and abs(o.unitary[0][1]) > _HALF_TURN for o in played)
    return replace(spin, t2_s=spin.t2_s * max(half_turns, 1) ** exponent)


def readouts(now: Conditions, program: Program, section: Section, begins_ps: tuple[int, int]) -> tuple[Readout, ...]:
    """Read-outs of a section that begins ``begins_ps`` after the attempt at each node, at most one a node.

    Raises ProgramError for more.
    """
    found = []
    for node, name in enumerate(NODES):
        pulses = section.on(f"{name}_readout")
        if len(pulses) > 1:
            raise ProgramError(f"a section may hold one {name}_readout pulse, the table has {len(pulses)}")
        for pulse in pulses:
            if now.node(node).ensemble is None:
                found.append(_fluorescence(now, node, pulse))
            else:
                found.append(_echo(now, program, node, pulse, begins_ps[node]))
    return tuple(found)


def readout_time(found: tuple[Readout, ...], node: int, otherwise_ps: int) -> int:
    """When a node's read-out begins."""
    return next((r.start_ps for r in found if r.node == node), otherwise_ps)


def _fluorescence(now: Conditions, node: int, pulse: Pulse) -> Readout:
    memory = now.node(node).memory
    live_s = pulse.duration_ps * 1e-12 * (now.efficiency(LOCAL[node]) if now.lit else 0.0)
    dark = memory.readout_background_hz * live_s
    bright = devices.readout_rate_hz(memory, now.detuning_hz(node), now.diffusion_hz(node)) * live_s + dark
    return Readout(node, pulse.start_ps, pulse.duration_ps, bright, dark)


def _echo(now: Conditions, program: Program, node: int, pulse: Pulse, begins_ps: int) -> Readout:
    """A gate on the retrieved photon: it clicks only when the strongest echo falls into the gate."""
    memory = now.node(node).ensemble
    assert memory is not None
    noise, start_ps = memory.noise_per_gate, begins_ps + pulse.start_ps
    for pump in program.attempt.on("excitation"):
        echo = retrieval(now, program, node, pump)
        if start_ps <= echo.at_ps < start_ps + pulse.duration_ps:
            bright = noise - log1p(-memory.retrieval * now.efficiency(LOCAL[node]))
            begins = echo.at_ps - begins_ps - pump.duration_ps // 2
            return Readout(node, pulse.start_ps, pulse.duration_ps, bright, noise, (begins, begins + pump.duration_ps))
    return Readout(node, pulse.start_ps, pulse.duration_ps, noise, noise)


def _rotate(pulse: Pulse, rabi_rad_per_s: float, detuning_hz: float, offset_ps: int) -> Rotate:
    """The pulse as a turn at its centre; the waiting on either side already holds half its free precession."""
    duration_s = pulse.duration_ps * 1e-12
    free = tau * detuning_hz * duration_s
    undo = rotation(0.0, 0.0, -free / 2)
    matrix = undo @ rotation(rabi_rad_per_s * pulse.area * duration_s, pulse.phase_rad, free) @ undo
    (a, b), (c, d) = matrix.tolist()
    return Rotate(offset_ps + pulse.centre_ps, ((a, b), (c, d)))
