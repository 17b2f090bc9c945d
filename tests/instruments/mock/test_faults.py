"""Scripted and random faults show where they must, and are written to the truth."""

from __future__ import annotations

import numpy as np
import pytest

from erbia.instruments.errors import ConnectionLost

US = 1_000_000


def with_fault(kind, component, at_s=1.0, **more):
    return {"overrides": {"faults": [{"kind": kind, "component": component, "at_s": at_s, **more}]}}


def test_latch_at_a_set_time(make_lab, tables):
    lab = make_lab(**with_fault("latch", "snspd.ch2"))
    tags = lab.record(3, tables["herald"]())["tagger"]
    last_s = tags.on(2).max() / 1e12
    assert 0.95 < last_s < 1.001
    assert tags.on(1).max() / 1e12 > 2.9
    assert lab.snspd.ch2.latched()
    assert lab.world.truth()["fault_0_latch_snspd.ch2_at_s"] == 1.0


def test_clock_step_moves_the_pairs(make_lab):
    lab = make_lab(**with_fault("clock_step", "bob_tagger", size=5000.0))
    lab.pair_source.pump_power(0.01)
    lab.pair_source.emission(True)
    offsets = []
    for _ in (0, 1):
        lab.record(0.5)
        offsets.append(lab.world.truth()["clock_offset_ps"])
        lab.world.advance(10**12)
    assert offsets[1] - offsets[0] == pytest.approx(5000, abs=200)  # clocks wander a little meanwhile


def test_unplugged_detector_comes_back(make_lab, tables):
    lab = make_lab(**with_fault("unplug", "snspd.ch1", duration_s=1.0))
    t_s = lab.record(3, tables["herald"]())["tagger"].on(1) / 1e12
    assert not np.any((t_s > 1.001) & (t_s < 2.0))
    assert np.any(t_s < 1)
    assert np.any(t_s > 2)


def test_hanging_tagger_raises_and_recovers(make_lab):
    lab = make_lab(**with_fault("hang", "alice_tagger", duration_s=2.0))
    tagger = lab.taggers["alice_tagger"]
    tagger.start()
    answers = []
    for _ in range(5):
        try:
            tagger.read(0.1)
            answers.append(True)
        except ConnectionLost:
            answers.append(False)
    assert False in answers
    assert answers[-1]


def test_mode_hop_stops_the_heralds(make_lab, tables):
    lab = make_lab(**with_fault("mode_hop", "laser", size=2e9))
    tags = lab.record(4, tables["herald"]())["tagger"]
    t_s = tags.on(7) / 1e12
    assert np.all(t_s < 1.001)
    assert len(tags.on(7)) > 3
    assert lab.laser.frequency() == pytest.approx(1.9495e14)  # the laser itself does not know


def test_lost_lock_detunes_for_a_while(make_lab, tables):
    lab = make_lab(**with_fault("lock_loss", "laser", size=30e6, duration_s=1.0))
    lab.pulser.load(tables["herald"]())
    chances = []
    for _ in range(3):
        chances.append(lab.world.truth()["herald_probability"])
        lab.world.advance(11 * 10**11)
    assert chances[1] < 0.2 * chances[0]
    assert chances[2] == pytest.approx(chances[0])


def test_path_drift_makes_arrivals_late_and_costs_visibility(make_lab, tables):
    lab = make_lab(**with_fault("path_drift", "bob_memory", size=80_000.0))
    lab.pulser.load(tables["herald"]())
    before = lab.world.truth()["visibility"]
    lab.world.advance(2 * 10**12)
    assert lab.world.truth()["visibility"] / before == pytest.approx(np.exp(-0.1), rel=1e-6)  # 80 ns of 0.8 us


def test_warm_up_decays_with_the_cryostats_time(make_lab):
    lab = make_lab(**with_fault("warm_up", "cryostat", size=3.0))
    lab.world.advance(10**12)
    assert lab.cryostat.temperature() == 3.0
    lab.world.advance(20 * 10**12)
    assert lab.cryostat.temperature() == pytest.approx(0.5 + 2.5 * np.exp(-1), rel=1e-3)


def test_random_faults_come_at_their_rate_and_reproduce(make_lab):
    fault = {"kind": "lock_loss", "component": "laser", "per_hour": 3600.0, "duration_s": 0.1}
    happened = []
    for _ in (0, 1):
        lab = make_lab(overrides={"random_faults": [fault]})
        lab.world.advance(200 * 10**12)
        happened.append(lab.world.faults())
    assert happened[0] == happened[1]
    assert abs(len(happened[0]) - 200) < 4.5 * np.sqrt(200)


def test_unknown_component_is_refused(make_lab):
    with pytest.raises(ValueError, match="laserr"):
        make_lab(**with_fault("mode_hop", "laserr"))


def test_overflow_is_flagged_and_counted(make_lab):
    """A link of 50 kHz with room for 1000 tags loses what 200 kcps bring beyond that."""
    lab = make_lab(overrides={"taggers": {"alice_tagger": {"transfer_hz": 50e3, "buffer_tags": 1000}}})
    lab.pair_source.pump_power(0.01)
    lab.pair_source.emission(True)
    tagger = lab.taggers["alice_tagger"]
    tagger.start()
    lab.world.advance(10**12)
    block = tagger.read(1.0)
    assert block.overflow
    assert len(block.tags) == pytest.approx(51_000, abs=5)
    assert len(block.tags) + block.missed == pytest.approx(200_000, rel=0.02)


def test_drifting_laser_leaves_the_line(make_lab, tables):
    lab = make_lab(overrides={"laser": {"drift_hz_per_s": 1e5}})
    lab.pulser.load(tables["herald"]())
    before = lab.world.truth()["herald_probability"]
    lab.world.advance(100 * 10**12)  # 10 MHz away: the Rabi frequency of the pi pulse
    chance = 0.5 * np.sin(np.pi / 2 * np.sqrt(2)) ** 2
    assert lab.world.truth()["herald_probability"] / before == pytest.approx(chance**2, rel=0.1)


def test_nonlinear_tagger_bends_the_code_density(make_lab):
    """Darks at random times: the share of tags in a half period follows the slope of the nonlinearity."""
    lab = make_lab(overrides={"taggers": {"alice_tagger": {"inl_ps": 200.0, "inl_period_ps": 5000, "jitter_ps": 0.0}}})
    lab.pair_source.pump_power(0.01)
    lab.pair_source.emission(True)
    phase = (lab.record(1)["alice_tagger"].on(1) % 5000) / 5000
    # reading = s + A sin(2 pi s/P): s = 1/4 reads 1/4 + A/P, so the middle half holds 2 A/P more than half
    inside = np.mean((phase > 0.25) & (phase < 0.75))
    assert inside == pytest.approx(0.58, abs=0.01)
