"""Fidelity from three correlators, against states whose fidelity is known by other means."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from erbia.analysis.errors import UsageError
from erbia.analysis.fidelity import estimate_fidelity

PATTERNS = ("++", "+-", "-+", "--")
R = np.sqrt(0.5)
TARGETS = {"phi+": [R, 0, 0, R], "phi-": [R, 0, 0, -R], "psi+": [0, R, R, 0], "psi-": [0, R, -R, 0]}
# One-qubit rotations whose rows are the + and - eigenvectors of X, Y, Z.
BASES = {"XX": [[R, R], [R, -R]], "YY": [[R, R * 1j], [R, -R * 1j]], "ZZ": [[1, 0], [0, 1]]}


def chances(rho: NDArray[np.complex128], basis: str) -> NDArray[np.float64]:
    rotation = np.kron(np.conj(BASES[basis]), np.conj(BASES[basis]))
    p: NDArray[np.float64] = np.real(np.diag(rotation @ rho @ rotation.conj().T))
    return p


def random_state(rng: np.random.Generator) -> NDArray[np.complex128]:
    g = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    rho = g @ g.conj().T
    return rho / np.trace(rho)


def table(p: NDArray[np.float64], n: int) -> dict[str, int]:
    return {name: round(n * value) for name, value in zip(PATTERNS, p, strict=True)}


def document(rho: NDArray[np.complex128], target: str, n: int = 10**7, **more: Any) -> dict[str, Any]:
    return {"target": target, "bases": {basis: table(chances(rho, basis), n) for basis in BASES}, **more}


@pytest.mark.parametrize("target", TARGETS)
def test_any_state_gets_its_true_fidelity(target: str) -> None:
    rho = random_state(np.random.default_rng(1))
    ket = np.array(TARGETS[target])
    result = estimate_fidelity(document(rho, target))
    assert result.fidelity.value == pytest.approx(float((ket.conj() @ rho @ ket).real), abs=1e-6)
    assert result.fidelity == result.raw
    assert not result.is_lower_bound


def test_standard_error_and_correlators() -> None:
    counts = {"++": 48, "+-": 1, "-+": 2, "--": 49}
    opposite = {"++": 2, "+-": 30, "-+": 17, "--": 1}
    result = estimate_fidelity({"target": "psi+", "bases": {"XX": counts, "YY": counts, "ZZ": opposite}})
    e = [0.94, 0.94, -0.88]
    assert [x.value for x in result.correlators.values()] == pytest.approx(e)
    assert result.fidelity.value == pytest.approx((1 + 0.94 + 0.94 + 0.88) / 4)
    variance = sum((1 - v * v) / n for v, n in zip(e, (100, 100, 50), strict=True)) / 16
    assert result.fidelity.std == pytest.approx(np.sqrt(variance))
    assert result.fidelity.n == 250


@pytest.mark.parametrize("seed", range(6))
def test_without_yy_it_stays_below_the_truth(seed: int) -> None:
    rho = random_state(np.random.default_rng(seed))
    for target, amplitudes in TARGETS.items():
        counts = document(rho, target)
        del counts["bases"]["YY"]
        result = estimate_fidelity(counts)
        truth = float((np.array(amplitudes) @ rho @ np.array(amplitudes)).real)
        assert result.is_lower_bound
        assert result.fidelity.value <= truth + 1e-6


def test_without_yy_a_phase_flipped_state_loses_nothing() -> None:
    ket = np.array(TARGETS["psi+"])
    other = np.array(TARGETS["phi+"])
    rho = (0.9 * np.outer(ket, ket) + 0.1 * np.outer(other, other)).astype(np.complex128)
    counts = document(rho, "psi+")
    del counts["bases"]["YY"]
    assert estimate_fidelity(counts).fidelity.value == pytest.approx(0.9, abs=1e-6)


READOUT = {"p_plus_given_plus": 0.97, "p_minus_given_minus": 0.88}
CONFUSION = np.array([[0.97, 0.12], [0.03, 0.88]])


def misread(rho: NDArray[np.complex128], n: int) -> dict[str, Any]:
    both = np.kron(CONFUSION, CONFUSION)
    return {"target": "psi-", "bases": {basis: table(both @ chances(rho, basis), n) for basis in BASES}}


def test_readout_errors_are_undone() -> None:
    rho = random_state(np.random.default_rng(5))
    ket = np.array(TARGETS["psi-"])
    result = estimate_fidelity({**misread(rho, 10**7), "readout": {"a": READOUT, "b": READOUT}})
    truth = float((ket @ rho @ ket).real)
    assert result.fidelity.value == pytest.approx(truth, abs=1e-6)
    assert result.raw.value != pytest.approx(truth, abs=1e-3)


def test_a_short_calibration_widens_the_interval() -> None:
    ket = np.array(TARGETS["psi-"])
    rho = (0.8 * np.outer(ket, ket) + 0.05 * np.eye(4)).astype(np.complex128)
    widths = []
    for n in (10**6, 1000, 100):
        node = {
            "bright": {"+": round(0.97 * n), "-": round(0.03 * n)},
            "dark": {"+": round(0.12 * n), "-": round(0.88 * n)},
        }
        f = estimate_fidelity({**misread(rho, 2000), "readout": {"a": node, "b": node}}).fidelity
        assert f.lower < 0.85 < f.upper
        widths.append((f.upper - f.lower, f.std))
    assert widths == sorted(widths)
    assert widths[2][0] > 1.5 * widths[0][0]


def test_accidentals_are_subtracted() -> None:
    ket = np.array(TARGETS["phi+"])
    rho = (0.9 * np.outer(ket, ket) + 0.025 * np.eye(4)).astype(np.complex128)
    counts = document(rho, "phi+", 100_000)
    clean = estimate_fidelity(counts).fidelity.value
    for basis in counts["bases"].values():
        for name in PATTERNS:
            basis[name] += 5_000
    side = {basis: dict.fromkeys(PATTERNS, 50_000) for basis in BASES}
    result = estimate_fidelity({**counts, "accidentals": side, "accidental_scale": 0.1})
    assert result.fidelity.value == pytest.approx(clean, abs=1e-4)
    assert result.raw.value != pytest.approx(clean, abs=1e-3)
    few = {basis: dict.fromkeys(PATTERNS, 50) for basis in BASES}
    wider = estimate_fidelity({**counts, "accidentals": few, "accidental_scale": 100.0}).fidelity
    assert wider.upper - wider.lower > 1.5 * (result.fidelity.upper - result.fidelity.lower)


@pytest.mark.slow
def test_corrected_intervals_hold_the_truth() -> None:
    # 300 experiments at 95 %: fewer than 273 with chance below 0.002 if the coverage is 95 %, and the seed is fixed.
    rng = np.random.default_rng(11)
    ket = np.array(TARGETS["psi-"])
    truth, n, calibration = 0.9, 100, 300
    rho = ((4 * truth - 1) / 3 * np.outer(ket, ket) + (1 - truth) / 3 * np.eye(4)).astype(np.complex128)
    both = np.kron(CONFUSION, CONFUSION)
    held = 0
    for _ in range(300):
        nodes = {}
        for name in "ab":
            bright, dark = rng.binomial(calibration, CONFUSION[0, 0]), rng.binomial(calibration, CONFUSION[1, 1])
            nodes[name] = {
                "bright": {"+": bright, "-": calibration - bright},
                "dark": {"+": calibration - dark, "-": dark},
            }
        bases = {b: dict(zip(PATTERNS, rng.multinomial(n, both @ chances(rho, b)), strict=True)) for b in BASES}
        f = estimate_fidelity({"target": "psi-", "bases": bases, "readout": nodes}).fidelity
        held += f.lower <= truth <= f.upper
    assert held >= 273


ONE = {"++": 1, "+-": 0, "-+": 0, "--": 0}
OTHER = {"++": 0, "+-": 1, "-+": 0, "--": 0}


def test_one_shot_a_basis_is_wide_not_wrong() -> None:
    best = estimate_fidelity({"target": "psi+", "bases": {"XX": ONE, "YY": ONE, "ZZ": OTHER}}).fidelity
    assert (best.value, best.upper) == (1.0, 1.0)
    assert best.lower < 0.1
    worst = estimate_fidelity({"target": "psi+", "bases": {"XX": OTHER, "YY": OTHER, "ZZ": ONE}}).fidelity
    assert (worst.lower, worst.value) == (0.0, 0.0)
    assert worst.upper > 0.4


def test_the_json_form_is_finite_and_ordered() -> None:
    counts = {"target": "psi+", "bases": {"XX": ONE, "YY": ONE, "ZZ": OTHER}, "confidence": 0.68}
    plain = json.loads(json.dumps(estimate_fidelity(counts).as_dict(), allow_nan=False))
    assert list(plain["fidelity"]) == ["value", "lower", "upper", "confidence", "std", "n", "method", "unit"]
    assert plain["fidelity"]["confidence"] == 0.68


GOOD = {"target": "psi+", "bases": {"XX": ONE, "YY": ONE, "ZZ": OTHER}}
PERFECT_NODE = {"p_plus_given_plus": 1.0, "p_minus_given_minus": 1.0}


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({**GOOD, "target": "psi"}, "unknown Bell state 'psi'; allowed are phi"),
        ({"target": "psi+", "bases": {"XX": ONE, "YY": ONE}}, "'ZZ' is missing"),
        ({**GOOD, "bases": {**GOOD["bases"], "XY": ONE}}, "unknown key 'XY'"),  # type: ignore[dict-item]
        ({**GOOD, "bases": {**GOOD["bases"], "YY": dict.fromkeys(PATTERNS, 0)}}, "basis YY: no counts"),  # type: ignore[dict-item]
        ({**GOOD, "bases": {**GOOD["bases"], "YY": {**ONE, "+-": -3}}}, "basis YY '\\+-'"),  # type: ignore[dict-item]
        ({**GOOD, "bases": {**GOOD["bases"], "YY": {"++": 3}}}, "missing"),  # type: ignore[dict-item]
        ({**GOOD, "accidental_scale": 2}, "says nothing without"),
        ({**GOOD, "accidentals": {b: {**ONE, "--": 9} for b in BASES}}, "leave nothing"),
        ({**GOOD, "readout": {"a": PERFECT_NODE}}, "'b' is missing"),
        ({**GOOD, "confidence": 95}, "confidence"),
        ("psi+", "must be a mapping"),
    ],
)
def test_mistakes_are_named(counts: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        estimate_fidelity(counts)


def test_a_calibration_that_cannot_belong_to_the_counts_is_an_error() -> None:
    n = {"++": 9800, "+-": 200, "-+": 200, "--": 9800}
    opposite = {"++": 200, "+-": 9800, "-+": 9800, "--": 200}
    node = {"p_plus_given_plus": 0.9, "p_minus_given_minus": 0.9}
    counts = {"target": "psi+", "bases": {"XX": n, "YY": n, "ZZ": opposite}, "readout": {"a": node, "b": node}}
    with pytest.raises(UsageError, match="do not belong to these counts"):
        estimate_fidelity(counts)
