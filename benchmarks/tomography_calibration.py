"""Are the credible intervals of tomography right? Simulation-based calibration (Talts et al., arXiv:1804.06788).

A state is drawn from the prior (rank 1 to 4 with equal chance), measured with Poisson counts in the 36 products of
H, V, D, A, R, L, and its figures are ranked among draws of the posterior. If the posterior is right every rank is equally
likely. Prints chi-square p-values of the ranks and how often the 95 % intervals hold the truth.

    python benchmarks/tomography_calibration.py [draws]
"""

from __future__ import annotations

import itertools
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy.stats import chisquare

from erbia.analysis.kernels.posterior import draw_prior, states_of
from erbia.analysis.records import FloatArray
from erbia.analysis.states import (
    BELL_KETS,
    KETS,
    ComplexArray,
    concurrence,
    entropy_bits,
    fidelity_with,
    fully_entangled_fraction,
    negativity,
    product_ket,
    purity,
)
from erbia.analysis.tomography import posterior_states

SETTINGS = np.stack([product_ket([KETS[a], KETS[b]]) for a, b in itertools.product("HVDARL", repeat=2)])
FLUXES = (30.0, 300.0, 3000.0)
BINS = 20
FIGURES = {
    "fidelity": lambda rho: fidelity_with(rho, BELL_KETS["phi+"]),
    "concurrence": concurrence,
    "negativity": negativity,
    "purity": purity,
    "entropy": entropy_bits,
    "fully entangled fraction": fully_entangled_fraction,
}


def figures(rho: ComplexArray) -> FloatArray:
    """All figures of a stack of states: float64 (S, F)."""
    return np.stack([figure(rho) for figure in FIGURES.values()], axis=1)


def calibrate(seed: int) -> tuple[FloatArray, FloatArray]:
    """For one true state: ranks of its figures among BINS - 1 posterior draws, and whether the 95 % intervals hold."""
    rng = np.random.default_rng([7, seed])
    rank = 1 + int(rng.integers(4))
    rho = states_of(draw_prior(4, rank, 1, rng))[0]
    p = np.einsum("ji,ik,jk->j", SETTINGS.conj(), rho, SETTINGS).real
    counts = rng.poisson(FLUXES[seed % len(FLUXES)] / 9 * np.maximum(p, 0))
    if not counts.sum():
        return calibrate(seed + 1_000_000)
    drawn = figures(posterior_states(SETTINGS, counts, np.ones(len(SETTINGS)), rng))
    truth = figures(rho[None])[0]
    # Separable states tie at zero and pure ones at one: ties, also those rounding splits, are broken at random.
    noise = 1e-9 * rng.random((BINS, len(truth)))
    apart = drawn[:: len(drawn) // (BINS - 1)][: BINS - 1] + noise[1:]
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return np.sum(apart < truth + noise[0], axis=0), (low - 1e-9 <= truth) & (truth <= high + 1e-9)


def run(draws: int) -> dict[str, tuple[float, float]]:
    """Chi-square p-value of the ranks and coverage of the 95 % interval, for each figure."""
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(calibrate, range(draws)))
    ranks, held = (np.array([r[k] for r in results]) for k in (0, 1))
    return {
        name: (float(chisquare(np.bincount(ranks[:, f], minlength=BINS)).pvalue), float(held[:, f].mean()))
        for f, name in enumerate(FIGURES)
    }


if __name__ == "__main__":
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print(f"{draws} states of rank 1-4, {BINS} bins; p must exceed 0.01")
    for name, (p, coverage) in run(draws).items():
        print(f"{name:26s} rank chi-square p = {p:.3f}   95 % interval holds {100 * coverage:.1f} %")
