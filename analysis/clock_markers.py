"""Other time references through the same ``ClockModel``: PPS, White Rabbit or divided 10 MHz markers seen by both nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .clock_model import offset_at, offset_std_at
from .errors import UsageError
from .records import PS_PER_S, ClockModel, FloatArray, Int64Array

OUTLIER_SIGMAS = 5.0


def synchronize_markers(
    t_a_ps: Int64Array, t_b_ps: Int64Array, period_ps: int, *, expected_offset_ps: int = 0
) -> ClockModel:
    """Clock model from periodic markers both nodes record, such as a pulse a second.

    Markers further than half a period from the expected offset cannot be told from their neighbours: give
    ``expected_offset_ps`` (a rough synchronisation) where clocks may differ by more. Strays are left out.

    Args:
        t_a_ps, t_b_ps: int64 (N,), sorted marker times.
        period_ps: between markers.

    Raises:
        UsageError: fewer than three markers match.
    """
    target = t_a_ps + expected_offset_ps
    right = np.clip(np.searchsorted(t_b_ps, target), 1, max(1, len(t_b_ps) - 1)) if len(t_b_ps) > 1 else None
    if right is None or len(t_a_ps) < 3:
        raise UsageError(f"{len(t_a_ps)} and {len(t_b_ps)} markers are too few, at least 3 on each side are needed")
    nearest = np.where(target - t_b_ps[right - 1] < t_b_ps[right] - target, right - 1, right)
    offset = t_b_ps[nearest] - target
    near = np.abs(offset) < period_ps // 2
    if np.count_nonzero(near) < 3:
        raise UsageError(
            f"only {np.count_nonzero(near)} markers lie within half a period ({period_ps} ps) of each other"
        )
    return _fit(t_a_ps[near], offset[near].astype(np.float64), expected_offset_ps)


def _fit(t_a: Int64Array, offset: FloatArray, base_ps: int) -> ClockModel:
    t_ref = int(t_a[0] + t_a[-1]) // 2
    u = (t_a - t_ref) / PS_PER_S
    keep = np.ones(len(u), np.bool_)
    for _ in range(3):
        c, std = _polynomial(u[keep], offset[keep], 1)
        keep = np.abs(offset - c[0] - c[1] * u) < OUTLIER_SIGMAS * max(std, 1.0)
    degree = 1
    if np.count_nonzero(keep) > 8:
        line, parabola = (_polynomial(u[keep], offset[keep], d)[1] for d in (1, 2))
        n = np.count_nonzero(keep)
        degree = 2 if n * np.log(max(line, 1e-3) / max(parabola, 1e-3)) > np.log(n) + 2 else 1
    c, std = _polynomial(u[keep], offset[keep], degree)
    basis = np.vander(u[keep], degree + 1, increasing=True)
    scale = np.array([1.0, 1 / PS_PER_S, 2 / PS_PER_S])[: degree + 1]
    covariance = np.zeros((3, 3))
    # A picosecond tick is the least a marker can be uncertain by.
    covariance[: degree + 1, : degree + 1] = (std**2 + 1 / 12) * np.linalg.inv(basis.T @ basis) * np.outer(scale, scale)
    values = np.zeros(3)
    values[: degree + 1] = c * scale
    return ClockModel(base_ps + float(values[0]), float(values[1]), float(values[2]), t_ref, covariance)


def _polynomial(u: FloatArray, offset: FloatArray, degree: int) -> tuple[FloatArray, float]:
    basis = np.vander(u, degree + 1, increasing=True)
    c, *_ = np.linalg.lstsq(basis, offset, rcond=None)
    freedom = max(1, len(u) - degree - 1)
    return c.astype(np.float64), float(np.sqrt(np.sum((offset - basis @ c) ** 2) / freedom))


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two references of the same clocks: difference float64 (N,) ps, its standard error, and the worst disagreement."""

    difference_ps: FloatArray
    std_ps: FloatArray

    @property
    def worst_sigmas(self) -> float:
        """Largest difference in units of its standard error."""
        return float(np.max(np.abs(self.difference_ps) / np.maximum(self.std_ps, 1e-12)))


def compare(one: ClockModel, other: ClockModel, t_a_ps: Int64Array) -> Comparison:
    """``one`` minus ``other`` at A's times ``t_a_ps`` int64 (N,)."""
    difference = offset_at(t_a_ps, one) - offset_at(t_a_ps, other)
    return Comparison(difference, np.hypot(offset_std_at(t_a_ps, one), offset_std_at(t_a_ps, other)))
