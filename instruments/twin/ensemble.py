"""Ensemble memories as formulas: atomic frequency combs, Stark gating, noise (Afzelius et al., PRA 79, 052329, 2009)."""

from __future__ import annotations

from math import cos, exp, log, pi, sqrt, tau

from .config import EnsembleConfig

#: Gaussian teeth: exp(-7.12/F²) is the dephasing of the echo within a tooth.
_TOOTH_DEPHASING = pi**2 / (2 * log(2))


def effective_depth(memory: EnsembleConfig) -> float:
    """Mean optical depth of the comb: (d/F)·sqrt(π/(4 ln 2)) for Gaussian teeth."""
    return memory.optical_depth / memory.finesse * sqrt(pi / (4 * log(2)))


def forward_efficiency(memory: EnsembleConfig) -> float:
    """First echo, forward: d̃²·exp(-d̃)·exp(-d0)·exp(-7.12/F²); never above 54 %."""
    depth = effective_depth(memory)
    return depth**2 * exp(-depth - memory.background_depth - _TOOTH_DEPHASING / memory.finesse**2)


def decoherence_factor(memory: EnsembleConfig, phonon_rate_hz: float, storage_s: float) -> float:
    """exp(-4t/T2) of the efficiency, with phonons adding to 1/T2 (Jobez et al., New J. Phys. 18, 033006, 2016)."""
    return exp(-4 * storage_s * (1 / memory.optical_t2_s + phonon_rate_hz))


def stark_factor(memory: EnsembleConfig, electrode_voltage_v: float, storage_s: float) -> float:
    """cos²(2π·s·V·t): two classes of ions pulled apart by the electrode; silent at s·V·t = 1/4."""
    return cos(tau * memory.stark_split_hz_per_v * electrode_voltage_v * storage_s) ** 2


def echo_efficiency(memory: EnsembleConfig, phonon_rate_hz: float, electrode_voltage_v: float) -> float:
    """Probability that a photon comes back in the first echo, 1/spacing after it was absorbed."""
    storage_s = 1 / memory.comb_spacing_hz
    kept = decoherence_factor(memory, phonon_rate_hz, storage_s) * stark_factor(memory, electrode_voltage_v, storage_s)
    return forward_efficiency(memory) * kept
