"""Combs burnt by pairs of pulses, seen by a probe of finite width, beside stray counts and a reference of few counts."""

import numpy as np
import pytest
from numpy.typing import NDArray

from erbia.analysis.combs import CombFit, echo_efficiency, fit_comb

SPACING_HZ, DEPTH, FLOOR = 200e3, 2.4, 0.35
AT_HZ = np.linspace(-1.2, 1.2, 25) * SPACING_HZ


def depth_of(f_hz: NDArray[np.float64], burning: float) -> NDArray[np.float64]:
    """What burning at a rate 1 + cos leaves, hole at 0 Hz, scaled to DEPTH above FLOOR."""
    left = 1 / (1 + burning * (1 + np.cos(2 * np.pi * f_hz / SPACING_HZ)) / 2)
    least = 1 / (1 + burning)
    return FLOOR + DEPTH * (left - least) / (1 - least)


def finesse_of(burning: float) -> float:
    """By search on a fine grid: the turn over the part of it above half way."""
    fine = np.linspace(0, SPACING_HZ, 2_000_001)[:-1]
    return 1 / float(np.mean(depth_of(fine, burning) > FLOOR + DEPTH / 2))


@pytest.mark.parametrize("burning", [0.05, 1.0, 10.0])
def test_efficiency_is_that_of_the_first_harmonic(burning: float) -> None:
    fine = np.linspace(0, SPACING_HZ, 200_001)[:-1]
    depth = depth_of(fine, burning)
    first = np.mean(depth * np.cos(2 * np.pi * fine / SPACING_HZ))
    promised = echo_efficiency(DEPTH, finesse_of(burning), FLOOR, "burnt")
    assert promised == pytest.approx(first**2 * np.exp(-depth.mean()), rel=1e-4)


def scanned(rng: np.random.Generator, burning: float) -> CombFit:
    light, stray, fwhm_hz = 2000.0, 40.0, 15e3
    spectrum_hz = np.linspace(-3, 3, 601) * fwhm_hz
    weight = np.exp(-4 * np.log(2) * (spectrum_hz / fwhm_hz) ** 2)
    passed = np.exp(-depth_of(AT_HZ[:, None] + spectrum_hz, burning)) @ weight / weight.sum()
    reference = rng.poisson(light)
    counts = rng.poisson(light * passed + stray)
    return fit_comb(
        AT_HZ,
        counts,
        np.full(len(AT_HZ), float(reference)),
        SPACING_HZ,
        teeth="burnt",
        probe_fwhm_hz=fwhm_hz,
        stray_counts=stray,
        reference_counts=float(reference),
    )


def test_intervals_hold_the_comb() -> None:
    """30 scans, five figures; fewer than 21 inside a 95 % interval happen by chance with 6e-6 in all."""
    rng, burning = np.random.default_rng(11), 3.0
    finesse = finesse_of(burning)
    truth = (SPACING_HZ, finesse, DEPTH, FLOOR, echo_efficiency(DEPTH, finesse, FLOOR, "burnt"))
    inside = np.zeros(5, np.int64)
    for _ in range(30):
        fit = scanned(rng, burning)
        found = (fit.spacing_hz, fit.finesse, fit.optical_depth, fit.floor_depth, fit.efficiency)
        inside += [e.lower <= value <= e.upper for e, value in zip(found, truth, strict=True)]
    assert np.all(inside >= 21), inside
