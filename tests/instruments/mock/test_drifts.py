"""Laser, cryostat, fibre, magnet, decoupling and clock faults act through the mock drivers, each with a predicted size."""

from __future__ import annotations

from math import cosh, exp, pi, sqrt

import numpy as np
import pytest

from erbia.analysis.records import PS_PER_S
from erbia.instruments.interfaces import HeraldCondition, Pulse, PulseTable, Segment
from erbia.instruments.mock import MockWavemeter

US = 1_000_000
BOTH = ("alice", "bob")


def truth_of(lab, table):
    lab.pulser.load(table)
    return lab.world.truth()


def single_photon_table():
    attempt = [Pulse("initialise", 0, 10 * US)]
    attempt += [Pulse(f"{n}_mw", 10 * US + 500_000, 86_000) for n in BOTH]
    attempt += [Pulse("excitation", 11 * US, 50_000), Pulse("gate", 20_700_000, 4 * US)]
    rule = HeraldCondition(("ch1", "ch2"), (20_800_000, 24_700_000), (0, 0))
    return PulseTable(Segment(US), Segment(40 * US, tuple(attempt)), 100, rule, Segment(US))


def test_linewidth_blurs_the_single_photon_phase_by_the_path_difference(make_lab):
    """Coherence falls by exp(-2π·Δν·dt/2)."""
    exx = []
    for linewidth_hz in (0.0, 1e5):
        laser = {"linewidth_hz": linewidth_hz, "path_difference_ps": US}
        lab = make_lab(overrides={"laser": laser, "midpoint": {"phase_sigma_rad": 0.2}})
        exx.append(truth_of(lab, single_photon_table())["exx"])
    assert exx[1] / exx[0] == pytest.approx(exp(-pi * 1e5 * 1e-6), rel=1e-6)


def test_locking_the_laser_narrows_it_and_brings_it_back(make_lab):
    laser = {"linewidth_hz": 1e5, "locked_linewidth_hz": 0.0, "path_difference_ps": US}
    fault = [{"kind": "mode_hop", "component": "laser", "at_s": 1.0, "size": 5e6}]
    lab = make_lab(overrides={"laser": laser, "midpoint": {"phase_sigma_rad": 0.2}, "faults": fault})
    free = truth_of(lab, single_photon_table())
    lab.world.advance(2 * PS_PER_S)
    assert lab.world.get("laser", "true_frequency") - lab.laser.frequency() == pytest.approx(5e6)
    lab.laser.lock(True)
    assert lab.world.get("laser", "true_frequency") == lab.laser.frequency()
    assert lab.world.truth()["exx"] / free["exx"] == pytest.approx(exp(pi * 0.1), rel=1e-6)


def test_wavemeter_sees_what_the_laser_does_not_tell(make_lab):
    lab = make_lab(overrides={"laser": {"drift_hz_per_s": 1e5}})
    wavemeter = MockWavemeter("wavemeter", lab.world, "laser")
    lab.world.advance(20 * PS_PER_S)
    assert wavemeter.frequency() - lab.laser.frequency() == pytest.approx(2e6, rel=0.06)  # steps of a second
    assert wavemeter.wavelength() == pytest.approx(299_792_458 / wavemeter.frequency())
    lab.laser.lock(True)
    lab.world.advance(20 * PS_PER_S)
    assert wavemeter.frequency() == lab.laser.frequency()
    wavemeter.close()


def test_linewidth_costs_time_bins_twice_the_phase(make_lab, tables):
    exx = []
    for linewidth_hz in (0.0, 1e5):
        lab = make_lab(overrides={"laser": {"linewidth_hz": linewidth_hz, "path_difference_ps": US // 10}})
        exx.append(truth_of(lab, tables["herald"]())["exx"])
    assert exx[1] / exx[0] == pytest.approx(exp(-2 * pi * 1e5 * 1e-7), rel=0.01)


def test_power_noise_leaves_pi_pulses_short_on_average(make_lab, tables):
    """Turns by π·sqrt(1+x), x normal: the mean of sin²(θ/2), drawn here by brute force, once for each photon."""
    heralds = []
    for noise in (0.0, 0.2):
        lab = make_lab(overrides={"laser": {"power_noise": noise}})
        heralds.append(truth_of(lab, tables["herald"]())["herald_probability"])
    x = np.random.default_rng(1).normal(size=400_000)
    mean = np.mean(np.sin(pi / 2 * np.sqrt(np.maximum(1 + 0.2 * x, 0))) ** 2)
    assert heralds[1] / heralds[0] == pytest.approx(mean**2, rel=0.003)


def test_optical_pulses_heat_the_chip(make_lab, tables):
    lab = make_lab(overrides={"cryostat": {"heating_k_per_w": 5000.0, "time_constant_s": 2.0}})
    lab.pulser.load(tables["herald"]())
    lab.pulser.arm()
    lab.pulser.start()
    lab.world.advance(60 * PS_PER_S)
    light_w = 1e-3 * (5 + 0.1) / (60 + 0.1)  # 10 us of header in a burst of 100 attempts
    assert lab.cryostat.temperature() - 0.5 == pytest.approx(5000 * light_w, rel=0.01)


def test_vibration_widens_the_line_of_the_read_out(make_lab, tables):
    """A swing A counts as a Gaussian of rms A/√2: at the line's centre the mean of a Lorentzian drops accordingly."""
    bright = []
    for swing_hz in (0.0, 2e6):
        lab = make_lab(
            overrides={"cryostat": {"vibration_hz": swing_hz}, "alice": {"memory": {"spectral_diffusion_hz": 0.0}}}
        )
        lab.pulser.load(tables["echo"](10 * US))
        readout = lab.world.current_model().attempt_readouts[0]
        bright.append(readout.bright_mean - readout.dark_mean)
    off = np.random.default_rng(2).normal(0, 2e6 / sqrt(2), 400_000)
    assert bright[1] / bright[0] == pytest.approx(np.mean(1 / (1 + (2 * off / 2e6) ** 2)), rel=0.01)


def test_field_freezes_the_spin_bath(make_lab):
    overrides = {n: {"memory": {"bath_rate_hz": 5e3, "bath_g_factor": 8.0}} for n in BOTH}
    lab = make_lab(overrides=overrides)
    rates = []
    for field in (0.3, 0.6):
        lab.memories["alice"].magnetic_field(field)
        rates.append(1 / lab.world.truth()["storage_time_s"])
    ratio = 8.0 * 0.67171 / (2 * 0.5)
    expected = 5e3 * (cosh(ratio * 0.3) ** -2 - cosh(ratio * 0.6) ** -2)
    assert rates[0] - rates[1] == pytest.approx(expected, rel=1e-3)


def test_more_half_turns_hold_the_spin_longer(make_lab, tables):
    """Four half turns instead of one, same wait: T2 grows by 4^(2/3)."""
    lab = make_lab(overrides={"alice": {"memory": {"decoupling_exponent": 2 / 3, "t2_star_s": 1.0}}})
    t0, wait = 6_025_000, 800 * US

    def contrast(turns):
        pulses = [Pulse("initialise", 0, 5 * US), Pulse("alice_mw", t0 - 25_000, 50_000)]
        pulses += [Pulse("alice_mw", t0 + (2 * k + 1) * wait // (2 * turns) - 50_000, 100_000) for k in range(turns)]
        pulses += [Pulse("alice_mw", t0 + wait - 25_000, 50_000)]
        lab.pulser.load(PulseTable(Segment(US), Segment(t0 + wait + 2 * US, tuple(pulses)), 1))
        return abs(2 * lab.world.current_model().attempt_populations[0][:2].sum() - 1)

    t2 = lab.world.truth()["storage_time_s"]
    gain = exp((0.8e-3 / t2) ** 1.5 * (1 - 4 ** (-2 / 3 * 1.5)))
    assert contrast(4) / contrast(1) == pytest.approx(gain, rel=2e-3)


def test_second_photons_tell_which_memory_shone(make_lab, tables):
    exx = []
    for twice in (0.0, 0.1):
        lab = make_lab(overrides={n: {"memory": {"double_excitation": twice}} for n in BOTH})
        exx.append(truth_of(lab, tables["herald"]())["exx"])
    assert exx[1] / exx[0] == pytest.approx(0.9**2, rel=0.01)  # each of the two nodes keeps sqrt(0.9) twice


def test_polarisation_mode_dispersion_broadens_the_pairs(make_lab):
    """Half a differential delay to either side in each arm: variance (dgd/2)² an arm."""
    variances = []
    for pmd in (0.0, 50.0):
        arms = {n: {"fibre": {"pmd_ps_per_sqrt_km": pmd}} for n in BOTH}
        lab = make_lab(
            overrides={**arms, "clocks": {"alice": {"white_frequency": 0.0}, "bob": {"white_frequency": 0.0}}}
        )
        lab.pair_source.pump_power(0.01)
        lab.pair_source.emission(True)
        variances.append(_pair_variance(lab))
    lengths_km = [delay * 1e-12 * 299_792.458 / 1.468 for delay in (9_793_439, 12_731_471)]
    added = sum((round(50.0 * sqrt(km) / 2)) ** 2 for km in lengths_km)
    n = 20e3 * 2
    assert variances[1] - variances[0] == pytest.approx(added, abs=4.5 * variances[1] * sqrt(4 / n))


def _pair_variance(lab):
    tags, truth = lab.record(2), lab.world.truth()
    a, b = tags["alice_tagger"].on(1), tags["bob_tagger"].on(1)
    expected = a + truth["clock_offset_ps"] + truth["clock_skew"] * a
    nearest = np.clip(np.searchsorted(b, expected), 1, len(b) - 1)
    lag = np.where(b[nearest] - expected < expected - b[nearest - 1], b[nearest] - expected, b[nearest - 1] - expected)
    return np.var(lag[np.abs(lag) < 300])


def test_warming_fibre_moves_the_pairs_as_the_truth_says(make_lab):
    warm = {"temperature_swing_k": 50.0, "temperature_period_s": 40.0, "pmd_ps_per_sqrt_km": 0.0}
    lab = make_lab(overrides={"bob": {"fibre": warm}})
    lab.pair_source.pump_power(0.01)
    lab.pair_source.emission(True)
    lab.world.advance(10 * PS_PER_S)  # a quarter period: the hottest moment
    length_km = 12_731_471e-12 * 299_792.458 / 1.468
    expected = 37.0 * length_km * 50.0
    cold = make_lab()
    cold.world.advance(10 * PS_PER_S)
    lags = [_mean_lag(some) for some in (lab, cold)]
    assert lags[0] - lags[1] == pytest.approx(expected, rel=0.02)


def _mean_lag(lab):
    lab.pair_source.pump_power(0.01)
    lab.pair_source.emission(True)
    tags = lab.record(0.2)
    a, b = tags["alice_tagger"].on(1), tags["bob_tagger"].on(1)
    path = 12_731_471 - 9_793_439
    clocks = [lab.world.clock_line(f"{n}_tagger") for n in BOTH]
    true_a = (a - clocks[0][0]) / (1 + clocks[0][1])
    true_b = (b - clocks[1][0]) / (1 + clocks[1][1])
    after = np.clip(np.searchsorted(true_b, true_a + path), 1, len(b) - 1)
    near = np.concatenate([true_b[after - k] - true_a - path for k in (0, 1)])
    near = near[np.abs(near) < 8000]
    counts, edges = np.histogram(near, bins=np.arange(-8000, 8001, 20))
    peak = edges[np.argmax(counts)] + 10
    return float(np.mean(near[np.abs(near - peak) < 200]))


@pytest.mark.parametrize(("kind", "jump"), [("clock_step", 3e8), ("rollover", -3e8)])
def test_counter_jumps_by_the_size_of_the_fault(make_lab, kind, jump):
    fault = [{"kind": kind, "component": "bob_tagger", "at_s": 1.0, "size": abs(jump)}]
    lab, plain = make_lab(overrides={"faults": fault}), make_lab()
    for some in (lab, plain):
        some.world.advance(2 * PS_PER_S)
    assert lab.world.clock_line("bob_tagger")[0] - plain.world.clock_line("bob_tagger")[0] == pytest.approx(jump)


def test_lost_reference_lets_the_clock_run_off_without_a_jump(make_lab):
    fault = [{"kind": "lost_reference", "component": "bob_tagger", "at_s": 1.0, "size": 1e-7, "duration_s": 2.0}]
    quiet = {"clocks": {"bob": {"white_frequency": 0.0, "random_walk_frequency": 0.0}}}
    lab, plain = make_lab(overrides={**quiet, "faults": fault}), make_lab(overrides=quiet)
    gained = []
    for stop_s in (1.0, 2.0, 3.0, 5.0):
        readings = []
        for some in (lab, plain):
            some.world.advance(round(stop_s * PS_PER_S) - some.world.now_ps)
            offset, skew = some.world.clock_line("bob_tagger")
            readings.append(offset + skew * some.world.now_ps)
        gained.append(readings[0] - readings[1])
    assert gained == pytest.approx([0.0, 1e5, 2e5, 2e5], abs=2)


def test_computer_that_does_not_read_overflows_the_buffer(make_lab):
    """200 kcps into a buffer of 50 000 tags that nobody empties: full after a quarter of a second."""
    fault = [{"kind": "overflow", "component": "alice_tagger", "at_s": 1.0, "duration_s": 1.0}]
    lab = make_lab(overrides={"faults": fault, "taggers": {"alice_tagger": {"buffer_tags": 50_000}}})
    lab.pair_source.pump_power(0.01)
    lab.pair_source.emission(True)
    tagger = lab.taggers["alice_tagger"]
    tagger.start()
    lab.world.advance(PS_PER_S)
    before = tagger.read(1.0)
    lab.world.advance(PS_PER_S)
    during = tagger.read(1.0)
    assert not before.overflow
    assert during.overflow
    assert len(during.tags) == pytest.approx(50_000, abs=100)
    assert during.missed == pytest.approx(len(before.tags) - 50_000, abs=4.5 * sqrt(2 * len(before.tags)))


def test_truth_of_the_clock_offset_follows_a_warming_fibre(make_lab):
    warm = {"temperature_swing_k": 20.0, "temperature_period_s": 400.0}
    lab = make_lab(overrides={"bob": {"fibre": {**warm, "length_m": 0.001}}})  # only the pair source's arm warms
    lab.pair_source.pump_power(0.01)
    lab.pair_source.emission(True)
    tags = lab.record(3)
    truth = lab.world.truth()
    a, b = tags["alice_tagger"].on(1), tags["bob_tagger"].on(1)
    expected = a + truth["clock_offset_ps"] + truth["clock_skew"] * a
    after = np.clip(np.searchsorted(b, expected), 1, len(b) - 1)
    lag = np.concatenate([b[after - k] - expected for k in (0, 1)])
    lag = lag[np.abs(lag) < 200]
    assert abs(lag.mean()) < 4.5 * 60 / sqrt(len(lag)) + 1
    assert 10 * abs(lag.mean()) < 37.0 * 2.6 * 20.0 * 3 / 400  # the fibre moved by far more than that
