"""Herald probability, rate and fidelity of a link from its pulses and what the station file expects of the hardware.

Formulas: PHYSICS of heralded links as in Barrett and Kok (PRA 71, 060310, 2005) for a click in each of two windows and
Cabrillo et al. (PRA 59, 1025, 1999) for one. Every photon reaches each window with a probability; both nodes' photon
numbers and the dark counts are enumerated, so losses, accidental heralds and unequal arms are in. Taken as given: ideal
rotations, a balanced beam splitter, and photons of exponential shape.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import cos, exp, expm1, log1p, pi, prod, sin, sqrt

import numpy as np

from ..instruments.expected import ExpectedDetector, ExpectedMidpoint, ExpectedNode
from ..instruments.shapes import ComplexArray, area
from .pulses import Pulse
from .sequence import Block, Branch, Sequence

#: Detected photons by window, and last how many emitted ones were lost or came in another window → probability.
Photons = dict[tuple[int, ...], float]
Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Arm:
    """One node as the budget sees it: its name, what is expected of it, its delay to the midpoint, its light.

    ``pi_pulse_ps`` is how long a full-amplitude square π pulse is at the laser's π power, ``power`` the present power in
    units of that.
    """

    name: str
    expected: ExpectedNode
    delay_ps: int
    pi_pulse_ps: float
    power: float


@dataclass(frozen=True, slots=True)
class LinkBudget:
    """What is expected of a sequence with a branch.

    Attributes:
        probability: of a herald in an attempt.
        true_share: heralds made by one photon of each node (or, with one window, by one photon alone).
        burst_rate_hz: bursts a second; a herald ends one early.
        attempts_per_burst: on average.
        heralds_per_burst: on average, at most 1.
        marker_ps: when the herald marker is back at the farther node, from the start of the attempt.
        round_trip_ps: photon to the midpoint, decision, and marker back.
        then_acts: whether a herald makes the nodes do anything, so that the memory must have waited for it.
        storage_ps: from the first rotation to the read-out.
        coherence: what is left of the two memories' coherence then.
        visibility: overlap of the two photons.
        fidelity: expected; None where no formula holds (pair sources).
    """

    probability: float
    true_share: float
    burst_rate_hz: float
    attempts_per_burst: float
    heralds_per_burst: float
    marker_ps: int
    round_trip_ps: int
    then_acts: bool
    storage_ps: int
    coherence: float
    visibility: float
    fidelity: float | None

    @property
    def rate_hz(self) -> float:
        """Heralds a second, headers and read-outs included."""
        return self.heralds_per_burst * self.burst_rate_hz

    @property
    def attempt_rate_hz(self) -> float:
        """Attempts a second."""
        return self.attempts_per_burst * self.burst_rate_hz


def link_budget(
    sequence: Sequence,
    branch: Branch,
    arms: tuple[Arm, Arm],
    midpoint: ExpectedMidpoint,
    detectors: Mapping[str, ExpectedDetector],
) -> LinkBudget:
    """The budget of a sequence that branches on heralds. Raises KeyError for a detector without expectations."""
    pair = [detectors[name] for name in branch.on.detectors]
    efficiency = sum(d.efficiency for d in pair) / 2
    body = sorted(sequence.body.played(), key=lambda p: p.start_ps)
    seen = [_gated(window, body, pair[0].gate) for window in branch.on.windows_ps]
    photons = [_photons(arm, body, seen, midpoint.transmission * efficiency) for arm in arms]
    dark = [sum(d.dark_rate_hz for d in pair) / 2 * _length_ps(window) * 1e-12 for window in seen]
    true, total = (float(p) for p in _heralds(photons[0], photons[1], dark, midpoint.visibility))
    marker_ps = branch.on.decision_ps + max(arm.delay_ps for arm in arms)
    storage_ps = _storage_ps(body, branch.then, marker_ps)
    coherence = prod(_coherence(arm.expected, storage_ps) for arm in arms)
    attempts, heralded, burst_s = _burst(sequence, branch, total, marker_ps)
    return LinkBudget(
        probability=total,
        true_share=true / total if total else 0.0,
        burst_rate_hz=1 / burst_s,
        attempts_per_burst=attempts,
        heralds_per_burst=heralded,
        marker_ps=marker_ps,
        round_trip_ps=2 * max(arm.delay_ps for arm in arms) + branch.on.latency_ps,
        then_acts=bool(branch.then.pulses or branch.then.loops),
        storage_ps=storage_ps,
        coherence=coherence,
        visibility=midpoint.visibility,
        fidelity=_fidelity(true, total, coherence, midpoint, len(seen)) if _all_photon(arms) and total else None,
    )


def photon_clicks(block: Block, arms: tuple[Arm, ...], midpoint: ExpectedMidpoint, detector: ExpectedDetector) -> float:
    """Clicks at one midpoint detector, while its gate is open, of the photons the nodes emit in a block."""
    pulses = sorted(block.played(), key=lambda p: p.start_ps)
    if not any(p.channel == "excitation" for p in pulses):
        return 0.0
    whole = (0, block.length_ps + max((arm.delay_ps for arm in arms), default=0))
    looking = [_gated(whole, pulses, detector.gate)]
    photons = (_photons(arm, pulses, looking, midpoint.transmission * detector.efficiency) for arm in arms)
    return sum(n[0] * p for found in photons for n, p in found.items()) / 2


def _gated(window: Interval, pulses: list[Pulse], gate: str) -> tuple[Interval, ...]:
    """The parts of a window in which the detectors look."""
    if not gate:
        return (window,)
    open_ps = [(max(p.start_ps, window[0]), min(p.stop_ps, window[1])) for p in pulses if p.channel == gate]
    return tuple(i for i in open_ps if i[1] > i[0])


def _length_ps(intervals: tuple[Interval, ...]) -> int:
    return sum(stop - start for start, stop in intervals)


def _photons(arm: Arm, body: list[Pulse], windows: list[tuple[Interval, ...]], path: float) -> Photons:
    """Distribution of a node's detected photons over the windows."""
    seen = arm.expected.collection * 10 ** (-arm.expected.loss_db / 10) * path
    arrivals = [
        [seen * _arrival(arm, pulse, window) for window in windows] for pulse in body if pulse.channel == "excitation"
    ]
    found: Photons = defaultdict(float)
    for emitted, chance in _emissions(arm, body).items():
        counts: Photons = {(0,) * (len(windows) + 1): chance}
        for k in (k for k, n in enumerate(emitted) if n):
            counts = _one_more(counts, k, arrivals[k])
        for n, p in counts.items():
            found[n] += p
    return dict(found)


def _one_more(counts: Photons, bin_number: int, arrive: list[float]) -> Photons:
    out: Photons = defaultdict(float)
    for (*n, strays), p in counts.items():
        out[*n, strays + 1] += p * (1 - sum(arrive))
        for w, chance in enumerate(arrive):
            out[*n[:w], n[w] + 1, *n[w + 1 :], strays + (w != bin_number)] += p * chance
    return out


def _arrival(arm: Arm, pulse: Pulse, window: tuple[Interval, ...]) -> float:
    """Chance that a photon of this pulse comes inside a window: an exponential that begins in the pulse's middle."""
    begins_ps = pulse.start_ps + pulse.duration_ps // 2 + arm.delay_ps
    lifetime_ps = arm.expected.lifetime_s * 1e12

    def until(t_ps: int) -> float:
        return -expm1(-max(0, t_ps - begins_ps) / lifetime_ps)

    return sum(until(stop) - until(start) for start, stop in window)


def _emissions(arm: Arm, body: list[Pulse]) -> Photons:
    """Which excitation pulses make the node emit: 0 or 1 a pulse → probability."""
    if arm.expected.emits == "pairs":
        per_pulse = arm.expected.pair_probability * arm.power
        chances = [min(1.0, per_pulse * _strength(p)) for p in body if p.channel == "excitation"]
        return {
            n: prod(c if k else 1 - c for k, c in zip(n, chances, strict=True))
            for n in product((0, 1), repeat=len(chances))
        }
    # Branches of the spin, emission by emission; what an imperfect pulse leaves coherent is taken as a mixture.
    spins: list[tuple[tuple[int, ...], float, ComplexArray]] = [((), 1.0, np.array([1, 0], np.complex128))]
    bright, dark = np.eye(2, dtype=np.complex128)
    for pulse in body:
        if pulse.channel == f"{arm.name}_mw":
            spins = [(n, p, _rotation(pulse, arm.expected.spin_pi_s) @ spin) for n, p, spin in spins]
        elif pulse.channel == "excitation":
            turn = _strength(pulse) * pulse.duration_ps / arm.pi_pulse_ps * sqrt(arm.power)
            excited = sin(pi / 2 * turn) ** 2
            split = []
            for n, p, spin in spins:
                up = p * abs(spin[0]) ** 2
                split += [
                    ((*n, 1), up * excited, bright),
                    ((*n, 0), up * (1 - excited), bright),
                    ((*n, 0), p - up, dark),
                ]
            spins = [s for s in split if s[1] > 0]
    found: Photons = defaultdict(float)
    for n, p, _ in spins:
        found[n] += p
    return dict(found)


def _strength(pulse: Pulse) -> float:
    """Mean of the envelope over the pulse, in units of full scale."""
    return pulse.amplitude * area(pulse.shape, pulse.duration_ps)


def _rotation(pulse: Pulse, pi_s: float | None) -> ComplexArray:
    """Turn about (cos φ, sin φ, 0) by π for a full-amplitude pulse of ``pi_s``; whatever its length when that is unknown."""
    turn = _strength(pulse) * (1.0 if pi_s is None else pulse.duration_ps * 1e-12 / pi_s)
    half = pi / 2 * turn
    off = -1j * sin(half) * np.exp(1j * pulse.phase_rad)
    return np.array([[cos(half), -np.conj(off)], [off, cos(half)]], np.complex128)


def _heralds(a: Photons, b: Photons, dark: list[float], visibility: float) -> tuple[float, float]:
    """Probability of a good herald and of any: exactly one click in each window.

    Good is one photon of each node in different windows or, with one window, one photon in all, and none emitted besides.
    """
    true = total = 0.0
    for ((*na, strays_a), pa), ((*nb, strays_b), pb) in product(a.items(), b.items()):
        chance = pa * pb
        for in_a, in_b, d in zip(na, nb, dark, strict=True):
            chance *= _one_click(in_a, in_b, d, visibility)
        total += chance
        one_each = sum(na) == sum(nb) == 1 if len(dark) == 2 else sum(na) + sum(nb) == 1
        if one_each and not strays_a + strays_b and all(x + y == 1 for x, y in zip(na, nb, strict=True)):
            true += chance
    return true, total


def _one_click(in_a: int, in_b: int, dark: float, visibility: float) -> float:
    """Chance that exactly one of the two threshold detectors clicks on these photons; ``dark`` is of one detector."""
    photons = in_a + in_b
    if photons == 0:
        return 2 * dark * (1 - dark)
    together = {1: 1.0, 2: (1 + visibility * (in_a == in_b)) / 2}.get(photons, 2.0 ** (1 - photons))
    return together * (1 - dark)


def _burst(sequence: Sequence, branch: Branch, probability: float, marker_ps: int) -> tuple[float, float, float]:
    """Attempts and heralds in a mean burst, and how long it takes (s): failures are geometric, a herald ends it."""
    n = sequence.repetitions
    heralded = -expm1(n * log1p(-probability)) if probability < 1 else 1.0
    attempts = heralded / probability if probability else n
    failed_ps = (attempts - heralded) * sequence.attempt.length_ps
    burst_ps = sequence.header.length_ps + failed_ps + heralded * (marker_ps + branch.then.length_ps)
    return attempts, heralded, burst_ps * 1e-12


def _storage_ps(body: list[Pulse], then: Block, marker_ps: int) -> int:
    """From the first rotation (or excitation) of the attempt to the last rotation after the herald."""
    begins = [p.start_ps for p in body if p.channel.endswith("_mw") or p.channel == "excitation"]
    ends = [p.stop_ps for p in then.played() if p.channel.endswith("_mw")]
    ends = ends or [p.start_ps for p in then.played() if p.channel.endswith("_readout")] or [0]
    return marker_ps + max(ends) - min(begins, default=0)


def _coherence(node: ExpectedNode, storage_ps: int) -> float:
    return exp(-((storage_ps * 1e-12 / node.coherence_s) ** node.coherence_exponent))


def _all_photon(arms: tuple[Arm, Arm]) -> bool:
    return all(arm.expected.emits == "photon" for arm in arms)


def _fidelity(true: float, total: float, coherence: float, midpoint: ExpectedMidpoint, windows: int) -> float:
    """Two windows: true heralds (1 + V·C)/2, false ones 1/4. One: (1 + √V·exp(-σ²/2)·C)/2, the rest nothing."""
    if windows == 2:
        return (true * (1 + midpoint.visibility * coherence) / 2 + (total - true) / 4) / total
    phase = 0.0 if midpoint.phase_sigma_rad is None else exp(-(midpoint.phase_sigma_rad**2) / 2)
    return true / total * (1 + sqrt(midpoint.visibility) * phase * coherence) / 2
