"""State tomography. The published counts are in tests/reference/james2001."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from erbia.analysis.errors import UsageError
from erbia.analysis.states import BELL_KETS, KETS, product_ket, projector
from erbia.analysis.tomography import METHODS, reconstruct_state

Complex = NDArray[np.complex128]
LIKELIHOODS = ("poisson", "multinomial", "gaussian")


def random_state(d: int, rank: int, seed: int) -> Complex:
    rng = np.random.default_rng(seed)
    g = rng.normal(size=(d, rank)) + 1j * rng.normal(size=(d, rank))
    rho: Complex = g @ g.conj().T
    return rho / np.trace(rho)


def measured(
    rho: Complex, flux: float, names: str = "HVDARL", seed: int | None = None, drift: bool = False
) -> dict[str, Any]:
    """Counts of all products of ``names``: expected ones rounded, or Poisson with a seed."""
    qubits = round(np.log2(len(rho)))
    rows = ["".join(row) for row in itertools.product(names, repeat=qubits)]
    kets = [product_ket([KETS[name] for name in row]) for row in rows]
    mean = flux * np.array([(ket.conj() @ rho @ ket).real for ket in kets])
    if drift:
        axis = {"H": 0, "V": 0, "D": 1, "A": 1, "R": 2, "L": 2}
        mean *= [1 + axis[row[0]] + 3 * axis[row[1]] for row in rows]
    counts = np.rint(mean) if seed is None else np.random.default_rng(seed).poisson(mean)
    return {"projectors": rows, "counts": [int(n) for n in counts]}


@pytest.mark.parametrize("method", [*LIKELIHOODS, "linear"])
@pytest.mark.parametrize("rank", [1, 2, 4])
def test_exact_counts_give_the_state_back(method: str, rank: int) -> None:
    rho = random_state(4, rank, 3 + rank)
    result = reconstruct_state(measured(rho, 1e7), method)
    assert result.rho == pytest.approx(rho, abs=2e-3 if rank < 4 else 1e-5)
    assert np.sort(result.linear_eigenvalues) == pytest.approx(np.linalg.eigvalsh(rho), abs=1e-5)


@pytest.mark.parametrize("qubits", [1, 3])
def test_other_numbers_of_qubits(qubits: int) -> None:
    rho = random_state(2**qubits, 2, qubits)
    result = reconstruct_state(measured(rho, 1e6))
    assert result.rho == pytest.approx(rho, abs=5e-3)
    assert set(result.values) == {"purity", "entropy"}
    target = np.linalg.eigh(rho)[1][:, -1]
    aimed = reconstruct_state({**measured(rho, 1e6), "target": [[z.real, z.imag] for z in target]})
    assert aimed.values["fidelity"] == pytest.approx(np.linalg.eigvalsh(rho)[-1], abs=1e-3)


@pytest.mark.parametrize("method", [*LIKELIHOODS, "linear"])
def test_a_flux_that_differs_between_complete_bases_drops_out(method: str) -> None:
    rho = random_state(4, 3, 5)
    assert reconstruct_state(measured(rho, 1e5, drift=True), method).rho == pytest.approx(rho, abs=1e-3)


def test_known_intensities_are_divided_out() -> None:
    rho = random_state(4, 3, 6)
    counts = measured(rho, 1e6)
    weight = np.linspace(0.2, 2.0, 36)
    uneven = {**counts, "counts": [round(n * w) for n, w in zip(counts["counts"], weight, strict=True)]}
    for method in ("poisson", "gaussian", "linear"):
        assert reconstruct_state({**uneven, "intensities": weight.tolist()}, method).rho == pytest.approx(rho, abs=2e-3)


@pytest.mark.slow
def test_intervals_hold_the_truth_of_a_noisy_bell_state() -> None:
    # 20 experiments, nominal 95 %: fewer than 15 hits has chance below 4e-4, and the seeds are fixed.
    rho = 0.9 * projector(BELL_KETS["psi+"]) + 0.1 * np.eye(4) / 4
    held = 0
    for seed in range(20):
        f = reconstruct_state(measured(rho, 200, seed=seed)).fidelity
        held += f.lower <= 0.925 <= f.upper
    assert held >= 15


def test_incomplete_settings_are_left_open_not_invented() -> None:
    rho = projector(BELL_KETS["phi+"])
    counts = measured(rho, 200, names="HV")
    for method in ("poisson", "bayes"):
        result = reconstruct_state(counts, method)
        assert result.linear_eigenvalues == ()
        f = reconstruct_state({**counts, "target": "phi+"}, method).fidelity
        assert f.upper - f.lower > 0.5
    with pytest.raises(UsageError, match="16 independent settings"):
        reconstruct_state(counts, "linear")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["one count", "one setting", "all equal", "few"])
def test_poor_counts_give_wide_intervals_never_nan(method: str, kind: str) -> None:
    counts = measured(projector(BELL_KETS["psi-"]), 4, seed=1)
    n = len(counts["counts"])
    values = {
        "one count": [1] + [0] * (n - 1),
        "one setting": [50] + [0] * (n - 1),
        "all equal": [3] * n,
        "few": counts["counts"],
    }
    result = reconstruct_state({**counts, "counts": values[kind]}, method)
    plain = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert np.trace(result.rho).real == pytest.approx(1)
    for name, estimate in result.figures.items():
        assert estimate.lower <= estimate.value <= estimate.upper, name
        assert plain[name]["value"] == estimate.value
    if kind == "one count":
        assert result.purity.upper - result.purity.lower > 0.2


def test_the_nearest_bell_state_is_the_target_unless_one_is_named() -> None:
    counts = measured(projector(BELL_KETS["psi-"]), 100)
    assert reconstruct_state(counts).target == "psi-"
    other = reconstruct_state({**counts, "target": "phi+"})
    assert other.target == "phi+"
    assert other.values["fidelity"] < 0.01


def test_the_json_form() -> None:
    plain = reconstruct_state(measured(projector(BELL_KETS["phi+"]), 100)).as_dict()
    assert np.array(plain["rho_re"])[0, 3] == pytest.approx(0.5, abs=0.01)
    assert np.array(plain["rho_im"]).shape == (4, 4)
    assert plain["linear_eigenvalues"] == sorted(plain["linear_eigenvalues"], reverse=True)
    assert plain["concurrence"]["upper"] <= 1 + 1e-9


def test_draws_come_from_the_seed() -> None:
    counts = measured(random_state(2, 2, 0), 50, seed=2)
    assert reconstruct_state(counts, seed=4).figures == reconstruct_state(counts, seed=4).figures
    assert reconstruct_state(counts, seed=4).figures != reconstruct_state(counts, seed=5).figures


def test_mistakes_are_named() -> None:
    counts = measured(random_state(4, 2, 0), 50)
    with pytest.raises(UsageError, match="unknown tomography method 'mle'; allowed are poisson"):
        reconstruct_state(counts, "mle")
    with pytest.raises(UsageError, match="belongs to no complete basis"):
        reconstruct_state({"projectors": counts["projectors"][1:], "counts": counts["counts"][1:]}, "multinomial")
    with pytest.raises(UsageError, match="different 'intensities'"):
        reconstruct_state({**counts, "intensities": list(range(1, 37))}, "multinomial")
