import json
import subprocess
import sys
from dataclasses import replace
from math import pi
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erbia.sequences.checks import check_sequence
from erbia.sequences.compile import compile_sequence
from erbia.sequences.documents import Tags
from erbia.sequences.experiments.base import Plan
from erbia.sequences.experiments.timing_jitter import TimingJitter, TimingJitterConfig
from erbia.sequences.lab import Lab
from erbia.sequences.pulses import Chirp, Comb, Gaussian, Pulse, Sech, Square, measure_along, rotation
from erbia.sequences.sequence import Block, Branch, HeraldCondition, Loop, Sequence

shapes = st.one_of(
    st.just(Square()),
    st.builds(Gaussian, st.floats(1, 10)),
    st.builds(Sech, st.floats(-1e9, 1e9), st.floats(0.001, 0.5)),
    st.builds(Chirp, st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)),
    st.builds(Comb, st.integers(1, 20), st.integers(2000, 10**6), st.integers(1000, 2000)),
)
pulses = st.builds(
    Pulse,
    channel=st.sampled_from(["excitation", "alice_mw", "gate"]),
    start_ps=st.integers(0, 10**9),
    duration_ps=st.integers(1, 10**8),
    amplitude=st.floats(0, 1),
    phase_rad=st.floats(-pi, pi),
    shape=shapes,
)
flat_blocks = st.builds(Block, st.integers(0, 10**10), st.lists(pulses, max_size=5).map(tuple))
blocks = st.recursive(
    flat_blocks,
    lambda inner: st.builds(
        Block,
        st.integers(0, 10**10),
        st.lists(pulses, max_size=2).map(tuple),
        st.lists(st.builds(Loop, st.integers(0, 10**9), inner, st.integers(1, 3)), max_size=2).map(tuple),
    ),
    max_leaves=3,
)
windows = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6))
conditions = st.builds(HeraldCondition, st.just(("snspd.ch1", "snspd.ch2")), windows, windows, st.integers(0, 10**6))
branches = st.builds(Branch, conditions, blocks, blocks)
settings = st.lists(
    st.tuples(st.text(max_size=5), st.booleans() | st.integers() | st.floats(0, 1) | st.text(max_size=3)), max_size=2
).map(tuple)
sequences = st.builds(
    Sequence, st.text(max_size=5), blocks, blocks, st.integers(1, 10**6), st.none() | branches, settings
)


@given(sequences)
def test_description_round_trips_through_json(sequence: Sequence) -> None:
    assert Sequence.from_description(json.loads(json.dumps(sequence.describe()))) == sequence
    assert hash(Sequence.from_description(sequence.describe())) == hash(sequence)


@given(sequences, st.sampled_from([1, 4, 1000]))
def test_compiling_puts_every_edge_on_the_grid_and_says_how_far_it_moved(sequence: Sequence, sample_ps: int) -> None:
    compiled = compile_sequence(sequence, sample_ps)
    played = [sequence.header, sequence.attempt, *([sequence.branch.then] if sequence.branch else [])]
    before = [p for block in played for p in block.played()]
    table = compiled.table
    segments = [table.header, table.attempt, *([table.on_herald] if table.on_herald else [])]
    after = [p for segment in segments for p in segment.pulses]
    assert len(before) == len(after)
    for ideal, real in zip(before, after, strict=True):
        assert real.start_ps % sample_ps == 0
        assert (real.start_ps + real.duration_ps) % sample_ps == 0
        assert abs(real.start_ps - ideal.start_ps) <= compiled.quantisation.largest_ps <= sample_ps / 2
    assert compile_sequence(sequence, 1).quantisation.largest_ps == 0


def test_equal_tables_have_equal_fingerprints() -> None:
    def table(start_ps: int) -> str:
        block = Block(1000, (Pulse("gate", start_ps, 100),))
        return compile_sequence(Sequence("s", block, block), 1).table.fingerprint()

    assert table(10) == table(10) != table(11)


def test_measurement_rotations() -> None:
    assert measure_along("Z", "alice_mw", 0, 100) == ()
    (x,) = measure_along("X", "alice_mw", 5, 100)
    assert (x.start_ps, x.duration_ps, x.amplitude, x.phase_rad) == (5, 100, 0.5, -pi / 2)
    assert rotation("bob_mw", 0, pi, 0.0, 100).amplitude == 1.0
    with pytest.raises(KeyError):
        measure_along("Q", "alice_mw", 0, 100)


def _sequence(*found: Pulse, branch: Branch | None = None, repetitions: int = 1) -> Sequence:
    return Sequence("try", Block(1000), Block(1_000_000, found), repetitions, branch)


def _looped(loop: Loop) -> Sequence:
    return Sequence("try", Block(1000), Block(1_000_000, (), (loop,)))


def _branch(early_ps: tuple[int, int], late_ps: tuple[int, int]) -> Branch:
    return Branch(HeraldCondition(("a", "b"), early_ps, late_ps), Block(0))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (_sequence(Pulse("mw", 0, 5000), Pulse("mw", 4000, 5000)), "pulses on mw in body overlap: one ends at 5000 ps"),
        (_sequence(Pulse("mw", 0, 10)), "lasts 10 ps; the shortest allowed is 1000 ps"),
        (_sequence(Pulse("mw", 999_500, 1000)), "lies outside its block of 1000000 ps"),
        (_sequence(Pulse("mw", -5, 1000)), "lies outside its block"),
        (_sequence(Pulse("mw", 0, 1000, amplitude=1.5)), "amplitude 1.5; allowed is 0 to 1"),
        (_sequence(Pulse("mw", 0, 1000, shape="round")), "shape 'round'; allowed are square, gaussian"),  # type: ignore[arg-type]
        (_sequence(repetitions=0), "repetitions is 0"),
        (_sequence(branch=_branch((5, 5), (10, 20))), "the early herald window"),
        (_sequence(branch=_branch((5, 15), (10, 20))), "reaches into the late"),
        (_sequence(branch=_branch((5, 9), (10, 2_000_000))), "overwrite the memory"),
        (_sequence(branch=_branch((5, 2_000_000), (0, 0))), "overwrite the memory"),
        (_sequence(Pulse("mw", 0, 1000, shape=Sech(edge=2.0))), "sech of edge 2"),
        (_sequence(Pulse("mw", 0, 1000, shape=Comb(3, 100, 200))), "its pulses overlap"),
        (_sequence(Pulse("mw", 0, 1000, shape=Comb(3, 1000, 100))), "comb of 2100 ps in a pulse of 1000 ps"),
        (_looped(Loop(0, Block(1000), 0)), "0 times"),
        (_looped(Loop(0, Block(1000), 2000)), "ends at 2000000 ps, outside its block"),
        (_looped(Loop(0, Block(1000, (Pulse("mw", 500, 1000),)), 2)), "reaches outside its 1000 ps"),
        (
            _looped(Loop(0, Block(1, loops=(Loop(0, Block(1), 2),)), 9)),
            "loop at 0 ps in a loop in body ends at 2 ps, outside",
        ),
        (_looped(Loop(0, Block(1, (Pulse("mw", 0, 1),)), 600_000)), "plays 600000 pulses"),
    ],
)
def test_checks_name_the_problem(wrong: Sequence, says: str) -> None:
    problems = check_sequence(wrong)
    assert len(problems) == 1
    assert says in problems[0]


def test_a_sound_sequence_has_no_problem() -> None:
    assert check_sequence(_sequence(Pulse("mw", 0, 5000), Pulse("mw", 5000, 5000), Pulse("gate", 0, 5000))) == []


def test_the_sequence_in_the_docs_is_sound() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sequences.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    code += "\nimport json; print(json.dumps(sequence.describe()))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout
    assert check_sequence(Sequence.from_description(json.loads(told))) == []


class _WeakProbe(TimingJitter):
    """A jitter measurement whose sequence brings its own laser power along."""

    def build(self) -> Plan:
        plan = super().build()
        (setting,) = plan.settings
        assert setting.sequence is not None
        sequence = replace(setting.sequence, settings=(("laser.power", 0.4e-3),))
        return Plan((replace(setting, sequence=sequence),), plan.sources)


def test_settings_of_a_sequence_are_set_while_it_plays(lab: Lab, tmp_path: Path) -> None:
    powers = []
    lab.run(
        _WeakProbe(TimingJitterConfig(clicks=1000)),
        out_dir=tmp_path,
        subscribers=(
            lambda document: powers.append(lab.station.laser.power()) if isinstance(document, Tags) else None,
        ),
    )
    assert set(powers) == {0.4e-3}
    assert lab.station.laser.power() == 1e-3
