"""Clock synchronisation from photon pairs: two streams of clicks in, a clock model with honest errors out.

Three steps, each its own module: ``clock_acquire`` finds candidates with no prior, ``clock_verify`` zooms in on them
until the peak is resolved or chance is exposed, ``clock_estimate`` fits offset, skew and drift at the statistical limit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isnan, log, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from .clock_acquire import ladder, search
from .clock_follow import follow
from .clock_model import piece_at, referred_to
from .clock_response import Peak, Response
from .clock_rivals import settle
from .clock_trace import follow_wander, piecewise
from .clock_verify import Lock, zoom
from .errors import UsageError
from .records import PS_PER_S, ClockModel, Estimate, Int64Array

DEFAULT_MAX_WORK = 2.5e9
FALSE_ALARM = 1e-6
WANDER_SIGMAS = 5.0
#: A fit that holds a smaller share of the pairs than the search saw has lost the peak.
LEAST_KEPT = 0.3
HIGHEST_RATE_HZ = 1e9
#: Locks with rivals after which the search ends: periodic light gives one at every lag.
MOST_DOUBTS = 20
#: Candidates nearly as high as the one that locked are looked at too: light may repeat far from the peak.
MOST_ALIKE, ALIKE = 4, 0.8
TICK_CLICKS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class SyncResult:
    """What the pairs say about two clocks. ``found`` False means no peak stands out: every number is then nan.

    Attributes:
        found: a peak beyond chance was found.
        model: maps A's clock to B's, written about the middle of A's record, with covariance; None if not found.
        offset_ps, offset_std_ps: at t = 0 of A's clock.
        skew, skew_std: at t = 0 of A's clock, dimensionless.
        drift_per_s: change of skew per second; 0 when the data do not ask for one.
        pairs: true pairs in the peak (background taken off).
        significance: of the peak, in Gaussian sigmas, before the look-elsewhere correction.
        false_alarm: probability that chance gives such a peak anywhere in the range searched.
        segments: (t_start_ps, t_stop_ps, model) of each piece of A's record.
        response: shape of the correlation peak learned from the pairs; None if not found.
        offset, skew_estimate: the same two numbers as Estimates with intervals.
        reason: one line, why nothing was found; empty if found.
    """

    found: bool
    model: ClockModel | None
    offset_ps: float
    offset_std_ps: float
    skew: float
    skew_std: float
    drift_per_s: float
    pairs: int
    significance: float
    false_alarm: float
    segments: tuple[tuple[int, int, ClockModel], ...]
    response: Response | None
    offset: Estimate
    skew_estimate: Estimate
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON-able dict with the keys of ``erbia sync``; numbers that do not exist are None."""
        plain: dict[str, Any] = {"found": self.found}
        for name in ("offset_ps", "offset_std_ps", "skew", "skew_std", "drift_per_s", "significance", "false_alarm"):
            value = getattr(self, name)
            plain[name] = None if isnan(value) else value
        plain["pairs"] = self.pairs
        plain["response_std_ps"] = self.response.std_ps if self.response else None
        plain["segments"] = [
            {
                "t_start_ps": start,
                "t_stop_ps": stop,
                "t_ref_ps": piece.t_ref_ps,
                "offset_ps": piece.offset_ps,
                "skew": piece.skew,
                "drift_per_s": piece.drift_per_s,
            }
            for start, stop, piece in self.segments
        ]
        plain["offset"] = self.offset.as_dict()
        plain["skew_estimate"] = self.skew_estimate.as_dict()
        plain["reason"] = self.reason
        return plain


def synchronize(
    t_a_ps: Int64Array,
    t_b_ps: Int64Array,
    *,
    max_offset_s: float = 8.0,
    max_ppm: float = 150.0,
    max_work: float = DEFAULT_MAX_WORK,
    confidence: float = 0.95,
) -> SyncResult:
    """Offset, skew and drift of clock B against clock A from the photon pairs both recorded.

    Args:
        t_a_ps, t_b_ps: int64 (N,), sorted clicks in picoseconds of each node's own clock.
        max_offset_s: offsets (either sign) are looked for up to this, at the middle of A's record.
        max_ppm: skews (either sign) are looked for up to this, in parts per million.
        max_work: most transform points one rung of the search may cost; 1e9 is roughly 15 s of one core, and a search that
            finds nothing ends after about twice its last rung: a minute at the default. A weaker signal needs more.
        confidence: of the intervals of ``offset`` and ``skew_estimate``.

    Returns:
        A ``SyncResult``; ``found`` is False rather than a guess.

    Raises:
        UsageError: an input is not sorted int64, holds under two clicks, covers no common range, is the same stream
            twice, or has an impossible click rate (wrong unit).
    """
    a, b = _checked(t_a_ps, "A"), _checked(t_b_ps, "B")
    if np.array_equal(a, b):
        raise UsageError(f"A and B are the same stream ({len(a)} identical tags); give the clicks of two nodes")
    lag_range = _lag_range(a, b, max_offset_s, max_ppm)
    nats_needed = _look_elsewhere(a, lag_range, max_ppm) - log(FALSE_ALARM)
    lock, doubt = _acquire(a, b, lag_range, max_ppm * 1e-6, max_work, nats_needed)
    if lock is None:
        return _not_found(
            doubt
            or f"no correlation peak within ±{max_offset_s:g} s and ±{max_ppm:g} ppm "
            f"({len(a)} and {len(b)} clicks); record longer, narrow the range, or raise max_work={max_work:g}"
        )
    model, peak = _followed(a, b, lock)
    if peak.pairs < LEAST_KEPT * (lock.inside - lock.expected):
        return _not_found(
            f"a peak of {lock.inside - lock.expected:.0f} pairs was found, but a clock model through the whole record keeps "
            f"only {peak.pairs:.0f} of them: give a shorter stretch of the record"
        )
    tick_ps = max(_tick_ps(a), _tick_ps(b))
    if peak.response.std_ps < 1.0 and tick_ps == 1:
        return _not_found(
            f"a peak of {peak.pairs:.0f} pairs is only {peak.response.std_ps:.2g} ps wide, narrower than any "
            "detector: are the tags in picoseconds?"
        )
    if peak.response.std_ps < tick_ps:
        model = _within_ticks(model, tick_ps)
    stretch = (int(a[0]), int(a[-1]))
    return _result(model, peak, stretch, lock, lock.nats - nats_needed, confidence)


def _followed(a: Int64Array, b: Int64Array, lock: Lock) -> tuple[ClockModel, Peak]:
    """One polynomial where the clock keeps to one, else the smoothed piecewise clock."""
    track = follow(a, b, lock)
    if track.wander_sigmas < WANDER_SIGMAS:
        return track.model, track.peak
    wander = follow_wander(a, b, lock)
    return piecewise(wander.series, wander.states), wander.peak


def _checked(t_ps: Int64Array, name: str) -> Int64Array:
    t = np.asarray(t_ps)
    if t.ndim != 1 or t.dtype != np.int64:
        raise UsageError(f"clicks of {name} must be a 1-d int64 array of picoseconds, got {t.dtype} with {t.ndim} axes")
    if len(t) < 2:
        raise UsageError(f"clicks of {name}: {len(t)} tags are too few to synchronise, at least 2 are needed")
    back = t[1:] < t[:-1]
    if np.any(back):
        at = int(np.argmax(back))
        raise UsageError(
            f"clicks of {name} are not sorted: tag {at + 1} is {int(t[at] - t[at + 1])} ps earlier than tag {at}; sort first"
        )
    rate = len(t) / max(1, int(t[-1] - t[0])) * PS_PER_S
    if rate > HIGHEST_RATE_HZ:
        raise UsageError(
            f"clicks of {name}: {len(t)} tags in {int(t[-1] - t[0]) / PS_PER_S:.3g} s are {rate:.2g} a second, more than any "
            "detector gives: are the tags in picoseconds?"
        )
    return t


def _tick_ps(t_ps: Int64Array) -> int:
    """Largest step all clicks (the first some, as good) are multiples of: the tagger's resolution."""
    return max(1, int(np.gcd.reduce(np.diff(t_ps[:TICK_CLICKS]))))


def _within_ticks(model: ClockModel, tick_ps: int) -> ClockModel:
    """The model with the rounding of both taggers in its offset's variance: a peak narrower than a tick hides it."""
    rounding = np.diag([tick_ps**2 / 6, 0.0, 0.0])
    later = tuple((t, replace(piece, covariance=piece.covariance + rounding)) for t, piece in model.segments)
    return replace(model, covariance=model.covariance + rounding, segments=later)


def _lag_range(a: Int64Array, b: Int64Array, max_offset_s: float, max_ppm: float) -> tuple[int, int]:
    if not max_offset_s > 0 or not 0 <= max_ppm <= 10_000:
        raise UsageError(f"max_offset_s={max_offset_s:g} must be positive and max_ppm={max_ppm:g} within 0..10000")
    limit = round(max_offset_s * PS_PER_S)
    low, high = max(-limit, int(b[0] - a[-1])), min(limit, int(b[-1] - a[0]))
    if low >= high:
        raise UsageError(
            f"A covers {a[0] / PS_PER_S:.3f}..{a[-1] / PS_PER_S:.3f} s and B {b[0] / PS_PER_S:.3f}..{b[-1] / PS_PER_S:.3f} s: "
            f"no overlap within ±{max_offset_s:g} s; raise max_offset_s or check the files"
        )
    return low, high


def _look_elsewhere(a: Int64Array, lag_range: tuple[int, int], max_ppm: float) -> float:
    """ln of the number of distinguishable (offset, skew) cells at 100 ps over A's record."""
    cell_ps = 100.0
    record = float(a[-1] - a[0])
    return log((lag_range[1] - lag_range[0]) / cell_ps + 1) + log(2e-6 * max_ppm * record / cell_ps + 1)


def _acquire(
    a: Int64Array, b: Int64Array, lag_range: tuple[int, int], max_skew: float, max_work: float, nats_needed: float
) -> tuple[Lock | None, str]:
    """The first lock beyond chance and without rival; else None, and why locks beyond chance were not taken."""
    doubt: str = ""
    doubtful: list[Lock] = []
    for rung in ladder(a, lag_range, max_skew, max_work):
        candidates = search(a, b, rung)
        for k, candidate in enumerate(candidates):
            lock = zoom(a, b, candidate)
            if lock is None or lock.nats <= nats_needed:
                continue
            alike = (zoom(a, b, c) for c in candidates[k + 1 : k + 1 + MOST_ALIKE] if c.z > ALIKE * candidate.z)
            verdict = settle(a, b, lock, [*doubtful, *(other for other in alike if other is not None)])
            if not verdict.doubt:
                return verdict.lock, ""
            doubt = verdict.doubt
            doubtful.append(lock)
            if len(doubtful) == MOST_DOUBTS:
                return None, doubt
    return None, doubt


def _result(
    model: ClockModel, peak: Peak, stretch: tuple[int, int], lock: Lock, spare_nats: float, confidence: float
) -> SyncResult:
    at_zero = referred_to(piece_at(model, 0), 0)
    offset_std, skew_std = (float(np.sqrt(at_zero.covariance[k, k])) for k in (0, 1))
    pairs = round(peak.pairs)
    starts = [stretch[0], *(t for t, _ in model.segments)]
    stops = [*starts[1:], stretch[1]]
    return SyncResult(
        found=True,
        model=model,
        offset_ps=at_zero.offset_ps,
        offset_std_ps=offset_std,
        skew=at_zero.skew,
        skew_std=skew_std,
        drift_per_s=at_zero.drift_per_s,
        pairs=pairs,
        significance=float(sqrt(2 * lock.nats)),
        false_alarm=float(np.exp(-min(spare_nats, 700.0)) * FALSE_ALARM),
        segments=tuple((lo, hi, piece_at(model, lo)) for lo, hi in zip(starts, stops, strict=True)),
        response=peak.response,
        offset=_estimate(at_zero.offset_ps, offset_std, confidence, pairs, "ps"),
        skew_estimate=_estimate(at_zero.skew, skew_std, confidence, pairs, ""),
    )


def _estimate(value: float, std: float, confidence: float, n: int, unit: str) -> Estimate:
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    return Estimate(value, value - z * std, value + z * std, confidence, std, n, "maximum likelihood on pairs", unit)


def _not_found(reason: str) -> SyncResult:
    nan = float("nan")
    nothing = Estimate(nan, nan, nan, nan, nan, 0, "no peak found", "")
    return SyncResult(False, None, nan, nan, nan, nan, nan, 0, 0.0, 1.0, (), None, nothing, nothing, reason)
