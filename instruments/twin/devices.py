"""Single devices as formulas: detector efficiency and darks, memory resonance and decoherence, fibre delay and loss."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import wofz

from ...analysis.records import FloatArray
from .config import DetectorConfig, FibreConfig, LaserConfig, MemoryConfig
from .spin import Decoherence

C_M_PER_S = 299_792_458.0
_BOHR_MAGNETON_OVER_K = 0.67171381  # µB/k, K/T
#: FWHM of a Gaussian in units of its sigma.
_FWHM = math.sqrt(8 * math.log(2))
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def efficiency(detector: DetectorConfig, bias_a: float, latched: bool) -> float:
    """Click probability of a photon: eta_s/2·[1 + erf((I - I0)/s)]; 0 when latched or not biased."""
    if latched or bias_a <= 0:
        return 0.0
    return detector.efficiency / 2 * (1 + math.erf((bias_a - detector.plateau_bias_a) / detector.plateau_width_a))


def dark_rate_hz(detector: DetectorConfig, bias_a: float, latched: bool) -> float:
    """D_bg·eta(I)/eta_s + D0·exp(I/I_D); 0 when latched or not biased."""
    if latched or bias_a <= 0:
        return 0.0
    light = detector.background_hz * efficiency(detector, bias_a, latched) / detector.efficiency
    return light + detector.intrinsic_dark_hz * math.exp(bias_a / detector.dark_current_scale_a)


def time_walk(detector: DetectorConfig, since_ps: FloatArray) -> FloatArray:
    """By how much a click shifts one ``since_ps`` later: float64 (N,) ps, straight between the points of the curve.

    Empty without one.
    """
    if not detector.walk:
        return np.empty(0)
    at, shift = np.array(detector.walk).T
    curve: FloatArray = np.interp(since_ps, at, shift)
    return curve


def latches(detector: DetectorConfig, bias_a: float) -> bool:
    """Whether a pixel turns normal and stays so at this bias."""
    return bias_a >= detector.latch_fraction * detector.switching_current_a


def resonance_hz(memory: MemoryConfig, electrode_voltage_v: float, magnetic_field_t: float) -> float:
    """Optical line: linear Stark shift and linear Zeeman shift from the nominal field."""
    zeeman = memory.zeeman_hz_per_t * (magnetic_field_t - memory.nominal_field_t)
    return memory.resonance_hz + memory.stark_hz_per_v * electrode_voltage_v + zeeman


def phonon_rate_hz(memory: MemoryConfig, temperature_k: float) -> float:
    """What phonons add to 1/T1 and 1/T2."""
    return float(memory.phonon_rate_hz * temperature_k**memory.phonon_exponent)


def decoherence(memory: MemoryConfig, temperature_k: float, magnetic_field_t: float) -> Decoherence:
    """T1, T2 with the rates of phonons and of the spin bath added; the drive stays at the spin line of the nominal field."""
    phonons = phonon_rate_hz(memory, temperature_k)
    return Decoherence(
        t1_s=1 / (1 / memory.t1_s + phonons),
        t2_s=1 / (1 / memory.t2_s + phonons + bath_rate_hz(memory, temperature_k, magnetic_field_t)),
        t2_exponent=memory.t2_exponent,
        t2_star_s=memory.t2_star_s,
        detuning_hz=memory.spin_hz_per_t * (magnetic_field_t - memory.nominal_field_t),
    )


def excitation_probability(
    laser: LaserConfig, power_w: float, detuning_hz: float, duration_s: float, area: float
) -> float:
    """Rabi's formula: (Ω/Ω')² sin²(Ω' t/2), Ω' = sqrt(Ω² + δ²), Ω t = π at full amplitude, pi_power, pi_duration.

    ``area`` is the envelope's area relative to a full-scale square pulse of ``duration_s``.
    """
    angle = math.pi * area * math.sqrt(power_w / laser.pi_power_w) * duration_s / laser.pi_duration_s
    total = math.hypot(angle, 2 * math.pi * detuning_hz * duration_s)
    return (angle / total * math.sin(total / 2)) ** 2 if total else 0.0


def mean_excitation(
    laser: LaserConfig, power_w: float, detuning_hz: float, duration_s: float, area: float, diffusion_hz: float
) -> float:
    """Rabi's formula averaged over the laser's power noise and over a line wandering by ``diffusion_hz`` (FWHM).

    Gauss-Hermite quadrature in both.
    """
    total = 0.0
    for x, w in zip(_NODES, _WEIGHTS, strict=True):
        for y, v in zip(_NODES, _WEIGHTS, strict=True):
            power = power_w * max(1 + laser.power_noise * x, 0.0)
            off_hz = detuning_hz + diffusion_hz / _FWHM * y
            total += w * v * excitation_probability(laser, power, off_hz, duration_s, area)
    return float(total)


def bath_rate_hz(memory: MemoryConfig, temperature_k: float, magnetic_field_t: float) -> float:
    """What flip-flops of surrounding electron spins add to 1/T2: they freeze out as sech²(gµB·B/2kT).

    Böttger et al., Phys. Rev. B 73, 075101 (2006).
    """
    ratio = memory.bath_g_factor * _BOHR_MAGNETON_OVER_K * magnetic_field_t / (2 * temperature_k)
    return memory.bath_rate_hz / math.cosh(min(ratio, 300.0)) ** 2


def readout_rate_hz(memory: MemoryConfig, detuning_hz: float, diffusion_hz: float) -> float:
    """Fluorescence of the bright state at the local detector: a Lorentzian, smeared by ``diffusion_hz`` (FWHM)."""
    half = memory.readout_linewidth_hz / 2
    return memory.readout_rate_hz * half**2 * _voigt(detuning_hz, half, diffusion_hz / _FWHM)


def fibre_delay_ps(fibre: FibreConfig) -> int:
    """Group delay n·L/c, rounded to 1 ps."""
    return round(fibre.group_index * fibre.length_m / C_M_PER_S * 1e12)


def fibre_transmission(fibre: FibreConfig) -> float:
    """Power transmission 10^(-dB/10) of fibre and connectors."""
    return float(10 ** (-(fibre.loss_db_per_km * fibre.length_m * 1e-3 + fibre.connectors_db) / 10))


def overlap(a: MemoryConfig, b: MemoryConfig, detuning_hz: float, delay_ps: int, diffusion_hz: float) -> float:
    """V of two exponential photons: lifetimes, detuning, Gaussian spectral diffusion, arrival offset, residual impurity.

    ``diffusion_hz`` is the FWHM of the two lines' difference. V = Ga·Gb/(m² + δ²), m the mean decay rate; averaged over Gaussian δ it is a Voigt profile (Faddeeva function). Arrival offset: exp(-|dt|·m).
    """
    ga, gb = 1 / a.lifetime_s, 1 / b.lifetime_s
    mean = (ga + gb) / 2
    sigma = 2 * math.pi * diffusion_hz / _FWHM
    lorentz = ga * gb * _voigt(2 * math.pi * detuning_hz, mean, sigma)
    return (
        math.sqrt(a.indistinguishability * b.indistinguishability) * lorentz * math.exp(-abs(delay_ps) * 1e-12 * mean)
    )


def _voigt(detuning: float, width: float, sigma: float) -> float:
    """Mean of 1/(width² + x²) over x normal around ``detuning``."""
    if sigma == 0:
        return 1 / (width**2 + detuning**2)
    z = complex(detuning, width) / (sigma * math.sqrt(2))
    return math.sqrt(math.pi / 2) / (sigma * width) * float(wofz(z).real)
