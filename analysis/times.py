"""The checks every time-tag function makes on what it is given: integer, one-dimensional, sorted, far from overflow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .errors import UsageError
from .records import Int64Array
from .sharing import in_shares

#: Times stay within ±3·2^61 ps (80 days either way), lags and windows within 2^60 ps: their sums never overflow int64.
TIME_LIMIT_PS = 3 * 2**61
RANGE_LIMIT_PS = 2**60
#: A histogram holds at most this many counts (1 GiB).
MAX_BINS = 2**27


def as_times_ps(values: ArrayLike, name: str, threads: int = 1) -> Int64Array:
    """``values`` as a sorted, contiguous int64 (N,) array of picoseconds; copies only when it must.

    ``threads`` share the look at their order.

    Raises:
        UsageError: not 1-d, not integers (floats lose picoseconds after 2.5 h), not sorted, or beyond ±3·2^61 ps.
    """
    given: np.ndarray[Any, Any] = np.asarray(values)
    if given.ndim != 1:
        raise UsageError(f"{name} must be one-dimensional, got {given.ndim} axes")
    if given.size == 0:
        return np.empty(0, np.int64)
    if given.dtype.kind not in "iu":
        raise UsageError(f"{name} must be integer picoseconds, got {given.dtype}: floats lose picoseconds after 2.5 h")
    if given.dtype.kind == "u" and int(given.max()) > TIME_LIMIT_PS:
        raise UsageError(f"{name} holds {int(given.max())} ps, beyond the limit of ±3·2^61 ps")
    times: Int64Array = np.ascontiguousarray(given, np.int64)
    at = _first_descent(times, threads)
    if at >= 0:
        raise UsageError(
            f"{name} must be sorted: element {at} ({times[at]} ps) is earlier than element {at - 1} ({times[at - 1]} ps)"
        )
    check_limits(times, name)
    return times


def check_limits(times_ps: Int64Array, name: str) -> None:
    """Raises UsageError when sorted times reach beyond ±3·2^61 ps."""
    for edge in times_ps[:1], times_ps[-1:]:
        if len(edge) and not -TIME_LIMIT_PS <= edge[0] <= TIME_LIMIT_PS:
            raise UsageError(f"{name} holds {edge[0]} ps, beyond the limit of ±3·2^61 ps")


def _first_descent(times: Int64Array, threads: int) -> int:
    """Index of the first time earlier than the one before it, -1 if there is none."""
    from .kernels.order import first_descent

    def share(first: int, stop: int) -> int:
        early = max(first - 1, 0)
        at = first_descent(times[early:stop])
        return at if at < 0 else early + at

    return next((at for at in in_shares(share, len(times), threads) if at >= 0), -1)


def check_positive_ps(value: int, name: str) -> int:
    """``value`` as an int in [1, 2^60]. Raises UsageError otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise UsageError(f"{name} must be an integer number of picoseconds, got {value!r}")
    if not 0 < value <= RANGE_LIMIT_PS:
        raise UsageError(f"{name} must be between 1 and 2^60 ps, got {value}")
    return int(value)


def span_ps(*times_ps: Int64Array) -> int:
    """From the first to the last of all the given sorted times; 0 when there are none."""
    kept = [t for t in times_ps if len(t)]
    if not kept:
        return 0
    return max(int(t[-1]) for t in kept) - min(int(t[0]) for t in kept)


def bins_in(bin_ps: int, range_ps: int, axes: int = 1) -> int:
    """How many bins of ``bin_ps`` make up ``range_ps``.

    Raises:
        UsageError: one of them is not positive, the number is not whole, or a histogram over ``axes`` such axes too large.
    """
    check_positive_ps(bin_ps, "bin_ps")
    check_positive_ps(range_ps, "range_ps")
    if range_ps % bin_ps:
        raise UsageError(f"range_ps ({range_ps}) must be a multiple of bin_ps ({bin_ps})")
    bins = int(range_ps // bin_ps)
    if bins**axes > MAX_BINS:
        raise UsageError(
            f"{bins**axes} bins are more than {MAX_BINS}: widen bin_ps ({bin_ps}) or shorten range_ps ({range_ps})"
        )
    return bins
