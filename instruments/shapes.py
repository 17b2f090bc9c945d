"""Pulse shapes: complex envelopes over the length of a pulse, |e| ≤ 1; a chirp is the phase of the envelope."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.records import FloatArray

ComplexArray = NDArray[np.complex128]
_AREA_POINTS = 20_001


@dataclass(frozen=True, slots=True)
class Square:
    """Constant over the whole pulse; the only shape of a digital line."""

    kind: str = field(default="square", init=False)

    def envelope(self, t_ps: FloatArray, duration_ps: int) -> ComplexArray:
        """complex128 (N,) at times float64 (N,) ps after the pulse's start; times outside are not asked for."""
        return np.ones(np.shape(t_ps), np.complex128)


@dataclass(frozen=True, slots=True)
class Gaussian:
    """exp(-t²/2σ²) about the middle; the pulse lasts ``sigmas`` standard deviations."""

    sigmas: float = 6.0
    kind: str = field(default="gaussian", init=False)

    def envelope(self, t_ps: FloatArray, duration_ps: int) -> ComplexArray:
        """As ``Square.envelope``."""
        in_sigma = (np.asarray(t_ps, float) - duration_ps / 2) * self.sigmas / duration_ps
        return np.exp(-0.5 * in_sigma**2).astype(np.complex128)


@dataclass(frozen=True, slots=True)
class Sech:
    """Hyperbolic secant sweeping ``sweep_hz`` in all: sech(βt)·exp(iφ), dφ/dt = π·sweep·tanh(βt), t from the middle.

    β is such that the envelope is ``edge`` where the pulse starts and ends. With a sweep this is the adiabatic inversion
    pulse of Silver, Joseph and Hoult (PRA 31, 2753, 1985); its inversion does not depend on the exact power.
    """

    sweep_hz: float = 0.0
    edge: float = 0.01
    kind: str = field(default="sech", init=False)

    def envelope(self, t_ps: FloatArray, duration_ps: int) -> ComplexArray:
        """As ``Square.envelope``."""
        beta_per_ps = 2 * math.acosh(1 / self.edge) / duration_ps
        x = beta_per_ps * (np.asarray(t_ps, float) - duration_ps / 2)
        log_cosh = np.logaddexp(x, -x) - math.log(2)
        phase_rad = math.pi * self.sweep_hz * 1e-12 / beta_per_ps * log_cosh
        return np.exp(-log_cosh + 1j * phase_rad)


@dataclass(frozen=True, slots=True)
class Chirp:
    """Constant amplitude, frequency running linearly from ``start_hz`` to ``stop_hz`` (from the carrier)."""

    start_hz: float
    stop_hz: float
    kind: str = field(default="chirp", init=False)

    def envelope(self, t_ps: FloatArray, duration_ps: int) -> ComplexArray:
        """As ``Square.envelope``."""
        t_s, length_s = np.asarray(t_ps, float) * 1e-12, duration_ps * 1e-12
        turns = self.start_hz * t_s + (self.stop_hz - self.start_hz) * t_s**2 / (2 * length_s)
        return np.asarray(np.exp(2j * math.pi * turns), np.complex128)


@dataclass(frozen=True, slots=True)
class Comb:
    """Train of ``count`` equal Gaussian pulses every ``spacing_ps``: its spectrum is a comb with teeth 1/spacing apart.

    Pumping with it prepares an atomic frequency comb whose echo comes after ``spacing_ps`` (de Riedmatten et al.,
    Nature 456, 773, 2008). Each pulse fills ``width_ps`` as a Gaussian of six standard deviations; the teeth cover about
    1/width and are about 1/(count·spacing) wide. The first pulse begins with the whole.
    """

    count: int
    spacing_ps: int
    width_ps: int
    kind: str = field(default="comb", init=False)

    @property
    def length_ps(self) -> int:
        """From the first pulse's start to the last one's end: the shortest duration that holds the train."""
        return (self.count - 1) * self.spacing_ps + self.width_ps

    def envelope(self, t_ps: FloatArray, duration_ps: int) -> ComplexArray:
        """As ``Square.envelope``."""
        t = np.asarray(t_ps, float)
        k = np.clip(np.floor(t / self.spacing_ps), 0, self.count - 1)
        within = t - k * self.spacing_ps
        tooth = Gaussian().envelope(within, self.width_ps)
        return np.where((within >= 0) & (within < self.width_ps), tooth, 0)


SQUARE = Square()
Shape = Square | Gaussian | Sech | Chirp | Comb
SHAPES: dict[str, type[Shape]] = {
    "square": Square,
    "gaussian": Gaussian,
    "sech": Sech,
    "chirp": Chirp,
    "comb": Comb,
}


def shape_from(plain: Mapping[str, Any]) -> Shape:
    """Inverse of ``dataclasses.asdict``. Raises KeyError for a kind that is not in ``SHAPES``."""
    cls = SHAPES[plain["kind"]]
    return cls(**{f.name: plain[f.name] for f in fields(cls) if f.init})


@lru_cache(maxsize=4096)
def area(shape: Shape, duration_ps: int) -> float:
    """|∫ envelope dt| over the pulse relative to a square one of the same length: what drives a weak resonant response."""
    if isinstance(shape, Square):
        return 1.0
    t_ps = np.linspace(0.0, duration_ps, _AREA_POINTS)
    return abs(complex(np.trapezoid(shape.envelope(t_ps, duration_ps), t_ps))) / duration_ps
