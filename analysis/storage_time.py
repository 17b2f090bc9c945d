"""How long a memory keeps its coherence: fits of contrast or of echo counts against storage time.

The storage time T is where the decay ``exp[-(t/T)^n]`` has fallen to 1/e: of the coherence when a contrast (successes out of
trials) is measured, of the efficiency or intensity when counts are. n is 1 (exponential), 2 (gaussian) or free (stretched).
Intervals are profile-likelihood ones, because T and n are strongly anticorrelated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .count_fit import CountFit, CountProblem, Parameter, fit_counts
from .errors import UsageError
from .records import Estimate, FloatArray

Decay = Literal["exponential", "gaussian", "stretched"]

_EXPONENTS: dict[str, float | None] = {"exponential": 1.0, "gaussian": 2.0, "stretched": None}
_STRETCH = Parameter("exponent", 1.0, 0.5, 0.2, 6.0)


@dataclass(frozen=True, slots=True, eq=False)
class StorageTimeFit:
    """A fitted decay ``floor + (initial - floor) · exp[-(t/T)^exponent]``.

    Attributes:
        storage_time: T, s.
        exponent: n; interval of zero width where the model fixes it.
        initial: success probability (contrast data) or counts per unit exposure (count data) at t = 0.
        floor: the same after a long time; zero width where it was given.
        contrast: initial contrast ``C0 = 2 |initial - floor|`` of contrast data with a given floor, else None.
        model: exponential, gaussian or stretched.
        definition: what the storage time means.
        fit: the underlying fit, with deviance, p-value and AIC.
    """

    storage_time: Estimate
    exponent: Estimate
    initial: Estimate
    floor: Estimate
    contrast: Estimate | None
    model: Decay
    definition: str
    fit: CountFit

    def curve(self, storage_time_s: ArrayLike) -> FloatArray:
        """The fitted success probability, or counts per unit exposure, at the given times (M,) s: float64 (M,)."""
        decay = _decay(np.asarray(storage_time_s, float), self.storage_time.value, self.exponent.value)
        curve: FloatArray = self.floor.value + (self.initial.value - self.floor.value) * decay
        return curve


def fit_storage_time(
    storage_time_s: ArrayLike,
    successes: ArrayLike,
    trials: ArrayLike,
    model: Decay = "exponential",
    floor: float | None = 0.5,
    confidence: float = 0.95,
) -> StorageTimeFit:
    """Coherence time from contrast data, ``p(t) = floor + (p0 - floor) exp[-(t/T)^n]`` with binomial likelihood.

    With ``floor = 1/2`` this is ``p = (1 ± C0 exp[-(t/T)^n])/2``; the sign follows the data.

    Args:
        storage_time_s: float64 (K,), s; rows with no trials are left out.
        successes, trials: int (K,).
        model: exponential (n = 1), gaussian (n = 2) or stretched (n free in 0.2..6).
        floor: success probability when all coherence is gone; None fits it.
        confidence: of the intervals.

    Raises:
        UsageError: unequal lengths, counts that are impossible, an unknown model, or too few times with trials.
    """
    t, k, n = _table(storage_time_s, successes, trials, "trials")
    if np.any(k > n):
        row = int(np.argmax(k > n))
        raise UsageError(f"row {row}: {k[row]:g} successes out of {n[row]:g} trials")
    if floor is not None and not 0 <= floor <= 1:
        raise UsageError(f"floor is a probability, got {floor:g}; choose 0..1, or None to fit it")
    fit = _fit_decay(t, k, n, model, floor, ceiling=1.0)
    return _result(fit, model, floor, "1/e of the coherence", confidence)


def fit_decay_counts(
    storage_time_s: ArrayLike,
    counts: ArrayLike,
    exposure: ArrayLike | None = None,
    model: Decay = "exponential",
    floor: float | None = None,
    confidence: float = 0.95,
) -> StorageTimeFit:
    """Lifetime of an echo or emission from counts, ``exposure · (B + (I0 - B) exp[-(t/T)^n])`` with Poisson likelihood.

    Args:
        storage_time_s: float64 (K,), s; rows with no exposure are left out.
        counts: int (K,).
        exposure: float64 (K,), attempts or live time behind each row; None: the same for all.
        model: exponential, gaussian or stretched.
        floor: background B per unit exposure; None fits it (B >= 0).
        confidence: of the intervals.

    Raises:
        UsageError: as ``fit_storage_time``.
    """
    weights = np.ones(np.shape(counts)) if exposure is None else exposure
    t, k, n = _table(storage_time_s, counts, weights, "exposure")
    if floor is not None and not 0 <= floor < math.inf:
        raise UsageError(f"floor is a count per unit exposure, got {floor:g}; choose 0 or more, or None to fit it")
    fit = _fit_decay(t, k, n, model, floor, ceiling=math.inf)
    return _result(fit, model, floor, "1/e of the intensity", confidence)


def choose_decay(fits: list[StorageTimeFit]) -> list[tuple[StorageTimeFit, float]]:
    """Fits of the same data, likeliest first, each with its Akaike weight (they sum to 1)."""
    aic = np.array([f.fit.aic for f in fits])
    weight = np.exp(-(aic - aic.min()) / 2) if math.isfinite(aic.min()) else np.ones(len(fits))
    weight = weight / weight.sum()
    return [(fits[i], float(weight[i])) for i in np.argsort(-weight, kind="stable")]


def _decay(t: FloatArray, time_constant: float, exponent: float) -> FloatArray:
    decay: FloatArray = np.exp(-np.minimum((t / max(time_constant, 1e-40)) ** exponent, 700.0))
    return decay


def _table(t_s: ArrayLike, counts: ArrayLike, weights: ArrayLike, weight_name: str) -> tuple[FloatArray, ...]:
    """The rows that carry data, as float arrays, checked."""
    t, k, n = (np.asarray(a, float) for a in (t_s, counts, weights))
    if not t.shape == k.shape == n.shape or t.ndim != 1:
        raise UsageError(
            f"times, counts and {weight_name} must be 1-d and equally long, got {t.shape}, {k.shape}, {n.shape}"
        )
    if not all(np.all(np.isfinite(a)) and np.all(a >= 0) for a in (t, k, n)):
        raise UsageError(f"times, counts and {weight_name} must be finite and not negative")
    held = n > 0
    if len(np.unique(t[held])) < 2:
        raise UsageError(
            f"a decay needs at least 2 different storage times with {weight_name}, got {len(np.unique(t[held]))}"
        )
    return t[held], k[held], n[held]


def _fit_decay(
    t: FloatArray, k: FloatArray, n: FloatArray, model: Decay, floor: float | None, ceiling: float
) -> CountFit:
    """Fits levels between 0 and ``ceiling``: 1 for probabilities (binomial), infinity for rates (Poisson)."""
    if model not in _EXPONENTS:
        raise UsageError(f"unknown decay model {model!r}; choose one of {', '.join(_EXPONENTS)}")
    given_exponent = _EXPONENTS[model]
    span, level = float(t.max()), max(float(np.sum(k) / np.sum(n)), 1 / float(np.sum(n)))
    free = [Parameter("storage_time", span, span, 0.0), Parameter("initial", level, level, 0.0, ceiling)]
    if floor is None:
        free.append(Parameter("floor", level, level, 0.0, ceiling))
    if given_exponent is None:
        free.append(_STRETCH)

    def expected(values: FloatArray) -> FloatArray:
        bottom = values[2] if floor is None else floor
        exponent = values[-1] if given_exponent is None else given_exponent
        mean: FloatArray = n * (bottom + (values[1] - bottom) * _decay(t, values[0], exponent))
        return mean

    problem = CountProblem(k, expected, tuple(free), None if math.isinf(ceiling) else n)
    stretch = [] if given_exponent is not None else [_STRETCH.start]
    starts = [
        np.array([T, *_levels(k / n, n, _decay(t, T, given_exponent or _STRETCH.start), floor), *stretch])
        for T in np.geomspace(span / 100, span * 10, 13)
    ]
    return fit_counts(problem, starts)


def _levels(rate: FloatArray, weight: FloatArray, decay: FloatArray, floor: float | None) -> FloatArray:
    """Initial level (and floor, when free) by weighted least squares for a known decay."""
    root = np.sqrt(weight)
    if floor is not None:
        amplitude = float(np.sum(weight * decay * (rate - floor)) / np.sum(weight * decay**2))
        return np.array([floor + amplitude])
    columns = np.column_stack([decay, 1 - decay]) * root[:, None]
    levels: FloatArray = np.linalg.lstsq(columns, rate * root, rcond=None)[0]
    return levels


def _result(fit: CountFit, model: Decay, floor: float | None, definition: str, confidence: float) -> StorageTimeFit:
    given_exponent = _EXPONENTS[model]
    initial = fit.estimate("initial", "", confidence)
    binomial = fit.problem.trials is not None
    return StorageTimeFit(
        storage_time=fit.estimate(
            "storage_time", "s", confidence, f"{model} decay to {definition}, profile likelihood"
        ),
        exponent=_given(given_exponent, confidence) if given_exponent else fit.estimate("exponent", "", confidence),
        initial=initial,
        floor=fit.estimate("floor", "", confidence) if floor is None else _given(floor, confidence),
        contrast=_contrast(initial, floor) if binomial and floor is not None else None,
        model=model,
        definition=definition,
        fit=fit,
    )


def _contrast(initial: Estimate, floor: float) -> Estimate:
    """``2 |initial - floor|`` with the interval folded at zero."""
    ends = sorted((abs(initial.lower - floor), abs(initial.upper - floor)))
    lower = 0.0 if initial.lower <= floor <= initial.upper else ends[0]
    value = abs(initial.value - floor)
    method = "twice the distance of the initial level from the floor"
    return Estimate(2 * value, 2 * lower, 2 * ends[1], initial.confidence, 2 * initial.std, initial.n, method)


def _given(value: float, confidence: float) -> Estimate:
    return Estimate(value, value, value, confidence, 0.0, 0, "given, not fitted")
