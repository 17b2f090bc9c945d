"""Fits of counts by maximum likelihood, Poisson or binomial, with profile-likelihood intervals.

A model gives the expected counts for its parameters; the fit minimises the deviance (twice the log-likelihood below a
perfect fit) by Fisher scoring with Levenberg's damping and bounds. An interval is the set of values whose profile deviance
exceeds the minimum by less than the chi-square quantile (Wilks 1938), raised for few counts by the Bartlett factor
(``bartlett``), so it is asymmetric and may end at infinity where the data do not constrain the parameter. Sparse counts are
therefore handled without Gaussian error bars.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special, stats

from .bartlett import bartlett_factor
from .errors import UsageError
from .records import BoolArray, Estimate, FloatArray, Int64Array

#: Expected counts, float64 (K,), for the parameters, float64 (P,).
Model = Callable[[FloatArray], FloatArray]

_MAX_STEPS = 200
#: A fall of the deviance not worth another step.
_ENOUGH = 1e-7
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Parameter:
    """A free parameter: where the fit starts, how large a typical change is, where it may go (all in one unit)."""

    name: str
    start: float
    scale: float
    lower: float = -math.inf
    upper: float = math.inf


@dataclass(frozen=True, slots=True, eq=False)
class CountProblem:
    """Counts and the model that shall explain them.

    Attributes:
        observed: float64 (K,), counts.
        model: parameters (P,) to expected counts (K,).
        parameters: the P free parameters.
        trials: float64 (K,) > 0 for binomial counts, None for Poisson counts.
    """

    observed: FloatArray
    model: Model
    parameters: tuple[Parameter, ...]
    trials: FloatArray | None = None

    def expected(self, values: FloatArray) -> FloatArray:
        """Expected counts (K,), kept inside the open range in which the likelihood is finite."""
        mean = self.model(values)
        if self.trials is None:
            return np.maximum(mean, _TINY)
        inside: FloatArray = np.clip(mean, _TINY * self.trials, (1 - _TINY) * self.trials)
        return inside

    def variance(self, mean: FloatArray) -> FloatArray:
        """Variance (K,) of the counts about ``mean``."""
        return mean if self.trials is None else mean * (1 - mean / self.trials)

    def deviance_terms(self, mean: FloatArray) -> FloatArray:
        """Deviance of each point (K,)."""
        terms = special.xlogy(self.observed, self.observed / mean) - (self.observed - mean)
        if self.trials is not None:
            missed, mean_missed = self.trials - self.observed, self.trials - mean
            terms = terms + special.xlogy(missed, missed / mean_missed) - (missed - mean_missed)
        twice: FloatArray = 2 * terms
        return twice

    def deviance(self, values: FloatArray) -> float:
        """Twice the log-likelihood ratio of a perfect fit to this one."""
        return self.deviance_of(self.expected(values))

    def deviance_of(self, mean: FloatArray) -> float:
        """The same from the expected counts (K,)."""
        total = float(np.sum(self.deviance_terms(mean)))
        return total if math.isfinite(total) else math.inf


@dataclass(frozen=True, slots=True, eq=False)
class CountFit:
    """The most likely parameters.

    Attributes:
        problem: what was fitted.
        values: float64 (P,).
        deviance: at the minimum; about chi-square with ``dof`` degrees of freedom when counts are not few.
    """

    problem: CountProblem
    values: FloatArray
    deviance: float

    @property
    def dof(self) -> int:
        """Points less free parameters."""
        return len(self.problem.observed) - len(self.values)

    @property
    def p_value(self) -> float:
        """Probability of a deviance at least this large if the model is right; 1 when nothing is left to test."""
        return float(stats.chi2.sf(self.deviance, self.dof)) if self.dof > 0 else 1.0

    @property
    def aic(self) -> float:
        """Akaike's criterion, small-sample form, up to a constant common to all models of the same counts."""
        free, points = len(self.values), len(self.problem.observed)
        spare = points - free - 1
        return self.deviance + 2 * free + (2 * free * (free + 1) / spare if spare > 0 else math.inf)

    def value(self, name: str) -> float:
        """Most likely value of a parameter."""
        return float(self.values[self._index(name)])

    def expected(self) -> FloatArray:
        """Fitted counts, float64 (K,)."""
        return self.problem.expected(self.values)

    def residuals(self) -> FloatArray:
        """Signed roots of the deviance terms, float64 (K,): about standard normal when the model is right."""
        mean = self.expected()
        terms = np.maximum(self.problem.deviance_terms(mean), 0.0)
        signed: FloatArray = np.sign(self.problem.observed - mean) * np.sqrt(terms)
        return signed

    def covariance(self) -> FloatArray:
        """Inverse of the expected Fisher information, float64 (P, P)."""
        mean = self.expected()
        jacobian = _jacobian(self.problem, self.values, mean, np.ones(len(self.values), np.bool_))
        scale = np.array([p.scale for p in self.problem.parameters])
        scaled = jacobian * scale
        information = scaled.T @ (scaled / self.problem.variance(mean)[:, None])
        inverse: FloatArray = np.linalg.pinv(information, hermitian=True) * np.outer(scale, scale)
        return inverse

    def interval(self, name: str, confidence: float = 0.95) -> tuple[float, float]:
        """Profile-likelihood interval, Bartlett-corrected; an end the data do not constrain lies at the parameter's bound."""
        k = self._index(name)
        rise = float(stats.chi2.ppf(confidence, 1)) * self._bartlett_factor(k)
        return _profile_end(self, k, -1, rise), _profile_end(self, k, +1, rise)

    def estimate(
        self, name: str, unit: str = "", confidence: float = 0.95, method: str = "profile likelihood"
    ) -> Estimate:
        """The value with its profile interval; ``std`` is the interval's half width in standard errors, nan if open.

        ``n`` is the number of counts, or of trials.
        """
        lower, upper = self.interval(name, confidence)
        z = float(stats.norm.ppf(0.5 + confidence / 2))
        std = (upper - lower) / (2 * z) if math.isfinite(upper - lower) else math.nan
        n = int(self.problem.observed.sum() if self.problem.trials is None else self.problem.trials.sum())
        return Estimate(self.value(name), lower, upper, confidence, std, n, method, unit)

    def _bartlett_factor(self, k: int) -> float:
        """Of parameter ``k``'s deviance; parameters that lie at a bound count as given."""
        free = np.array(
            [p.lower < v < p.upper for p, v in zip(self.problem.parameters, self.values, strict=True)], np.bool_
        )
        if not free[k]:
            return 1.0
        mean = self.expected()
        first, second = _derivatives(self.problem, self.values, mean, np.flatnonzero(free))
        return bartlett_factor(mean, first, second, self.problem.trials, int(free[:k].sum()))

    def _index(self, name: str) -> int:
        return [p.name for p in self.problem.parameters].index(name)


def fit_counts(problem: CountProblem, starts: Sequence[FloatArray] | None = None) -> CountFit:
    """Most likely parameters, from the best of ``starts`` (each (P,); default: the parameters' own start).

    Raises:
        UsageError: fewer points than parameters.
    """
    free = len(problem.parameters)
    if len(problem.observed) < free:
        raise UsageError(f"{len(problem.observed)} points cannot fix {free} parameters: measure at least {free}")
    own = np.array([p.start for p in problem.parameters])
    candidates = [_within(problem, np.asarray(start, float)) for start in (starts if starts is not None else [own])]
    best = min(candidates, key=problem.deviance)
    values, deviance = _minimise(problem, best, np.ones(free, np.bool_))
    return CountFit(problem, values, deviance)


def reparametrised(fit: CountFit, problem: CountProblem, values: FloatArray) -> CountFit:
    """The same best fit seen in other parameters, so that a derived quantity gets a profile interval of its own."""
    return replace(fit, problem=problem, values=values)


def _within(problem: CountProblem, values: FloatArray) -> FloatArray:
    lower, upper = [p.lower for p in problem.parameters], [p.upper for p in problem.parameters]
    inside: FloatArray = np.clip(values, lower, upper)
    return inside


def _jacobian(problem: CountProblem, values: FloatArray, mean: FloatArray, free: BoolArray) -> FloatArray:
    """Derivative (K, P) of the expected counts ``mean`` by the ``free`` parameters, by steps that stay inside the bounds."""
    jacobian = np.zeros((len(mean), len(values)))
    for k in np.flatnonzero(free):
        parameter = problem.parameters[k]
        step = 1e-6 * max(abs(float(values[k])), parameter.scale)
        if values[k] + step > parameter.upper:
            step = -step
        moved = values.copy()
        moved[k] += step
        jacobian[:, k] = (problem.expected(moved) - mean) / step
    return jacobian


def _derivatives(
    problem: CountProblem, values: FloatArray, mean: FloatArray, free: Int64Array
) -> tuple[FloatArray, FloatArray]:
    """First (K, F) and second (K, F, F) derivatives of the expected counts by the parameters ``free`` int64 (F,).

    Differences over a tenth of a standard error, away from the bounds.
    """
    moving = np.zeros(len(values), np.bool_)
    moving[free] = True
    jacobian = _jacobian(problem, values, mean, moving)[:, free]
    std = 1 / np.sqrt(np.maximum(np.sum(jacobian**2 / problem.variance(mean)[:, None], axis=0), 1e-300))
    steps = np.zeros((len(free), len(values)))
    for row, k in enumerate(free):
        parameter = problem.parameters[k]
        room = min(values[k] - parameter.lower, parameter.upper - values[k])
        steps[row, k] = min(0.1 * std[row], 0.5 * room)
    ahead = np.array([problem.expected(values + step) for step in steps])
    behind = np.array([problem.expected(values - step) for step in steps])
    size = steps[np.arange(len(free)), free]
    first = ((ahead - behind) / (2 * size[:, None])).T
    second = np.empty((len(mean), len(free), len(free)))
    for i in range(len(free)):
        second[:, i, i] = (ahead[i] + behind[i] - 2 * mean) / size[i] ** 2
        for j in range(i):
            both = problem.expected(values + steps[i] + steps[j]) + problem.expected(values - steps[i] - steps[j])
            mixed = both - ahead[i] - behind[i] - ahead[j] - behind[j] + 2 * mean
            second[:, i, j] = second[:, j, i] = mixed / (2 * size[i] * size[j])
    return first, second


def _minimise(problem: CountProblem, start: FloatArray, free: BoolArray) -> tuple[FloatArray, float]:
    """Lowest deviance over the ``free`` parameters (bool (P,)): values (P,) and deviance."""
    values, damping = start, 1e-3
    mean = problem.expected(values)
    deviance = problem.deviance_of(mean)
    lower = np.array([p.lower for p in problem.parameters])
    upper = np.array([p.upper for p in problem.parameters])
    scale = np.array([p.scale for p in problem.parameters])
    for _ in range(_MAX_STEPS):
        jacobian, variance = _jacobian(problem, values, mean, free) * scale, problem.variance(mean)
        score = jacobian.T @ ((problem.observed - mean) / variance)
        information = jacobian.T @ (jacobian / variance[:, None])
        # A parameter pressed against its bound stays there in this step.
        moving = free & ~((values <= lower) & (score < 0)) & ~((values >= upper) & (score > 0))
        gain = 0.0
        while moving.any() and damping < 1e12:
            step, promised = _damped_step(information, score, moving, damping)
            if promised < _ENOUGH:
                return values, deviance
            candidate = np.clip(values + scale * step, lower, upper)
            candidate_mean = problem.expected(candidate)
            reached = problem.deviance_of(candidate_mean)
            if reached <= deviance:
                gain, values, mean, deviance = deviance - reached, candidate, candidate_mean, reached
                damping = max(damping / 10, 1e-9)
                break
            damping *= 10
        if gain < _ENOUGH:
            break
    return values, deviance


def _damped_step(
    information: FloatArray, score: FloatArray, moving: BoolArray, damping: float
) -> tuple[FloatArray, float]:
    """Step (P,) of the parameters in units of their scales, and the fall of the deviance it promises."""
    inside = np.flatnonzero(moving)
    block = information[np.ix_(inside, inside)]
    diagonal = np.diag(block)
    floor = 1e-12 * max(float(diagonal.max()), 1e-300)
    step = np.zeros(len(score))
    step[inside] = np.linalg.solve(block + damping * np.diag(diagonal + floor), score[inside])
    return step, 2 * float(score @ step) - float(step @ information @ step)


def _profile_end(fit: CountFit, k: int, side: int, rise: float) -> float:
    """Where the profile deviance of parameter ``k`` has risen by ``rise`` on one side, or the bound if it never does."""
    parameter = fit.problem.parameters[k]
    bound = parameter.upper if side > 0 else parameter.lower
    free = np.ones(len(fit.values), np.bool_)
    free[k] = False
    covariance = fit.covariance()
    lower, upper = [p.lower for p in fit.problem.parameters], [p.upper for p in fit.problem.parameters]
    # Along the profile the other parameters follow x, at first as the covariance says.
    nuisance, slope = fit.values, covariance[k] / max(float(covariance[k, k]), 1e-300)

    def excess(x: float) -> float:
        nonlocal nuisance, slope
        start = np.clip(nuisance + slope * (x - nuisance[k]), lower, upper)
        start[k] = x
        last = nuisance
        nuisance, deviance = _minimise(fit.problem, start, free)
        if x != last[k]:
            slope = (nuisance - last) / (x - last[k])
        # The root of the rise is nearly linear in x, so a secant finds its end in a few steps.
        return math.sqrt(max(deviance - fit.deviance, 0.0)) - math.sqrt(rise)

    inner, inner_excess = float(fit.values[k]), -math.sqrt(rise)
    std = math.sqrt(max(float(covariance[k, k]), 0.0))
    step = math.sqrt(rise) * std if 0 < std < 1e6 * parameter.scale else parameter.scale
    for _ in range(60):
        outer = inner + side * step
        if side * (outer - bound) >= 0:
            outer = bound
        if not math.isfinite(outer):
            return bound
        outer_excess = excess(outer)
        if outer_excess >= 0:
            return _root(excess, inner, inner_excess, outer, outer_excess)
        if outer == bound:
            return bound
        inner, inner_excess, step = outer, outer_excess, 2 * step
    return bound


def _root(f: Callable[[float], float], a: float, fa: float, b: float, fb: float) -> float:
    """Root of ``f`` between ``a`` (f < 0) and ``b`` (f >= 0), regula falsi in its Illinois form, until ``|f| < 1e-3``."""
    fb, kept = min(fb, -10 * fa), 0  # a far too high end would hold the secant at ``a``
    for _ in range(60):
        c = (a * fb - b * fa) / (fb - fa)
        fc = f(c)
        if abs(fc) < 1e-3 or abs(b - a) <= 1e-10 * abs(c):
            return c
        # An end kept twice in a row is weighed half, so that both ends close in.
        if fc < 0:
            a, fa, fb, kept = c, fc, (fb / 2 if kept > 0 else fb), 1
        else:
            b, fb, fa, kept = c, fc, (fa / 2 if kept < 0 else fa), -1
    return 0.5 * (a + b)
