"""Draws from the posterior of a quantum state of given rank by tempered sequential Monte Carlo.

A particle is a complex Gaussian matrix (d + 1, k). Its first d rows are the columns of G, its last row sets how strong
each column is: ``rho = sum_c s_c^2 g_c g_c^† / Tr`` with ``log s_c`` uniform over two decades. With all strengths equal
this would be the induced measure of rank k (Zyczkowski and Sommers, J. Phys. A 34, 7111, 2001), which holds a Bell state
with a few per cent of white noise for all but impossible; spread strengths give nearly pure states their due.

The likelihood is switched on in steps
that each leave half of the particles effective; after each, the particles are resampled and moved by preconditioned
Crank-Nicolson proposals, which leave the prior unchanged (Cotter et al., Stat. Sci. 28, 424, 2013; for states Lukens et
al., npj Quantum Inf. 6, 63, 2020). The product of the mean weights estimates the evidence (Del Moral et al., JRSS B 68,
411, 2006).
"""

from __future__ import annotations

import math

import numpy as np

from ..records import FloatArray, Int64Array
from ..states import ComplexArray
from .jit import kernel

#: Share of effective particles left by a tempering step, and the acceptance the proposals are tuned to.
EFFECTIVE = 0.5
ACCEPTANCE = 0.25
#: The columns' amplitudes differ by up to this many powers of ten.
DECADES = 2.0


@kernel
def strengths(particle: ComplexArray) -> FloatArray:
    """``s_c^2`` of each column: float64 (k,), from 1 down to ``10^-(2 DECADES)``."""
    d, k = particle.shape[0] - 1, particle.shape[1]
    s = np.empty(k)
    for c in range(k):
        # The real part of a unit complex Gaussian, made uniform by its distribution function.
        uniform = 0.5 * math.erfc(-particle[d, c].real)
        s[c] = 10.0 ** (-2.0 * DECADES * uniform)
    return s


@kernel
def log_likelihood(particle: ComplexArray, kets: ComplexArray, counts: FloatArray) -> float:
    """``sum n log p - N log sum p`` with ``p_j = <k_j| rho |k_j>``: the counts given their total, whatever the flux."""
    weight = strengths(particle)
    total, log_p, n_total = 0.0, 0.0, 0.0
    for j in range(kets.shape[0]):
        p = 0.0
        for c in range(particle.shape[1]):
            re = im = 0.0
            for i in range(kets.shape[1]):
                a, b = kets[j, i], particle[i, c]
                re += a.real * b.real + a.imag * b.imag
                im += a.real * b.imag - a.imag * b.real
            p += weight[c] * (re * re + im * im)
        total += p
        n_total += counts[j]
        if counts[j] > 0.0:
            log_p += counts[j] * math.log(max(p, 1e-300))
    return log_p - n_total * math.log(max(total, 1e-300))


@kernel
def _effective(log_weight: FloatArray) -> float:
    """Effective share of particles with these log-weights."""
    weight = np.exp(log_weight - log_weight.max())
    share: float = weight.sum() ** 2 / ((weight * weight).sum() * weight.size)
    return share


@kernel
def _next_temperature(beta: float, log_l: FloatArray) -> float:
    """The inverse temperature, up to 1, at which reweighting leaves the share EFFECTIVE."""
    if _effective((1.0 - beta) * log_l) >= EFFECTIVE:
        return 1.0
    low, high = beta, 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if _effective((middle - beta) * log_l) >= EFFECTIVE:
            low = middle
        else:
            high = middle
    return high


@kernel
def _resample(weight: FloatArray, u: float) -> Int64Array:
    """Systematic resampling: indices of the particles kept, int64 (P,)."""
    size = weight.size
    kept = np.empty(size, np.int64)
    total = weight.sum()
    reached, source = weight[0], 0
    for k in range(size):
        target = (k + u) * total / size
        while reached < target and source < size - 1:
            source += 1
            reached += weight[source]
        kept[k] = source
    return kept


@kernel
def _propose(particle: ComplexArray, step: float, rng: np.random.Generator, trial: ComplexArray) -> None:
    """Fills ``trial`` with a Crank-Nicolson proposal: a rotation of ``particle`` into fresh draws of the prior."""
    keep, scale = math.sqrt(1.0 - step * step), step * math.sqrt(0.5)
    for i in range(particle.shape[0]):
        for c in range(particle.shape[1]):
            trial[i, c] = keep * particle[i, c] + scale * complex(rng.standard_normal(), rng.standard_normal())


@kernel
def draw_prior(d: int, rank: int, particles: int, rng: np.random.Generator) -> ComplexArray:
    """Particles of the prior: complex128 (P, d + 1, rank)."""
    drawn = np.zeros((particles, d + 1, rank), np.complex128)
    for p in range(particles):
        _propose(drawn[p], 1.0, rng, drawn[p])
    return drawn


@kernel
def states_of(particles: ComplexArray) -> ComplexArray:
    """Density matrices of particles (P, d + 1, k): complex128 (P, d, d), unit trace."""
    d = particles.shape[1] - 1
    rho = np.zeros((particles.shape[0], d, d), np.complex128)
    for p in range(particles.shape[0]):
        weight = strengths(particles[p])
        trace = 0.0
        for i in range(d):
            for j in range(d):
                for c in range(particles.shape[2]):
                    rho[p, i, j] += weight[c] * particles[p, i, c] * np.conj(particles[p, j, c])
            trace += rho[p, i, i].real
        rho[p] /= trace
    return rho


@kernel
def sample_posterior(
    kets: ComplexArray, counts: FloatArray, rank: int, size: int, sweeps: int, rng: np.random.Generator
) -> tuple[ComplexArray, float]:
    """Particles (size, d + 1, rank) drawn from the posterior, and the log of the evidence of this rank.

    Args:
        kets: complex128 (J, d), scaled by the root of each setting's intensity.
        counts: float64 (J,).
        sweeps: moves of every particle after each tempering step.
    """
    particles = draw_prior(kets.shape[1], rank, size, rng)
    log_l = np.empty(size)
    for p in range(size):
        log_l[p] = log_likelihood(particles[p], kets, counts)
    trial = np.empty_like(particles[0])
    step, beta, log_evidence = 0.9, 0.0, 0.0
    while beta < 1.0:
        new = _next_temperature(beta, log_l)
        top = log_l.max()
        weight = np.exp((new - beta) * (log_l - top))
        log_evidence += (new - beta) * top + math.log(weight.mean())
        kept = _resample(weight, rng.random())
        beta, particles, log_l = new, particles[kept], log_l[kept]
        for _ in range(sweeps):
            moved = 0
            for p in range(size):
                _propose(particles[p], step, rng, trial)
                trial_log_l = log_likelihood(trial, kets, counts)
                if math.log(max(rng.random(), 1e-300)) < beta * (trial_log_l - log_l[p]):
                    particles[p] = trial
                    log_l[p] = trial_log_l
                    moved += 1
            step = min(max(step * math.exp(moved / size - ACCEPTANCE), 1e-6), 0.95)
    return particles, log_evidence
