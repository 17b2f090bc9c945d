"""State tomography: the density matrix behind counted projections, and the figures that follow from it.

Expected counts are ``N w_j <k_j|rho|k_j>`` with relative intensities w and an unknown flux N, which every method leaves
free unless it says otherwise. Methods:

- ``poisson``: maximum likelihood; ``cost`` is half the deviance.
- ``multinomial``: the same with a flux of its own for every complete basis; it refuses rows that belong to none. (With
  equal intensities the others, too, are blind to a flux that drifts between complete bases.)
- ``gaussian``: least ``sum (N p - n)^2 / (2 N p)`` with N from the complete bases (James et al., PRA 64, 052312, 2001).
- ``linear``: weighted linear inversion; may have negative eigenvalues. ``cost`` is its half chi-square.
- ``bayes``: posterior mean under a prior uniform over ranks 1..d, see :func:`posterior_states`; credible intervals.

Intervals are credible intervals of the posterior whatever the method (but linear, whose own normal errors are used): the
bootstrap of a likelihood estimate is biased near pure states (Schwemmer et al., PRL 114, 080403, 2015). They take some
tens of milliseconds for two qubits, so they are computed when first asked for; values alone take microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from .errors import UsageError
from .kernels.posterior import design_of, sample_posterior, states_of
from .likelihood import (
    START_NOISE,
    TINY,
    Problem,
    coordinates,
    gaussian_cost,
    matrices_from,
    minimise,
    poisson_cost,
)
from .records import Estimate, FloatArray
from .settings import Settings, complete_groups, read_settings
from .states import (
    BELL_KETS,
    ComplexArray,
    concurrence,
    entropy_bits,
    fidelity_with,
    fully_entangled_fraction,
    negativity,
    purity,
)

METHODS = ("poisson", "multinomial", "gaussian", "linear", "bayes")
#: Draws behind the intervals of linear figures.
DRAWS = 1000
#: Chains a rank and states a chain behind the posterior; checked by benchmarks/tomography_calibration.py.
CHAINS, LENGTH = 22, 60

Figure = Callable[[ComplexArray], FloatArray]


@dataclass(frozen=True, eq=False)
class TomographyResult:
    """A reconstructed state.

    Attributes:
        rho: density matrix, complex128 (d, d), unit trace; rows and columns ``|00>, |01>, ..``.
        method: one of METHODS.
        cost: what the method minimised, at ``rho``; for bayes half the deviance there.
        linear_eigenvalues: of the linear inversion, ascending; negative ones show how far noise leaves the physical
            states. Empty when the settings do not determine a state.
        n: counts in total.
        target: the Bell state ``fidelity`` refers to (the nearest one if none was asked for).
        confidence: of all intervals.
        draws: returns states (S, d, d) that represent what the counts leave open.
    """

    rho: ComplexArray
    method: str
    cost: float
    linear_eigenvalues: tuple[float, ...]
    n: int
    target: str
    confidence: float
    target_ket: ComplexArray | None
    draws: Callable[[], ComplexArray]

    @cached_property
    def values(self) -> Mapping[str, float]:
        """The figures of ``rho`` without intervals, fast enough to be live."""
        functions = _figures(self.target_ket, len(self.rho))
        return MappingProxyType({name: float(f(self.rho)) for name, f in functions.items()})

    @cached_property
    def figures(self) -> Mapping[str, Estimate]:
        """Purity and entropy (bits); fidelity with the target if there is one; for two qubits also concurrence,
        negativity and fully entangled fraction. Computed when first asked for."""
        draws = self.draws()
        functions = _figures(self.target_ket, len(self.rho))
        return MappingProxyType({name: self._estimate(name, f(draws)) for name, f in functions.items()})

    def _estimate(self, name: str, spread: FloatArray) -> Estimate:
        value = float(spread.mean()) if self.method == "bayes" else self.values[name]
        tail = (1 - self.confidence) / 2
        lower, upper = (float(q) for q in np.quantile(spread, [tail, 1 - tail]))
        kind = "normal errors" if self.method == "linear" else "credible interval"
        lower, upper = min(lower, value), max(upper, value)
        return Estimate(value, lower, upper, self.confidence, float(spread.std()), self.n, f"{self.method}, {kind}")

    @property
    def fidelity(self) -> Estimate:
        """Fidelity with the target; KeyError where there is none (other than two qubits, none given)."""
        return self.figures["fidelity"]

    @property
    def concurrence(self) -> Estimate:
        return self.figures["concurrence"]

    @property
    def negativity(self) -> Estimate:
        return self.figures["negativity"]

    @property
    def purity(self) -> Estimate:
        return self.figures["purity"]

    @property
    def entropy(self) -> Estimate:
        return self.figures["entropy"]

    @property
    def fully_entangled_fraction(self) -> Estimate:
        return self.figures["fully_entangled_fraction"]

    def as_dict(self) -> dict[str, Any]:
        """Plain dict for JSON."""
        return {
            "rho_re": self.rho.real.tolist(),
            "rho_im": self.rho.imag.tolist(),
            "linear_eigenvalues": sorted(self.linear_eigenvalues, reverse=True),
            "cost": self.cost,
            "method": self.method,
            "n": self.n,
            "target": self.target,
            **{name: estimate.as_dict() for name, estimate in self.figures.items()},
        }


def reconstruct_state(counts: Mapping[str, Any], method: str = "poisson", seed: int = 0) -> TomographyResult:
    """Density matrix of one or more qubits from counted projections.

    Args:
        counts: ``{"projectors": [["H", "V"], ..] or ["HV", ..], "counts": [..]}`` with H = |0>, V = |1>,
            D, A = (H ± V)/√2, R = (H − iV)/√2, L = (H + iV)/√2. Optional: ``"kets"``: more names,
            ``{"S": [1, [0, 0.5]]}`` (numbers or [re, im]), or without projectors the list of each row's ket;
            ``"intensities"``: relative flux times efficiency of each row; ``"target"``: a Bell state or a ket;
            ``"confidence"`` (0.95). Settings may be over-complete or incomplete.
        method: poisson, multinomial, gaussian, linear or bayes.
        seed: of the draws behind the intervals.

    Raises:
        UsageError: an unknown method, ket or key, a wrong length, a negative or fractional count, no counts at all,
            ``linear`` on incomplete settings, or ``multinomial`` on rows that do not form complete bases.
    """
    if method not in METHODS:
        raise UsageError(f"unknown tomography method {method!r}; allowed are {', '.join(METHODS)}")
    settings = read_settings(counts)
    linear = _linear_inversion(settings)
    solver = {"linear": _solve_linear, "bayes": _solve_bayes}.get(method, _solve_likelihood)
    rho, cost, draws = solver(settings, linear, method, np.random.default_rng(seed))
    target, name = settings.target, settings.target_name
    if target is None and settings.d == 4:
        name = max(BELL_KETS, key=lambda bell: float(fidelity_with(rho, BELL_KETS[bell])))
        target = BELL_KETS[name]
    eigenvalues = tuple(float(v) for v in np.linalg.eigvalsh(linear.rho)) if linear.complete else ()
    return TomographyResult(
        rho, method, cost, eigenvalues, int(settings.counts.sum()), name, settings.confidence, target, draws
    )


def _figures(target: ComplexArray | None, d: int) -> dict[str, Figure]:
    figures: dict[str, Figure] = {"purity": purity, "entropy": entropy_bits}
    if target is not None:
        figures["fidelity"] = lambda rho: fidelity_with(rho, target)
    if d == 4:
        figures |= {
            "concurrence": concurrence,
            "negativity": negativity,
            "fully_entangled_fraction": fully_entangled_fraction,
        }
    return figures


Solution = tuple[ComplexArray, float, Callable[[], ComplexArray]]


@dataclass(frozen=True, slots=True, eq=False)
class _Linear:
    """Linear inversion: unit-trace ``rho``, its ``flux``, the unnormalised coordinates' covariance, completeness, cost."""

    rho: ComplexArray
    flux: float
    covariance: FloatArray
    complete: bool
    cost: float


def _linear_inversion(settings: Settings) -> _Linear:
    """Least squares of ``n_j = w_j <k_j|X|k_j>`` with weights 1/n; of least norm where the settings leave X open."""
    design = coordinates(settings.operators(settings.intensities))
    n = settings.counts.astype(np.float64)
    weight = 1 / np.sqrt(np.maximum(n, 1.0))
    u, singular, vh = np.linalg.svd(design * weight[:, None], full_matrices=False)
    kept = singular > 1e-9 * singular[0]
    inverse = (vh[kept].T / singular[kept]) @ u[:, kept].T
    found = inverse @ (n * weight)
    complete = int(kept.sum()) == settings.d**2
    matrix = matrices_from(found)
    flux = float(np.trace(matrix).real)
    cost = float(np.sum(((design @ found - n) * weight) ** 2) / 2)
    # Few counts on few settings can leave a trace that is no flux; the likelihood then starts from white noise.
    usable = flux > 0
    rho = matrix / flux if usable else np.eye(settings.d, dtype=np.complex128) / settings.d
    return _Linear(rho, flux if usable else float(n.sum()), inverse @ inverse.T, complete and usable, cost)


def _solve_linear(settings: Settings, linear: _Linear, method: str, rng: np.random.Generator) -> Solution:
    if not linear.complete:
        raise UsageError(
            f"linear inversion needs {settings.d**2} independent settings with counts; use poisson or bayes instead"
        )

    def draws() -> ComplexArray:
        spread = rng.multivariate_normal(
            coordinates(linear.rho * linear.flux), linear.covariance, DRAWS, method="cholesky"
        )
        return _unit_trace(matrices_from(spread))

    return linear.rho, linear.cost, draws


def _solve_likelihood(settings: Settings, linear: _Linear, method: str, rng: np.random.Generator) -> Solution:
    weights = _group_totals(settings) if method == "multinomial" else settings.intensities
    operators = coordinates(settings.operators(weights))
    problem = Problem(poisson_cost, operators, settings.counts.astype(np.float64))
    if method == "gaussian":
        problem = replace(problem, cost=gaussian_cost, flux=_known_flux(settings))
    root, cost = minimise(problem, _start(problem, linear.rho))

    return _unit_trace(root @ root), cost, lambda: posterior_states(settings.kets, settings.counts, weights, rng)


def _start(problem: Problem, rho: ComplexArray) -> ComplexArray:
    """Root of ``rho`` made positive and slightly noisy, at the flux that gives as many counts as there are."""
    values, vectors = np.linalg.eigh(rho)
    values = np.clip(values, 0, None) + START_NOISE
    root: ComplexArray = (vectors * np.sqrt(values)) @ vectors.conj().T
    flux = problem.n.sum() / float(problem.operators.sum(axis=0) @ coordinates(root @ root))
    scaled: ComplexArray = root * np.sqrt(flux)
    return scaled


def _solve_bayes(settings: Settings, linear: _Linear, method: str, rng: np.random.Generator) -> Solution:
    states = posterior_states(settings.kets, settings.counts, settings.intensities, rng)
    rho = states.mean(axis=0)
    n = settings.counts.astype(np.float64)
    p = settings.intensities * np.einsum("ji,ik,jk->j", settings.kets.conj(), rho, settings.kets).real
    return rho, float(poisson_cost(np.maximum(p * n.sum() / p.sum(), TINY), n)[0].sum()), lambda: states


def posterior_states(
    kets: ComplexArray,
    counts: Any,
    intensities: FloatArray,
    rng: np.random.Generator,
    chains: int = CHAINS,
    length: int = LENGTH,
) -> ComplexArray:
    """States drawn from the posterior: complex128 (chains·length, d, d).

    The prior is uniform over ranks 1..d and spreads the weights within a rank over four decades
    (:mod:`erbia.analysis.kernels.posterior`); each rank is sampled by itself and drawn from in proportion to its evidence.
    """
    design = design_of(kets * np.sqrt(intensities)[:, None])
    n = np.asarray(counts, np.float64)
    d = kets.shape[1]
    # The kernel runs without the interpreter's lock, so the ranks share the cores.
    with ThreadPoolExecutor() as pool:
        jobs = [
            pool.submit(sample_posterior, design, n, rank, chains, length, stream)
            for rank, stream in zip(range(d, 0, -1), rng.spawn(d), strict=True)
        ]
        runs = [job.result() for job in reversed(jobs)]
    evidence = np.array([log_evidence for _, log_evidence in runs])
    share = np.exp(evidence - evidence.max())
    chosen = rng.choice(d, size=chains * length, p=share / share.sum())
    states = np.stack([states_of(drawn) for drawn, _ in runs])
    return states[chosen, rng.permutation(chains * length)]


def _group_totals(settings: Settings) -> FloatArray:
    """For each row the counts of its complete basis, corrected for unequal efficiencies within it: float64 (J,)."""
    groups, alone = complete_groups(settings)
    if alone:
        raise UsageError(
            f"multinomial: row {alone[0]} belongs to no complete basis ({settings.d} orthogonal projectors); use poisson"
        )
    totals = np.empty(len(settings.counts))
    for group in groups:
        within = settings.intensities[group]
        if np.ptp(within) > 1e-9 * within.max():
            raise UsageError(
                f"multinomial: rows {group} of one basis have different 'intensities'; use poisson, which needs no equal ones"
            )
        # A basis without counts says nothing, and a vanishing weight keeps it silent.
        totals[group] = max(float(settings.counts[group].sum()), 1e-9)
    return totals


def _known_flux(settings: Settings) -> float | None:
    """Flux from the complete bases, as in James et al.; None without one."""
    rows = [row for group in complete_groups(settings)[0] for row in group]
    if not rows or not settings.counts[rows].sum():
        return None
    return float(settings.counts[rows].sum() / settings.intensities[rows].sum() * settings.d)


def _unit_trace(matrices: ComplexArray) -> ComplexArray:
    normalised: ComplexArray = matrices / np.trace(matrices, axis1=-2, axis2=-1)[..., None, None]
    return normalised
