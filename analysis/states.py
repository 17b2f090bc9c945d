"""Quantum states of qubits and the figures computed from them.

Density matrices are complex128 ``(..., d, d)`` with ``d = 2^n``; every figure works on stacks and returns float64
``(...,)``. Basis order ``|00>, |01>, |10>, |11>``, first qubit first; H = early = bright = |0>.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from .records import FloatArray

ComplexArray = NDArray[np.complex128]

_R = np.sqrt(0.5)
#: Polarisation kets: D, A = (H ± V)/√2, R = (H − iV)/√2, L = (H + iV)/√2.
KETS: Mapping[str, ComplexArray] = MappingProxyType(
    {
        "H": np.array([1, 0], np.complex128),
        "V": np.array([0, 1], np.complex128),
        "D": np.array([_R, _R], np.complex128),
        "A": np.array([_R, -_R], np.complex128),
        "R": np.array([_R, -1j * _R], np.complex128),
        "L": np.array([_R, 1j * _R], np.complex128),
    }
)
#: phi± = (|00> ± |11>)/√2, psi± = (|01> ± |10>)/√2.
BELL_KETS: Mapping[str, ComplexArray] = MappingProxyType(
    {
        "phi+": np.array([_R, 0, 0, _R], np.complex128),
        "phi-": np.array([_R, 0, 0, -_R], np.complex128),
        "psi+": np.array([0, _R, _R, 0], np.complex128),
        "psi-": np.array([0, _R, -_R, 0], np.complex128),
    }
)
_FLIP = np.array([[0, 0, 0, -1], [0, 0, 1, 0], [0, 1, 0, 0], [-1, 0, 0, 0]], np.complex128)  # sigma_y x sigma_y
# Bell states with the phases that make every maximally entangled state real (Hill and Wootters, PRL 78, 5022, 1997).
_MAGIC = np.stack([BELL_KETS["phi+"], -1j * BELL_KETS["phi-"], -1j * BELL_KETS["psi+"], BELL_KETS["psi-"]], axis=1)


def product_ket(kets: list[ComplexArray]) -> ComplexArray:
    """Tensor product of one-qubit kets, first qubit first: complex128 (2^n,)."""
    ket: ComplexArray = reduce(lambda left, right: np.multiply.outer(left, right).ravel(), kets)
    return ket


def projector(ket: ComplexArray) -> ComplexArray:
    """``|ket><ket|`` of kets ``(..., d)``: complex128 (..., d, d), not normalised."""
    return ket[..., :, None] * ket[..., None, :].conj()


def fidelity_with(rho: ComplexArray, ket: ComplexArray) -> FloatArray:
    """``<ket| rho |ket>``."""
    overlap: FloatArray = ((rho @ ket) @ ket.conj()).real
    return overlap


def purity(rho: ComplexArray) -> FloatArray:
    """``Tr rho^2``: 1 for a pure state, 1/d for white noise."""
    squared: FloatArray = np.einsum("...ij,...ji->...", rho, rho).real
    return squared


def entropy_bits(rho: ComplexArray) -> FloatArray:
    """Von Neumann entropy ``-Tr rho log2 rho`` in bits."""
    p = np.clip(np.linalg.eigvalsh(rho), 0.0, None)
    entropy: FloatArray = np.maximum(-np.sum(p * np.log2(np.where(p > 0, p, 1.0)), axis=-1), 0.0)
    return entropy


def concurrence(rho: ComplexArray) -> FloatArray:
    """Concurrence of two qubits, ``max(0, l1 - l2 - l3 - l4)`` (Wootters, PRL 80, 2245, 1998).

    With ``rho = A A^T*`` the l are the singular values of ``A^T (sigma_y x sigma_y) A``; negative eigenvalues count as 0.
    """
    values, vectors = np.linalg.eigh(rho)
    amplitudes = vectors * np.sqrt(np.clip(values, 0.0, None))[..., None, :]
    singular = np.linalg.svd(np.swapaxes(amplitudes, -1, -2) @ _FLIP @ amplitudes, compute_uv=False)
    excess: FloatArray = np.maximum(0.0, 2 * singular[..., 0] - singular.sum(axis=-1))
    return excess


def partial_transpose(rho: ComplexArray) -> ComplexArray:
    """Transpose of the first qubit: complex128 (..., d, d)."""
    d = rho.shape[-1]
    blocks = rho.reshape(*rho.shape[:-2], 2, d // 2, 2, d // 2)
    return np.swapaxes(blocks, -4, -2).reshape(rho.shape)


def negativity(rho: ComplexArray) -> FloatArray:
    """Sum of the |negative eigenvalues| of the partial transpose (Vidal and Werner, PRA 65, 032314, 2002); at most 1/2."""
    eigenvalues = np.linalg.eigvalsh(partial_transpose(rho))
    total: FloatArray = np.sum(np.maximum(-eigenvalues, 0.0), axis=-1)
    return total


def fully_entangled_fraction(rho: ComplexArray) -> FloatArray:
    """Largest fidelity with any maximally entangled state of two qubits: top eigenvalue of ``Re rho`` in the magic basis."""
    real = (_MAGIC.conj().T @ rho @ _MAGIC).real
    return np.asarray(np.linalg.eigvalsh(real)[..., -1], np.float64)
