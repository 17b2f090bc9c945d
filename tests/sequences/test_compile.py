"""What is compiled, read back, is the sequence within the quantisation that was reported."""

from dataclasses import replace
from math import pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis.errors import UsageError
from erbia.instruments.errors import LimitError
from erbia.instruments.pulse_steps import PhaseOutput, Wiring
from erbia.sequences.compile import compile_sequence
from erbia.sequences.compile_samples import AnalogRange, Carrier, analog_samples, digital_samples, iq_samples
from erbia.sequences.compile_steps import compile_steps
from erbia.sequences.pulses import Chirp, Comb, Gaussian, Pulse, Sech, Square
from erbia.sequences.sequence import Block, Branch, HeraldCondition, Loop, Sequence

NS, US = 1000, 1_000_000
LENGTH_PS = 40 * US
RATES_HZ = st.sampled_from([1e9, 1.25e9, 2.4e9, 250e6, 100e6])


@st.composite
def trains(draw: st.DrawFn, channels: tuple[str, ...], shapes: st.SearchStrategy[object], phases: bool) -> Block:
    """A block with well separated pulses, some of them in a loop."""
    found = []
    for channel in channels:
        t_ps = draw(st.integers(0, 2 * US))
        for _ in range(draw(st.integers(0, 4))):
            duration_ps = draw(st.integers(50 * NS, 3 * US))
            amplitude = draw(st.floats(0.05, 1.0))
            phase = draw(st.floats(-pi, pi)) if phases else 0.0
            found.append(Pulse(channel, t_ps, duration_ps, amplitude, phase, draw(shapes)))  # type: ignore[arg-type]
            t_ps += duration_ps + draw(st.integers(50 * NS, 2 * US))
    inner = Block(3 * US, (Pulse(channels[0], 100 * NS, US),))
    loops = (Loop(25 * US, inner, draw(st.integers(1, 4))),)
    return Block(LENGTH_PS, tuple(found), loops)


def _runs(on: np.ndarray) -> list[tuple[int, int]]:
    """[first, stop) of every stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _played(block: Block, channel: str) -> list[Pulse]:
    return sorted((p for p in block.played() if p.channel == channel), key=lambda p: p.start_ps)


WIRING = Wiring({"sync": "0", "gate": "6", "alice_mw": "A1"}, {"alice_mw": PhaseOutput("A0", 0.2)})


@settings(max_examples=60)
@given(trains(("gate", "alice_mw"), st.just(Square()), phases=True), st.integers(1, 5))
def test_steps_read_back(attempt: Block, repetitions: int) -> None:
    """Edges of every output from the running sum of step lengths: those of the sequence within 0.5 ns; levels exact."""
    attempt = replace(
        attempt, pulses=tuple(replace(p, phase_rad=0.0) if p.channel == "gate" else p for p in attempt.pulses)
    )
    sequence = Sequence("s", Block(US, (Pulse("sync", 0, 100 * NS),)), attempt, repetitions)
    compiled = compile_steps(sequence, WIRING)
    burst = compiled.burst
    assert compiled.quantisation.largest_ps <= 500
    edges_ps = np.concatenate([[0], np.cumsum(burst.duration_ps)])
    assert abs(edges_ps[-1] - US - repetitions * LENGTH_PS) == abs(compiled.quantisation.drift_ps(repetitions))
    on = {"sync": burst.digital & 1 == 1, "gate": burst.digital >> 6 & 1 == 1, "alice_mw": burst.analog_v[:, 1] != 0}
    for channel, levels in on.items():
        asked = _played(sequence.header, channel)
        for k in range(repetitions):
            shift_ps = US + k * LENGTH_PS
            asked += [replace(p, start_ps=p.start_ps + shift_ps) for p in _played(attempt, channel)]
        found = _runs(levels)
        assert len(found) == len(asked)
        for (first, stop), pulse in zip(found, asked, strict=True):
            assert abs(edges_ps[first] - pulse.start_ps) <= 500
            assert abs(edges_ps[stop] - pulse.stop_ps) <= 500
            if channel == "alice_mw":
                assert np.all(burst.analog_v[first:stop, 1] == pulse.amplitude)
                assert burst.analog_v[first:stop, 0] == pytest.approx(0.2 * pulse.phase_rad)


@pytest.mark.parametrize(
    ("pulses", "repetitions", "says"),
    [
        ((Pulse("nowhere", 0, US),), 1, "pulser: no output for channel 'nowhere'"),
        ((Pulse("gate", 0, US, phase_rad=1.0),), 1, "channel 'gate' has a phase"),
        ((Pulse("gate", 0, US),), 1_500_000, "steps; the memory holds 2000000"),
    ],
)
def test_what_a_pulse_streamer_cannot_play_is_named(pulses: tuple[Pulse, ...], repetitions: int, says: str) -> None:
    sequence = Sequence("s", Block(US), Block(2 * US, pulses), repetitions)
    with pytest.raises(LimitError, match=says):
        compile_steps(sequence, WIRING)


@given(trains(("gate", "sync"), st.just(Square()), phases=False), RATES_HZ)
def test_port_words_read_back(block: Block, rate_hz: float) -> None:
    lines = {"gate": 3, "sync": 31}
    compiled = digital_samples(block, lines, rate_hz)
    period_ps = 1e12 / rate_hz
    assert compiled.quantisation.largest_ps <= period_ps / 2 * 1.000001
    for channel, line in lines.items():
        found = _runs((compiled.words >> np.uint32(line) & 1) == 1)
        asked = _played(block, channel)
        assert len(found) == len(asked)
        slack_ps = compiled.quantisation.by_channel().get(channel, 0.0) + 1e-6
        for (first, stop), pulse in zip(found, asked, strict=True):
            assert abs(first * period_ps - pulse.start_ps) <= slack_ps
            assert abs(stop * period_ps - pulse.stop_ps) <= slack_ps
    assert not np.any(compiled.words & ~np.uint32(1 << 3 | 1 << 31))


@given(trains(("electrode",), st.sampled_from([Square(), Gaussian(), Sech()]), phases=False), RATES_HZ)
def test_voltages_read_back(block: Block, rate_hz: float) -> None:
    spread = AnalogRange(low_v=-2.0, high_v=6.0, bits=12)
    compiled = analog_samples(block, {"electrode": spread}, rate_hz)
    volts, level_v = compiled.volts["electrode"], 8.0 / 4095
    assert compiled.error_v["electrode"] <= level_v / 2 * 1.000001
    t_ps = (np.arange(len(volts)) + 0.5) * 1e12 / rate_hz
    expected = np.full(len(volts), -2.0)
    for pulse in _played(block, "electrode"):
        inside = (t_ps >= pulse.start_ps) & (t_ps < pulse.stop_ps)
        shape = pulse.shape.envelope(t_ps[inside] - pulse.start_ps, pulse.duration_ps).real
        expected[inside] += 8.0 * pulse.amplitude * shape
    differs = np.abs(volts - expected) > compiled.error_v["electrode"] * 1.000001
    assert differs.sum() <= 2 * len(_played(block, "electrode"))  # at most the sample at each edge
    near = np.array([e for p in _played(block, "electrode") for e in (p.start_ps, p.stop_ps)])
    for t in t_ps[differs]:
        assert np.abs(near - t).min() <= compiled.quantisation.largest_ps + 1e-6


chirped = st.sampled_from(
    [Square(), Gaussian(4.0), Sech(20e6, 0.02), Chirp(-5e6, 8e6), Comb(4, 12 * NS, 10 * NS), Sech()]
)


@settings(max_examples=60)
@given(trains(("alice_mw",), chirped, phases=True), st.sampled_from([1e9, 1.25e9, 2.4e9]), st.floats(-100e6, 100e6))
def test_iq_codes_read_back(block: Block, rate_hz: float, if_hz: float) -> None:
    """Mixed down by the carrier, the codes are amplitude, phase and shape of every pulse within the resolution."""
    compiled = iq_samples(block, {"alice_mw": Carrier(if_hz, bits=14)}, rate_hz)
    assert compiled.error["alice_mw"] <= 0.5 / 8191 * 1.000001
    codes = compiled.codes["alice_mw"].astype(np.float64) / 8191
    t_ps = (np.arange(len(codes)) + 0.5) * 1e12 / rate_hz
    base = (codes[:, 0] + 1j * codes[:, 1]) * np.exp(-2j * pi * if_hz * t_ps * 1e-12)
    silent = np.ones(len(codes), bool)
    for pulse in _played(block, "alice_mw"):
        inside = (t_ps > pulse.start_ps) & (t_ps < pulse.stop_ps)
        silent &= ~((t_ps > pulse.start_ps - 1e12 / rate_hz) & (t_ps < pulse.stop_ps + 1e12 / rate_hz))
        ideal = pulse.shape.envelope(t_ps[inside] - pulse.start_ps, pulse.duration_ps)
        asked = pulse.amplitude * np.exp(1j * pulse.phase_rad) * ideal
        off = np.abs(base[inside] - asked) > 2**0.5 * compiled.error["alice_mw"] + 1e-7
        assert off.sum() <= 2  # the sample at each edge may belong to the neighbour
    assert not np.any(base[silent])


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.sampled_from([1, 7, 1000, 3333]), st.integers(1, 500))
def test_a_length_off_the_grid_adds_up_over_a_burst(
    header_ps: int, body_ps: int, sample_ps: int, repetitions: int
) -> None:
    compiled = compile_sequence(Sequence("s", Block(header_ps), Block(body_ps), repetitions), sample_ps)
    table = compiled.table
    played_ps = table.header.length_ps + repetitions * table.attempt.length_ps
    assert compiled.quantisation.drift_ps(repetitions) == played_ps - (header_ps + repetitions * body_ps)


def test_what_plays_otherwise_is_the_end_of_the_attempt() -> None:
    cool = Block(3 * US, (Pulse("initialise", US, US),))
    branch = Branch(HeraldCondition(("a", "b"), (0, US), (0, 0)), Block(US), cool)
    table = compile_sequence(Sequence("s", Block(0), Block(5 * US), 9, branch), 1000).table
    assert table.attempt.length_ps == 8 * US
    assert table.attempt.pulses == (Pulse("initialise", 6 * US, US),)


def test_the_carrier_says_by_how_much_it_misses_itself() -> None:
    block = Block(10 * US, (Pulse("mw", 0, US),))
    slips = [iq_samples(block, {"mw": Carrier(f)}, 1e9).phase_slip_rad["mw"] for f in (100e6, 100.025e6)]
    assert slips == pytest.approx([0.0, pi / 2])


@pytest.mark.parametrize(
    ("compile_it", "says"),
    [
        (lambda b: digital_samples(b, {"mw": 32}, 1e9), "lines 0 to 31"),
        (lambda b: digital_samples(b, {"mw": 1}, 1e9), "is gaussian; a line is square"),
        (lambda b: digital_samples(b, {"mw": 1}, 1e5), "nothing is left of it"),
        (lambda b: analog_samples(b, {"turned": AnalogRange()}, 1e9), "has a phase; an analog output has none"),
        (lambda b: iq_samples(b, {"mw": Carrier(0.6e9)}, 1e9), "below 5e+08 Hz is allowed"),
        (lambda b: iq_samples(b, {"twice": Carrier()}, 1e9), "add up to 1.6 of full scale"),
        (lambda b: iq_samples(b, {"outside": Carrier()}, 1e9), "lies outside its block"),
        (lambda b: iq_samples(Block(10**15), {}, 1e9), "at most 200000000"),
    ],
)
def test_what_an_output_cannot_do_is_named(compile_it, says: str) -> None:  # type: ignore[no-untyped-def]
    block = Block(
        10 * US,
        (
            Pulse("mw", US, US, shape=Gaussian()),
            Pulse("turned", 0, US, phase_rad=1.0),
            Pulse("twice", 0, US, 0.8),
            Pulse("twice", 0, US, 0.8),
            Pulse("outside", 9 * US, 2 * US),
        ),
    )
    with pytest.raises(UsageError) as error:
        compile_it(block)
    assert says in str(error.value)
