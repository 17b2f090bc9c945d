"""Heralds looked at closely: which of their clicks are photons, when these came, and what that says about the two memories.

A pattern's state is a mixture over the origins of its clicks, and its mean over all arrival times. Here it is taken apart: a
herald has an origin (the window bits that photons clicked; the others are strays), and if two photons of detuned nodes made it,
the phase between their paths has turned by the detuning times the difference of their arrival times after the pulses.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt, tau

import numpy as np
from numpy.random import Generator

from ...analysis.records import FloatArray, Int64Array
from .clicks import light_times, stray_times
from .conditions import MIDPOINT, Conditions
from .midpoint import Emission, or_clicks
from .program import Program
from .spin import ComplexArray
from .waveforms import TimeTable
from .windows import Intervals

#: FWHM of a Gaussian in units of its sigma, and points of a distribution for the mean phase.
_FWHM = sqrt(8 * log(2))
_POINTS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Beat:
    """How the phase turns with the difference of two arrival times.

    Attributes:
        mean_rad_per_ps: of A against B; sigma_rad_per_ps: how far it wanders from attempt to attempt.
        begins_ps: when the photons of the two bins can first arrive.
        contrast: coherence at known times over its mean.
    """

    mean_rad_per_ps: float
    sigma_rad_per_ps: float
    begins_ps: tuple[float, float]
    contrast: float


@dataclass(frozen=True, slots=True, eq=False)
class Origins:
    """What stands behind the patterns.

    Attributes:
        cumulative: float64 (M, C), for each pattern the distribution function of its origin, the window bits photons clicked.
        populations: float64 (M, C, 4), what an origin leaves behind: populations 00, 01, 10, 11.
        turning: complex (M, 4), share of the populations in two-photon heralds that turns with the phase: 2·Re(turning·exp(iθ)).
        light, stray: for each bit when photons arrive and when strays click.
        jitter_ps: for each detector sigma and tau of its jitter, which arrival times do not contain.
        windows_ps: first and last moment of each window.
        beat: None unless the scheme has two windows and two pulses.
    """

    cumulative: FloatArray
    populations: FloatArray
    turning: ComplexArray
    light: tuple[TimeTable | None, ...]
    stray: tuple[TimeTable | None, ...]
    jitter_ps: tuple[tuple[float, float], ...]
    windows_ps: tuple[tuple[int, int], ...]
    beat: Beat | None

    def draw(self, patterns: Int64Array, uniform: FloatArray) -> Int64Array:
        """Origins of heralds of these patterns, int64 (N,)."""
        found: Int64Array = (uniform[:, None] >= self.cumulative[patterns]).sum(axis=1)
        drawn: Int64Array = np.minimum(found, self.cumulative.shape[1] - 1)
        return drawn

    def seen(self, patterns: Int64Array, origins: Int64Array, photons_ps: FloatArray, wander: FloatArray) -> FloatArray:
        """Populations (N, 4) given when the photons arrived, (2, N) ps; ``wander`` (N,) is standard normal."""
        found = self.populations[patterns, origins]
        if self.beat is None:
            return found
        both = _bits(origins) == 2
        late_ps = (photons_ps[1] - self.beat.begins_ps[1]) - (photons_ps[0] - self.beat.begins_ps[0])
        turned = (self.beat.mean_rad_per_ps + self.beat.sigma_rad_per_ps * wander) * late_ps
        change = 2 * (self.turning[patterns] * (self.beat.contrast * np.exp(1j * turned) - 1)[:, None]).real
        return np.where(both[:, None], np.clip(found + change, 0.0, 1.0), found)


class Heralds:
    """A batch of heralds of the given patterns, int64 (H,): their clicks one bit after the other, then what they leave."""

    def __init__(self, behind: Origins | None, patterns: Int64Array, rng: Generator) -> None:
        assert behind is not None, "no herald without a rule"
        self._behind, self._patterns, self._rng = behind, patterns, rng
        self._origins = behind.draw(patterns, rng.random(len(patterns)))
        self._photons_ps = np.zeros((2, len(patterns)))
        self.window_bits = len(MIDPOINT) * len(behind.windows_ps)

    def click(self, bit: int, uniform: FloatArray, otherwise_ps: FloatArray) -> FloatArray:
        """When the heralds with this bit of a window clicked, ps after the attempt began, in order of the patterns.

        ``otherwise_ps`` holds for origins that reach the window by their jitter alone.
        """
        rows = np.flatnonzero(self._patterns >> bit & 1)
        photon = (self._origins[rows] >> bit & 1) == 1
        window = bit // len(MIDPOINT)
        when_ps = otherwise_ps.copy()
        light, stray = self._behind.light[bit], self._behind.stray[bit]
        if light is not None:
            when_ps[photon] = light.draw(uniform[photon])
        if stray is not None and not np.all(photon):
            when_ps[~photon] = stray.draw(uniform[~photon])
        self._photons_ps[window, rows] = when_ps
        sigma_ps, tau_ps = self._behind.jitter_ps[bit % len(MIDPOINT)]
        late_ps = sigma_ps * self._rng.standard_normal(len(rows)) + tau_ps * self._rng.standard_exponential(len(rows))
        first, last = self._behind.windows_ps[window]
        return np.where(photon, np.clip(when_ps + late_ps, first, last - 1), when_ps)

    def populations(self) -> FloatArray:
        """Of the two memories when read out, float64 (H, 4)."""
        wander = self._rng.standard_normal(len(self._patterns))
        return self._behind.seen(self._patterns, self._origins, self._photons_ps, wander)


def origins(
    now: Conditions,
    program: Program,
    slots: list[Intervals],
    emissions: list[Emission],
    nodes: list[ComplexArray],
    light: ComplexArray,
    stray: FloatArray,
) -> Origins:
    """Takes the heralds apart; ``light`` as of :func:`.midpoint.light_patterns`, ``nodes`` as emitted."""
    assert program.rule is not None
    windows = program.rule.windows_ps
    window_bits = 2 ** (2 * len(windows))
    masks = np.arange(light.shape[1])
    parts, turning = [], np.zeros((len(masks), 4), complex)
    for origin in range(window_bits):
        here = np.where((masks % window_bits == origin)[:, None, None], light, 0)
        parts.append(_diagonal(or_clicks(here.sum(axis=0), stray)).real)
        if _bits(np.array([origin]))[0] == 2:
            turning += np.where((masks % window_bits == origin)[:, None], _diagonal(or_clicks(here[2], stray)), 0)
    shares = np.maximum(np.array(parts).transpose(1, 0, 2), 0)
    weight = shares.sum(axis=2, keepdims=True)
    populations = np.divide(shares, weight, out=np.full_like(shares, 0.25), where=weight > 0)
    total = weight.sum(axis=1)
    chance = np.divide(weight[:, :, 0], total, out=np.zeros(weight.shape[:2]), where=total > 0)
    own = weight[masks, masks % window_bits]
    times = light_times(now, program, slots, emissions, nodes)
    return Origins(
        cumulative=np.cumsum(chance, axis=1),
        populations=populations,
        turning=np.divide(turning, own, out=np.zeros_like(turning), where=own > 0),
        light=times,
        stray=stray_times(now, program, slots),
        jitter_ps=tuple((now.pixel(c).jitter_sigma_ps, now.pixel(c).jitter_tau_ps) for c in MIDPOINT),
        windows_ps=windows,
        beat=_beat(now, program, emissions, times) if len(windows) == 2 else None,
    )


def _beat(
    now: Conditions, program: Program, emissions: list[Emission], times: tuple[TimeTable | None, ...]
) -> Beat | None:
    early, late = times[0], times[2]
    pulses = program.attempt.on("excitation")
    if len(pulses) != 2 or early is None or late is None:
        return None
    mean = tau * now.photons_apart_hz() * 1e-12
    sigma = tau * np.hypot(now.diffusion_hz(0), now.diffusion_hz(1)) / _FWHM * 1e-12
    begins = tuple(float(p.centre_ps + min(now.light_delay_ps(0), now.light_delay_ps(1))) for p in pulses)
    drawn = (np.arange(_POINTS) + 0.5) / _POINTS
    apart = np.subtract.outer(late.draw(drawn) - begins[1], early.draw(drawn) - begins[0])
    left = float(np.mean(np.cos(mean * apart) * np.exp(-((sigma * apart) ** 2) / 2)))
    pure = sqrt(now.node(0).memory.indistinguishability * now.node(1).memory.indistinguishability)
    most = pure / emissions[0].overlap if emissions[0].overlap > 0 else 0.0
    contrast = min(1 / left, most) if left > 0 else most
    return Beat(mean, float(sigma), (begins[0], begins[1]), contrast)


def _bits(masks: Int64Array) -> Int64Array:
    """How many of the lowest four bits are set."""
    count: Int64Array = np.sum([masks >> k & 1 for k in range(4)], axis=0)
    return count


def _diagonal(states: ComplexArray) -> ComplexArray:
    diagonal: ComplexArray = np.einsum("mii->mi", states)
    return diagonal
