"""Read-out errors of two nodes: what a detector says, given what was there.

A node's assignment is calibrated by preparing bright (|0>, expected ``+``) and dark (|1>, expected ``-``) many times. The
correlator is corrected by giving each outcome a score whose mean is exactly +1 on bright and -1 on dark: the inverse of
the confusion matrix applied to (+1, -1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from .counts import as_count, as_number, as_table, require_keys
from .errors import UsageError
from .intervals import chance_estimate
from .records import FloatArray

NODES = ("a", "b")
PREPARED = {"bright": "+", "dark": "-"}
CHANCES = ("p_plus_given_plus", "p_minus_given_minus")


@dataclass(frozen=True, slots=True)
class Assignment:
    """A chance of being read right, with the interval of its calibration (empty when it is known exactly)."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Readout:
    """Chances of a right assignment, keyed by (node, ``"bright"`` or ``"dark"``)."""

    right: Mapping[tuple[str, str], Assignment]

    def scores(self) -> FloatArray:
        """Score of the outcomes ``++, +-, -+, --`` that estimates the true product of the two signs: float64 (4,)."""
        a, b = (self._node_scores(node) for node in NODES)
        return np.outer(a, b).ravel()

    def _node_scores(self, node: str) -> FloatArray:
        plus, minus = self.right[node, "bright"].value, self.right[node, "dark"].value
        return np.array([1 + minus - plus, -(1 + plus - minus)]) / (plus + minus - 1)

    def variations(self) -> list[tuple[Readout, Readout]]:
        """For each calibrated chance, this read-out with that chance at the lower and at the upper end of its interval."""
        return [
            (self._with(key, r.lower), self._with(key, r.upper)) for key, r in self.right.items() if r.lower < r.upper
        ]

    def _with(self, key: tuple[str, str], value: float) -> Readout:
        return replace(self, right={**self.right, key: replace(self.right[key], value=value)})


PERFECT = Readout({(node, state): Assignment(1.0, 1.0, 1.0) for node in NODES for state in PREPARED})


def read_readout(value: object, confidence: float) -> Readout:
    """Read-out from its table: for each node calibration counts or exact chances.

    ``{"a": {"bright": {"+": n, "-": n}, "dark": {"+": n, "-": n}}, "b": ..}`` or
    ``{"a": {"p_plus_given_plus": p, "p_minus_given_minus": p}, "b": ..}``.

    Raises:
        UsageError: a key is missing or unknown, a count or chance is not one, or a node's read-out cannot be told from
            guessing (its chances of being right sum to 1 or less within their interval), so that no correction exists.
    """
    table = as_table(value, "'readout'")
    require_keys(table, NODES, NODES, "'readout'")
    right: dict[tuple[str, str], Assignment] = {}
    for node in NODES:
        where = f"'readout' node {node}"
        entry = as_table(table[node], where)
        exact = any(key in entry for key in CHANCES)
        require_keys(entry, CHANCES if exact else tuple(PREPARED), CHANCES if exact else tuple(PREPARED), where)
        for state, key in zip(PREPARED, CHANCES, strict=True):
            right[node, state] = (
                _exact(entry[key], f"{where} {key}") if exact else _calibrated(entry[state], state, where, confidence)
            )
        if right[node, "bright"].lower + right[node, "dark"].lower <= 1:
            raise UsageError(f"{where}: bright and dark cannot be told apart with these calibrations; take more counts")
    return Readout(right)


def _exact(value: object, where: str) -> Assignment:
    p = as_number(value, where, 0.0, 1.0)
    return Assignment(p, p, p)


def _calibrated(value: object, state: str, where: str, confidence: float) -> Assignment:
    table = as_table(value, f"{where} {state}")
    require_keys(table, ("+", "-"), ("+", "-"), f"{where} {state}")
    n = {sign: as_count(table[sign], f"{where} {state} {sign!r}") for sign in ("+", "-")}
    total = sum(n.values())
    if not total:
        raise UsageError(f"{where} {state}: no calibration counts")
    estimate = chance_estimate(n[PREPARED[state]], total, confidence)
    return Assignment(estimate.value, estimate.lower, estimate.upper)
