"""Arrival histograms of a superconducting detector at five count rates: A. Mueller, PhD thesis, Caltech 2023, ch. 3."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from erbia.analysis.jitter import fit_jitter
from erbia.analysis.records import CorrelationHistogram
from erbia.analysis.width import full_width

PUBLISHED = Path(__file__).resolve().parents[4] / "shared" / "reference" / "snspd_arrival_histograms.json"
#: Attenuation (dB) to FWHM (ps), as published.
FWHM_PS = {"64": 244.0, "68": 83.0, "72": 26.6, "76": 20.7, "80": 19.0}
#: The histograms are normalised; the number of events only sets the smoothing and the interval, and was 1e4 to 1e6.
EVENTS = 2e5

pytestmark = pytest.mark.skipif(not PUBLISHED.exists(), reason="published histograms are not in the repository")


def counts(attenuation_db: str) -> np.ndarray:
    return np.array(json.loads(PUBLISHED.read_text())[attenuation_db]["histy"]) * EVENTS


@pytest.mark.parametrize("attenuation_db", FWHM_PS)
def test_width_read_off_the_histogram(attenuation_db: str) -> None:
    assert full_width(counts(attenuation_db), 1.0).value == pytest.approx(FWHM_PS[attenuation_db], rel=0.02)


def test_width_of_a_jitter_fit_of_the_undisturbed_response() -> None:
    # At the lowest rate no click walks on the one before it.
    n = np.rint(counts("80")).astype(np.int64)
    lag_ps = np.arange(len(n), dtype=np.int64)
    fit = fit_jitter(CorrelationHistogram(lag_ps, n, 1, int(n.sum()), int(n.sum()), 0))
    assert fit.interpolated_fwhm_ps.value == pytest.approx(FWHM_PS["80"], rel=0.02)
