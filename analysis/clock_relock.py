"""The peak is gone though both sides click: look for it again near where the clock was, after a leap or a long gap."""

from __future__ import annotations

from math import log

import numpy as np

from .clock_acquire import ladder, search
from .clock_kalman import ClockState
from .clock_rivals import settle
from .clock_verify import zoom
from .records import PS_PER_S, Int64Array

REACH_PS = 10_000_000_000
FALSE_ALARM = 1e-6
MAX_WORK = 1e7


def relock(
    t_a: Int64Array, t_b: Int64Array, lo_ps: int, hi_ps: int, expected: ClockState, reach_ps: int = REACH_PS
) -> float | None:
    """Shift in ps of the peak from the expected state (at the middle of ``[lo_ps, hi_ps]``), or None.

    Looks within ``±reach_ps`` at the expected skew, at A's clicks in the stretch; both streams int64 (N,) sorted ps.
    """
    a = t_a[np.searchsorted(t_a, lo_ps) : np.searchsorted(t_a, hi_ps, side="right")]
    middle = (lo_ps + hi_ps) // 2
    base = round(float(expected.mean[0]))
    on_b = a + base + np.rint(expected.mean[1] * ((a - middle) / PS_PER_S)).astype(np.int64)
    if len(on_b) < 2:
        return None
    b = t_b[np.searchsorted(t_b, on_b[0] - 2 * reach_ps) : np.searchsorted(t_b, on_b[-1] + 2 * reach_ps)]
    if len(b) < 2:
        return None
    max_skew = 5 * float(np.sqrt(expected.covariance[1, 1])) / PS_PER_S
    needed = log(2 * reach_ps / 100.0) - log(FALSE_ALARM)
    for rung in ladder(on_b, (-reach_ps, reach_ps), max_skew, MAX_WORK):
        for candidate in search(on_b, b, rung):
            lock = zoom(on_b, b, candidate)
            if lock is not None and lock.nats > needed:
                verdict = settle(on_b, b, lock)
                # The lock's middle is that of the clicks, which is the stretch's to within the skew's error.
                return None if verdict.doubt else verdict.lock.offset_ps
    return None
