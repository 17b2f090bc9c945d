"""From parameters and pulses to probabilities: everything about one attempt, derived once and then only sampled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import hypot, pi, sqrt

import numpy as np

from ...analysis.records import BoolArray, FloatArray, Int64Array
from .clicks import click_times, emission, stray
from .conditions import LOCAL, MIDPOINT, Conditions
from .midpoint import Interferometer, light_patterns, or_clicks
from .node import ProgramError, Readout, attempt_state, heralded_state, readout_time, readouts
from .origins import Origins, origins
from .program import Program, Section
from .spin import ComplexArray
from .storage import Glow, glows
from .waveforms import TimeTable
from .windows import slots

MAX_EXCITATIONS = 4


@dataclass(frozen=True, slots=True, eq=False)
class AttemptModel:
    """One attempt of the loaded program under the present settings.

    Attributes:
        probability: float64 (M,), chance of each click pattern (bit 2·slot+detector).
        outcome: int64 (M,), +1 psi+ (same detector, or A alone), -1 psi-, 0 no herald.
        click_times: for each bit when its clicks come, ps after the attempt began (None: never).
        glows: light the nodes' own detectors see in every attempt, whatever else happens.
        attempt_readouts, herald_readouts: read-outs in every attempt / after a herald (times in their section).
        attempt_populations, herald_populations: float64 (M, 4), conditional populations 00, 01, 10, 11 when read out.
        origins: what stands behind each herald (None: nothing heralds).
        herald_states: complex (M, 4, 4), unnormalised two-spin states at read-out.
        visibility: overlap of the two nodes' photons, 0 without excitation.
        decision_ps: after the attempt began, when a herald is decided.
        arrival_ps: after the attempt began, when the herald marker reaches each node.
        hold_ps: from the start of a heralded attempt to the next burst.
        mean_attempt_ps: lab time an attempt takes on average, headers and heralds included.
    """

    probability: FloatArray
    outcome: Int64Array
    click_times: tuple[TimeTable | None, ...]
    glows: tuple[Glow, ...]
    attempt_readouts: tuple[Readout, ...]
    attempt_populations: FloatArray
    herald_readouts: tuple[Readout, ...]
    herald_populations: FloatArray
    origins: Origins | None
    herald_states: ComplexArray
    visibility: float
    decision_ps: int
    arrival_ps: tuple[int, int]
    hold_ps: int
    mean_attempt_ps: float

    @property
    def heralds(self) -> BoolArray:
        """Which patterns herald: bool (M,)."""
        found: BoolArray = self.outcome != 0
        return found

    @property
    def herald_probability(self) -> float:
        return float(self.probability[self.heralds].sum())

    @property
    def click_probability(self) -> float:
        """Chance that an attempt gives at least one midpoint click."""
        return float(self.probability[1:].sum())

    def click_rate_hz(self, channel: str) -> float:
        """Mean rate of clicks the program causes at a detector."""
        clicks = self._midpoint_clicks(channel) if channel in MIDPOINT else self._local_clicks(LOCAL.index(channel))
        return clicks / (self.mean_attempt_ps * 1e-12)

    def _midpoint_clicks(self, channel: str) -> float:
        bits = range(MIDPOINT.index(channel), len(self.click_times), 2)
        patterns = np.arange(len(self.probability))
        return sum(float(self.probability[(patterns >> bit & 1) == 1].sum()) for bit in bits)

    def _local_clicks(self, node: int) -> float:
        always = self.probability @ self.attempt_populations
        heralded = self.probability[self.heralds] @ self.herald_populations[self.heralds]
        played = [(r, always) for r in self.attempt_readouts] + [(r, heralded) for r in self.herald_readouts]
        glow = sum(glow.mean for glow in self.glows if glow.node == node)
        return glow + sum(_mean_clicks(r, populations) for r, populations in played if r.node == node)


def build(now: Conditions, program: Program) -> AttemptModel:
    """Derives the model. Raises ProgramError for pulses the lab cannot play."""
    excitations = program.attempt.on("excitation")
    if len(excitations) > MAX_EXCITATIONS:
        raise ProgramError(
            f"an attempt may hold at most {MAX_EXCITATIONS} excitation pulses, the table has {len(excitations)}"
        )
    counted = slots(program)
    emissions = [emission(now, pulse, counted) for pulse in excitations]
    strays = stray(now, program, counted)
    decision_ps = program.rule.decision_ps if program.rule else 0
    arrival_ps = (decision_ps + now.fibre_delay_ps(0), decision_ps + now.fibre_delay_ps(1))
    in_attempt = readouts(now, program, program.attempt, (0, 0))
    after_herald = readouts(now, program, program.on_herald, arrival_ps)

    def states(
        played: tuple[Readout, ...], section: Section, state: Callable[[int, int], ComplexArray]
    ) -> ComplexArray:
        alice, bob = (state(node, readout_time(played, node, section.length_ps)) for node in (0, 1))
        return light_patterns(alice, bob, emissions, _optics(now), len(strays))

    unheralded = states(in_attempt, program.attempt, lambda node, until: attempt_state(now, program, node, until))
    plain = or_clicks(unheralded.sum(axis=0), strays)
    unread = [attempt_state(now, program, node, program.attempt.length_ps) for node in (0, 1)]
    probability = np.maximum(np.einsum("mii->m", plain).real, 0)
    heralded, outcome, behind = plain, np.zeros(len(probability), np.int64), None
    if program.rule is not None:
        outcome = _outcomes(len(probability), len(program.rule.windows_ps))
        light = states(
            after_herald,
            program.on_herald,
            lambda node, until: heralded_state(now, program, node, until, arrival_ps[node]),
        )
        heralded = or_clicks(light.sum(axis=0), strays)
        behind = origins(now, program, counted, emissions, unread, light, strays)
    hold_ps = max(arrival_ps) + program.on_herald.length_ps
    return AttemptModel(
        probability=probability / probability.sum(),
        outcome=outcome,
        click_times=click_times(now, program, counted, emissions, unread),
        glows=glows(now, program),
        attempt_readouts=in_attempt,
        attempt_populations=_populations(plain),
        herald_readouts=after_herald,
        herald_populations=_populations(heralded),
        origins=behind,
        herald_states=heralded,
        visibility=emissions[0].overlap if emissions else 0.0,
        decision_ps=decision_ps,
        arrival_ps=arrival_ps,
        hold_ps=hold_ps,
        mean_attempt_ps=_mean_attempt_ps(program, float(probability[outcome != 0].sum()), hold_ps),
    )


def _outcomes(patterns: int, windows: int) -> Int64Array:
    """+1 or -1 for exactly one click in each window, 0 otherwise: same or different detectors; for one window A or B."""
    masks = np.arange(patterns)
    clicked = [masks >> 2 * w & 3 for w in range(windows)]
    one_each = np.all([(c == 1) | (c == 2) for c in clicked], axis=0)
    plus = clicked[0] == (clicked[1] if windows == 2 else 1)
    return np.where(one_each, np.where(plus, 1, -1), 0)


def _optics(now: Conditions) -> Interferometer:
    m = now.config.midpoint
    eta = (now.efficiency(MIDPOINT[0]), now.efficiency(MIDPOINT[1]))
    path_ps = now.config.laser.path_difference_ps
    laser = 2 * pi * now.laser_linewidth_hz
    sigma = m.phase_sigma_rad if m.phase_sigma_rad is None else hypot(m.phase_sigma_rad, sqrt(laser * path_ps * 1e-12))
    return Interferometer(
        m.splitter_transmission, eta, now.optical_phase_rad, sigma, m.phase_walk_rad2_per_s, laser, path_ps
    )


def _mean_attempt_ps(program: Program, herald_probability: float, hold_ps: int) -> float:
    n, p = program.attempts_per_burst, herald_probability
    if p == 0:
        return program.burst_ps / n
    attempts = -np.expm1(n * np.log1p(-p)) / p  # mean number played in a burst
    heralded = p * attempts
    time_ps = program.header.length_ps + (attempts - heralded) * program.attempt.length_ps + heralded * hold_ps
    return float(time_ps / attempts)


def _mean_clicks(readout: Readout, populations: FloatArray) -> float:
    bright = float(populations[0] + populations[1 + readout.node])
    return bright * readout.bright_mean + (float(populations.sum()) - bright) * readout.dark_mean


def _populations(states: ComplexArray) -> FloatArray:
    diagonal = np.maximum(np.einsum("mii->mi", states).real, 0)
    total = diagonal.sum(axis=1, keepdims=True)
    populations: FloatArray = np.divide(diagonal, total, out=np.full_like(diagonal, 0.25), where=total > 0)
    return populations
