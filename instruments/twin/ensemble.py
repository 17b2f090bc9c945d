"""Ensemble memories as formulas: periodic combs, their echoes, Stark gating, spin-wave storage.

A comb is known by the Fourier components of its optical depth, d(δ) = d_0 + 2 Σ d_k cos(2πkδ/Δ). Light passes with the
causal amplitude exp(-d_0/2 - Σ d_k z^k), z a delay by 1/Δ; the coefficient of z^m is the m-th echo, exact for any comb.
For the first echo of Gaussian teeth this is the formula of Afzelius et al., PRA 79, 052329 (2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, erf, exp, log, pi, sin, sqrt, tau

import numpy as np

from ...analysis.records import FloatArray
from .config import EnsembleConfig

#: Echoes followed, Fourier components kept of a comb, and points of its period on which burning is worked out.
ECHOES = 8
_HARMONICS = 32
_POINTS = 512
_PHASES = np.arange(_POINTS) * tau / _POINTS


@dataclass(frozen=True, slots=True)
class Comb:
    """Echo spacing 1/Δ in seconds, and the Fourier components d_0, d_1, … of the optical depth."""

    period_s: float
    depths: tuple[float, ...]

    def efficiencies(self) -> FloatArray:
        """Leak and echoes, float64 (ECHOES + 1,): |c_m|² with m·c_m = -Σ k·d_k·c_(m-k)."""
        c = [exp(-self.depths[0] / 2)]
        for m in range(1, ECHOES + 1):
            c.append(-sum(k * self.depths[k] * c[m - k] for k in range(1, m + 1)) / m)
        efficiencies: FloatArray = np.square(np.array(c))
        return efficiencies

    def blurred(self, loss_rate_hz: float, split_hz: float) -> Comb:
        """As ions of homogeneous linewidth ``loss_rate_hz``/π in two classes ±``split_hz`` apart absorb."""
        late_s = self.period_s * np.arange(len(self.depths))
        kept = np.exp(-2 * loss_rate_hz * late_s) * np.cos(tau * split_hz * late_s)
        return Comb(self.period_s, tuple(float(d) for d in self.depths * kept))

    def profile(self) -> FloatArray:
        """Optical depth over one period of detuning that begins at 0, float64 (512,)."""
        order = np.arange(1, len(self.depths))
        depth: FloatArray = self.depths[0] + 2 * np.cos(np.outer(_PHASES, order)) @ np.array(self.depths[1:])
        return depth

    def transmission(self, detuning_hz: float, duration_s: float) -> float:
        """Share of a Gaussian pulse (FWHM ``duration_s``, longer than the period) that passes, its echoes included.

        exp(-d(δ)) averaged over the pulse's spectrum around ``detuning_hz``.
        """
        passed = np.fft.rfft(np.exp(-self.profile())).real / _POINTS
        late_s = self.period_s * np.arange(len(passed))
        seen = passed * np.cos(tau * detuning_hz * late_s) * np.exp(-log(2) * (late_s / duration_s) ** 2)
        return float(seen[0] + 2 * seen[1:].sum())

    def finesse(self) -> float:
        """Spacing over the full width of a tooth half way between floor and peak."""
        depth = self.profile()
        return float(_POINTS / np.count_nonzero(depth > (depth.min() + depth.max()) / 2))


def effective_depth(memory: EnsembleConfig) -> float:
    """Mean optical depth of the comb: (d/F)·sqrt(π/(4 ln 2)) for Gaussian teeth."""
    return memory.optical_depth / memory.finesse * sqrt(pi / (4 * log(2)))


def gaussian_comb(memory: EnsembleConfig) -> Comb:
    """The comb long preparation leaves: Gaussian teeth of the configured finesse on a background."""
    mean, narrow = effective_depth(memory), (pi / memory.finesse) ** 2 / (4 * log(2))
    teeth = [mean * exp(-narrow * k**2) for k in range(1, _HARMONICS + 1)]
    return Comb(1 / memory.comb_spacing_hz, (mean + memory.background_depth, *teeth))


def burnt_comb(
    memory: EnsembleConfig, pairs: Sequence[tuple[float, float]], cycle_s: float, age_s: float
) -> Comb | None:
    """Comb burnt by pulse pairs (strength, spacing in s) once a cycle, ``age_s`` later: holes fill with the hole lifetime.

    A pair leaves the ground state with exp[-s(1 + cos 2πδτ)/2]; burning and filling have come into balance. The spacing
    is that of the first pair. None without pairs.
    """
    if not pairs:
        return None
    period_s = pairs[0][1]
    burnt = np.exp(-sum(s * (1 + np.cos(_PHASES * spacing / period_s)) / 2 for s, spacing in pairs))
    kept, later = exp(-cycle_s / memory.hole_lifetime_s), exp(-age_s / memory.hole_lifetime_s)
    ground = (1 - kept) / (1 - kept * burnt) * burnt
    depth = memory.optical_depth * (1 - (1 - ground) * later) + memory.background_depth
    components = np.fft.rfft(depth)[: _HARMONICS + 1].real / _POINTS
    return Comb(period_s, tuple(float(d) for d in components))


def decoherence_factor(memory: EnsembleConfig, phonon_rate_hz: float, storage_s: float) -> float:
    """exp(-4t/T2) of the efficiency, with phonons adding to 1/T2 (Jobez et al., New J. Phys. 18, 033006, 2016)."""
    return exp(-4 * storage_s * (1 / memory.optical_t2_s + phonon_rate_hz))


def stark_factor(memory: EnsembleConfig, voltage_time_vs: float) -> float:
    """cos²(2π·s·∫V dt): two classes of ions pulled apart by the electrode; silent at s·V·t = 1/4."""
    return cos(tau * memory.stark_split_hz_per_v * voltage_time_vs) ** 2


def bandwidth_factor(memory: EnsembleConfig, duration_s: float, detuning_hz: float) -> float:
    """Share of the spectrum of a Gaussian pulse of that FWHM that falls into the comb.

    erf(sqrt(ln 2)·B·T/0.441) for a pulse in the middle of it.
    """
    steep_s, half_hz = 2 * sqrt(log(2)) * duration_s / 0.441, memory.bandwidth_hz / 2
    return (erf(steep_s * (half_hz + detuning_hz)) + erf(steep_s * (half_hz - detuning_hz))) / 2


def transfer(memory: EnsembleConfig, area: float) -> float:
    """Chance that a control pulse carries the excitation to the spin or back: best at a half turn (area 1)."""
    return memory.control_transfer * sin(pi / 2 * area) ** 2


def spin_factor(memory: EnsembleConfig, net_s: float, stored_s: float, t2_s: float, exponent: float) -> float:
    """exp[-(πγt)²/(2 ln 2)] of the net precession, exp[-2(t/T2)^n] of the time stored as spin wave."""
    static = (pi * memory.spin_linewidth_hz * net_s) ** 2 / (2 * log(2))
    return exp(-static - 2 * (stored_s / t2_s) ** exponent)
