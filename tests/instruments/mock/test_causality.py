"""Wrong actions through the mock drivers have their physical consequence, each of a predicted size."""

from __future__ import annotations

from dataclasses import replace
from math import erf, exp, log10, sqrt

import numpy as np
import pytest

from erbia.instruments.errors import InstrumentError, LimitError
from erbia.instruments.interfaces import Pulse

US = 1_000_000


def truth_of(lab, table):
    lab.pulser.load(table)
    return lab.world.truth()


def test_laser_off_heralds_nothing(make_lab, tables):
    lab = make_lab()
    lab.laser.emission(False)
    tags = lab.record(20, tables["herald"]())
    assert len(tags["tagger"].on(7)) == 0
    assert len(tags["tagger"].on(0)) > 0  # the pulser plays all the same


def test_late_gate_loses_all_heralds(make_lab, tables):
    late = truth_of(make_lab(), tables["herald"](gate_shift_ps=4 * US))
    right = truth_of(make_lab(), tables["herald"]())
    assert late["herald_probability"] < 1e-3 * right["herald_probability"]


def test_gate_late_by_half_a_lifetime_loses_what_the_decay_says(make_lab, tables):
    late = truth_of(make_lab(), tables["herald"](gate_shift_ps=500_000))
    right = truth_of(make_lab(), tables["herald"]())
    first_ps = 15_800_000 + 500_000 - (6_125_000 + 9_793_439)  # gate opens this long after the photon starts
    kept = exp(-first_ps / 800_000) / exp(0)
    assert late["herald_probability"] / right["herald_probability"] == pytest.approx(kept**2, rel=0.03)


def test_missing_pi_pulse_leaves_no_entanglement(make_lab, tables):
    truth = truth_of(make_lab(), tables["herald"](pi_pulse=False, refocus=False))
    # |00> clicks 2 x 2 ways, |01> and |10> one way each, with no coherence: populations 4:1:1
    assert truth["fidelity"] == pytest.approx(1 / 6, abs=0.01)
    assert truth["ezz"] == pytest.approx(1 / 3, abs=0.02)


def test_no_initialisation_mixes_the_memories(make_lab, tables):
    truth = truth_of(make_lab(), tables["herald"](initialise=False))
    right = truth_of(make_lab(), tables["herald"]())
    assert abs(truth["exx"]) < 0.05  # a mixed spin stays mixed under the first quarter turn
    assert right["exx"] > 0.7


def test_attempts_faster_than_the_herald_destroy_the_state(make_lab, tables):
    truth = truth_of(make_lab(), tables["herald"](attempt_ps=30 * US))
    assert truth["fidelity"] < 0.3
    assert truth["exx"] == pytest.approx(0, abs=0.05)


def test_more_bias_means_more_darks(make_lab):
    lab = make_lab()
    rates = []
    for bias in (14e-6, 18e-6, 18.9e-6):
        lab.snspd.ch3.bias(bias)
        count = len(lab.record(400)["alice_tagger"].on(1))
        pixel = lab.world.config.detectors["ch3"]
        expected = pixel.background_hz / 2 * (1 + erf((bias - 14e-6) / 2e-6)) + 1e-8 * exp(bias / 1e-6)
        assert abs(count - 400 * expected) < 4.5 * np.sqrt(400 * expected)
        rates.append(count)
    assert rates == sorted(rates)


def test_over_bias_latches_until_reset(make_lab, tables):
    lab = make_lab()
    lab.snspd.ch1.bias(19.5e-6)
    assert lab.snspd.ch1.latched()
    tags = lab.record(2, tables["herald"]())["tagger"]
    assert len(tags.on(1)) == 0
    assert len(tags.on(2)) > 500
    lab.snspd.ch1.reset()
    assert lab.snspd.ch1.latched()  # still over-biased
    lab.snspd.ch1.bias(18e-6)
    assert lab.snspd.ch1.latched()  # lowering the bias a little does not help
    lab.snspd.ch1.reset()
    assert not lab.snspd.ch1.latched()
    assert len(lab.record(2, tables["herald"]())["tagger"].on(1)) > 500


def test_too_much_light_latches(make_lab):
    """The bias creeps up by pile_up_s a count rate: 18 uA reaches the 19 uA latch at 1/18 of 1/pile_up_s."""
    for rate_share, latched in ((0.8, False), (1.3, True)):
        lab = make_lab(overrides={"detectors": {"ch3": {"pile_up_s": 1 / (18 * 2.0e5) * rate_share}}})
        lab.pair_source.pump_power(0.01)
        lab.pair_source.emission(True)
        lab.world.advance(3 * 10**12)
        assert lab.snspd.ch3.latched() == latched
        assert not lab.snspd.ch4.latched()


def test_no_bias_no_clicks(make_lab, tables):
    lab = make_lab()
    lab.snspd.ch2.bias(0)
    assert len(lab.record(2, tables["herald"]())["tagger"].on(2)) == 0


def test_detuned_memory_loses_visibility_by_lorentzian(make_lab, tables):
    lab = make_lab(overrides={node: {"memory": {"spectral_diffusion_hz": 0}} for node in ("alice", "bob")})
    right = truth_of(lab, tables["herald"]())["visibility"]
    lab.memories["bob"].electrode_voltage(2.1)  # 130 kHz away
    off = truth_of(lab, tables["herald"]())["visibility"]
    assert off / right == pytest.approx(1 / (1 + (2 * np.pi * 130e3 * 0.8e-6) ** 2), rel=1e-6)


def test_laser_detuned_by_two_rabi_widths_excites_by_rabi_formula(make_lab, tables):
    lab = make_lab()
    right = truth_of(lab, tables["herald"]())["herald_probability"]
    lab.laser.frequency(lab.laser.frequency() + 10e6)  # Rabi frequency of the pi pulse is 10 MHz
    off = truth_of(lab, tables["herald"]())["herald_probability"]
    chance = 0.5 * np.sin(np.pi / 2 * np.sqrt(2)) ** 2
    assert off / right == pytest.approx(chance**2, rel=0.1)  # both photons; darks add a little


def test_quarter_power_excites_half(make_lab, tables):
    lab = make_lab()
    right = truth_of(lab, tables["herald"]())["herald_probability"]
    lab.laser.power(0.25e-3)
    assert truth_of(lab, tables["herald"]())["herald_probability"] / right == pytest.approx(0.25, rel=0.02)


def test_warm_chip_shortens_the_storage_time(make_lab):
    lab = make_lab()
    cold = lab.world.truth()["storage_time_s"]
    lab.cryostat.setpoint(2.0)
    lab.world.advance(400 * 10**12)
    assert lab.cryostat.temperature() == pytest.approx(2.0)
    warm = lab.world.truth()["storage_time_s"]
    assert 1 / warm - 1 / cold == pytest.approx(20 * (2.0**7 - 0.5**7), rel=1e-6)


def test_warming_takes_the_cryostats_time(make_lab):
    lab = make_lab()
    lab.cryostat.setpoint(1.5)
    lab.world.advance(20 * 10**12)
    assert lab.cryostat.temperature() == pytest.approx(0.5 + 1.0 * (1 - exp(-1)), rel=1e-3)


def test_longer_fibre_loses_light_squared(make_lab, tables):
    far = {node: {"fibre": {"loss_db_per_km": 1.2}} for node in ("alice", "bob")}  # 2 dB more an arm
    right, lossy = (truth_of(make_lab(overrides=o), tables["herald"]())["herald_probability"] for o in ({}, far))
    assert 10 * log10(right / lossy) == pytest.approx(4.0, abs=0.1)


def test_missed_echo_costs_contrast(make_lab, tables):
    truth = truth_of(make_lab(), tables["herald"](refocus=False))
    # free from the half turn's echo at 18.025 us on: read out at 35.793 + 6.4 us
    free_s = (35.793439 + 6.4 - 18.025) * 1e-6
    right = truth_of(make_lab(), tables["herald"]())
    assert truth["exx"] / right["exx"] == pytest.approx(exp(-2 * (free_s / 20e-6) ** 2), rel=0.05)


def test_magnet_off_its_field_detunes_spin_and_line(make_lab, tables):
    lab = make_lab()
    before = lab.memories["alice"].resonance_frequency()
    lab.memories["alice"].magnetic_field(0.3001)
    assert lab.memories["alice"].resonance_frequency() - before == pytest.approx(1e5, rel=1e-3)
    assert truth_of(lab, tables["herald"]())["fidelity"] < 0.5  # the drive is 10 MHz off the spin line, Rabi 5 MHz


def test_half_biased_detectors_herald_a_quarter(make_lab, tables):
    lab = make_lab()
    right = truth_of(lab, tables["herald"]())["herald_probability"]
    for pixel in (lab.snspd.ch1, lab.snspd.ch2):
        pixel.bias(14e-6)  # the middle of the plateau's rise
    half = 0.5 / (0.5 * (1 + erf(2)))
    assert truth_of(lab, tables["herald"]())["herald_probability"] / right == pytest.approx(half**2, rel=0.02)


def test_one_blind_detector_leaves_a_quarter_all_of_them_psi_plus(make_lab, tables):
    lab = make_lab()
    right = truth_of(lab, tables["herald"]())["herald_probability"]
    lab.snspd.ch2.bias(0)
    truth = truth_of(lab, tables["herald"]())
    assert truth["herald_probability"] / right == pytest.approx(0.25, rel=0.02)
    model = lab.world.current_model()
    assert model.probability[model.outcome == -1].sum() == 0


def test_lower_fidelity_with_hot_detectors_as_darks_predict(make_lab, tables):
    """Darks of rate D in windows of 4 us: false heralds 2d(eta_A + eta_B) + 4d^2 of fidelity 1/4."""
    quiet = truth_of(
        make_lab(
            overrides={"detectors": {c: {"background_hz": 0.0, "intrinsic_dark_hz": 0.0} for c in ("ch1", "ch2")}}
        ),
        tables["herald"](),
    )
    noisy = truth_of(
        make_lab(overrides={"detectors": {c: {"background_hz": 500.0} for c in ("ch1", "ch2")}}), tables["herald"]()
    )
    d = 500.7 * 4e-6
    eta = sqrt(2 * quiet["herald_probability"])
    false = 4 * d * eta + 4 * d**2
    assert noisy["herald_probability"] == pytest.approx(quiet["herald_probability"] + false, rel=0.03)
    expected = (quiet["herald_probability"] * quiet["fidelity"] + false / 4) / (quiet["herald_probability"] + false)
    assert noisy["fidelity"] == pytest.approx(expected, abs=0.01)


def test_half_the_pump_gives_half_the_pairs(make_lab):
    lab = make_lab()
    lab.pair_source.emission(True)
    counts = []
    for power in (0.01, 0.005):
        lab.pair_source.pump_power(power)
        counts.append(len(lab.record(0.5)["alice_tagger"].on(1)))
    assert counts[1] / counts[0] == pytest.approx(0.5, abs=4.5 * 0.75 / np.sqrt(counts[0]) + 0.005)  # + dead time


def test_pump_off_leaves_darks(make_lab):
    lab = make_lab()
    lab.pair_source.pump_power(0.01)
    assert len(lab.record(5)["alice_tagger"].on(1)) < 28 + 4.5 * sqrt(28)


def test_laser_beside_the_line_dims_the_read_out_as_a_lorentzian(make_lab, tables):
    lab = make_lab(overrides={"alice": {"memory": {"spectral_diffusion_hz": 0.0}}})
    lab.pulser.load(tables["echo"](10 * US))
    model = lab.world.current_model()
    on = model.attempt_readouts[0]
    lab.laser.frequency(lab.laser.frequency() + 1e6)  # half the power-broadened width of 2 MHz
    off = lab.world.current_model().attempt_readouts[0]
    assert (off.bright_mean - off.dark_mean) / (on.bright_mean - on.dark_mean) == pytest.approx(0.5, rel=1e-3)


def test_weak_half_turn_leaves_cosine_of_the_error(make_lab, tables):
    """Half turn of the echo too short by 20 %: the refocused part is sin^2(theta/2) of the coherence."""
    lab = make_lab(overrides={"alice": {"memory": {"t2_star_s": 1e-6}}})
    table = tables["echo"](20 * US)
    short = [
        replace(p, start_ps=p.start_ps + 10_000, duration_ps=80_000) if p.duration_ps == 100_000 else p
        for p in table.attempt.pulses
    ]
    contrasts = []
    for attempt in (table.attempt, replace(table.attempt, pulses=tuple(short))):
        lab.pulser.load(replace(table, attempt=attempt))
        alice = lab.world.current_model().attempt_populations[0][:2].sum()
        contrasts.append(2 * alice - 1)
    assert contrasts[1] / contrasts[0] == pytest.approx(np.sin(0.8 * np.pi / 2) ** 2, rel=0.01)


def test_short_t2_costs_coherence_over_the_storage(make_lab, tables):
    slow = {node: {"memory": {"t2_s": 100e-6}} for node in ("alice", "bob")}
    exx = [truth_of(make_lab(overrides=o), tables["herald"]("X"))["exx"] for o in ({}, slow)]
    waited = 36e-6  # from the first quarter turn to the echo at 42.025 us
    ratio = exp(-2 * ((waited / 100e-6) ** 1.5 - (waited / 1e-3) ** 1.5))
    assert exx[1] / exx[0] == pytest.approx(ratio, rel=0.02)


class TestRefusals:
    def test_pulser_refuses_unknown_outputs_and_bad_pulses(self, make_lab, tables):
        lab = make_lab()
        table = tables["herald"]()
        for pulse, word in [
            (Pulse("nowhere", 0, 1000), "nowhere"),
            (Pulse("sync", 0, 1000, 1.5), "1.5"),
            (Pulse("sync", 0, 1500), "1000"),
            (Pulse("sync", 0, 1000, shape="round"), "round"),
            (Pulse("sync", -1000, 1000), "-1000"),
        ]:
            bad = replace(table, header=replace(table.header, pulses=(pulse,)))
            with pytest.raises(LimitError, match=word):
                lab.pulser.load(bad)

    def test_pulser_wants_load_then_arm_then_start(self, make_lab, tables):
        lab = make_lab()
        with pytest.raises(InstrumentError, match="load"):
            lab.pulser.arm()
        lab.pulser.load(tables["herald"]())
        with pytest.raises(InstrumentError, match="arm"):
            lab.pulser.start()

    def test_stopped_tagger_gives_no_block(self, make_lab):
        with pytest.raises(InstrumentError, match="start"):
            make_lab().taggers["tagger"].read(0.1)

    def test_values_outside_the_limits_are_refused(self, make_lab):
        lab = make_lab()
        for parameter, value in [(lab.laser.power, 1.0), (lab.snspd.ch1.bias, 1e-3), (lab.cryostat.setpoint, 0.1)]:
            with pytest.raises(ValueError, match=str(value)):
                parameter(value)
