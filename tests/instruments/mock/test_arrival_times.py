"""What the arrival times of a herald's clicks say about the two memories: strays come at any time, detuned photons beat.

Statistical tests allow 4.5 standard errors (false alarm below 1e-5) with fixed seeds.
"""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
import pytest

EARLY, LATE = (15_900_000, 19_900_000), (21_900_000, 25_900_000)
LATENCY_PS = 100_000
STILL = {"spectral_diffusion_hz": 0.0, "collection": 0.3}
DETUNED_HZ = 3e5


def bright_lab(make_lab, detector=None, **memory):
    """Many photons, and lines that do not wander."""
    nodes = {node: {"memory": {**STILL, **memory}} for node in ("alice", "bob")}
    pixels = {"detectors": {f"ch{n}": detector for n in (1, 2)}} if detector else {}
    return make_lab(overrides={**nodes, **pixels})


def timed_heralds(lab, read_heralds, table, duration_s):
    """Arrival of both clicks after the early and the late photons can first come (ps), and sign · both results."""
    tags = lab.record(duration_s, table)
    record = read_heralds(tags)
    clicks = np.sort(np.concatenate([tags["tagger"].on(1), tags["tagger"].on(2)]))
    start = tags["tagger"].on(7)[: len(record.sign)] - LATE[1] - LATENCY_PS
    first = [clicks[np.searchsorted(clicks, start + lo - 100)] - start - lo for lo, _ in (EARLY, LATE)]
    return first[0], first[1], record.sign * record.alice * record.bob, record.alice * record.bob


def test_detuned_photons_beat_in_the_difference_of_their_arrival_times(make_lab, tables, read_heralds):
    """Mean coherence falls to 1/(1 + (ωτ)²) = 0.31, but at known times all of it is there, times cos(ω(t2 - t1))."""
    plain = bright_lab(make_lab)
    *_, both, _ = timed_heralds(plain, read_heralds, tables["herald"]("X"), 12.0)
    full = both.mean()
    lab = bright_lab(make_lab)
    lab.memories["bob"].electrode_voltage(2.0 + DETUNED_HZ / 1.3e6)
    early, late, both, _ = timed_heralds(lab, read_heralds, tables["herald"]("X"), 20.0)
    beat = np.cos(2 * pi * DETUNED_HZ * (late - early) * 1e-12)
    norm = float((beat**2).sum())
    resolved, error = float((both * beat).sum()) / norm, 1 / sqrt(norm)
    error = float(np.hypot(error, 1 / sqrt(len(both))))
    assert abs(abs(resolved) - abs(full)) < 4.5 * error + 0.03
    averaged = both.mean()
    share = 1 / (1 + (2 * pi * DETUNED_HZ * 0.8e-6) ** 2)
    assert abs(averaged - share * full) < 4.5 / sqrt(len(both)) + 0.02
    assert abs(resolved) > 2 * abs(averaged)


def test_heralds_by_late_clicks_are_strays_and_leave_nothing(make_lab, tables, read_heralds):
    """A background of 1.5 kHz: both clicks in the first lifetime are photons 3 times in 4, after the third 1 time in 18."""
    lab = bright_lab(make_lab, {"background_hz": 1.5e3}, collection=0.1)
    early, late, _, parity = timed_heralds(lab, read_heralds, tables["herald"]("Z"), 150.0)
    soon, tardy = (early < 800_000) & (late < 800_000), (early > 2_400_000) & (late > 2_400_000)
    assert tardy.sum() > 50
    assert parity[soon].mean() < -0.6
    assert abs(parity[tardy].mean()) < 4.5 / sqrt(tardy.sum()) + 0.06
    assert lab.world.truth()["ezz"] == pytest.approx(parity.mean(), abs=4.5 / sqrt(len(parity)) + 0.1)
