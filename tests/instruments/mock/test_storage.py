"""Weak light in an ensemble memory, through the mock drivers: combs, echoes, gating and spin waves of predicted size."""

from __future__ import annotations

from math import cos, erf, exp, log, pi, sqrt

import numpy as np
import pytest

from erbia.instruments.interfaces import Pulse, PulseTable, Segment
from erbia.instruments.twin.config import EnsembleConfig
from erbia.instruments.twin.ensemble import burnt_comb

US = 1_000_000
IN_PS = 6_000_000
SEEN = 0.5 * 0.858  # retrieval path and detector
QUIET = {"background_hz": 0.0, "intrinsic_dark_hz": 0.0, "dead_time_ps": 1000, "recovery_ps": 100.0}


def lab_with(make_lab, **ensemble):
    lab = make_lab(
        overrides={"alice": {"ensemble": {"input_mean_photons": 0.5, **ensemble}}, "detectors": {"ch3": QUIET}}
    )
    lab.memories["alice"].electrode_voltage(0.0)
    return lab


def store(*more, inputs=(IN_PS,), duration_ps=20_000, header=(), prepare=True, length_ps=20 * US):
    pulses = [Pulse("alice_input", t - duration_ps // 2, duration_ps) for t in inputs] + list(more)
    pulses += [Pulse("initialise", 0, 4 * US)] if prepare else []
    return PulseTable(Segment(US, (Pulse("sync", 0, 1000), *header)), Segment(length_ps, tuple(pulses)), 1)


def efficiency(lab, table, at_ps, duration_s=3.0, width_ps=20_000, mean=0.5):
    """Light seen around ``at_ps`` of the attempt per photon that went in, and its standard error."""
    tags = lab.record(duration_s, table)["alice_tagger"]
    sync, click = tags.on(0), tags.on(1)
    click = click[click > sync[0]]
    when = click - sync[np.searchsorted(sync, click) - 1] - US
    n = int(np.sum(np.abs(when - at_ps) < width_ps // 2 + 500))
    scale = len(sync) * mean * SEEN
    return n / scale, sqrt(max(n, 1)) / scale


def first_echo(d=3.0, finesse=3.0, background=0.2):
    depth = d / finesse * sqrt(pi / (4 * log(2)))
    return depth**2 * exp(-depth - background - 7.12 / finesse**2)


def kept(storage_s, t2_s=64e-6):
    return exp(-4 * storage_s * (1 / t2_s + 20 * 0.5**7))


def test_light_leaks_and_comes_back_after_one_and_two_periods(make_lab):
    lab = lab_with(make_lab)
    depth = sqrt(pi / (4 * log(2)))
    leak, error = efficiency(lab, store(), IN_PS)
    assert abs(leak - exp(-depth - 0.2)) < 4.5 * error
    once, error = efficiency(lab, store(), IN_PS + US)
    assert abs(once - first_echo() * kept(1e-6)) < 4.5 * error
    twice, error = efficiency(lab, store(), IN_PS + 2 * US)
    teeth = [depth * exp(-((pi * k / 3) ** 2) / (4 * log(2))) for k in (1, 2)]
    amplitude = (teeth[0] ** 2 / 2 - teeth[1]) * exp(-(depth + 0.2) / 2)
    assert abs(twice - amplitude**2 * kept(2e-6)) < 4.5 * error


def test_no_comb_no_echo(make_lab):
    lab = lab_with(make_lab)
    found, _ = efficiency(lab, store(prepare=False), IN_PS + US, 1.0)
    assert found == 0


def test_every_time_bin_comes_back(make_lab):
    lab = lab_with(make_lab)
    bins = tuple(IN_PS + k * 100_000 for k in range(8))
    table = store(inputs=bins)
    for at_ps in (bins[0], bins[7]):
        found, error = efficiency(lab, table, at_ps + US, 2.0)
        assert abs(found - first_echo() * kept(1e-6)) < 4.5 * error


def test_pulse_too_short_for_the_comb_loses_what_lies_outside(make_lab):
    lab = lab_with(make_lab, bandwidth_hz=2e7)
    found, error = efficiency(lab, store(duration_ps=20_000), IN_PS + US)
    inside = erf(sqrt(log(2)) * 2e7 * 20e-9 / 0.441)
    assert abs(found - first_echo() * kept(1e-6) * inside) < 4.5 * error


@pytest.mark.parametrize("volt", [0.5, 1.0])
def test_electrode_turns_the_two_classes_against_each_other(make_lab, volt):
    lab = lab_with(make_lab)
    lab.memories["alice"].electrode_voltage(volt)
    found, error = efficiency(lab, store(), IN_PS + US)
    turned = cos(2 * pi * 2.5e5 * volt * 1e-6) ** 2
    assert abs(found - first_echo() * kept(1e-6) * turned) < 4.5 * error + 1e-4


def test_stark_pulses_silence_the_first_echo_and_restore_the_second(make_lab):
    """5 V for 200 ns is a quarter turn; the opposite pulse after the first echo undoes it."""
    lab = lab_with(make_lab)
    there = Pulse("alice_electrode", IN_PS + 300_000, 200_000)
    back = Pulse("alice_electrode", IN_PS + 1_300_000, 200_000, 1.0, pi)
    assert efficiency(lab, store(there, back), IN_PS + US, 1.0)[0] == 0
    lab.pulser.stop()
    gated, _ = efficiency(lab, store(there, back), IN_PS + 2 * US)
    plain, error = efficiency(lab, store(), IN_PS + 2 * US)
    assert abs(gated - plain) < 4.5 * sqrt(2) * error


@pytest.mark.parametrize("refocused", [False, True])
def test_spin_wave_waits_and_dephases_unless_refocused(make_lab, refocused):
    lab = lab_with(make_lab, spin_linewidth_hz=2e5, control_noise=0.0)
    wait_ps = 3 * US
    control = [
        Pulse("alice_control", IN_PS + 400_000, 100_000),
        Pulse("alice_control", IN_PS + 400_000 + wait_ps, 100_000),
    ]
    middle = [Pulse("alice_mw", IN_PS + 450_000 + wait_ps // 2 - 50_000, 100_000)] if refocused else []
    found, error = efficiency(lab, store(*control, *middle), IN_PS + US + wait_ps)
    static = 1.0 if refocused else exp(-((pi * 2e5 * 3e-6) ** 2) / (2 * log(2)))
    homogeneous = exp(-2 * (3e-6 / 1e-3) ** 1.5)
    assert abs(found - first_echo() * kept(1e-6) * 0.81 * static * homogeneous) < 4.5 * error
    left, error = efficiency(lab, store(*control, *middle), IN_PS + US)
    assert abs(left - first_echo() * kept(1e-6) * 0.1) < 4.5 * error


def test_control_pulses_add_their_noise(make_lab):
    lab = lab_with(make_lab, control_noise=0.05)
    control = [Pulse("alice_control", IN_PS + 400_000, 100_000)]
    found, error = efficiency(lab, store(*control, inputs=()), IN_PS + US, width_ps=US - 1000, mean=1.0)
    assert abs(found - 0.05) < 4.5 * error


def test_burnt_comb_has_the_spacing_and_depth_of_its_pulses(make_lab):
    """Ten pulse pairs 500 ns apart: brute force over cycles and frequencies says how deep the comb becomes."""
    lab = lab_with(make_lab, burn_strength=0.05, hole_lifetime_s=50e-6)
    header = [Pulse("alice_burn", 10_000 + k * 1_000_000 + j * 500_000, 10_000) for k in range(10) for j in (0, 1)]
    table = PulseTable(
        Segment(10 * US, (Pulse("sync", 0, 1000), *header)), Segment(20 * US, (Pulse("alice_input", IN_PS, 20_000),)), 1
    )
    tags = lab.record(3.0, table)["alice_tagger"]
    sync, click = tags.on(0), tags.on(1)
    click = click[click > sync[0]]
    when = click - sync[np.searchsorted(sync, click) - 1] - 10 * US
    n = int(np.sum(np.abs(when - IN_PS - 10_000 - 500_000) < 11_000))
    x = np.arange(4096) * 2 * pi / 4096
    ground = np.ones(4096)
    for _ in range(50):
        ground = ground * np.exp(-0.05 * 10 * (1 + np.cos(x)) / 2)
        seen = 1 - (1 - ground) * exp(-15 / 50)
        ground = 1 - (1 - ground) * exp(-30 / 50)
    depth = 3.0 * seen + 0.2
    first = np.mean(depth * np.cos(x))
    expected = first**2 * exp(-depth.mean()) * kept(0.5e-6) * len(sync) * 0.5 * SEEN
    assert abs(n - expected) < 4.5 * sqrt(expected)


def test_one_burning_gives_bessel_functions():
    """A single cycle seen at once: d_k = d·exp(-B/2)·I_k(B/2)."""
    from scipy.special import ive

    memory = EnsembleConfig(hole_lifetime_s=1e-6, background_depth=0.0, optical_depth=2.0)
    comb = burnt_comb(memory, [(0.3, 1e-6)] * 10, cycle_s=1.0, age_s=0.0)
    assert comb is not None
    assert np.abs(comb.depths[:3]) == pytest.approx(2.0 * ive([0, 1, 2], 1.5), rel=1e-9)


def probed(lab, table, frequencies_hz, duration_s=1.0, mean=0.5):
    """Share of long input pulses that passes at each frequency, and its standard error; the header is 10 us long."""
    share, error = [], []
    for frequency_hz in frequencies_hz:
        lab.shifters["alice"].frequency(float(frequency_hz))
        tags = lab.record(duration_s, table)["alice_tagger"]
        n, scale = len(tags.on(1)), len(tags.on(0)) * mean * SEEN
        share.append(n / scale)
        error.append(sqrt(max(n, 1)) / scale)
    return np.array(share), np.array(error)


def slow_table(*header, prepare=True):
    """One input pulse of 20 us, FWHM 22 kHz in frequency."""
    pulses = [Pulse("alice_input", 6 * US, 20 * US), *([Pulse("initialise", 0, 4 * US)] if prepare else [])]
    return PulseTable(Segment(10 * US, (Pulse("sync", 0, 1000), *header)), Segment(40 * US, tuple(pulses)), 1)


def test_slow_pulses_show_the_teeth_of_the_comb(make_lab):
    """exp(-d(f)): d = 3 of a tooth and its neighbours, 0.2 of background, teeth blurred by the line of the ions."""
    lab = lab_with(make_lab)
    at_hz = np.array([0.0, 1.2e5, 2.5e5, 5e5, 1e6, -7.5e5])
    share, error = probed(lab, slow_table(), at_hz)
    fine = np.linspace(-3e6, 3e6, 6001)
    line_hz = (1 / 64e-6 + 20 * 0.5**7) / pi
    comb = sum(np.exp(-4 * log(2) * ((fine - n * 1e6) / (1e6 / 3)) ** 2) for n in range(-6, 7))
    lorentz = line_hz / pi / (fine**2 + line_hz**2)
    depth = 3.0 * np.convolve(comb, lorentz, "same") / lorentz.sum() + 0.2
    spectrum = np.exp(-4 * log(2) * (fine / (2 * log(2) / pi / 20e-6)) ** 2)
    seen = np.convolve(np.exp(-depth), spectrum / spectrum.sum(), "same")
    assert np.abs(share - np.interp(at_hz, fine, seen)) == pytest.approx(0, abs=4.5 * error.max() + 0.002)


def test_static_voltage_fills_the_gaps_between_the_teeth(make_lab):
    """Two classes a half spacing apart: half the depth at each flank, 3·2^-2.25 where teeth were and where none was."""
    lab = lab_with(make_lab)
    lab.memories["alice"].electrode_voltage(1.0)  # 250 kHz either way
    (on, between), error = probed(lab, slow_table(), [0.0, 5e5])
    assert abs(on - between) < 4.5 * np.hypot(*error)
    assert on == pytest.approx(exp(-3.0 * 2**-2.25 - 0.2), abs=4.5 * error[0] + 0.005)


def test_pulses_outside_the_comb_do_not_come_back(make_lab):
    lab = lab_with(make_lab, bandwidth_hz=2e7)
    lab.shifters["alice"].frequency(1e7)
    edge, error = efficiency(lab, store(), IN_PS + US)
    steep_s = 2 * sqrt(log(2)) * 20e-9 / 0.441
    assert abs(edge - first_echo() * kept(1e-6) * erf(steep_s * 2e7) / 2) < 4.5 * error
    lab.shifters["alice"].frequency(6e7)
    assert efficiency(lab, store(), IN_PS + US, 1.0)[0] == 0


def test_a_burnt_comb_is_scored_by_its_absorption(make_lab):
    """The fit of the analysis finds spacing, finesse and depth of what the burn pulses left."""
    from erbia.analysis.combs import fit_comb

    lab = lab_with(make_lab, burn_strength=0.03, hole_lifetime_s=1e-3)
    burn = [Pulse("alice_burn", 1_000_000 + j * 2_000_000, 100_000) for j in (0, 1)]
    table = slow_table(*burn, prepare=False)
    at_hz = np.linspace(-6e5, 6e5, 25)
    share, _ = probed(lab, table, at_hz, 0.5)
    truth = lab.world.truth()
    lab.laser.emission(False)
    (reference,), _ = probed(lab, table, [0.0], 0.5)
    pulses = 0.5 / 50e-6 * 0.5 * SEEN
    fit = fit_comb(at_hz, np.rint(share * pulses), np.full(len(at_hz), reference * pulses), 5e5)
    assert truth["alice_comb_spacing_hz"] == pytest.approx(5e5)
    assert fit.spacing_hz.value == pytest.approx(5e5, rel=0.02)
    assert fit.finesse.value == pytest.approx(truth["alice_comb_finesse"], rel=0.15)
    peak = truth["alice_comb_depth"] + truth["alice_comb_floor_depth"]
    assert fit.optical_depth.value + fit.floor_depth.value == pytest.approx(peak, rel=0.15)
