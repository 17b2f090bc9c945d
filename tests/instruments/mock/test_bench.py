"""Free-running light at the midpoint: photon statistics, arms, fringes, polarisation, each of a predicted size.

Statistical tests allow 4.5 standard errors (false alarm below 1e-5) with fixed seeds.
"""

from __future__ import annotations

from math import cos, pi, sqrt

import numpy as np
import pytest

from erbia.analysis.records import PS_PER_S
from erbia.instruments.interfaces import Pulse, PulseTable, Segment

US = 1_000_000
BENCH = {"preset": "correlation_bench"}
FAST = {"dead_time_ps": 0, "recovery_ps": 1.0, "background_hz": 0.0, "jitter_sigma_ps": 5.0, "jitter_tau_ps": 1.0}
PLAIN = {"detectors": {f"ch{n}": FAST for n in (1, 2, 3, 4)}, "taggers": {"tagger": {"dead_time_ps": 0}}}


def shine(lab, kind, rate_hz, duration_s):
    """Clicks of the midpoint's tagger."""
    lab.light.kind(kind)
    lab.light.rate(rate_hz)
    lab.light.emission(True)
    return lab.record(duration_s)["tagger"]


def coincidences(a, b, lo_ps, hi_ps):
    """Pairs with ``lo <= b - a < hi``."""
    return int((np.searchsorted(b, a + hi_ps) - np.searchsorted(b, a + lo_ps)).sum())


def g2(tags, lo_ps, hi_ps, duration_s):
    """Normalised coincidences of the two outputs and their standard error."""
    a, b = tags.on(1), tags.on(2)
    expected = len(a) * len(b) / duration_s * (hi_ps - lo_ps) * 1e-12
    found = coincidences(a, b, lo_ps, hi_ps)
    return found / expected, sqrt(found) / expected


def test_coherent_light_is_uncorrelated_at_tens_of_megahertz(make_lab):
    lab = make_lab(overrides=PLAIN, **BENCH)
    tags = shine(lab, "coherent", 3e7, 0.1)
    eta = 0.86 * 0.5 * (1 + 0.9953222650189527)  # erf(2)
    for channel in (1, 2):
        expected = 0.1 * 1.5e7 * eta
        assert abs(len(tags.on(channel)) - expected) < 4.5 * sqrt(expected)
    value, error = g2(tags, -2000, 2000, 0.1)
    assert abs(value - 1) < 4.5 * error


def test_thermal_light_bunches_and_forgets_within_its_coherence_time(make_lab):
    lab = make_lab(overrides=PLAIN, **BENCH)
    tags = shine(lab, "thermal", 4e6, 1.0)
    # the spread of the mean intensity over 1e6 coherence times adds 0.1 % to each rate
    near, error = g2(tags, -20_000, 20_000, 1.0)
    assert abs(near - (1 + (1 - np.exp(-0.04)) / 0.04)) < 4.5 * error + 0.01
    later, error = g2(tags, 980_000, 1_020_000, 1.0)
    assert abs(later - (1 + np.exp(-2.0))) < 4.5 * error + 0.01
    far, error = g2(tags, 9_900_000, 10_100_000, 1.0)
    assert abs(far - 1) < 4.5 * error + 0.01


def test_single_photons_come_one_at_a_time(make_lab):
    lab = make_lab(overrides=PLAIN, **BENCH)
    tags = shine(lab, "single_photon", 5e7, 0.2)
    assert abs(len(tags.on(1)) / (0.2 * 2.5e7 * 0.858) - 1) < 0.01
    # wait 15 ns, lifetime 5 ns: g2 = 1 - exp(-t(1/15 + 1/5)), averaged over the 50 ps around zero
    near, error = g2(tags, -50, 50, 0.2)
    assert abs(near - 25e-3 * (1 / 15 + 1 / 5)) < 4.5 * error + 0.005
    late, error = g2(tags, 3_700, 3_800, 0.2)
    assert abs(late - (1 - np.exp(-3.75 * (1 / 15 + 1 / 5)))) < 4.5 * error


@pytest.mark.parametrize("modes", [1.0, 1000.0])
def test_pairs_have_thermal_or_poisson_numbers_and_their_coincidence_ratio(make_lab, modes):
    lab = make_lab(overrides={**PLAIN, "light_source": {"schmidt_modes": modes}}, **BENCH)
    mean, duration = 0.1, 0.1
    tags = shine(lab, "pairs", mean * 80e6, duration)
    idler, signal = tags.on(3), np.sort(np.concatenate([tags.on(1), tags.on(2)]))
    eta = 0.858 * 0.4
    same = coincidences(idler, signal, -200, 200)
    next_pulse = coincidences(idler, signal, 12_300, 12_700)
    # <n²>/<n>² - 1 + 1 = 1/mean + 1 + 1/modes, for threshold detection that is not saturated
    expected = 1 / mean + 1 + 1 / modes
    error = expected * sqrt(1 / same + 1 / next_pulse)
    assert abs(same / next_pulse - expected) < 4.5 * error + 0.03 * expected  # + several photons in one click
    # Klyshko: heralding efficiency, true pairs per idler
    assert (same - next_pulse) / len(idler) == pytest.approx(eta, rel=0.05)
    # the unheralded signal bunches by the number of modes
    a, b = tags.on(1), tags.on(2)
    ratio = coincidences(a, b, -200, 200) / coincidences(a, b, 12_300, 12_700)
    assert ratio == pytest.approx(1 + 1 / modes, rel=0.1)


def test_any_cutting_of_time_gives_the_same_light(make_lab):
    for kind in ("thermal", "single_photon", "pairs"):
        runs = []
        for step_ps in (10**9, 7_777_777_777):
            lab = make_lab(**BENCH)
            lab.light.kind(kind)
            lab.light.rate(2e6)
            lab.light.emission(True)
            lab.taggers["tagger"].start()
            while lab.world.now_ps < PS_PER_S // 20:
                lab.world.advance(min(step_ps, PS_PER_S // 20 - lab.world.now_ps))
            runs.append(lab.taggers["tagger"].read(1.0).tags)
        assert len(runs[0]) > 10_000
        assert np.array_equal(runs[0].t_ps, runs[1].t_ps)
        assert np.array_equal(runs[0].channel, runs[1].channel)


def test_drifts_do_not_depend_on_how_time_is_cut(make_lab):
    drifting = {"phase_drift_rad2_per_s": 5.0}, {"fibre": {"polarisation_drift_rad2_per_s": 0.5}}
    runs = []
    for step_ps in (10**9, 33_333_333_333):
        lab = make_lab(overrides={"midpoint": drifting[0], "alice": drifting[1]})
        lab.light.kind("interferometer")
        lab.light.rate(2e5)
        lab.light.emission(True)
        lab.taggers["tagger"].start()
        while lab.world.now_ps < PS_PER_S // 5:
            lab.world.advance(min(step_ps, PS_PER_S // 5 - lab.world.now_ps))
        runs.append(lab.taggers["tagger"].read(1.0).tags)
    assert len(runs[0]) > 5_000
    assert np.array_equal(runs[0].t_ps, runs[1].t_ps)
    assert np.array_equal(runs[0].channel, runs[1].channel)


def test_a_checkpoint_of_drifting_light_goes_on_as_the_original(make_lab):
    lab = make_lab(overrides={"midpoint": {"phase_drift_rad2_per_s": 5.0}}, **BENCH)
    lab.light.kind("thermal")
    lab.light.rate(1e5)
    lab.light.emission(True)
    lab.world.advance(PS_PER_S // 10)
    rest = []
    for world in (lab.world, lab.world.checkpoint()):
        world.start_tagger("tagger")
        world.advance(PS_PER_S // 10)
        rest.append(world.read_tagger("tagger", 1).tags)
    assert len(rest[0]) > 1_000
    assert np.array_equal(rest[0].t_ps, rest[1].t_ps)


def test_a_playing_program_gates_the_light_away(make_lab, tables):
    lab = make_lab(**BENCH)
    lab.light.rate(1e6)
    lab.light.emission(True)
    assert lab.snspd.ch1.count_rate() > 4e5
    tags = lab.record(1.0, PulseTable(Segment(0), Segment(10 * US, (Pulse("sync", 0, 1000),)), 100))["tagger"]
    assert len(tags.on(1)) == 0


def test_fringe_follows_the_phase_shifter(make_lab):
    lab = make_lab()
    rates = {}
    for phase in (0.0, pi / 3, pi):
        lab.phase_shifter.phase(phase)
        tags = shine(lab, "interferometer", 1e5, 1.0)
        rates[phase] = len(tags.on(1)) / (len(tags.on(1)) + len(tags.on(2)))
    for phase, share in rates.items():
        assert share == pytest.approx((1 + 0.98 * cos(phase)) / 2, abs=4.5 * 0.5 / sqrt(1e5))


def test_drifting_phase_walks_and_the_reference_shows_it(make_lab):
    lab = make_lab(overrides={"midpoint": {"phase_drift_rad2_per_s": 0.1}})
    lab.light.kind("interferometer")
    lab.light.rate(1e3)
    lab.light.emission(True)
    walk = []
    for _ in range(100):
        lab.world.advance(PS_PER_S)
        walk.append(lab.world.conditions.optical_phase_rad)
    variance = np.var(np.diff(walk))
    assert variance == pytest.approx(0.1, rel=4.5 * sqrt(2 / 99))


def test_reference_pulses_see_the_same_fringe_during_a_program(make_lab):
    lab = make_lab()
    lab.phase_shifter.phase(pi / 3)
    pulses = (Pulse("gate", 0, US), Pulse("reference", 500_000, 1000))
    tags = lab.record(0.3, PulseTable(Segment(0), Segment(10 * US, pulses), 100))["tagger"]
    shots, eta = 0.3 / 10e-6, 0.858
    for channel, swing in ((1, 0.49), (2, -0.49)):
        chance = 1 - np.exp(-0.2 * (1 + swing) * eta)
        assert abs(len(tags.on(channel)) - shots * chance) < 4.5 * sqrt(shots * chance) + 5


def test_turned_polarisation_is_blocked_and_the_paddles_bring_it_back(make_lab):
    turned = {"alice": {"fibre": {"birefringence_rad": (0.0, pi / 2, 0.0)}}}  # half the light is V
    lab = make_lab(overrides=turned)
    straight = make_lab()
    full = _both(shine(straight, "alice_arm", 1e5, 1.0))
    half = _both(shine(lab, "alice_arm", 1e5, 1.0))
    assert half / full == pytest.approx(0.5, abs=4.5 * sqrt(0.5 / full))
    passed = []
    for angle in (45.0, -45.0):  # a quarter-wave plate there turns by a right angle about S2, to and fro
        lab.paddles["alice"].angle1(angle)
        passed.append(_both(shine(lab, "alice_arm", 1e5, 1.0)))
    assert max(passed) / full == pytest.approx(1.0, abs=4.5 * sqrt(2 / full))
    assert min(passed) / full < 0.01


def _both(tags):
    return len(tags.on(1)) + len(tags.on(2))


def test_turned_polarisation_costs_heralds_squared_per_arm(make_lab, tables):
    truths = []
    for turn in (0.0, pi / 2):
        lab = make_lab(overrides={n: {"fibre": {"birefringence_rad": (0.0, turn, 0.0)}} for n in ("alice", "bob")})
        lab.pulser.load(tables["herald"]())
        truths.append(lab.world.truth()["herald_probability"])
    assert truths[1] / truths[0] == pytest.approx(0.25, rel=0.01)


def test_delay_line_makes_the_photons_distinguishable(make_lab, tables):
    lab = make_lab()
    lab.pulser.load(tables["herald"]())
    right = lab.world.truth()["visibility"]
    lab.delays["alice"].delay(0.4e-6)
    assert lab.world.truth()["visibility"] / right == pytest.approx(np.exp(-0.5), rel=1e-6)


def test_polarisation_walks_away(make_lab):
    lab = make_lab(overrides={"alice": {"fibre": {"polarisation_drift_rad2_per_s": 0.01}}})
    lab.light.kind("alice_arm")
    lab.light.emission(True)
    steps = []
    before = 0.0
    for _ in range(100):
        lab.world.advance(PS_PER_S)
        now = lab.world.get("alice_memory", "birefringence2")
        steps.append(now - before)
        before = now
    assert np.var(steps) == pytest.approx(0.01, rel=4.5 * sqrt(2 / 99))
