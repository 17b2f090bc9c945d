"""The vocabulary of erbia: what taggers deliver, what analysis returns.

Frozen values, nothing else: no file, no instrument, no estimator. Times are integer picoseconds (int64) from the
tagger to the coincidence; floats appear only after that. Every dimensional name carries its unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

Int64Array = NDArray[np.int64]
UInt8Array = NDArray[np.uint8]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

PS_PER_S = 1_000_000_000_000


def _require(array: NDArray[Any], dtype: type, name: str) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != np.dtype(dtype) or array.ndim != 1:
        got = f"{array.dtype} with {array.ndim} axes" if isinstance(array, np.ndarray) else type(array).__name__
        raise TypeError(f"{name} must be a 1-d {np.dtype(dtype)} array, got {got}")


@dataclass(frozen=True, slots=True, eq=False)
class TimeTags:
    """Clicks on one tagger, in order of time.

    Attributes:
        t_ps: int64 (N,), non-decreasing, picoseconds since the tagger's own zero.
        channel: uint8 (N,), the tagger's input of each click.
        derived: what those who analyse the same clicks share, no part of the value (see ``tags.share``).

    Raises:
        TypeError: wrong dtype or shape.
        ValueError: the two arrays differ in length.
    """

    t_ps: Int64Array
    channel: UInt8Array
    derived: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        _require(self.t_ps, np.int64, "t_ps")
        _require(self.channel, np.uint8, "channel")
        if len(self.t_ps) != len(self.channel):
            raise ValueError(f"t_ps has {len(self.t_ps)} rows but channel has {len(self.channel)}")

    def __len__(self) -> int:
        return len(self.t_ps)

    def on(self, *channels: int) -> Int64Array:
        """Times of the clicks on the given channels: int64 (M,) ps, in order."""
        wanted = np.isin(np.arange(256), channels)
        chosen: Int64Array = self.t_ps[wanted[self.channel]]
        return chosen

    def between(self, t_start_ps: int, t_stop_ps: int) -> TimeTags:
        """The clicks with ``t_start_ps <= t < t_stop_ps`` (a view, found by bisection)."""
        lo, hi = np.searchsorted(self.t_ps, [t_start_ps, t_stop_ps], side="left")
        return TimeTags(self.t_ps[lo:hi], self.channel[lo:hi])

    @classmethod
    def empty(cls) -> TimeTags:
        return cls(np.empty(0, np.int64), np.empty(0, np.uint8))

    @classmethod
    def concatenate(cls, parts: Iterable[TimeTags]) -> TimeTags:
        """Joins consecutive stretches of one tagger; the parts must already follow one another in time."""
        kept = [part for part in parts if len(part)]
        if not kept:
            return cls.empty()
        return cls(np.concatenate([p.t_ps for p in kept]), np.concatenate([p.channel for p in kept]))


@dataclass(frozen=True, slots=True, eq=False)
class TagBlock:
    """All clicks of one tagger in ``[t_start_ps, t_stop_ps)``; an empty block still covers its stretch of time.

    ``overflow`` says the tagger lost ``missed`` clicks (-1: number unknown) inside the block: its time is not live.
    """

    tags: TimeTags
    t_start_ps: int
    t_stop_ps: int
    source: str
    overflow: bool = False
    missed: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A half-open stretch of time ``[t_start_ps, t_stop_ps)`` and why it is set apart."""

    t_start_ps: int
    t_stop_ps: int
    reason: str = ""

    def __post_init__(self) -> None:
        if self.t_stop_ps < self.t_start_ps:
            raise ValueError(f"interval ends ({self.t_stop_ps} ps) before it starts ({self.t_start_ps} ps)")


@dataclass(frozen=True, slots=True)
class ValidityMask:
    """The stretches in which a measurement counts: sorted, disjoint, half-open intervals."""

    intervals: tuple[Interval, ...]

    def __post_init__(self) -> None:
        for before, after in zip(self.intervals, self.intervals[1:], strict=False):
            if after.t_start_ps < before.t_stop_ps:
                raise ValueError(f"intervals overlap or are out of order: {before} then {after}")

    def live_time_ps(self) -> int:
        """Total length of the intervals in picoseconds."""
        return sum(i.t_stop_ps - i.t_start_ps for i in self.intervals)

    def edges_ps(self) -> tuple[Int64Array, Int64Array]:
        """Starts and stops as two int64 (K,) arrays, ready for ``np.searchsorted``."""
        starts = np.array([i.t_start_ps for i in self.intervals], np.int64)
        stops = np.array([i.t_stop_ps for i in self.intervals], np.int64)
        return starts, stops

    def contains(self, t_ps: Int64Array) -> BoolArray:
        """Which of ``t_ps`` (int64 (N,)) lie in an interval: bool (N,)."""
        starts, stops = self.edges_ps()
        if not len(starts):
            return np.zeros(len(t_ps), np.bool_)
        k = np.searchsorted(starts, t_ps, side="right") - 1
        inside: BoolArray = (k >= 0) & (t_ps < stops[np.maximum(k, 0)])
        return inside


@dataclass(frozen=True, slots=True, eq=False)
class CorrelationHistogram:
    """Start-multi-stop histogram over lags ``t_b - t_a`` in ``[-range, +range)``, bins ``[k·bin, (k+1)·bin)``.

    Attributes:
        lag_ps: int64 (B,), left bin edges.
        counts: int64 (B,).
        bin_ps: bin width in ps.
        singles_a, singles_b: clicks that entered on each side.
        live_time_ps: time both sides were live.
    """

    lag_ps: Int64Array
    counts: Int64Array
    bin_ps: int
    singles_a: int
    singles_b: int
    live_time_ps: int

    def expected_uncorrelated(self) -> float:
        """Counts a bin would hold if the two sides were independent: ``n_a n_b bin / T``; nan with no live time."""
        if self.live_time_ps <= 0:
            return float("nan")
        return self.singles_a * self.singles_b * self.bin_ps / self.live_time_ps

    def g2(self) -> FloatArray:
        """Second-order correlation, float64 (B,): counts over what independent sides would give (nan if that is 0)."""
        expected = self.expected_uncorrelated()
        if not expected > 0:
            return np.full(len(self.counts), np.nan)
        ratio: FloatArray = self.counts / expected
        return ratio


@dataclass(frozen=True, slots=True)
class CoincidenceCounts:
    """Coincidences by pattern (sorted tuple of channels), with what chance alone would give."""

    counts: Mapping[tuple[int, ...], int]
    accidentals: Mapping[tuple[int, ...], float]
    window_ps: int
    live_time_ps: int


#: One row a herald. ``pattern`` bits: 1 A-early, 2 B-early, 4 A-late, 8 B-late; ``outcome``: +1 psi+, -1 psi-, 0 other.
HERALD_DTYPE = np.dtype(
    [
        ("t_ps", np.int64),
        ("attempt", np.int64),
        ("pattern", np.uint8),
        ("outcome", np.int8),
        ("setting", np.int32),
        ("storage_ps", np.int64),
        ("valid", np.bool_),
    ]
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval. Asymmetric intervals are the rule: ``lower <= value <= upper`` at ``confidence``.

    Attributes:
        value, lower, upper: in ``unit``.
        confidence: two-sided coverage the interval claims, e.g. 0.95.
        std: standard error where one is meaningful (nan otherwise), same unit.
        n: events the estimate rests on.
        method: how it was made, in a few words.
        unit: "" for a pure number.
    """

    value: float
    lower: float
    upper: float
    confidence: float
    std: float
    n: int
    method: str
    unit: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain dict in the field order of the command line's JSON; non-finite numbers become None."""
        plain = asdict(self)
        return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in plain.items()}

    def _repr_html_(self) -> str:
        """For notebooks: the number with its interval, and how it was made."""
        unit = f" {self.unit}" if self.unit else ""
        interval = f"[{self.lower:.6g}, {self.upper:.6g}]{unit} at {self.confidence:.0%}"
        return f"<b>{self.value:.6g}{escape(unit)}</b> {escape(interval)} <small>{escape(self.method)}, n = {self.n}</small>"


@dataclass(frozen=True, slots=True, eq=False)
class ClockModel:
    """Maps clock A to clock B: ``t_b = t_a + offset_ps + skew·(t_a - t_ref_ps) + drift_per_s/2·(t_a - t_ref_ps)²/1e12``.

    Attributes:
        offset_ps: offset at ``t_ref_ps``.
        skew: fractional frequency difference, dimensionless (1e-6 = 1 ppm).
        drift_per_s: change of skew per second.
        t_ref_ps: reference time on A's clock.
        covariance: float64 (3, 3) of (offset_ps, skew, drift_per_s); zeros where exact.
        segments: (t_start_ps, model) of later pieces for a piecewise clock; empty for a single one.
    """

    offset_ps: float
    skew: float = 0.0
    drift_per_s: float = 0.0
    t_ref_ps: int = 0
    covariance: FloatArray = field(default_factory=lambda: np.zeros((3, 3)))
    segments: tuple[tuple[int, ClockModel], ...] = ()
