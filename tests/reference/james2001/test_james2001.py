"""Two-photon tomography of James, Kwiat, Munro and White, Phys. Rev. A 64, 052312 (2001), section IV.

The matrix printed in the paper is not the optimum of its own cost; the figures here are those of the optimum.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from erbia.analysis.tomography import TomographyResult, reconstruct_state

SETTINGS = ["HH", "HV", "VV", "VH", "RH", "RV", "DV", "DH", "DR", "DD", "RD", "HD", "VD", "VL", "HL", "RL"]
COUNTS = [34749, 324, 35805, 444, 16324, 17521, 13441, 16901, 17932, 32028, 15132, 17238, 13171, 17170, 16722, 33586]
SHARED = Path(__file__).resolve().parents[4] / "shared" / "reference" / "james2001_counts.json"


def reconstruct(method: str) -> TomographyResult:
    return reconstruct_state({"projectors": SETTINGS, "counts": COUNTS}, method)


def test_linear_inversion() -> None:
    result = reconstruct("linear")
    expected = [-0.065274, -0.024396, 0.0681238, 1.02155]
    assert result.linear_eigenvalues == pytest.approx(expected, abs=1e-5)
    assert np.linalg.eigvalsh(result.rho) == pytest.approx(expected, abs=1e-5)


def test_optimum_of_the_gaussian_cost() -> None:
    result = reconstruct("gaussian")
    assert result.cost <= 344.27
    assert result.cost == pytest.approx(344.262, abs=1e-3)
    assert np.linalg.eigvalsh(result.rho) == pytest.approx([0, 0, 0.0353, 0.9647], abs=1e-4)
    assert result.values["concurrence"] == pytest.approx(0.9213, abs=1e-4)
    assert result.values["concurrence"] ** 2 == pytest.approx(0.8488, abs=1e-4)
    assert 4 / 3 * (1 - result.values["purity"]) == pytest.approx(0.0907, abs=1e-4)


def test_poisson_likelihood() -> None:
    result = reconstruct("poisson")
    assert np.linalg.eigvalsh(result.rho) == pytest.approx([0, 0, 0.0352, 0.9648], abs=1e-4)
    assert result.target == "phi+"
    assert result.values["fidelity"] == pytest.approx(0.9597, abs=1e-4)
    assert result.values["concurrence"] == pytest.approx(0.9209, abs=1e-4)
    assert result.values["negativity"] == pytest.approx(0.4604, abs=1e-4)


@pytest.mark.slow
def test_the_posterior_agrees_with_the_likelihood_on_so_many_counts() -> None:
    likelihood, posterior = reconstruct("poisson"), reconstruct("bayes")
    for name, estimate in posterior.figures.items():
        assert estimate.value == pytest.approx(likelihood.values[name], abs=2 * estimate.std)
    # 71 000 pairs leave about half a per cent, as linear inversion does.
    assert 0.002 < posterior.fidelity.std < 0.006


@pytest.mark.skipif(not SHARED.exists(), reason="the shared reference data are not here")
def test_the_counts_typed_here_are_those_of_the_data_file() -> None:
    data = json.loads(SHARED.read_text(encoding="utf-8"))
    assert (data["settings"], data["counts"]) == (SETTINGS, COUNTS)
