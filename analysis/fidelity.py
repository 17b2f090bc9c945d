"""Fidelity with a Bell state from three correlators.

``F = (1 + s_X XX + s_Y YY + s_Z ZZ) / 4`` with the signs of the target (Guehne et al., PRA 66, 062305, 2002). A round is
*discordant* when its two outcomes disagree with the target's sign; with q the chance of that in each basis

    F = 1 - (q_X + q_Y + q_Z) / 2,

a weighted sum of independent binomial chances, whose interval is found by inverting an exact test
(:mod:`erbia.analysis.intervals`). Without YY, positivity of the state only allows ``q_Y <= q_X + q_Z``, so
``F >= 1 - q_X - q_Z = (s_X XX + s_Z ZZ) / 2``: that bound is then estimated.

Read-out errors and accidentals change each basis to ``E = sum u (N - A) / sum (N - A)`` with scores u
(:mod:`erbia.analysis.confusion`), still linear in the counts; what the calibration leaves uncertain is added side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import norm

from .confusion import PERFECT, Readout, read_readout
from .counts import as_confidence, as_number, as_table, pattern_counts, require_keys
from .errors import UsageError
from .intervals import combine_limits, correlator_estimate, linear_interval, poisson_interval
from .records import Estimate, FloatArray, Int64Array

#: Sign of (XX, YY, ZZ) in each Bell state.
SIGNS = {"phi+": (1, -1, 1), "phi-": (-1, 1, 1), "psi+": (1, 1, -1), "psi-": (-1, -1, -1)}
BASES = ("XX", "YY", "ZZ")
KEYS = ("target", "bases", "confidence", "readout", "accidentals", "accidental_scale")
SAME = np.array([True, False, False, True])
#: A corrected fidelity may exceed 1 by this many half-widths before the correction is called wrong.
TOLERATED_EXCESS = 3.0


@dataclass(frozen=True, slots=True)
class FidelityResult:
    """Fidelity with a Bell state.

    Attributes:
        target: phi+, phi-, psi+ or psi-.
        fidelity: corrected for read-out and accidentals where these were given; within [0, 1].
        raw: the same without any correction.
        correlators: raw correlator of each measured basis.
        is_lower_bound: YY was not measured, so the true fidelity may be higher than ``fidelity`` says.
    """

    target: str
    fidelity: Estimate
    raw: Estimate
    correlators: Mapping[str, Estimate]
    is_lower_bound: bool

    def as_dict(self) -> dict[str, Any]:
        """Plain dict for JSON."""
        return {
            "target": self.target,
            "fidelity": self.fidelity.as_dict(),
            "raw": self.raw.as_dict(),
            "correlators": {basis: e.as_dict() for basis, e in self.correlators.items()},
            "is_lower_bound": self.is_lower_bound,
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Measurement:
    """Everything the fidelity is computed from; bases along the first axis, outcomes ``++, +-, -+, --`` along the second.

    ``counts`` (K, 4), ``accidental_counts`` (K, 4) seen in ``1/scale`` times as many windows, ``gains`` (K,) and
    ``constant`` with ``F = constant + gains · E``.
    """

    counts: FloatArray
    gains: FloatArray
    constant: float
    confidence: float
    readout: Readout = PERFECT
    accidentals: FloatArray | None = None
    scale: float = 1.0

    def scores(self) -> tuple[float, FloatArray]:
        """``constant, scores (K, 4)`` with ``F = constant + sum_k scores_k · counts_k / n_k``."""
        product = self.readout.scores()
        n = self.counts.sum(axis=1)
        if self.accidentals is None:
            return self.constant, self.gains[:, None] * product
        background = self.scale * self.accidentals
        true = n - background.sum(axis=1)
        if np.any(true <= 0):
            basis = int(np.argmin(true))
            raise UsageError(
                f"'accidentals': {background[basis].sum():g} expected accidentals leave nothing of the {n[basis]:g} counts "
                f"of basis number {basis + 1}; check 'accidental_scale'"
            )
        shift = float(self.gains @ (background @ product / true))
        return self.constant - shift, self.gains[:, None] * product * (n / true)[:, None]

    def value(self) -> float:
        constant, scores = self.scores()
        return constant + float(np.sum(scores * self.counts / self.counts.sum(axis=1, keepdims=True)))

    def counting_std(self) -> float:
        """Standard error from the counts alone."""
        _, scores = self.scores()
        n = self.counts.sum(axis=1, keepdims=True)
        f = self.counts / n
        variance = np.sum(f * scores**2, axis=1) - np.sum(f * scores, axis=1) ** 2
        return float(np.sqrt(max(np.sum(variance / n[:, 0]), 0.0)))


def estimate_fidelity(counts: Mapping[str, Any]) -> FidelityResult:
    """Fidelity with a Bell state, with an interval that holds its coverage near F = 1 and with few counts.

    Args:
        counts: ``{"target": "psi+", "bases": {"XX": {"++": n, "+-": n, "-+": n, "--": n}, "YY": .., "ZZ": ..},
            "confidence": 0.95}``; shots may differ between bases, YY may be missing. Optional:
            ``"readout"``: assignment chances of each node, see :func:`erbia.analysis.confusion.read_readout`;
            ``"accidentals"``: ``{"XX": {"++": n, ..}, ..}`` coincidences counted in windows that hold no true ones, and
            ``"accidental_scale"`` (1): signal windows a window so counted, e.g. 0.05 for 20 side windows a signal window.

    Raises:
        UsageError: unknown target, basis or key, a missing outcome, a negative or fractional count, a basis without
            counts, accidentals that leave nothing, or a correction that contradicts the counts.
    """
    table = as_table(counts, "fidelity counts")
    require_keys(table, ("target", "bases"), KEYS, "fidelity counts")
    confidence = as_confidence(table.get("confidence", 0.95))
    target = table["target"]
    if target not in SIGNS:
        raise UsageError(f"fidelity counts 'target': unknown Bell state {target!r}; allowed are {', '.join(SIGNS)}")
    shots = _read_bases(table["bases"])
    measured = _measurement(shots, target, confidence)
    corrected = _with_corrections(measured, table, tuple(shots))
    kind = "three correlators" if "YY" in shots else "lower bound without YY"
    raw = _estimate(measured, f"{kind}, likelihood-ratio ordered exact test")
    fidelity = (
        raw if corrected is measured else _estimate(corrected, f"{kind}, corrected, exact test with added limits")
    )
    correlators = {b: correlator_estimate(int(n[SAME].sum()), int(n.sum()), confidence) for b, n in shots.items()}
    return FidelityResult(target, fidelity, raw, correlators, "YY" not in shots)


def _read_bases(value: object) -> dict[str, Int64Array]:
    table = as_table(value, "fidelity counts 'bases'")
    require_keys(table, ("XX", "ZZ"), BASES, "fidelity counts 'bases'")
    shots = {basis: pattern_counts(table[basis], f"basis {basis}") for basis in BASES if basis in table}
    for basis, n in shots.items():
        if not n.sum():
            raise UsageError(
                f"basis {basis}: no counts; every basis needs at least one (leave out YY for a lower bound)"
            )
    return shots


def _measurement(shots: Mapping[str, Int64Array], target: str, confidence: float) -> _Measurement:
    signs = np.array([s for basis, s in zip(BASES, SIGNS[target], strict=True) if basis in shots], np.float64)
    complete = len(shots) == len(BASES)
    stacked = np.array(list(shots.values()), np.float64)
    return _Measurement(stacked, signs / 4 if complete else signs / 2, 0.25 if complete else 0.0, confidence)


def _with_corrections(measured: _Measurement, table: Mapping[str, Any], bases: tuple[str, ...]) -> _Measurement:
    if "readout" in table:
        measured = replace(measured, readout=read_readout(table["readout"], measured.confidence))
    if "accidentals" in table:
        entries = as_table(table["accidentals"], "'accidentals'")
        require_keys(entries, bases, bases, "'accidentals'")
        stacked = np.array([pattern_counts(entries[b], f"'accidentals' {b}") for b in bases], np.float64)
        scale = as_number(table.get("accidental_scale", 1.0), "'accidental_scale'", 0.0, 1e6)
        measured = replace(measured, accidentals=stacked, scale=scale)
    elif "accidental_scale" in table:
        raise UsageError("fidelity counts: 'accidental_scale' says nothing without 'accidentals'")
    return measured


def _estimate(measured: _Measurement, method: str) -> Estimate:
    value = measured.value()
    systematic = list(_systematic_limits(measured))
    lower, upper = combine_limits(value, [_counting_limits(measured), *systematic])
    z = norm.isf((1 - measured.confidence) / 2)
    std = float(np.hypot(measured.counting_std(), np.linalg.norm([(b - a) / (2 * z) for a, b in systematic])))
    lower, value, upper = _within_unit_range(lower, value, upper)
    return Estimate(value, lower, upper, measured.confidence, std, int(measured.counts.sum()), method)


def _counting_limits(measured: _Measurement) -> tuple[float, float]:
    """Limits from the counts alone, for exactly known corrections.

    Concordant and discordant outcomes each get the mean of their scores, which makes F a sum of binomial chances; the
    spread of scores within a class (zero unless the read-out is lopsided) is added as a normal error.
    """
    constant, scores = measured.scores()
    counts = measured.counts
    n = counts.sum(axis=1)
    concordant = np.where(SAME, 1.0, -1.0) * measured.gains[:, None] > 0
    # Half a count everywhere keeps the mean of an empty class defined.
    weight = counts + 0.5
    good, bad = (np.sum(scores * weight * c, axis=1) / np.sum(weight * c, axis=1) for c in (concordant, ~concordant))
    residual = scores - np.where(concordant, good[:, None], bad[:, None])
    spread = norm.isf((1 - measured.confidence) / 2) * np.sqrt(np.sum(residual**2 * weight / n[:, None] ** 2))
    discordant = np.sum(counts * ~concordant, axis=1)
    ends = linear_interval(discordant, n, bad - good, constant + float(good.sum()), measured.confidence)
    value = measured.value()
    return combine_limits(value, [ends, (value - float(spread), value + float(spread))])


def _systematic_limits(measured: _Measurement) -> Iterator[tuple[float, float]]:
    """What the fidelity becomes at both ends of each calibrated chance and of each accidental mean."""
    for low, high in measured.readout.variations():
        yield replace(measured, readout=low).value(), replace(measured, readout=high).value()
    if measured.accidentals is None or measured.scale == 0:
        return
    lower, upper = poisson_interval(measured.accidentals, measured.confidence)
    for index in np.ndindex(*measured.accidentals.shape):
        ends = [measured.accidentals.copy() for _ in range(2)]
        ends[0][index], ends[1][index] = lower[index], upper[index]
        low_value, high_value = (replace(measured, accidentals=a).value() for a in ends)
        yield low_value, high_value


def _within_unit_range(lower: float, value: float, upper: float) -> tuple[float, float, float]:
    """Limits and value moved into [0, 1]; an interval wholly outside is laid at the edge with its own width."""
    below, above = value - lower, upper - value
    if value - TOLERATED_EXCESS * below > 1:
        raise UsageError(
            f"corrected fidelity {value:.4g} with interval {lower:.4g}..{upper:.4g} is far above 1: "
            "the read-out or accidentals given do not belong to these counts"
        )
    lower, upper = (1 - below if lower > 1 else lower), (above if upper < 0 else upper)
    low, middle, high = (float(v) for v in np.clip([lower, value, upper], 0.0, 1.0))
    return low, middle, high
