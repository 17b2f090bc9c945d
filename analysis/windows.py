"""How a result depends on the coincidence window and delay, and how to keep it hidden until both are settled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .errors import UsageError
from .records import Estimate, FloatArray, Int64Array

#: Raw and corrected result at one window and delay, both in ps.
Measurement = Callable[[int, int], tuple[Estimate, Estimate]]


@dataclass(frozen=True, slots=True, eq=False)
class WindowScan:
    """A result over windows (rows) and delays (columns).

    Attributes:
        window_ps, delay_ps: int64 (W,), (D,).
        raw, corrected: the Estimates, W rows of D.
    """

    window_ps: Int64Array
    delay_ps: Int64Array
    raw: tuple[tuple[Estimate, ...], ...]
    corrected: tuple[tuple[Estimate, ...], ...]

    def values(self) -> FloatArray:
        """Corrected values: float64 (W, D)."""
        return np.array([[estimate.value for estimate in row] for row in self.corrected])

    def spread(self) -> float:
        """Half the range of the corrected values: what the choice of window and delay can do to the result."""
        return float(np.ptp(self.values()) / 2)


def scan_windows(measure: Measurement, windows_ps: Sequence[int], delays_ps: Sequence[int]) -> WindowScan:
    """Evaluates ``measure(window_ps, delay_ps)`` for every pair.

    Raises:
        UsageError: no windows or delays, or a window that is not positive.
    """
    windows, delays = np.array(windows_ps, np.int64), np.array(delays_ps, np.int64)
    if not len(windows) or not len(delays) or np.any(windows <= 0):
        raise UsageError(
            f"a scan needs at least one window > 0 ps and one delay, got windows {windows_ps}, delays {delays_ps}"
        )
    rows = [[measure(int(w), int(d)) for d in delays] for w in windows]
    raw, corrected = (tuple(tuple(pair[k] for pair in row) for row in rows) for k in (0, 1))
    return WindowScan(windows, delays, raw, corrected)


def blind(estimate: Estimate, key: str, scale: float) -> Estimate:
    """``estimate`` moved by a secret amount within ``±scale`` that depends on ``key`` alone.

    Cuts and windows can then be chosen without knowing where the result lands; :func:`unblind` with the same key and scale
    gives it back. Limits move along, so the width stays visible.
    """
    return _moved(estimate, _secret(key) * scale, f"{estimate.method}, blinded")


def unblind(estimate: Estimate, key: str, scale: float) -> Estimate:
    """Takes back :func:`blind`.

    Raises:
        UsageError: the estimate was not blinded.
    """
    if not estimate.method.endswith(", blinded"):
        raise UsageError(f"estimate by {estimate.method!r} is not blinded")
    return _moved(estimate, -_secret(key) * scale, estimate.method.removesuffix(", blinded"))


def _secret(key: str) -> float:
    digest = hashlib.sha256(key.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**63 - 1


def _moved(estimate: Estimate, by: float, method: str) -> Estimate:
    value, lower, upper = (v + by for v in (estimate.value, estimate.lower, estimate.upper))
    return replace(estimate, value=value, lower=lower, upper=upper, method=method)
