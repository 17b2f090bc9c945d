"""Coherence of rare-earth ensembles from echo counts: AFC, two-pulse and three-pulse echoes.

All fits use the Poisson likelihood with a free background; intervals are profile-likelihood ones. Times in s, linewidths Hz
(full width at half maximum of the homogeneous line, ``1/(pi T_M)``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .count_fit import CountFit, CountProblem, Parameter, fit_counts
from .errors import UsageError
from .records import Estimate, FloatArray

#: Stands in for a time of zero, which an interval may reach.
_TINY = 1e-60


@dataclass(frozen=True, slots=True, eq=False)
class EchoFit:
    """A fitted echo decay.

    Attributes:
        estimates: by name, among ``coherence_time`` (s), ``linewidth`` (Hz), ``exponent``, ``amplitude``, ``background``,
            ``spectral_diffusion`` (Hz), ``diffusion_rate`` (1/s).
        definition: what the coherence time or linewidth means.
        fit: the underlying fit.
    """

    estimates: dict[str, Estimate]
    definition: str
    fit: CountFit


def fit_afc_decay(
    storage_time_s: ArrayLike, counts: ArrayLike, exposure: ArrayLike | None = None, confidence: float = 0.95
) -> EchoFit:
    """Effective optical coherence time of an atomic frequency comb, ``eta(t) = eta0 exp(-4 t / T2)`` (Jobez, NJP 18, 2016).

    Args:
        storage_time_s: float64 (K,), s, the inverse comb spacings.
        counts: int (K,), echo counts; exposure: float64 (K,), input photons or attempts behind each (default 1).

    Raises:
        UsageError: unequal lengths, negative numbers, fewer points than parameters.
    """
    t, k, weight = _rows(storage_time_s, counts, exposure)

    def decay(values: FloatArray) -> FloatArray:
        return _exp(-4 * t / max(values[0], _TINY))

    shape = (_time("coherence_time", 4 * float(t.max())),)
    starts = [[scale * float(t.max())] for scale in np.geomspace(0.05, 40, 10)]
    fit = _fit(k, weight, decay, shape, starts)
    return _result(fit, {"coherence_time": "s"}, "T2 in exp(-4 t/T2), the efficiency of the echo", confidence)


def fit_two_pulse_echo(
    delay_s: ArrayLike, counts: ArrayLike, exposure: ArrayLike | None = None, confidence: float = 0.95
) -> EchoFit:
    """Phase memory time from a two-pulse echo, ``I = I0 exp[-2 (2 tau / T_M)^x] + B`` (Mims, Phys. Rev. 168, 370, 1968).

    Args:
        delay_s: float64 (K,), s, the pulse separations tau; the echo follows at ``2 tau``.
        counts, exposure: as in ``fit_afc_decay``. x is free in 0.3..4 and reported as ``exponent``.

    Raises:
        UsageError: as ``fit_afc_decay``.
    """
    t, k, weight = _rows(delay_s, counts, exposure)

    def decay(values: FloatArray) -> FloatArray:
        return _exp(-2 * (2 * t / max(values[0], _TINY)) ** values[1])

    span = 2 * float(t.max())
    shape = (_time("coherence_time", span), Parameter("exponent", 1.0, 0.5, 0.3, 4.0))
    starts = [[scale * span, x] for scale in np.geomspace(0.05, 20, 10) for x in (1.0, 2.0)]
    fit = _fit(k, weight, decay, shape, starts)
    units = {"coherence_time": "s", "exponent": ""}
    result = _result(fit, units, "T_M in exp[-2 (2 tau/T_M)^x], the echo's intensity", confidence)
    return EchoFit(
        result.estimates | {"linewidth": _linewidth(result.estimates["coherence_time"])}, result.definition, fit
    )


def fit_three_pulse_echo(
    delay_s: ArrayLike,
    waiting_time_s: ArrayLike,
    counts: ArrayLike,
    exposure: ArrayLike | None = None,
    lifetime_s: float = math.inf,
    confidence: float = 0.95,
) -> EchoFit:
    """Spectral diffusion from three-pulse echoes (Böttger, PRB 73, 075101, 2006).

    ``I = I0 exp(-2 Tw/T1) exp[-4 pi tau G(Tw, tau)] + B`` with ``G = G0 + G_SD/2 [R tau + 1 - exp(-R Tw)]``.

    Args:
        delay_s, waiting_time_s: float64 (K,), s, tau and Tw of each row; both must vary.
        counts, exposure: as in ``fit_afc_decay``.
        lifetime_s: T1 of the population grating, known from elsewhere.

    Raises:
        UsageError: as ``fit_afc_decay``, or waiting times that do not vary.
    """
    t, k, weight = _rows(delay_s, counts, exposure)
    wait = np.asarray(waiting_time_s, float)
    if wait.shape != t.shape or len(np.unique(wait)) < 3 or np.any(wait < 0):
        raise UsageError(
            f"spectral diffusion needs a waiting time for each of {len(t)} rows, at least 3 different ones"
        )

    def decay(values: FloatArray) -> FloatArray:
        linewidth, diffusion, rate = values[:3]
        width = linewidth + diffusion / 2 * (rate * t - np.expm1(-rate * wait))
        return _exp(-2 * wait / lifetime_s - 4 * math.pi * t * width)

    broad = 1 / (4 * math.pi * float(np.median(t[t > 0])))
    longest = float(wait.max())
    shape = (
        Parameter("linewidth", broad, broad, 0.0),
        Parameter("spectral_diffusion", broad, broad, 0.0),
        Parameter("diffusion_rate", 1 / longest, 1 / longest, 0.0),
    )
    starts = [
        [a * broad, b * broad, c / longest] for a in (0.1, 0.5, 1.0) for b in (0.1, 1.0, 3.0) for c in (0.3, 3.0, 30.0)
    ]
    fit = _fit(k, weight, decay, shape, starts)
    units = {"linewidth": "Hz", "spectral_diffusion": "Hz", "diffusion_rate": "Hz"}
    return _result(fit, units, "G0, G_SD and R of G0 + G_SD/2 [R tau + 1 - exp(-R Tw)], FWHM", confidence)


def _rows(t_s: ArrayLike, counts: ArrayLike, exposure: ArrayLike | None) -> tuple[FloatArray, FloatArray, FloatArray]:
    t, k = np.asarray(t_s, float), np.asarray(counts, float)
    weight = np.ones_like(k) if exposure is None else np.asarray(exposure, float)
    if not t.shape == k.shape == weight.shape or t.ndim != 1:
        raise UsageError(f"times, counts and exposure must be equally long, got {t.shape}, {k.shape}, {weight.shape}")
    if not all(np.all(np.isfinite(a)) and np.all(a >= 0) for a in (t, k, weight)) or not np.any(t > 0):
        raise UsageError("times, counts and exposure must be finite and not negative, and some time above 0")
    return t, k, weight


def _time(name: str, scale: float) -> Parameter:
    return Parameter(name, scale, scale, 0.0)


def _exp(exponent: FloatArray) -> FloatArray:
    decay: FloatArray = np.exp(np.clip(np.nan_to_num(exponent, nan=0.0), -700.0, 0.0))
    return decay


def _fit(
    counts: FloatArray,
    weight: FloatArray,
    decay: Callable[[FloatArray], FloatArray],
    shape: tuple[Parameter, ...],
    starts: list[list[float]],
) -> CountFit:
    """Fit of ``weight · (amplitude · decay + background)``; amplitude and background start from least squares."""
    level = max(float(counts.sum() / weight.sum()), 1 / float(weight.sum()))
    levels = (Parameter("amplitude", level, level, 0.0), Parameter("background", level, level, 0.0))

    def expected(values: FloatArray) -> FloatArray:
        mean: FloatArray = weight * (values[-2] * decay(values) + values[-1])
        return mean

    root = np.sqrt(weight)
    rate = np.divide(counts, weight, out=np.zeros_like(counts), where=weight > 0)
    full = []
    for start in starts:
        columns = np.column_stack([decay(np.array(start)), np.ones_like(rate)]) * root[:, None]
        amplitude, background = np.maximum(np.linalg.lstsq(columns, rate * root, rcond=None)[0], 0.01 * level)
        full.append(np.array([*start, amplitude, background]))
    return fit_counts(CountProblem(counts, expected, (*shape, *levels)), full)


def _result(fit: CountFit, units: dict[str, str], definition: str, confidence: float) -> EchoFit:
    names = units | {"amplitude": "", "background": ""}
    method = "Poisson likelihood, profile interval"
    return EchoFit({n: fit.estimate(n, unit, confidence, method) for n, unit in names.items()}, definition, fit)


def _linewidth(time: Estimate) -> Estimate:
    """``1/(pi T)`` of a time with its interval turned round."""
    value, upper, lower = (math.inf if t == 0 else 1 / (math.pi * t) for t in (time.value, time.lower, time.upper))
    std = value * time.std / time.value if time.value else math.nan
    return Estimate(value, lower, upper, time.confidence, std, time.n, "1/(pi T_M)", "Hz")
