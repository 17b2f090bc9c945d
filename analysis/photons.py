"""What photon counts say about light: antibunching, heralding, accidentals, interference.

Most figures are ratios of Poisson counts. Their intervals hold for few counts: given the sum of two counts the first is
binomial, which makes the interval of a plain ratio exact (Przyborowski and Wilenski, Biometrika 31, 313, 1940); where more
counts enter, their exact limits are combined side by side on a logarithmic scale (Zou and Donner, Stat. Med. 27, 1693, 2008).
A zero count gives a one-sided interval, never a zero error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.stats import beta

from .errors import UsageError
from .intervals import chance_estimate, combine_limits, poisson_interval
from .records import CorrelationHistogram, Estimate


def poisson_ratio(
    numerator: int, denominator: int, scale: float = 1.0, confidence: float = 0.95, method: str = "ratio of counts"
) -> Estimate:
    """``scale · numerator / denominator`` of two Poisson counts, with the exact interval; an end may be infinite.

    Raises:
        UsageError: a negative count, or both zero.
    """
    if numerator < 0 or denominator < 0 or numerator + denominator == 0:
        raise UsageError(f"a ratio needs counts >= 0 that are not both 0, got {numerator} / {denominator}")
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, numerator, denominator + 1)) if numerator else 0.0
    high = float(beta.ppf(1 - tail, numerator + 1, denominator)) if denominator else 1.0
    value = scale * numerator / denominator if denominator else math.inf
    std = value * math.sqrt(1 / numerator + 1 / denominator) if numerator and denominator else math.nan
    lower, upper = scale * low / (1 - low), scale * high / (1 - high) if high < 1 else math.inf
    return Estimate(value, lower, upper, confidence, std, numerator + denominator, method)


def product_ratio(
    numerators: Mapping[str, int], denominators: Mapping[str, int], confidence: float = 0.95, method: str = ""
) -> Estimate:
    """Product of the numerators over product of the denominators, Poisson counts by name; std is the usual sqrt(sum 1/N).

    Raises:
        UsageError: a negative count, or a denominator of zero, by its name.
    """
    for name, n in (*numerators.items(), *denominators.items()):
        if n < 0:
            raise UsageError(f"{name} = {n} is not a count")
    if empty := [name for name, n in denominators.items() if n == 0]:
        raise UsageError(f"no {empty[0]}: the ratio is undefined, record longer")
    counts = [*numerators.values(), *denominators.values()]
    signs = [1] * len(numerators) + [-1] * len(denominators)
    value, top, up, down = 1.0, 1.0, [], []
    for n, lower, upper, sign in zip(counts, *poisson_interval(counts, confidence), signs, strict=True):
        # A count of zero has no logarithm: its upper limit stands in for it, and the others widen that.
        base = float(n or upper)
        value, top = value * float(n) ** sign, top * base**sign
        more, less = math.log(upper / base), math.log(base / lower) if lower > 0 else math.inf
        up.append(more if sign > 0 else less)
        down.append(less if sign > 0 else more)
    std = value * math.sqrt(sum(1 / n for n in counts)) if value else math.nan
    lower, upper = value * math.exp(-math.hypot(*down)), top * math.exp(math.hypot(*up))
    return Estimate(value, lower, upper, confidence, std, sum(numerators.values()), method)


def heralded_g2(heralds: int, herald_1: int, herald_2: int, herald_12: int, confidence: float = 0.95) -> Estimate:
    """``g2h(0) = N_h12 N_h / (N_h1 N_h2)`` behind a beam splitter (Grangier, Europhys. Lett. 1, 173, 1986).

    Args:
        heralds: clicks of the herald; herald_1, herald_2: with a click behind one port; herald_12: behind both.

    Raises:
        UsageError: counts that cannot belong together, or no coincidences at a port.
    """
    if not 0 <= herald_12 <= min(herald_1, herald_2) or max(herald_1, herald_2) > heralds:
        raise UsageError(f"need N_h12 <= N_h1, N_h2 <= N_h, got {herald_12}, {herald_1}, {herald_2}, {heralds}")
    tops = {"three-fold coincidences": herald_12, "heralds": heralds}
    bottoms = {"coincidences at port 1": herald_1, "coincidences at port 2": herald_2}
    return product_ratio(tops, bottoms, confidence, "heralded g2(0)")


def pulsed_g2(histogram: CorrelationHistogram, period_ps: int, window_ps: int, confidence: float = 0.95) -> Estimate:
    """g2(0) of pulsed light: counts in the central peak over the mean of all whole side peaks in the histogram.

    Args:
        histogram: correlation of the two detectors; its delays must be removed, so that pulses meet at lag 0.
        period_ps: of the pulses; window_ps: full width summed around each peak, at most a period.

    Raises:
        UsageError: no side peak in range, a window wider than the period, or no counts.
    """
    if not histogram.bin_ps <= window_ps <= period_ps:
        raise UsageError(f"window must lie between one bin and the period of {period_ps} ps, got {window_ps} ps")
    reach = min(-int(histogram.lag_ps[0]), int(histogram.lag_ps[-1]) + histogram.bin_ps)
    orders = (reach - window_ps // 2) // period_ps
    if orders < 1:
        raise UsageError(f"no side peak within ±{reach} ps: take a range above {period_ps + window_ps // 2} ps")

    def peak(order: int) -> int:
        middle = histogram.lag_ps + histogram.bin_ps / 2 - order * period_ps
        return int(histogram.counts[np.abs(middle) < window_ps / 2].sum())

    sides = sum(peak(sign * order) for order in range(1, orders + 1) for sign in (-1, 1))
    return poisson_ratio(peak(0), sides, 2 * orders, confidence, f"pulsed g2(0), {2 * orders} side peaks")


def coincidence_to_accidental(
    coincidences: int, accidentals: int, accidental_windows: int = 1, confidence: float = 0.95
) -> Estimate:
    """CAR = C/A, accidentals not subtracted: coincidences over the mean of ``accidental_windows`` displaced windows.

    Raises:
        UsageError: as ``poisson_ratio``.
    """
    return poisson_ratio(coincidences, accidentals, accidental_windows, confidence, "CAR = C/A, accidentals kept")


def klyshko_efficiency(coincidences: int, heralds: int, accidentals: float = 0.0, confidence: float = 0.95) -> Estimate:
    """Efficiency of the other arm, ``(C - A) / N`` with the clicks N of the heralding arm (Klyshko 1980).

    Raises:
        UsageError: no heralds, more coincidences than heralds, or negative accidentals.
    """
    if not 0 <= accidentals <= heralds:
        raise UsageError(f"accidentals must lie in 0..{heralds}, got {accidentals:g}")
    raw = chance_estimate(coincidences, heralds, confidence)
    shift = accidentals / heralds
    value, lower, upper = (max(x - shift, 0.0) for x in (raw.value, raw.lower, raw.upper))
    method = f"Klyshko, {accidentals:g} accidentals subtracted"
    return Estimate(value, lower, upper, confidence, raw.std, coincidences, method)


def cauchy_schwarz(g_si: Estimate, g_ss: Estimate, g_ii: Estimate) -> Estimate:
    """``R = g_si² / (g_ss g_ii)``: above 1 no classical field explains it (Clauser, PRD 9, 853, 1974).

    Raises:
        UsageError: an autocorrelation that is not positive.
    """
    if g_ss.value <= 0 or g_ii.value <= 0:
        raise UsageError(f"autocorrelations must be positive, got g_ss = {g_ss.value:g}, g_ii = {g_ii.value:g}")
    return propagate(lambda si, ss, ii: _over(si**2, ss * ii), (g_si, g_ss, g_ii), "Cauchy-Schwarz ratio")


def hom_visibility(dip: int, far: int, far_exposure: float = 1.0, confidence: float = 0.95) -> Estimate:
    """``V = 1 - C(0)/C(inf)`` (Hong, Ou and Mandel, PRL 59, 2044, 1987), from coincidences inside and outside the dip.

    Args:
        far_exposure: how much longer (more lags, more delays) the far coincidences were counted.

    Raises:
        UsageError: no far coincidences.
    """
    if far <= 0 or far_exposure <= 0:
        raise UsageError(
            f"a visibility needs coincidences outside the dip, got {far} in an exposure of {far_exposure:g}"
        )
    ratio = poisson_ratio(dip, far, far_exposure, confidence)
    std = ratio.std if math.isfinite(ratio.std) else math.nan
    method = "HOM visibility 1 - C(0)/C(inf), raw"
    return Estimate(1 - ratio.value, 1 - ratio.upper, 1 - ratio.lower, confidence, std, ratio.n, method)


def indistinguishability(visibility: Estimate, g2: Estimate) -> Estimate:
    """Overlap of the photons behind a HOM visibility with impure sources, ``M = (V + g2)/(1 - g2)`` (Ollivier, PRL 126, 063602, 2021).

    Raises:
        UsageError: g2 of 1 or more: no single photons.
    """
    if g2.value >= 1:
        raise UsageError(f"g2(0) = {g2.value:g} is not below 1: these are not single photons")
    return propagate(lambda v, g: _over(v + g, 1 - g), (visibility, g2), "M = (V + g2)/(1 - g2)")


def accidental_coincidences(
    singles_a: int, singles_b: int, window_ps: int, live_time_ps: int, confidence: float = 0.95
) -> Estimate:
    """Chance coincidences ``R_a R_b w T`` of independent clicks in a full window ``w``.

    The singles are the recorded ones: dead time thins both streams alike, so it needs no correction here.

    Raises:
        UsageError: no live time or window.
    """
    if live_time_ps <= 0 or window_ps <= 0:
        raise UsageError(f"window and live time must be positive, got {window_ps} ps and {live_time_ps} ps")
    share = window_ps / live_time_ps
    value = singles_a * singles_b * share
    arms = [poisson_interval(n, confidence) for n in (singles_a, singles_b)]
    pairs = [(float(arms[0][k]) * singles_b * share, singles_a * float(arms[1][k]) * share) for k in (0, 1)]
    lower, upper = combine_limits(value, zip(*pairs, strict=True))
    std = share * math.sqrt(singles_a * singles_b * (singles_a + singles_b))
    return Estimate(value, max(lower, 0.0), upper, confidence, std, singles_a + singles_b, "R_a R_b w T")


def live_rate(rate_hz: float, dead_time_ps: int) -> float:
    """True rate behind a recorded one, Hz, for a non-paralysable dead time: ``n = m / (1 - m tau)``.

    Raises:
        UsageError: a recorded rate the dead time does not allow.
    """
    busy = rate_hz * dead_time_ps * 1e-12
    if not 0 <= busy < 1:
        raise UsageError(f"{rate_hz:g} Hz cannot be recorded with a dead time of {dead_time_ps} ps")
    return rate_hz / (1 - busy)


def propagate(function: Callable[..., float], inputs: Sequence[Estimate], method: str) -> Estimate:
    """A function of independent estimates; the limits of each move it in turn and are combined side by side."""
    values = [e.value for e in inputs]
    value = function(*values)
    moved = [
        tuple(function(*values[:k], end, *values[k + 1 :]) for end in (e.lower, e.upper)) for k, e in enumerate(inputs)
    ]
    lower, upper = combine_limits(value, ((a, b) for a, b in moved))
    steps = [function(*values[:k], e.value + e.std, *values[k + 1 :]) - value for k, e in enumerate(inputs)]
    return Estimate(value, lower, upper, inputs[0].confidence, math.hypot(*steps), min(e.n for e in inputs), method)


def _over(top: float, bottom: float) -> float:
    return top / bottom if bottom > 0 else math.inf
