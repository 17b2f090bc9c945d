"""Spectral lines and combs against simulated scans, lmfit and published limits."""

from __future__ import annotations

import lmfit
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from erbia.analysis.cavity import fit_cavity
from erbia.analysis.combs import best_finesse, echo_efficiency, fit_comb
from erbia.analysis.errors import UsageError
from erbia.analysis.lines import fit_line, gaussian, lorentzian, voigt, voigt_fwhm

F_HZ = np.linspace(-50e6, 50e6, 121)


def within(estimate: object, truth: float) -> bool:
    return abs(estimate.value - truth) < 4 * estimate.std  # type: ignore[attr-defined]


@pytest.mark.parametrize("shape", ["lorentz", "gauss"])
@pytest.mark.parametrize("height", [40.0, 3.0, -15.0])
def test_lines_and_holes(shape: str, height: float) -> None:
    line = {"lorentz": lorentzian, "gauss": gaussian}[shape](F_HZ - 7e6, 9e6)
    exposure = np.linspace(5, 15, len(F_HZ))
    counts = np.random.default_rng(1).poisson(exposure * (20 + height * line))
    fit = fit_line(F_HZ, counts, exposure, shape)  # type: ignore[arg-type]
    assert within(fit.center_hz, 7e6)
    assert within(fit.fwhm_hz, 9e6)
    assert within(fit.height, height)
    assert within(fit.background, 20.0)
    assert fit.fit.p_value > 1e-4


def test_voigt_separates_its_parts() -> None:
    counts = np.random.default_rng(2).poisson(50 + 5000 * voigt(F_HZ + 3e6, 6e6, 8e6))
    fit = fit_line(F_HZ, counts, shape="voigt")
    assert fit.lorentz_fwhm_hz is not None
    assert fit.gauss_fwhm_hz is not None
    assert within(fit.lorentz_fwhm_hz, 6e6)
    assert within(fit.gauss_fwhm_hz, 8e6)
    assert within(fit.fwhm_hz, voigt_fwhm(6e6, 8e6))
    assert fit.fwhm_hz.std < fit.gauss_fwhm_hz.std


def test_agrees_with_least_squares_when_counts_are_many() -> None:
    counts = np.random.default_rng(3).poisson(2000 + 30_000 * lorentzian(F_HZ - 2e6, 12e6))
    ours = fit_line(F_HZ, counts)
    model = lmfit.models.LorentzianModel() + lmfit.models.ConstantModel()
    theirs = model.fit(counts, x=F_HZ, amplitude=5e11, center=0, sigma=5e6, c=1000, weights=1 / np.sqrt(counts))
    assert ours.center_hz.value == pytest.approx(theirs.params["center"].value, abs=ours.center_hz.std / 3)
    assert ours.fwhm_hz.value == pytest.approx(theirs.params["fwhm"].value, abs=ours.fwhm_hz.std / 3)


def test_few_photons_and_none() -> None:
    few = fit_line(F_HZ, np.random.default_rng(4).poisson(0.02 + 1.0 * gaussian(F_HZ, 10e6)), shape="gauss")
    assert few.fwhm_hz.lower < 10e6 < few.fwhm_hz.upper
    none = fit_line(F_HZ, np.zeros(len(F_HZ)))
    assert not np.isnan(none.center_hz.value)
    assert none.fwhm_hz.lower == 0.0


def test_voigt_width_formula() -> None:
    f = np.linspace(-40, 40, 800_001)
    for lorentz, gauss in ((1.0, 5.0), (3.0, 3.0), (5.0, 1.0)):
        above = f[voigt(f, lorentz, gauss) >= 0.5]
        assert voigt_fwhm(lorentz, gauss) == pytest.approx(above[-1] - above[0], rel=3e-4)


@pytest.mark.parametrize("phase", [0.0, 0.9, -1.4])
def test_cavity_with_asymmetry_at_an_optical_frequency(phase: float) -> None:
    f_hz = 195.6e12 + np.linspace(-3e9, 3e9, 201)
    field = 1 - 0.7 * np.exp(1j * phase) / (1 + 2j * (f_hz - 195.6e12 - 4e8) / 1.1e9)
    fit = fit_cavity(f_hz, np.random.default_rng(6).poisson(3000 * np.abs(field) ** 2))
    assert within(fit.center_hz, 195.6e12 + 4e8)
    assert within(fit.linewidth_hz, 1.1e9)
    assert within(fit.amplitude, 0.7)
    assert within(fit.phase_rad, phase)
    assert within(fit.quality_factor, 195.6e12 / 1.1e9)
    assert fit.fit.p_value > 1e-4


def test_impossible_scans_are_refused() -> None:
    with pytest.raises(UsageError, match="choose lorentz"):
        fit_line(F_HZ, F_HZ * 0, shape="box")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="4 frequencies"):
        fit_line([1.0, 2.0], [1, 2])
    with pytest.raises(UsageError, match="not be negative"):
        fit_line(F_HZ, F_HZ * 0 - 1)


def test_comb_and_its_promise() -> None:
    f = np.linspace(-6e6, 6e6, 301)
    rng = np.random.default_rng(5)
    teeth = sum(gaussian(f - 0.3e6 - n * 2e6, 0.5e6) for n in range(-6, 7))
    counts = rng.poisson(3000 * np.exp(-(0.4 + 2.5 * teeth)))
    fit = fit_comb(f, counts, np.full(len(f), 3000.0), spacing_hz=2.1e6)
    for estimate, truth in (
        (fit.spacing_hz, 2e6),
        (fit.finesse, 4.0),
        (fit.optical_depth, 2.5),
        (fit.floor_depth, 0.4),
        (fit.efficiency, echo_efficiency(2.5, 4.0, 0.4)),
    ):
        assert within(estimate, truth)
    with pytest.raises(UsageError, match="two teeth"):
        fit_comb(f, counts, np.full(len(f), 3000.0), spacing_hz=20e6)


def test_efficiency_limits() -> None:
    # The forward efficiency of an ideal comb is 4/e² = 54 %, at an effective depth of 2.
    ideal = max(echo_efficiency(2e4 * x, 1e4) for x in np.linspace(0.5, 1.5, 2001))
    assert ideal == pytest.approx(4 / np.e**2, rel=1e-3)
    best = minimize_scalar(lambda F: -echo_efficiency(3.0, F, teeth="square"), bounds=(1.5, 20), method="bounded").x
    assert best_finesse(3.0) == pytest.approx(best, rel=1e-3)
    with pytest.raises(UsageError, match="finesse >= 1"):
        echo_efficiency(1.0, 0.5)
    with pytest.raises(UsageError, match="unknown teeth"):
        echo_efficiency(1.0, 3.0, teeth="round")  # type: ignore[arg-type]
