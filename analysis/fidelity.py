"""Fidelity with a Bell state from three correlators.

``F = (1 + s_X XX + s_Y YY + s_Z ZZ) / 4`` with the signs of the target (Guehne et al., PRA 66, 062305, 2002). A round is
*discordant* when its two outcomes disagree with the target's sign; with q the chance of that in each basis

    F = 1 - (q_X + q_Y + q_Z) / 2,

a weighted sum of independent binomial chances, whose interval is found by inverting an exact test. Without YY the
Bell-diagonal weights only allow ``q_Y <= q_X + q_Z``, so ``F >= 1 - q_X - q_Z``: that bound is then returned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .counts import as_confidence, as_table, pattern_counts, require_keys
from .errors import UsageError
from .intervals import correlator_estimate, linear_interval
from .records import Estimate, Int64Array

#: Sign of (XX, YY, ZZ) in each Bell state.
SIGNS = {"phi+": (1, -1, 1), "phi-": (-1, 1, 1), "psi+": (1, 1, -1), "psi-": (-1, -1, -1)}
BASES = ("XX", "YY", "ZZ")


@dataclass(frozen=True, slots=True)
class FidelityResult:
    """Fidelity with a Bell state.

    Attributes:
        target: phi+, phi-, psi+ or psi-.
        fidelity: corrected for read-out and accidentals where these were given; clipped to [0, 1].
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


def estimate_fidelity(counts: Mapping[str, Any]) -> FidelityResult:
    """Fidelity with a Bell state, with an interval that holds its coverage near F = 1 and with few counts.

    Args:
        counts: ``{"target": "psi+", "bases": {"XX": {"++": n, "+-": n, "-+": n, "--": n}, "YY": .., "ZZ": ..},
            "confidence": 0.95}``; shots may differ between bases, YY may be missing.

    Raises:
        UsageError: unknown target, basis or key, a missing outcome, a negative or fractional count, a basis without counts.
    """
    table = as_table(counts, "fidelity counts")
    require_keys(table, ("target", "bases"), ("target", "bases", "confidence"), "fidelity counts")
    confidence = as_confidence(table.get("confidence", 0.95))
    target = table["target"]
    if target not in SIGNS:
        raise UsageError(f"fidelity counts 'target': unknown Bell state {target!r}; allowed are {', '.join(SIGNS)}")
    shots = _read_bases(table["bases"])
    raw = _raw_fidelity(shots, target, confidence)
    correlators = {b: correlator_estimate(int(n[0] + n[3]), int(n.sum()), confidence) for b, n in shots.items()}
    return FidelityResult(target, raw, raw, correlators, "YY" not in shots)


def _read_bases(value: object) -> dict[str, Int64Array]:
    table = as_table(value, "fidelity counts 'bases'")
    require_keys(table, ("XX", "ZZ"), BASES, "fidelity counts 'bases'")
    shots = {basis: pattern_counts(table[basis], f"basis {basis}") for basis in BASES if basis in table}
    for basis, n in shots.items():
        if not n.sum():
            raise UsageError(
                f"basis {basis}: no counts; every basis given needs at least one (leave out YY for a lower bound)"
            )
    return shots


def _raw_fidelity(shots: Mapping[str, Int64Array], target: str, confidence: float) -> Estimate:
    sign = dict(zip(BASES, SIGNS[target], strict=True))
    trials = np.array([n.sum() for n in shots.values()])
    discordant = np.array([n[1] + n[2] if sign[b] > 0 else n[0] + n[3] for b, n in shots.items()])
    weights = np.full(len(shots), -0.5 if "YY" in shots else -1.0)
    q = discordant / trials
    value = 1 + float(weights @ q)
    lower, upper = linear_interval(discordant, trials, weights, 1.0, confidence)
    std = float(np.sqrt(np.sum(weights**2 * q * (1 - q) / trials)))
    kind = "three correlators" if "YY" in shots else "lower bound without YY"
    lower, upper, value = (float(np.clip(v, 0, 1)) for v in (lower, upper, value))
    return Estimate(value, lower, upper, confidence, std, int(trials.sum()), f"{kind}, inverted exact test")
