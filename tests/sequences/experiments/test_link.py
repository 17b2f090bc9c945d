from itertools import pairwise

import pytest

from erbia.instruments.interfaces import Node
from erbia.sequences.checks import check_sequence
from erbia.sequences.experiments.link import (
    HEADER_PS,
    LinkTiming,
    calibrate_readout,
    calibration_window_ps,
    entangle,
)

DELAY_PS = 9_793_439
NODES = {name: Node(name, photon_delay_ps=DELAY_PS) for name in ("alice", "bob")}
DETECTORS = ("snspd.ch1", "snspd.ch2")


@pytest.mark.parametrize("axes", ["XX", "YY", "ZZ", "ZP", "XM"])
@pytest.mark.parametrize("storage_s", [0.0, "100 us"])
def test_attempt_is_sound_and_reads_out_at_an_echo(axes: str, storage_s: object) -> None:
    timing = LinkTiming.model_validate({"storage_s": storage_s})
    sequence = entangle(timing, NODES, axes, DETECTORS)
    assert check_sequence(sequence) == []
    assert sequence.branch is not None
    marker_ps = timing.marker_ps(DELAY_PS)
    flips = [
        p.start_ps + p.duration_ps // 2 for p in sequence.body.pulses if p.channel == "alice_mw" and p.amplitude == 1
    ]
    flips += [
        marker_ps + p.start_ps + p.duration_ps // 2
        for p in sequence.branch.then.pulses
        if p.channel == "alice_mw" and p.amplitude == 1
    ]
    edges = [timing.superposition_ps, *flips, timing.echo_ps(DELAY_PS)]
    dephasing = sum((-1) ** k * (b - a) for k, (a, b) in enumerate(pairwise(edges)))
    assert dephasing == 0  # a static detuning refocuses exactly where the spins are turned for the read-out
    assert edges[-1] >= marker_ps + timing.rotation_ps


def test_gates_open_where_the_light_arrives() -> None:
    timing = LinkTiming()
    (early, _), (late, _) = timing.windows_ps(DELAY_PS)
    photons = [
        p.start_ps + p.duration_ps // 2 + DELAY_PS
        for p in entangle(timing, NODES, "ZZ", DETECTORS).body.pulses
        if p.channel == "excitation"
    ]
    assert photons == [early, late]
    gates = [p for p in entangle(timing, NODES, "ZZ", DETECTORS).body.pulses if p.channel == "gate"]
    assert [g.start_ps < t < g.stop_ps for g, t in zip(gates, photons, strict=True)] == [True, True]


@pytest.mark.parametrize("state", ["bright", "dark"])
def test_calibration_reads_where_its_window_says(state: str) -> None:
    timing = LinkTiming()
    sequence = calibrate_readout(timing, state)
    assert check_sequence(sequence) == []
    lights = {p.start_ps + HEADER_PS for p in sequence.body.pulses if p.channel.endswith("_readout")}
    assert lights == {calibration_window_ps(timing)[0]}
    assert any(p.channel == "alice_mw" for p in sequence.body.pulses) == (state == "dark")
