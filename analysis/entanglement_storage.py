"""How long stored entanglement stays useful: fidelity against storage time, and when it falls to a threshold.

Under dephasing the correlators of the coherences decay, ``E(t) = E0 exp[-(t/T)^n]`` for XX and YY, that of the populations
(ZZ) stays, and ``F(t) = (1 + sum of signed correlators)/4``. All settings and times enter one binomial likelihood. The
interval of a crossing holds every time t at which "F(t) is the threshold" is not rejected by the likelihood ratio.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import norm

from .count_fit import CountFit, CountProblem, Parameter, fit_counts
from .errors import UsageError
from .records import Estimate, FloatArray

#: Signs of XX, YY, ZZ in ``F = (1 ± XX ± YY ± ZZ)/4``.
BELL_SIGNS = {"phi+": (1, -1, 1), "phi-": (-1, 1, 1), "psi+": (1, 1, -1), "psi-": (-1, -1, -1)}
_BASES = ("XX", "YY", "ZZ")
#: A crossing later than this many storage times, or measured times, counts as never.
_NEVER = 1e3


@dataclass(frozen=True, slots=True, eq=False)
class EntanglementStorageFit:
    """Decay of a Bell state in memory.

    Attributes:
        storage_time: T, where the coherence has fallen to 1/e, s.
        crossings: threshold -> the storage time at which the fidelity falls to it, s: 0 where it never lay above,
            infinite where it never falls so far.
        fit: the underlying fit, in (storage_time, XX, YY, ZZ).
    """

    storage_time: Estimate
    crossings: Mapping[float, Estimate]
    fit: CountFit
    _decay: _BellDecay

    def fidelity(self, storage_time_s: ArrayLike) -> FloatArray:
        """The fitted fidelity at the given storage times (M,) s: float64 (M,)."""
        return self._decay.fidelity(self.fit.values, np.asarray(storage_time_s, float))


def fit_entanglement_storage(
    storage_time_s: ArrayLike,
    same: Mapping[str, ArrayLike],
    trials: Mapping[str, ArrayLike],
    target: str = "psi+",
    exponent: float = 1.0,
    thresholds: tuple[float, ...] = (0.5, 2 / 3),
    confidence: float = 0.95,
) -> EntanglementStorageFit:
    """Fits correlators in XX, YY and ZZ measured at several storage times.

    Args:
        storage_time_s: float64 (K,), s.
        same, trials: basis -> int (K,): shots with equal outcomes, and all shots (0 where not measured).
        target: phi+, phi-, psi+ or psi-.
        exponent: n of the decay, 1 exponential, 2 gaussian.
        thresholds: fidelities between 1/4 and 1; 1/2 bounds entanglement, 2/3 a classical memory.

    Raises:
        UsageError: unknown target, missing basis, impossible counts or thresholds.
    """
    if target not in BELL_SIGNS:
        raise UsageError(f"unknown target {target!r}; choose one of {', '.join(BELL_SIGNS)}")
    if not all(0.25 < threshold < 1 for threshold in thresholds):
        raise UsageError(f"thresholds must lie between 1/4 and 1, got {thresholds}")
    decay = _read(storage_time_s, same, trials, np.array(BELL_SIGNS[target], float), exponent)
    fit = decay.fit()
    method = "binomial likelihood of all settings, profile interval"
    return EntanglementStorageFit(
        storage_time=fit.estimate("storage_time", "s", confidence, method),
        crossings={threshold: decay.crossing(fit, threshold, confidence) for threshold in thresholds},
        fit=fit,
        _decay=decay,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _BellDecay:
    """The rows of the measurement and the model of them; values are (T, XX, YY, ZZ) at t = 0."""

    t_s: FloatArray
    basis: FloatArray
    same: FloatArray
    trials: FloatArray
    signs: FloatArray
    exponent: float

    def coherence(self, time_constant: float, t_s: FloatArray | float) -> FloatArray:
        ratio = np.asarray(t_s) / max(time_constant, 1e-40)
        decay: FloatArray = np.exp(-np.minimum(ratio**self.exponent, 700.0))
        return decay

    def fidelity(self, values: FloatArray, t_s: FloatArray) -> FloatArray:
        coherent = values[1] * self.signs[0] + values[2] * self.signs[1]
        fidelity: FloatArray = (1 + self.signs[2] * values[3] + coherent * self.coherence(values[0], t_s)) / 4
        return fidelity

    def expected(self, values: FloatArray) -> FloatArray:
        correlator = np.choose(self.basis.astype(int), values[1:4])
        decay = np.where(self.basis == 2, 1.0, self.coherence(values[0], self.t_s))
        mean: FloatArray = self.trials * (1 + correlator * decay) / 2
        return mean

    def fit(self) -> CountFit:
        span = float(self.t_s.max())
        means = [self._mean_correlator(basis) for basis in range(3)]
        parameters = (
            Parameter("storage_time", span, span, 0.0),
            *(Parameter(name, mean, 0.3, -1.0, 1.0) for name, mean in zip(_BASES, means, strict=True)),
        )
        starts = [
            np.array([time, 0.9 * self.signs[0], 0.9 * self.signs[1], means[2]])
            for time in np.geomspace(span / 100, 30 * span, 12)
        ]
        return fit_counts(CountProblem(self.same, self.expected, parameters, self.trials), starts)

    def crossing(self, fit: CountFit, threshold: float, confidence: float) -> Estimate:
        """Storage time at which the fidelity falls to the threshold."""
        z = float(norm.ppf(0.5 + confidence / 2))
        longest = _NEVER * max(float(self.t_s.max()), min(float(fit.values[0]), 1e6 * float(self.t_s.max())))

        def signed_root(t_s: float) -> float:
            rise = max(self._constrained(fit, threshold, t_s) - fit.deviance, 0.0)
            above = float(self.fidelity(fit.values, np.array(t_s))) - threshold
            return math.copysign(math.sqrt(rise), above)

        def root(level: float, early: float, late: float) -> float:
            return float(brentq(lambda t: signed_root(t) - level, early, late, xtol=1e-6 * late, rtol=1e-5))

        value = self._crossing_time(fit.values, threshold)
        at_once = signed_root(0.0)
        lower = 0.0 if at_once <= z else root(z, 0.0, min(value, longest))
        late = max(value, float(self.t_s.max()) / 4)
        while late < longest and signed_root(late) > -z:
            late *= 2
        upper = 0.0 if at_once <= -z else root(-z, min(value, late), late) if late < longest else math.inf
        std = (upper - lower) / (2 * z) if math.isfinite(upper) else math.nan
        method = f"F(t) = {threshold:.4g}, likelihood ratio"
        return Estimate(
            value, min(lower, value), max(upper, value), confidence, std, int(self.trials.sum()), method, "s"
        )

    def _crossing_time(self, values: FloatArray, threshold: float) -> float:
        floor, start = (float(self.fidelity(values, np.array(t))) for t in (math.inf, 0.0))
        if start <= threshold:
            return 0.0
        if floor >= threshold:
            return math.inf
        share = (threshold - floor) / (start - floor)
        return float(values[0] * (-math.log(share)) ** (1 / self.exponent))

    def _constrained(self, fit: CountFit, threshold: float, t_s: float) -> float:
        """Least deviance among the decays whose fidelity at ``t_s`` is the threshold: ZZ follows from the rest."""

        def full(free: FloatArray) -> FloatArray:
            coherent = (free[1] * self.signs[0] + free[2] * self.signs[1]) * float(self.coherence(free[0], t_s))
            zz = self.signs[2] * (4 * threshold - 1 - coherent)
            return np.array([*free, float(np.clip(zz, -1.0, 1.0))])

        problem = CountProblem(
            self.same, lambda free: self.expected(full(free)), fit.problem.parameters[:3], self.trials
        )
        span = max(float(self.t_s.max()), t_s)
        starts = [fit.values[:3], *(np.array([T, *fit.values[1:3]]) for T in (span / 10, span, 10 * span))]
        return fit_counts(problem, starts).deviance

    def _mean_correlator(self, basis: int) -> float:
        rows = self.basis == basis
        return float(2 * self.same[rows].sum() / max(self.trials[rows].sum(), 1) - 1)


def _read(
    storage_time_s: ArrayLike,
    same: Mapping[str, ArrayLike],
    trials: Mapping[str, ArrayLike],
    signs: FloatArray,
    exponent: float,
) -> _BellDecay:
    if missing := [basis for basis in _BASES if basis not in same or basis not in trials]:
        raise UsageError(f"no counts in {missing[0]}: the fidelity needs XX, YY and ZZ")
    t = np.asarray(storage_time_s, float)
    k = np.concatenate([np.asarray(same[basis], float) for basis in _BASES])
    n = np.concatenate([np.asarray(trials[basis], float) for basis in _BASES])
    if t.ndim != 1 or len(k) != 3 * len(t) or len(n) != 3 * len(t) or np.any(t < 0):
        raise UsageError(f"each basis needs one count for each of the {t.size} storage times, none negative")
    if np.any(k < 0) or np.any(k > n):
        row = int(np.argmax((k < 0) | (k > n)))
        raise UsageError(f"{_BASES[row // len(t)]}, row {row % len(t)}: {k[row]:g} equal outcomes in {n[row]:g} shots")
    kept, basis = n > 0, np.repeat(np.arange(3.0), len(t))
    if len(np.unique(np.tile(t, 3)[kept & (basis < 2)])) < 2 or not np.any(kept & (basis == 2)):
        raise UsageError("a decay needs ZZ, and XX or YY at two storage times or more")
    return _BellDecay(np.tile(t, 3)[kept], basis[kept], k[kept], n[kept], signs, exponent)
