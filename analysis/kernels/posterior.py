"""Draws from the posterior of a quantum state of given rank by tempered sequential Monte Carlo.

A particle is a real Gaussian matrix (k, 2d + 1). Row c holds the real parts of the ket g_c, its imaginary parts, and a number
that sets how strong the ket is: ``rho = sum_c s_c^2 g_c g_c^† / Tr`` with ``log s_c`` uniform over two decades. With all
strengths equal this would be the induced measure of rank k (Zyczkowski and Sommers, J. Phys. A 34, 7111, 2001), which
holds a Bell state with a few per cent of white noise for all but impossible; spread strengths give nearly pure states
their due.

The likelihood is switched on in steps that each leave half of the particles effective. After each, a few particles are
resampled and start chains of preconditioned Crank-Nicolson moves, which leave the prior unchanged (Cotter et al., Stat.
Sci. 28, 424, 2013; for states Lukens et al., npj Quantum Inf. 6, 63, 2020); every state of every chain is a particle of the
next step, so no move is wasted (Dau and Chopin, JRSS B 84, 114, 2022). The product of the mean weights estimates the
evidence (Del Moral et al., JRSS B 68, 411, 2006).
"""

from __future__ import annotations

import math

import numpy as np

from ..records import FloatArray, Int64Array
from ..states import ComplexArray
from .jit import kernel

#: Share of effective particles left by a tempering step, and the acceptance the proposals are tuned to.
EFFECTIVE = 0.3
ACCEPTANCE = 0.25
#: The kets' amplitudes differ by up to this many powers of ten.
DECADES = 2.0


@kernel
def design_of(kets: ComplexArray) -> FloatArray:
    """``p_j = <k_j| rho |k_j>`` as a real linear form: float64 (d², J), in the order of :func:`_add_ket`."""
    n, d = kets.shape
    design = np.empty((d * d, n))
    for j in range(n):
        at = 0
        for a in range(d):
            design[at, j] = kets[j, a].real ** 2 + kets[j, a].imag ** 2
            at += 1
            for b in range(a):
                cross = 2.0 * np.conj(kets[j, a]) * kets[j, b]
                design[at, j], design[at + 1, j] = cross.real, -cross.imag
                at += 2
    return design


@kernel
def _strength(normal: float) -> float:
    """``s^2`` of a ket, from 1 down to ``10^-(2 DECADES)``: a standard normal number made uniform by its distribution."""
    return math.exp(-DECADES * math.log(10.0) * math.erfc(-math.sqrt(0.5) * normal))


@kernel
def _add_ket(row: FloatArray, sign: float, x: FloatArray) -> None:
    """Adds ``sign s^2 g g^†`` to ``x`` float64 (d²,): for each row a, its diagonal, then (re, im) of the columns b < a."""
    d = row.size // 2
    weight = sign * _strength(row[2 * d])
    at = 0
    for a in range(d):
        re, im = weight * row[a], weight * row[d + a]
        x[at] += re * row[a] + im * row[d + a]
        at += 1
        for b in range(a):
            x[at] += re * row[b] + im * row[d + b]
            x[at + 1] += im * row[b] - re * row[d + b]
            at += 2


@kernel
def unnormalised(particle: FloatArray) -> FloatArray:
    """``sum_c s_c^2 g_c g_c^†`` of a particle (k, 2d + 1): float64 (d²,), see :func:`_add_ket`."""
    x = np.zeros((particle.shape[1] // 2) ** 2)
    for c in range(particle.shape[0]):
        _add_ket(particle[c], 1.0, x)
    return x


@kernel
def log_likelihood(x: FloatArray, design: FloatArray, counts: FloatArray, p: FloatArray) -> float:
    """``sum n log p - N log sum p``: the counts given their total, whatever the flux. Fills ``p = x · design``."""
    p[:] = 0.0
    for i in range(design.shape[0]):
        for j in range(design.shape[1]):
            p[j] += design[i, j] * x[i]
    total, log_p, n_total = 0.0, 0.0, 0.0
    for j in range(design.shape[1]):
        total += p[j]
        n_total += counts[j]
        if counts[j] > 0.0:
            log_p += counts[j] * math.log(max(p[j], 1e-300))
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
    for _ in range(30):
        middle = 0.5 * (low + high)
        if _effective((middle - beta) * log_l) >= EFFECTIVE:
            low = middle
        else:
            high = middle
    return high


@kernel
def _resample(weight: FloatArray, size: int, u: float) -> Int64Array:
    """Systematic resampling: indices of the ``size`` particles kept, int64 (size,)."""
    kept = np.empty(size, np.int64)
    total = weight.sum()
    reached, source = weight[0], 0
    for k in range(size):
        target = (k + u) * total / size
        while reached < target and source < weight.size - 1:
            source += 1
            reached += weight[source]
        kept[k] = source
    return kept


@kernel
def draw_prior(d: int, rank: int, particles: int, rng: np.random.Generator) -> FloatArray:
    """Particles of the prior: float64 (P, rank, 2d + 1)."""
    return rng.standard_normal((particles, rank, 2 * d + 1))


@kernel
def states_of(particles: FloatArray) -> ComplexArray:
    """Density matrices of particles (P, k, 2d + 1): complex128 (P, d, d), unit trace."""
    d = particles.shape[2] // 2
    rho = np.zeros((particles.shape[0], d, d), np.complex128)
    for p in range(particles.shape[0]):
        x = unnormalised(particles[p])
        trace, at = 0.0, 0
        for a in range(d):
            rho[p, a, a] = x[at]
            trace += x[at]
            at += 1
            for b in range(a):
                rho[p, a, b] = complex(x[at], x[at + 1])
                rho[p, b, a] = complex(x[at], -x[at + 1])
                at += 2
        rho[p] /= trace
    return rho


@kernel
def _strongest_first(particle: FloatArray) -> FloatArray:
    """The same state with its kets in falling order of what they contribute: float64 (k, 2d + 1)."""
    share = np.empty(particle.shape[0])
    for c in range(particle.shape[0]):
        ket = particle[c, :-1]
        share[c] = -_strength(particle[c, -1]) * (ket * ket).sum()
    return particle[np.argsort(share)]


@kernel
def sample_posterior(
    design: FloatArray, counts: FloatArray, rank: int, chains: int, length: int, rng: np.random.Generator
) -> tuple[FloatArray, float]:
    """Particles (chains·length, rank, 2d + 1) drawn from the posterior, and the log of the evidence of this rank.

    A move proposes one ket anew. The kets of a particle are sorted when its chain starts, so that each step size fits kets
    of like strength: what the counts fix least moves furthest.

    Args:
        design: :func:`design_of` the kets, scaled by the root of each setting's intensity.
        counts: float64 (J,).
        chains, length: after the last tempering step ``chains`` particles start chains of ``length`` states, ``rank``
            moves apart; after those before it, chains half as long.
    """
    d = int(math.sqrt(design.shape[0]))
    size = chains * (length // 2)
    particles = draw_prior(d, rank, chains * length, rng)
    log_l = np.empty(chains * length)
    p_work, x_trial, trial = np.empty(counts.size), np.empty(d * d), np.empty(2 * d + 1)
    for p in range(size):
        log_l[p] = log_likelihood(unnormalised(particles[p]), design, counts, p_work)
    x = np.empty((chains, d * d))
    steps = np.full(rank, 0.9)
    beta, log_evidence = 0.0, 0.0
    while beta < 1.0:
        new = _next_temperature(beta, log_l[:size])
        top = log_l[:size].max()
        weight = np.exp((new - beta) * (log_l[:size] - top))
        log_evidence += (new - beta) * top + math.log(weight.mean())
        beta = new
        size = chains * (length // 2 if beta < 1.0 else length)
        kept = _resample(weight, chains, rng.random())
        starts, start_log_l = particles[kept], log_l[kept]
        for p in range(chains):
            particles[p], log_l[p] = _strongest_first(starts[p]), start_log_l[p]
            x[p] = unnormalised(particles[p])
        for first in range(chains, size, chains):
            particles[first : first + chains] = particles[first - chains : first]
            log_l[first : first + chains] = log_l[first - chains : first]
            for c in range(rank):
                keep, moved = math.sqrt(1.0 - steps[c] ** 2), 0
                for p in range(chains):
                    ket = particles[first + p, c]
                    for i in range(2 * d + 1):
                        trial[i] = keep * ket[i] + steps[c] * rng.standard_normal()
                    x_trial[:] = x[p]
                    _add_ket(ket, -1.0, x_trial)
                    _add_ket(trial, 1.0, x_trial)
                    trial_log_l = log_likelihood(x_trial, design, counts, p_work)
                    if math.log(max(rng.random(), 1e-300)) < beta * (trial_log_l - log_l[first + p]):
                        ket[:], x[p], log_l[first + p] = trial, x_trial, trial_log_l
                        moved += 1
                steps[c] = min(max(steps[c] * math.exp(moved / chains - ACCEPTANCE), 1e-6), 0.95)
    return particles, log_evidence
