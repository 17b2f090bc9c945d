"""What goes over the wire as flat steps comes back as the program the mock would have played."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest

from erbia.instruments.emulators.playing import PulseWires, program_of
from erbia.instruments.emulators.ports import HeraldWindows, PulseProgram, PulseSteps
from erbia.instruments.errors import LimitError
from erbia.instruments.mock.pulser import OUTPUTS, as_program
from erbia.instruments.pulse_steps import Wiring, burst_steps, segment_steps
from erbia.instruments.pulse_table import HeraldCondition, Pulse, PulseTable, Segment
from erbia.instruments.station import nodes_of
from erbia.instruments.station_file import find_station, read_station
from erbia.instruments.twin import Program, Section
from erbia.sequences.compile import compile_sequence
from erbia.sequences.experiments.config import make_config, nested
from erbia.sequences.experiments.registry import find_experiment

WIRE = read_station(find_station("wire_lab"))
SETTINGS = WIRE.instruments["pulser"].init
LINES = {"alice_readout": "Dev1/port0/line0", "bob_readout": "Dev1/port0/line1"}


def _texts(key: str) -> dict[str, str]:
    return {channel: str(output) for channel, output in SETTINGS[key].items()}


WIRING = Wiring(_texts("outputs"), {}, _texts("quadratures"))
WIRES = PulseWires(_texts("outputs"), _texts("quadratures"), LINES)
FULL_SCALE = 0x7FFF


def _over_the_wire(table: PulseTable) -> Program:
    """Encodes a table as the driver does, and decodes it as the emulator does."""
    slots = []
    segments = [(burst_steps(table, WIRING, 1000, "pulser"), table.bursts or -1)]
    if table.on_herald is not None:
        segments.append((segment_steps(table.on_herald, WIRING, 1000, "pulser"), 1))
    for steps, runs in segments:
        analog_v = np.round(FULL_SCALE * steps.analog_v) / FULL_SCALE
        slots.append(PulseSteps(steps.duration_ps // 1000, steps.digital, analog_v, runs))
    played = {p.channel for s in (table.header, table.attempt, table.on_herald or Segment(0)) for p in s.pulses}
    herald = HeraldWindows()
    if table.condition is not None:
        herald = HeraldWindows(table.condition.early_ps, table.condition.late_ps, table.condition.latency_ps)
    return program_of(PulseProgram(tuple(slots), 0.0), WIRES, frozenset(played & set(LINES)), herald)


def _flat(section: Section, at_ps: int) -> list[tuple[str, int, int]]:
    return [(p.channel, at_ps + p.start_ps, p.duration_ps) for p in section.pulses]


def _same(found: Program, expected: Program) -> None:
    """Equal up to what cannot be told from a burst without repetition: where its header ends."""
    assert found.attempts_per_burst == expected.attempts_per_burst
    assert (found.rule, found.bursts, found.burst_ps) == (expected.rule, expected.bursts, expected.burst_ps)
    parts = [(found.header, expected.header, 0, 0), (found.on_herald, expected.on_herald, 0, 0)]
    starts = (found.header.length_ps, expected.header.length_ps)
    if found.attempts_per_burst > 1 or found.rule:
        assert starts[0] == starts[1]
    ours = sorted(_flat(found.header, 0) + _flat(found.attempt, starts[0]))
    theirs = sorted(_flat(expected.header, 0) + _flat(expected.attempt, starts[1]))
    assert ours == theirs
    assert sorted(_flat(parts[1][0], 0)) == sorted(_flat(parts[1][1], 0))
    for ours_, theirs_ in ((found.attempt, expected.attempt), (found.on_herald, expected.on_herald)):
        for channel in ("alice_mw", "bob_mw"):
            for a, b in zip(ours_.on(channel), theirs_.on(channel), strict=True):
                assert a.area == pytest.approx(b.area, abs=1 / FULL_SCALE)
                assert np.exp(1j * a.phase_rad) == pytest.approx(np.exp(1j * b.phase_rad), abs=1e-9)


@pytest.mark.parametrize(
    ("experiment", "config"),
    [
        ("heralded_entanglement", {}),
        ("bell_test", {}),
        ("heralded_entanglement", {"timing.attempts_per_burst": 7, "timing.storage_s": "100 us"}),
        ("storage_time", {"node": "bob"}),
        ("timing_jitter", {}),
    ],
)
def test_every_sequence_of_the_experiments(experiment: str, config: dict[str, object]) -> None:
    kind = find_experiment(experiment)
    plan = kind(make_config(kind.Config, nested(config, {}), experiment)).on(nodes_of(WIRE)).build()
    for setting in plan.settings:
        assert setting.sequence is not None
        table = compile_sequence(setting.sequence, 1000).table
        _same(_over_the_wire(table), as_program(table))


def test_one_click_may_herald() -> None:
    condition = HeraldCondition(("a", "b"), (2000, 4000), (0, 0), 1000)
    table = PulseTable(Segment(1000), Segment(9000, (Pulse("initialise", 0, 1000),)), 3, condition, Segment(9000))
    _same(_over_the_wire(table), as_program(table))


def test_the_wiring_has_every_output_of_the_lab_and_every_phase() -> None:
    assert set(OUTPUTS) - set(WIRING.outputs) <= OPTIONAL
    for quarter in range(-3, 4):
        pulse = Pulse("alice_mw", 1000, 50_000, 0.5, quarter * pi / 2)
        table = PulseTable(Segment(1000), Segment(100_000, (pulse,)), 1)
        _same(_over_the_wire(table), as_program(table))
    with pytest.raises(LimitError, match="multiples of pi/2"):
        burst_steps(PulseTable(Segment(0), Segment(9000, (Pulse("bob_mw", 0, 9000, 1, 1.0),)), 1), WIRING, 1000, "p")


#: Outputs of the simulated lab that this station does not use.
OPTIONAL = {
    "reference", "alice_input", "bob_input", "alice_burn", "bob_burn", "alice_electrode", "bob_electrode", "alice_control", "bob_control",
}  # fmt: skip


def test_a_shared_output_must_play_one_thing() -> None:
    pulses = (Pulse("alice_readout", 0, 5000), Pulse("bob_readout", 1000, 5000))
    with pytest.raises(LimitError, match="share output 4"):
        burst_steps(PulseTable(Segment(0), Segment(9000, pulses), 1), WIRING, 1000, "pulser")


def test_a_dark_switch_lets_nothing_through() -> None:
    table = PulseTable(Segment(0), Segment(9000, (Pulse("alice_readout", 0, 5000),)), 1)
    steps = burst_steps(table, WIRING, 1000, "pulser")
    played = PulseProgram((PulseSteps(steps.duration_ps // 1000, steps.digital, steps.analog_v, -1),), 0.0)
    assert program_of(played, WIRES, frozenset(), HeraldWindows()).attempt.pulses == ()
    assert program_of(played, WIRES, frozenset({"bob_readout"}), HeraldWindows()).attempt.on("alice_readout") == ()


def test_without_a_herald_rule_the_second_slot_is_never_reached() -> None:
    condition = HeraldCondition(("a", "b"), (2000, 4000), (5000, 7000))
    table = PulseTable(Segment(1000), Segment(9000, (Pulse("initialise", 0, 1000),)), 3, condition, Segment(9000))
    steps = burst_steps(table, WIRING, 1000, "pulser")
    slot = PulseSteps(steps.duration_ps // 1000, steps.digital, steps.analog_v, -1)
    program = program_of(PulseProgram((slot, slot), 0.0), WIRES, frozenset(), HeraldWindows())
    assert (program.rule, program.attempts_per_burst, program.attempt.length_ps) == (None, 3, 9000)
