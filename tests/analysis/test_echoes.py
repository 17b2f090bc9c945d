"""Echo fits against simulated ensembles and an independent least-squares fit."""

from __future__ import annotations

import math

import lmfit
import numpy as np
import pytest

from erbia.analysis.echoes import fit_afc_decay, fit_three_pulse_echo, fit_two_pulse_echo
from erbia.analysis.errors import UsageError


def within(estimate: object, truth: float) -> bool:
    return abs(estimate.value - truth) < 4 * estimate.std  # type: ignore[attr-defined]


def test_afc_decay() -> None:
    t = np.linspace(0.2e-6, 10e-6, 15)
    exposure = np.linspace(0.5e6, 1e6, 15)
    counts = np.random.default_rng(1).poisson(exposure * (0.02 * np.exp(-4 * t / 12e-6) + 1e-4))
    fit = fit_afc_decay(t, counts, exposure)
    assert within(fit.estimates["coherence_time"], 12e-6)
    assert within(fit.estimates["amplitude"], 0.02)
    assert within(fit.estimates["background"], 1e-4)
    assert "exp(-4 t/T2)" in fit.definition


def test_two_pulse_echo_separates_time_and_exponent() -> None:
    tau = np.linspace(1e-6, 60e-6, 25)
    truth = 20_000 * np.exp(-2 * (2 * tau / 64e-6) ** 1.6) + 30
    counts = np.random.default_rng(2).poisson(truth)
    fit = fit_two_pulse_echo(tau, counts)
    assert within(fit.estimates["coherence_time"], 64e-6)
    assert within(fit.estimates["exponent"], 1.6)
    linewidth = fit.estimates["linewidth"]
    assert linewidth.lower <= 1 / (math.pi * 64e-6) <= linewidth.upper
    model = lmfit.Model(lambda t, A, T, x, B: A * np.exp(-2 * (2 * t / T) ** x) + B)
    other = model.fit(counts, t=tau, A=2e4, T=6e-5, x=1.5, B=20, weights=1 / np.sqrt(np.maximum(truth, 1)))
    assert fit.estimates["coherence_time"].value == pytest.approx(other.params["T"].value, rel=0.01)


def test_three_pulse_echo_finds_spectral_diffusion() -> None:
    tau, wait = (a.ravel() for a in np.meshgrid(np.linspace(0.5e-6, 12e-6, 8), np.geomspace(1e-5, 2e-2, 9)))
    width = 5e3 + 27e3 / 2 * (250 * tau + 1 - np.exp(-250 * wait))
    mean = 20_000 * np.exp(-2 * wait / 0.01) * np.exp(-4 * np.pi * tau * width) + 20
    fit = fit_three_pulse_echo(tau, wait, np.random.default_rng(3).poisson(mean), lifetime_s=0.01)
    assert within(fit.estimates["linewidth"], 5e3)
    assert within(fit.estimates["spectral_diffusion"], 27e3)
    assert within(fit.estimates["diffusion_rate"], 250.0)
    assert fit.fit.p_value > 1e-4


@pytest.mark.slow
def test_intervals_cover() -> None:
    # 60 repetitions at 95 %: fewer than 49 hits has a chance below 1e-3.
    rng, t, hits = np.random.default_rng(4), np.linspace(0.5e-6, 10e-6, 10), 0
    for _ in range(60):
        time = fit_afc_decay(t, rng.poisson(40 * np.exp(-4 * t / 12e-6) + 2)).estimates["coherence_time"]
        hits += time.lower <= 12e-6 <= time.upper
    assert hits >= 49


def test_no_counts_leave_everything_open() -> None:
    time = fit_two_pulse_echo(np.linspace(1e-6, 1e-5, 8), np.zeros(8)).estimates["coherence_time"]
    assert (time.lower, time.upper) == (0.0, math.inf)
    linewidth = fit_two_pulse_echo(np.linspace(1e-6, 1e-5, 8), np.zeros(8)).estimates["linewidth"]
    assert linewidth.lower == 0.0
    assert not math.isnan(linewidth.value)


def test_impossible_tables_are_refused() -> None:
    with pytest.raises(UsageError, match="equally long"):
        fit_afc_decay([1e-6, 2e-6], [3, 2, 1])
    with pytest.raises(UsageError, match="not negative"):
        fit_afc_decay([1e-6, 2e-6, 3e-6], [3, -2, 1])
    with pytest.raises(UsageError, match="3 different"):
        fit_three_pulse_echo([1e-6] * 6, [1e-3] * 6, [5] * 6)
    with pytest.raises(UsageError, match="measure at least 4"):
        fit_two_pulse_echo([1e-6, 2e-6, 3e-6], [3, 2, 1])
