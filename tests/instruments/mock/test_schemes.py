"""Single-photon heralding and absorptive memories through the mock drivers, against closed formulas."""

from __future__ import annotations

from math import acos, cos, exp, log, log1p, pi, sqrt

import numpy as np
import pytest

from erbia.instruments.interfaces import HeraldCondition, Pulse, PulseTable, Segment

US = 1_000_000
BRIGHT = 0.05
TILT_PS = round(2 * acos(sqrt(BRIGHT)) / (2 * pi * 5e6) * 1e9) * 1000
STABLE = {"midpoint": {"phase_sigma_rad": 0.4}}
#: A matter of metres: the herald is back before the echo, 1 us after storage.
SHORT = {"fibre": {"length_m": 10.0, "connectors_db": 0.0}}
ABSORPTIVE = {
    **{
        n: {"ensemble": {"pair_probability": 0.02}, "memory": {"lifetime_s": 20e-9, "collection": 0.3}, **SHORT}
        for n in ("alice", "bob")
    },
    **STABLE,
}


def single_photon_table() -> PulseTable:
    """Cabrillo: a small bright share, one optical pulse, one click heralds; read out in Z."""
    attempt = [Pulse("initialise", 0, 10 * US)]
    attempt += [Pulse(f"{n}_mw", 10 * US + 500_000, TILT_PS) for n in ("alice", "bob")]
    attempt += [Pulse("excitation", 11 * US, 50_000), Pulse("gate", 20_700_000, 4 * US)]
    after = [Pulse(f"{n}_readout", US, 150 * US) for n in ("alice", "bob")]
    rule = HeraldCondition(("ch1", "ch2"), (20_800_000, 24_700_000), (0, 0))
    return PulseTable(Segment(US), Segment(40 * US, tuple(attempt)), 100, rule, Segment(160 * US, tuple(after)))


def absorptive_table(gate_at_ps: int = 600_000, prepare: bool = True) -> PulseTable:
    """Pump pulse at 4.5 us, one idler heralds, the echo of the signals comes 1 us after the pulse."""
    attempt = [Pulse("initialise", 0, 4 * US)] if prepare else []
    attempt += [Pulse("excitation", 4_500_000, 10_000), Pulse("gate", 4_540_000, 200_000)]
    rule = HeraldCondition(("ch1", "ch2"), (4_545_000, 4_735_000), (0, 0), 5_000)
    after = tuple(Pulse(f"{n}_readout", gate_at_ps, 300_000) for n in ("alice", "bob"))
    return PulseTable(
        Segment(US),
        Segment(10 * US, tuple(attempt)),
        100,
        rule,
        Segment(2 * US, after),
    )


def test_single_photon_link_follows_the_bright_state_formula(make_lab):
    lab = make_lab(overrides=STABLE)
    lab.pulser.load(single_photon_table())
    truth = lab.world.truth()
    eta = 0.06 * 10 ** (-0.07) * 0.9 * 0.858 * (1 - exp(-(24_700_000 - 11_025_000 - 9_793_439) / 8e5))
    share = cos(pi * 5e6 * TILT_PS * 1e-12) ** 2  # the pulse is a whole number of nanoseconds
    good, bright = 2 * share * (1 - share) * eta, share**2 * 2 * eta
    assert truth["herald_probability"] == pytest.approx(good + bright, rel=0.02)
    coherence = sqrt(truth["visibility"]) * exp(-(0.4**2) / 2)
    waits_s = (24.7 + 9.793 + 1 - 11) * 1e-6  # no refocusing here: T2* of 20 us on both sides
    kept = coherence * exp(-2 * (waits_s / 20e-6) ** 2)
    assert truth["fidelity"] == pytest.approx(good * (1 + kept) / 2 / (good + bright), rel=0.02)


def test_unknown_optical_phase_leaves_no_single_photon_entanglement(make_lab):
    lab = make_lab()
    lab.pulser.load(single_photon_table())
    truth = lab.world.truth()
    assert truth["exx"] == pytest.approx(0, abs=1e-9)
    assert truth["fidelity"] < 0.5


def test_single_photon_heralds_come_at_their_rate(make_lab):
    lab = make_lab(overrides=STABLE, seed=8)
    tags = lab.record(30, single_photon_table())
    expected = 30 * lab.world.truth()["herald_rate_hz"]
    assert abs(len(tags["tagger"].on(7)) - expected) < 4.5 * sqrt(expected)


def echo_efficiency() -> float:
    depth = 3.0 / 3.0 * sqrt(pi / (4 * log(2)))
    return depth**2 * exp(-depth - 0.2 - pi**2 / (2 * log(2)) / 9) * exp(-4e-6 * (1 / 64e-6 + 20 * 0.5**7))


def test_absorptive_link_stores_one_excitation_between_the_nodes(make_lab):
    lab = make_lab(overrides=ABSORPTIVE)
    lab.memories["alice"].electrode_voltage(0.0)
    lab.memories["bob"].electrode_voltage(0.0)
    lab.pulser.load(absorptive_table())
    truth = lab.world.truth()
    model = lab.world.current_model()
    populations = np.real(np.einsum("mii->i", model.herald_states[model.heralds])) / model.herald_probability
    p = 0.02
    eta = 0.3 * 10 ** (-0.0002) * 0.9 * 0.858  # idler seen, per pair
    one, two = 2 * p * (1 - p) * eta, p**2 * (2 * eta * (1 - eta) + eta**2 * (1 + truth["visibility"]) / 2)
    kept = echo_efficiency()
    assert truth["herald_probability"] == pytest.approx(one + two, rel=0.05)
    assert populations[1] + populations[2] == pytest.approx(
        (one * kept + two * 2 * kept * (1 - kept)) / (one + two), rel=0.02
    )
    assert populations[0] == pytest.approx(two * kept**2 / (one + two), rel=0.05)
    coherence = abs(model.herald_states[1][1, 2]) / np.trace(model.herald_states[1]).real
    assert 2 * coherence == pytest.approx(sqrt(truth["visibility"]) * exp(-0.08) * one * kept / (one + two), rel=0.02)


def test_echo_clicks_at_the_rate_stored_light_allows(make_lab):
    lab = make_lab(overrides=ABSORPTIVE, seed=4)
    for memory in lab.memories.values():
        memory.electrode_voltage(0.0)
    tags = lab.record(20, absorptive_table())
    heralds = len(tags["alice_tagger"].on(7))
    clicks = len(tags["alice_tagger"].on(1))
    per_herald = echo_efficiency() / 2 * 0.5 * 0.858 + 1e-3
    expected = heralds * per_herald + 20 * 5.65
    assert heralds > 10_000
    assert abs(clicks - expected) < 4.5 * sqrt(expected) + 0.02 * expected


@pytest.mark.parametrize(
    ("change", "table"),
    [("unprepared", {"prepare": False}), ("gate beside the echo", {"gate_at_ps": 100_000}), ("stark", {})],
)
def test_no_echo_without_comb_or_beside_its_time_or_when_silenced(make_lab, change, table):
    lab = make_lab(overrides=ABSORPTIVE)
    # 2.5e5 Hz/V for 1 us: a quarter turn at 1 V silences the echo
    lab.memories["alice"].electrode_voltage(1.0 if change == "stark" else 0.0)
    lab.pulser.load(absorptive_table(**table))
    model = lab.world.current_model()
    alice = model.herald_readouts[0]
    full = model.herald_populations[1][0] + model.herald_populations[1][1]
    assert min(full, alice.bright_mean - alice.dark_mean) == pytest.approx(0, abs=1e-12)


def test_echo_gate_clicks_with_the_retrieval_probability(make_lab):
    lab = make_lab(overrides=ABSORPTIVE)
    lab.memories["alice"].electrode_voltage(0.0)  # 1 V would silence the first echo
    lab.pulser.load(absorptive_table())
    alice = lab.world.current_model().herald_readouts[0]
    assert alice.bright_mean - alice.dark_mean == pytest.approx(-log1p(-0.5 * 0.858), rel=1e-3)
