"""Distribution of a weighted sum of independent binomial fractions, and the inversion of its test.

``T = sum_k w_k x_k / n_k`` with ``x_k ~ Bin(n_k, q_k)`` estimates ``theta = sum_k w_k q_k``; all weights are positive here.
"""

from __future__ import annotations

import math

import numpy as np

from ..records import FloatArray
from .jit import kernel

#: Atoms are kept within this many standard deviations (plus as many counts): the mass outside is below 1e-10.
WINDOW = 6.5
#: Up to this many atoms are summed exactly; beyond, the saddlepoint is right to about 1e-3 of a tail. Without a common
#: lattice it smooths over the atoms, so more of them are summed.
EXACT_ATOMS, EXACT_ATOMS_NO_LATTICE = 2000, 6000
#: Two values of T or of the rate closer than this (relative) are ties of the lattice.
TIE = 1e-9
#: A theta whose own tail is below this share of alpha is rejected whatever the other tail adds.
REJECTED = 0.05
#: Steps of the inward search, and the relative precision of a limit.
SCAN = 48
PRECISION = 1e-5


@kernel
def constrained_chances(x: FloatArray, n: FloatArray, w: FloatArray, theta: float) -> FloatArray:
    """Maximum-likelihood chances under ``sum w q = theta``: float64 (K,).

    Stationarity ``x/q - (n-x)/(1-q) = mu w`` is a quadratic in each q; the multiplier mu is found by bisection.
    """
    q = np.empty(x.size)
    reach = n.max() / w.min()
    low, high = -reach, reach
    while _sum_at(q, x, n, w, low) < theta and low > -1e18:
        low *= 10.0
    while _sum_at(q, x, n, w, high) > theta and high < 1e18:
        high *= 10.0
    for _ in range(200):
        mu = 0.5 * (low + high)
        total = _sum_at(q, x, n, w, mu)
        if abs(total - theta) <= 1e-13 * theta or high - low <= 1e-15 * reach:
            break
        if total > theta:
            low = mu
        else:
            high = mu
    return q


@kernel
def _sum_at(q: FloatArray, x: FloatArray, n: FloatArray, w: FloatArray, mu: float) -> float:
    """Fills ``q`` with the stationary chances at multiplier ``mu``; returns ``sum w q``, which falls with mu."""
    total = 0.0
    for k in range(x.size):
        m = mu * w[k]
        b = n[k] + m
        root = math.sqrt(max(b * b - 4.0 * m * x[k], 0.0))
        # The root of the quadratic in [0, 1], written so that nothing cancels.
        q[k] = min(2.0 * x[k] / (b + root) if b > 0.0 else (b - root) / (2.0 * m), 1.0)
        total += w[k] * q[k]
    return total


@kernel
def _cumulants(t: float, n: FloatArray, q: FloatArray, c: FloatArray) -> tuple[float, float, float]:
    """Cumulant generating function of T and its first two derivatives, at ``t``; ``c = w/n``."""
    k0 = k1 = k2 = 0.0
    for k in range(n.size):
        if q[k] <= 0.0:
            continue
        a = t * c[k]
        if q[k] >= 1.0:
            p = 1.0
            k0 += n[k] * a
        elif a > 0.0:
            # e^a overflows here: factor it out.
            rest = q[k] + (1.0 - q[k]) * math.exp(-a)
            p = q[k] / rest
            k0 += n[k] * (a + math.log(rest))
        else:
            e = q[k] * math.exp(a)
            p = e / (1.0 - q[k] + e)
            change = q[k] * math.expm1(a)
            k0 += n[k] * (math.log1p(change) if change > -0.5 else math.log(1.0 - q[k] + e))
        k1 += n[k] * c[k] * p
        k2 += n[k] * c[k] * c[k] * p * (1.0 - p)
    return k0, k1, k2


@kernel
def _saddlepoint(value: float, n: FloatArray, q: FloatArray, c: FloatArray) -> float:
    """``t`` with ``K'(t) = value``: Newton steps kept inside a shrinking bracket."""
    low, high = -1e3 / c.min(), 1e3 / c.min()
    t = 0.0
    for _ in range(200):
        _, k1, k2 = _cumulants(t, n, q, c)
        if k1 > value:
            high = t
        else:
            low = t
        step = (value - k1) / k2 if k2 > 0.0 else 0.0
        new = t + step
        if not low < new < high:
            new = 0.5 * (low + high)
        if abs(new - t) <= 1e-12 * max(abs(t), 1.0):
            return new
        t = new
    return t


@kernel
def _range(n: FloatArray, q: FloatArray, c: FloatArray) -> tuple[float, float]:
    """Smallest and largest T that can happen: chances of 0 and 1 leave no choice."""
    bottom = top = 0.0
    for k in range(n.size):
        if q[k] >= 1.0:
            bottom += c[k] * n[k]
        if q[k] > 0.0:
            top += c[k] * n[k]
    return bottom, top


@kernel
def _rate(value: float, n: FloatArray, q: FloatArray, c: FloatArray) -> float:
    """Large-deviation rate ``sup_t (t value - K(t))``: for equal chances the binomial log-likelihood ratio."""
    bottom, top = _range(n, q, c)
    slack = TIE * (c * n).sum()
    if value < bottom - slack or value > top + slack:
        return math.inf
    if bottom + slack < value < top - slack:
        t = _saddlepoint(value, n, q, c)
        return t * value - _cumulants(t, n, q, c)[0]
    # At an end of the range every open basis goes the same way.
    log_chance = 0.0
    for k in range(n.size):
        if 0.0 < q[k] < 1.0:
            log_chance += n[k] * (math.log1p(-q[k]) if value <= bottom + slack else math.log(q[k]))
    return -log_chance


@kernel
def _mirror(value: float, n: FloatArray, q: FloatArray, c: FloatArray) -> float:
    """The value on the other side of the mean with the same rate; infinite where that side ends before."""
    level = _rate(value, n, q, c)
    _, mean, variance = _cumulants(0.0, n, q, c)
    bottom, top = _range(n, q, c)
    side, end = (1.0, top) if value < mean else (-1.0, bottom)
    if variance <= 0.0 or level > _rate(end, n, q, c):
        return side * math.inf
    # Along the saddlepoint t both the value K' and its rate t K' - K grow: Newton steps inside a shrinking bracket.
    near, far = 0.0, 1e3 / c.min()
    t = math.sqrt(2.0 * level / variance)
    found = mean
    for _ in range(100):
        k0, found, k2 = _cumulants(side * t, n, q, c)
        excess = side * t * found - k0 - level
        if excess > 0.0:
            far = t
        else:
            near = t
        if abs(excess) <= 1e-11 * max(level, 1.0) or far - near <= 1e-12 * far:
            break
        t = t - excess / (t * k2) if t * k2 > 0.0 else far
        if not near < t < far:
            t = 0.5 * (near + far)
    return found


@kernel
def _window(n: float, q: float) -> tuple[int, int]:
    half = WINDOW * (math.sqrt(n * q * (1.0 - q)) + 1.0)
    return max(int(n * q - half), 0), min(int(n * q + half) + 1, int(n))


@kernel
def _pmf(n: float, q: float, low: int, high: int) -> FloatArray:
    """Binomial probabilities of ``low .. high``."""
    f = np.zeros(high - low + 1)
    if q <= 0.0 or q >= 1.0:
        f[0 if q <= 0.0 else high - low] = 1.0
        return f
    mode = min(max(int((n + 1) * q), low), high)
    log_f = math.lgamma(n + 1.0) - math.lgamma(mode + 1.0) - math.lgamma(n - mode + 1.0)
    f[mode - low] = math.exp(log_f + mode * math.log(q) + (n - mode) * math.log1p(-q))
    odds = q / (1.0 - q)
    for j in range(mode, high):
        f[j + 1 - low] = f[j - low] * odds * (n - j) / (j + 1.0)
    for j in range(mode, low, -1):
        f[j - 1 - low] = f[j - low] * j / (odds * (n - j + 1.0))
    return f


@kernel
def _exact_tails(below: float, above: float, n: FloatArray, q: FloatArray, c: FloatArray) -> tuple[float, float]:
    """``P(T <= below)`` and ``P(T >= above)`` by summing over every basis but the widest, whose tails are tabulated."""
    size = n.size
    lows, highs = np.empty(size, np.int64), np.empty(size, np.int64)
    widest = 0
    for k in range(size):
        lows[k], highs[k] = _window(n[k], q[k])
        if highs[k] - lows[k] > highs[widest] - lows[widest]:
            widest = k
    span = (highs - lows).max() + 1
    f = np.zeros((size, span))
    for k in range(size):
        f[k, : highs[k] - lows[k] + 1] = _pmf(n[k], q[k], lows[k], highs[k])
    last_low, last_count = lows[widest], highs[widest] - lows[widest] + 1
    up_to = np.zeros(last_count + 1)
    for j in range(last_count):
        up_to[j + 1] = up_to[j] + f[widest, j]
    at = lows.copy()
    p_below = p_above = 0.0
    while True:
        chance, value = 1.0, 0.0
        for k in range(size):
            if k != widest:
                chance *= f[k, at[k] - lows[k]]
                value += c[k] * at[k]
        # Clamped before rounding: the bounds may be infinite.
        room = (below - value) / c[widest] + TIE * n[widest] + 1.0 - last_low
        need = (above - value) / c[widest] - TIE * n[widest] - last_low
        room_count = math.floor(min(max(room, 0.0), float(last_count)))
        need_count = math.ceil(min(max(need, 0.0), float(last_count)))
        p_below += chance * up_to[room_count]
        p_above += chance * (up_to[last_count] - up_to[need_count])
        k = 0
        while k < size and (k == widest or at[k] == highs[k]):
            if k != widest:
                at[k] = lows[k]
            k += 1
        if k == size:
            return p_below, p_above
        at[k] += 1


@kernel
def _saddlepoint_above(value: float, step: float, n: FloatArray, q: FloatArray, c: FloatArray) -> float:
    """``P(T >= value)`` by Lugannani and Rice (1980), with Daniels' (1987) second continuity correction on a lattice."""
    _, mean, variance = _cumulants(0.0, n, q, c)
    bottom, top = _range(n, q, c)
    slack = TIE * (c * n).sum()
    edge = value - 0.5 * step
    if edge >= top - slack:
        return math.exp(-_rate(top, n, q, c)) if value <= top + slack else 0.0
    if edge <= bottom + slack:
        return 1.0
    if abs(edge - mean) < 1e-3 * math.sqrt(variance):
        return 0.5 * math.erfc((edge - mean) / math.sqrt(2.0 * variance))
    t = _saddlepoint(edge, n, q, c)
    k0, _, k2 = _cumulants(t, n, q, c)
    w = math.copysign(math.sqrt(max(2.0 * (t * edge - k0), 0.0)), t)
    u = (2.0 * math.sinh(0.5 * t * step) / step if step > 0.0 else t) * math.sqrt(k2)
    density = math.exp(-0.5 * w * w) / math.sqrt(2.0 * math.pi)
    return min(max(0.5 * math.erfc(w / math.sqrt(2.0)) + density * (1.0 / u - 1.0 / w), 0.0), 1.0)


@kernel
def tails(below: float, above: float, step: float, n: FloatArray, q: FloatArray, c: FloatArray) -> tuple[float, float]:
    """``P(T <= below)`` and ``P(T >= above)``: exact while the atoms are few, by saddlepoint beyond.

    ``step`` is the spacing of the lattice T lives on, or 0 where the weights share none.
    """
    atoms, widest = 1.0, 1.0
    for k in range(n.size):
        low, high = _window(n[k], q[k])
        atoms *= high - low + 1.0
        widest = max(widest, high - low + 1.0)
    if atoms / widest <= (EXACT_ATOMS if step > 0.0 else EXACT_ATOMS_NO_LATTICE):
        return _exact_tails(below, above, n, q, c)
    p_below = p_above = 0.0
    if below > -math.inf:
        last = below if step == 0.0 else step * math.floor(below / step + TIE)
        p_below = 1.0 - _saddlepoint_above(last + step, step, n, q, c)
    if above < math.inf:
        first = above if step == 0.0 else step * math.ceil(above / step - TIE)
        p_above = _saddlepoint_above(first, step, n, q, c)
    return p_below, p_above


@kernel
def p_value(theta: float, x: FloatArray, n: FloatArray, w: FloatArray, step: float) -> float:
    """Two-sided p-value of ``sum w q = theta``: chance of a T at least as unlikely (by rate) as the one observed.

    The chances are those of maximum likelihood under the hypothesis.
    """
    c = w / n
    value = (c * x).sum()
    q = constrained_chances(x, n, w, theta)
    mean = (w * q).sum()
    if abs(value - mean) <= TIE * w.sum():
        return 1.0
    other = _mirror(value, n, q, c)
    below, above = min(value, other), max(value, other)
    p_below, p_above = tails(below, above, step, n, q, c)
    return min(p_below + p_above, 1.0)


@kernel
def _own_tail(theta: float, side: float, x: FloatArray, n: FloatArray, w: FloatArray, step: float) -> float:
    c = w / n
    value = (c * x).sum()
    q = constrained_chances(x, n, w, theta)
    below, above = tails(value, value, step, n, q, c)
    return below if side > 0.0 else above


@kernel
def limit(side: float, alpha: float, x: FloatArray, n: FloatArray, w: FloatArray, step: float) -> float:
    """The theta farthest from T, above it for ``side = 1`` and below it for -1, that the test does not reject.

    The p-value is not monotonic (atoms enter and leave the far tail), so the search goes inwards from a theta that is
    safely rejected and refines the first one accepted.
    """
    value = float((w * x / n).sum())
    end = float(w.sum()) if side > 0.0 else 0.0
    if abs(value - end) <= TIE * w.sum():
        return end
    inner, outer = value, end
    for _ in range(60):
        middle = 0.5 * (inner + outer)
        tail = _own_tail(middle, side, x, n, w, step)
        if tail < REJECTED * alpha:
            outer = middle
        else:
            inner = middle
        if 0.5 * REJECTED * alpha < tail < REJECTED * alpha:
            break
    accepted = value
    for j in range(1, SCAN + 1):
        theta = outer + (value - outer) * j / SCAN
        if p_value(theta, x, n, w, step) > alpha:
            accepted = theta
            break
        outer = theta
    for _ in range(60):
        middle = 0.5 * (accepted + outer)
        if p_value(middle, x, n, w, step) > alpha:
            accepted = middle
        else:
            outer = middle
        if abs(accepted - outer) <= PRECISION * abs(accepted - value):
            break
    # Rounded outwards: the p-value jumps where atoms tie, often at a round theta such as 1 that is itself accepted.
    return outer
