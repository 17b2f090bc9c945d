"""One node's spin together with the photons it emitted, followed exactly through any sequence of pulses.

The state is a density matrix over spin (|0> bright, |1> dark) and up to K emitted photons (bin k empty or full), split
into coherence pathways: each piece remembers the net time ``q`` it precessed as |0><1| minus as |1><0|, and the total
time it was a coherence. Slow (static) detuning acts on ``q`` and is undone by echoes; decoherence acts on the total:

    weight = exp[-(q/T2*)^2] · exp[-(t_coherence/T2)^n],  T1 acting on populations as it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ComplexArray = NDArray[np.complex128]
_NEGLIGIBLE = 1e-13

PAULI_X = np.array([[0, 1], [1, 0]], complex)
PAULI_Y = np.array([[0, -1j], [1j, 0]], complex)
PAULI_Z = np.array([[1, 0], [0, -1]], complex)


@dataclass(frozen=True, slots=True)
class Decoherence:
    """Times in seconds; ``detuning_hz`` is the drive's offset from the spin line (precession while waiting)."""

    t1_s: float
    t2_s: float
    t2_exponent: float
    t2_star_s: float
    detuning_hz: float = 0.0


@dataclass(frozen=True, slots=True)
class Initialise:
    """Optical pumping to |0> with the given fidelity."""

    time_ps: int
    fidelity: float


@dataclass(frozen=True, slots=True)
class Rotate:
    """A unitary on the spin at ``time_ps``."""

    time_ps: int
    unitary: tuple[tuple[complex, complex], tuple[complex, complex]]


@dataclass(frozen=True, slots=True)
class Excite:
    """Optical pulse: |0> emits a photon into ``photon_bin`` (None: nobody looks at it) with the given probability.

    ``twice``: chance that a second photon, which is lost, comes with it and tells the environment.
    """

    time_ps: int
    probability: float
    photon_bin: int | None
    twice: float = 0.0


@dataclass(frozen=True, slots=True)
class Store:
    """A pair source fires: an empty memory |1> becomes full |0> with a photon in ``photon_bin``, with some probability."""

    time_ps: int
    probability: float
    photon_bin: int | None


@dataclass(frozen=True, slots=True)
class Fade:
    """A full memory |0> keeps its excitation with the given probability, else it is empty."""

    time_ps: int
    survival: float


@dataclass(frozen=True, slots=True)
class Depolarise:
    """The spin forgets everything with the given chance; photons already on their way stay as they are."""

    time_ps: int
    chance: float


Operation = Initialise | Rotate | Excite | Store | Fade | Depolarise


def rotation(theta_rad: float, phase_rad: float, detuning_angle_rad: float = 0.0) -> ComplexArray:
    """exp{-i[θ(cos φ X + sin φ Y) + δ Z]/2} as a complex (2, 2) matrix."""
    axis = theta_rad * (np.cos(phase_rad) * PAULI_X + np.sin(phase_rad) * PAULI_Y) + detuning_angle_rad * PAULI_Z
    angle = float(np.hypot(theta_rad, detuning_angle_rad))
    if angle == 0:
        return np.eye(2, dtype=complex)
    turn: ComplexArray = np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * axis / angle
    return turn


class NodeState:
    """Spin and photons of one node; pieces are complex (2, 2^K, 2, 2^K): [s, n, s', n']."""

    def __init__(self, photon_bins: int) -> None:
        n = 2**photon_bins
        mixed = np.zeros((2, n, 2, n), complex)
        mixed[0, 0, 0, 0] = mixed[1, 0, 1, 0] = 0.5
        self._bins = photon_bins
        self._pieces: dict[tuple[int, int], ComplexArray] = {(0, 0): mixed}

    def apply(self, operation: Operation) -> None:
        """Acts at once on every pathway."""
        match operation:
            case Initialise(fidelity=fidelity):
                self._map(lambda piece: _pump(piece, fidelity))
            case Rotate(unitary=u):
                matrix = np.array(u)
                self._map(lambda piece: np.einsum("as,snrm,br->anbm", matrix, piece, matrix.conj()))
            case Excite(probability=p, photon_bin=None):
                self._map(lambda piece: _emit_unseen(piece, p))
            case Excite(probability=p, photon_bin=int(k), twice=twice):
                self._map(lambda piece: _emit(piece, p, twice, self._bins, k))
            case Depolarise(chance=chance):
                self._map(lambda piece: (1 - chance) * piece + chance * _pump(piece, 0.5))
            case Store(probability=p, photon_bin=None):
                self._map(lambda piece: _flip_unseen(piece, p))
            case Store(probability=p, photon_bin=int(k)):
                self._map(lambda piece: _store(piece, p, self._bins, k))
            case Fade(survival=survival):
                self._map(lambda piece: _fade(piece, survival))

    def wait(self, duration_ps: int, decoherence: Decoherence) -> None:
        """Free evolution in the frame of the drive."""
        t_s = duration_ps * 1e-12
        keep, turn = np.exp(-t_s / decoherence.t1_s), np.exp(-2j * np.pi * decoherence.detuning_hz * t_s)
        pieces: dict[tuple[int, int], ComplexArray] = {}
        for (q, total), piece in self._pieces.items():
            _add(pieces, (q, total), _populations(piece, float(keep)))
            _add(pieces, (q + duration_ps, total + duration_ps), _element(piece, 0, 1) * turn)
            _add(pieces, (q - duration_ps, total + duration_ps), _element(piece, 1, 0) * turn.conj())
        self._pieces = pieces

    def settled(self, decoherence: Decoherence) -> ComplexArray:
        """The state with all dephasing applied: complex (2, 2^K, 2, 2^K)."""
        return sum(
            (piece * _weight(q, total, decoherence) for (q, total), piece in self._pieces.items()),
            np.zeros((2, 2**self._bins, 2, 2**self._bins), complex),
        )

    def _map(self, act: Callable[[ComplexArray], ComplexArray]) -> None:
        self._pieces = {key: act(piece) for key, piece in self._pieces.items()}


def evolve(operations: Iterable[Operation], until_ps: int, photon_bins: int, decoherence: Decoherence) -> ComplexArray:
    """State at ``until_ps`` of a spin that was mixed at first: complex (2, 2^K, 2, 2^K), trace 1."""
    state, now_ps = NodeState(photon_bins), None
    for operation in sorted(operations, key=lambda o: o.time_ps):
        if operation.time_ps > until_ps:
            break
        if now_ps is not None and operation.time_ps > now_ps:
            state.wait(operation.time_ps - now_ps, decoherence)
        state.apply(operation)
        now_ps = operation.time_ps
    if now_ps is not None and until_ps > now_ps:
        state.wait(until_ps - now_ps, decoherence)
    return state.settled(decoherence)


def _weight(q_ps: int, total_ps: int, decoherence: Decoherence) -> float:
    static = (q_ps * 1e-12 / decoherence.t2_star_s) ** 2
    return float(np.exp(-static - (total_ps * 1e-12 / decoherence.t2_s) ** decoherence.t2_exponent))


def _add(pieces: dict[tuple[int, int], ComplexArray], key: tuple[int, int], piece: ComplexArray) -> None:
    if np.abs(piece).max() > _NEGLIGIBLE:
        pieces[key] = pieces[key] + piece if key in pieces else piece


def _element(piece: ComplexArray, s: int, r: int) -> ComplexArray:
    out = np.zeros_like(piece)
    out[s, :, r, :] = piece[s, :, r, :]
    return out


def _populations(piece: ComplexArray, keep: float) -> ComplexArray:
    """The two diagonal blocks, relaxed towards equal populations."""
    out = np.zeros_like(piece)
    mean = (piece[0, :, 0, :] + piece[1, :, 1, :]) / 2
    out[0, :, 0, :] = mean + (piece[0, :, 0, :] - mean) * keep
    out[1, :, 1, :] = mean + (piece[1, :, 1, :] - mean) * keep
    return out


def _pump(piece: ComplexArray, fidelity: float) -> ComplexArray:
    out = np.zeros_like(piece)
    photons = piece[0, :, 0, :] + piece[1, :, 1, :]
    out[0, :, 0, :], out[1, :, 1, :] = fidelity * photons, (1 - fidelity) * photons
    return out


def _emit_unseen(piece: ComplexArray, probability: float) -> ComplexArray:
    out = piece.copy()
    out[0, :, 1, :] *= np.sqrt(1 - probability)
    out[1, :, 0, :] *= np.sqrt(1 - probability)
    return out


def _emit(piece: ComplexArray, probability: float, twice: float, bins: int, k: int) -> ComplexArray:
    """|0>|n_k=0> -> sqrt(1-p)|0>|0> + sqrt(p)|0>|1_k>; |1> does nothing; a second photon leaves no coherence with these."""
    n = 2**bins
    once, again = np.eye(2 * n, dtype=complex).reshape(2, n, 2, n), np.zeros((2, n, 2, n), complex)
    for empty in (i for i in range(n) if not i >> k & 1):
        once[0, empty, 0, empty] = np.sqrt(1 - probability)
        once[0, empty | 1 << k, 0, empty] = np.sqrt(probability * (1 - twice))
        again[0, empty | 1 << k, 0, empty] = np.sqrt(probability * twice)
    emitted: ComplexArray = sum(
        (
            np.einsum("snam,ambl,rkbl->snrk", kraus, piece, kraus, optimize=True)
            for kraus in (once, again)
            if np.any(kraus)
        ),
        np.zeros_like(piece),
    )
    return emitted


def _store(piece: ComplexArray, probability: float, bins: int, k: int) -> ComplexArray:
    """|1>|n_k=0> -> sqrt(1-p)|1>|0> + sqrt(p)|0>|1_k>; |0> does nothing."""
    n = 2**bins
    kraus = np.eye(2 * n, dtype=complex).reshape(2, n, 2, n)
    for empty in (i for i in range(n) if not i >> k & 1):
        kraus[1, empty, 1, empty] = np.sqrt(1 - probability)
        kraus[0, empty | 1 << k, 1, empty] = np.sqrt(probability)
    stored: ComplexArray = np.einsum("snam,ambl,rkbl->snrk", kraus, piece, kraus.conj(), optimize=True)
    return stored


def _flip_unseen(piece: ComplexArray, probability: float) -> ComplexArray:
    out = piece.copy()
    out[0, :, 0, :] += probability * piece[1, :, 1, :]
    out[1, :, 1, :] *= 1 - probability
    out[0, :, 1, :] *= np.sqrt(1 - probability)
    out[1, :, 0, :] *= np.sqrt(1 - probability)
    return out


def _fade(piece: ComplexArray, survival: float) -> ComplexArray:
    out = piece.copy()
    out[1, :, 1, :] += (1 - survival) * piece[0, :, 0, :]
    out[0, :, 0, :] *= survival
    out[0, :, 1, :] *= np.sqrt(survival)
    out[1, :, 0, :] *= np.sqrt(survival)
    return out
