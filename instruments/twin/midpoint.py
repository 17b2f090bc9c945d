"""The midpoint: what two photonic modes do at a beam splitter with two threshold detectors, by exact enumeration.

A click pattern is a bit mask: bit ``2·slot + detector`` is set when that detector clicked in that stretch of time. For
every emission the operators of all patterns are built on the photon numbers |n_a n_b> = 00, 01, 10, 11; applied in turn
to the two nodes' spin-photon states they leave, for each pattern, an unnormalised two-spin state whose trace is the
pattern's probability. Dark and stray clicks are OR-ed in at the end. Nothing is sampled and nothing truncated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from ...analysis.records import FloatArray
from .spin import ComplexArray


@dataclass(frozen=True, slots=True, eq=False)
class Emission:
    """One bin: ``arrive_a/b`` float64 (S,) is the chance that a photon, once emitted, meets the splitter in each slot.

    ``overlap`` is V = |<psi_a|psi_b>|² of the two wave packets; ``time_ps`` orders the bins for the phase walk.
    """

    arrive_a: FloatArray
    arrive_b: FloatArray
    overlap: float
    time_ps: int


@dataclass(frozen=True, slots=True)
class Interferometer:
    """Power transmission of the splitter, the two detectors' efficiencies, and the optical phase between the arms.

    ``phase_sigma_rad`` None means a uniformly random phase; ``phase_walk_rad2_per_s`` is gained between bins, and twice
    what the laser's phase (``laser_rad2_per_s`` = 2π·linewidth) gains while its light is on one node's path only, ``path_ps``.
    """

    transmission: float
    efficiency: tuple[float, float]
    phase_rad: float = 0.0
    phase_sigma_rad: float | None = None
    phase_walk_rad2_per_s: float = 0.0
    laser_rad2_per_s: float = 0.0
    path_ps: int = 0

    def common(self, order: int) -> complex:
        """Mean of exp(i·order·phase) over the phase common to all bins."""
        if order == 0:
            return 1.0
        if self.phase_sigma_rad is None:
            return 0.0
        return complex(np.exp(1j * order * self.phase_rad - (order * self.phase_sigma_rad) ** 2 / 2))

    def walk(self, order: int, duration_ps: int) -> float:
        """Mean of exp(i·order·walk) over the phase gained in ``duration_ps``."""
        arms = self.phase_walk_rad2_per_s * duration_ps
        laser = 2 * self.laser_rad2_per_s * min(self.path_ps, duration_ps)
        return float(np.exp(-(order**2) * (arms + laser) * 1e-12 / 2))


def enumerate_patterns(
    node_a: ComplexArray, node_b: ComplexArray, emissions: Sequence[Emission], optics: Interferometer, stray: FloatArray
) -> ComplexArray:
    """Unnormalised two-spin states by click pattern: complex (2^(2S), 4, 4), traces add up to 1.

    Args:
        node_a, node_b: complex (2, 2^K, 2, 2^K), spin and K emissions.
        emissions: the K bins in order of time.
        stray: float64 (2S,), chance of a dark or stray click per bit.
    """
    return or_clicks(light_patterns(node_a, node_b, emissions, optics, len(stray)).sum(axis=0), stray)


def light_patterns(
    node_a: ComplexArray, node_b: ComplexArray, emissions: Sequence[Emission], optics: Interferometer, bits: int
) -> ComplexArray:
    """The same without stray clicks, in three parts: complex (3, 2^bits, 4, 4).

    A phase θ of the last bin's photons of A against B multiplies the parts by exp(-iθ), 1, exp(iθ).
    """
    # Bins are contracted from the last to the first: the phase walk of a gap acts on all bins after it.
    partial = {(0, 0, 0): _joint(node_a, node_b, len(emissions))}
    for k in reversed(range(len(emissions))):
        operators = click_operators(emissions[k], optics)
        gap_ps = emissions[k].time_ps - emissions[k - 1].time_ps if k else 0
        last = k == len(emissions) - 1
        merged: dict[tuple[int, int, int], ComplexArray] = {}
        for ((mask, order, turn), state), ((clicks, step), op) in product(partial.items(), operators.items()):
            key = (mask | clicks, order + step, step if last else turn)
            term = np.einsum("aixbjy,ji->axby", _split(state), op) * optics.walk(order + step, gap_ps)
            merged[key] = merged[key] + term if key in merged else term
        partial = merged
    states = np.zeros((3, 2**bits, 4, 4), complex)
    for (mask, order, turn), state in partial.items():
        states[turn + 1, mask] += optics.common(order) * state[:, 0, :, 0]
    return states


def or_clicks(states: ComplexArray, chance: FloatArray) -> ComplexArray:
    """Adds independent clicks: bit b is set in addition with probability ``chance[b]``."""
    out = states.copy()
    masks = np.arange(len(states))
    for bit, p in enumerate(chance):
        unset = masks[(masks >> bit & 1) == 0]
        out[unset | 1 << bit] += p * out[unset]
        out[unset] *= 1 - p
    return out


def click_operators(emission: Emission, optics: Interferometer) -> dict[tuple[int, int], ComplexArray]:
    """Operators (4, 4) on |n_a n_b> by (pattern, order), order m standing for a factor exp(i·m·phase)."""
    amplitudes = _amplitudes(optics.transmission)
    operators: dict[tuple[int, int], ComplexArray] = defaultdict(lambda: np.zeros((4, 4), complex))
    operators[0, 0][0, 0] = 1
    for pattern, chance in _two_photons(emission, optics, amplitudes).items():
        operators[pattern, 0][3, 3] += chance
    none = np.diag([0, 1, 1, 0]).astype(complex)
    crossed = 0.0
    for s, d in product(range(len(emission.arrive_a)), (0, 1)):
        pa, pb = emission.arrive_a[s], emission.arrive_b[s]
        (ca, cb), eta = amplitudes[d], optics.efficiency[d]
        direct = np.diag([0, pb * cb**2 * eta, pa * ca**2 * eta, 0])
        cross = float(np.sqrt(pa * pb * emission.overlap)) * ca * cb * eta
        pattern = 1 << (2 * s + d)
        operators[pattern, 0] += direct
        operators[pattern, 1][2, 1] += cross
        operators[pattern, -1][1, 2] += cross
        none -= direct
        crossed += cross
    operators[0, 0] += none
    operators[0, 1][2, 1] -= crossed
    operators[0, -1][1, 2] -= crossed
    return {key: op for key, op in operators.items() if np.any(op)}


def _amplitudes(transmission: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """(from a, from b) at each detector; the sign makes the splitter unitary."""
    t, r = float(np.sqrt(transmission)), float(np.sqrt(1 - transmission))
    return (t, r), (r, -t)


def _two_photons(
    emission: Emission, optics: Interferometer, amplitudes: tuple[tuple[float, float], tuple[float, float]]
) -> dict[int, float]:
    """Pattern probabilities when both nodes emitted: Hong-Ou-Mandel, losses, threshold detectors."""
    a, b, eta = emission.arrive_a, emission.arrive_b, optics.efficiency
    out: dict[int, float] = defaultdict(float)
    places = list(product(range(len(a)), (0, 1)))

    def detect(chance: float, seen: tuple[tuple[int, int], ...]) -> None:
        for caught in product((False, True), repeat=len(seen)):
            weight, pattern = chance, 0
            for (s, d), hit in zip(seen, caught, strict=True):
                weight *= eta[d] if hit else 1 - eta[d]
                pattern |= (1 << (2 * s + d)) if hit else 0
            out[pattern] += weight

    lost_a, lost_b = 1 - float(a.sum()), 1 - float(b.sum())
    detect(lost_a * lost_b, ())
    for s, d in places:
        detect(float(a[s]) * amplitudes[d][0] ** 2 * lost_b, ((s, d),))
        detect(float(b[s]) * amplitudes[d][1] ** 2 * lost_a, ((s, d),))
    for i, (s, d) in enumerate(places):
        for r, e in places[i:]:
            straight = amplitudes[d][0] * amplitudes[e][1] * np.sqrt(a[s] * b[r])
            crossed = amplitudes[e][0] * amplitudes[d][1] * np.sqrt(a[r] * b[s])
            chance = straight**2 + crossed**2 + 2 * emission.overlap * straight * crossed
            detect(float(chance) / (2 if (s, d) == (r, e) else 1), ((s, d), (r, e)))
    return out


def _joint(node_a: ComplexArray, node_b: ComplexArray, bins: int) -> ComplexArray:
    """(4, 4^K, 4, 4^K), photon index with the pair (n_a, n_b) of the last bin in front."""
    axes = [2] * (bins + 1)
    a, b = node_a.reshape(axes * 2), node_b.reshape(axes * 2)
    both = np.multiply.outer(a, b)
    half = 2 * (bins + 1)
    ket = [axis for i in range(bins + 1) for axis in (i, half + i)]
    bra = [axis + bins + 1 for axis in ket]
    return both.transpose(ket + bra).reshape(4, 4**bins, 4, 4**bins)


def _split(state: ComplexArray) -> ComplexArray:
    rest = state.shape[1] // 4
    return state.reshape(4, 4, rest, 4, 4, rest)
