"""The two-memory state that read-outs with errors look like, and its figures: what tomography of raw results should find."""

from __future__ import annotations

from math import sqrt

import numpy as np

from .spin import PAULI_X, PAULI_Y, PAULI_Z, ComplexArray

_PAULIS: tuple[ComplexArray, ...] = (np.eye(2, dtype=complex), PAULI_X, PAULI_Y, PAULI_Z)
_PSI_PLUS = np.array([0, 1, 1, 0]) / sqrt(2)


def as_read_out(states: dict[int, ComplexArray], click: dict[int, tuple[float, float]]) -> ComplexArray:
    """State (4, 4) with the expectation values that raw results have, psi- folded onto psi+ by flipping Bob's x and y.

    ``states``: by herald sign, unnormalised, traces adding up to 1; ``click``: each node's chance of a click when bright
    and when dark. A result along an axis then has the mean of ``(b - d)·axis + (b + d - 1)``.
    """
    rho = np.zeros((4, 4), complex)
    for i, first in enumerate(_PAULIS):
        for j, second in enumerate(_PAULIS):
            seen = np.kron(_seen(i, *click[0]), _seen(j, *click[1]))
            fold = {1: 1, -1: -1 if j in (1, 2) else 1}
            mean = sum(fold[sign] * np.trace(state @ seen).real for sign, state in states.items())
            rho += mean * np.kron(first, second) / 4
    return rho


def raw_figures(rho: ComplexArray) -> dict[str, float]:
    """Fidelity with psi+, purity, and concurrence (Wootters, PRL 80, 2245, 1998)."""
    flip = np.kron(PAULI_Y, PAULI_Y)
    roots = np.sqrt(np.abs(np.sort(np.linalg.eigvals(rho @ flip @ rho.conj() @ flip).real)))
    return {
        "fidelity_raw": float((_PSI_PLUS @ rho @ _PSI_PLUS).real),
        "purity_raw": float(np.trace(rho @ rho).real),
        "concurrence_raw": max(0.0, float(roots[3] - roots[:3].sum())),
    }


def _seen(axis: int, bright: float, dark: float) -> ComplexArray:
    if axis == 0:
        return _PAULIS[0].copy()
    seen: ComplexArray = (bright - dark) * _PAULIS[axis] + (bright + dark - 1) * _PAULIS[0]
    return seen
