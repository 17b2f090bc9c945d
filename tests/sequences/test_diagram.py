import time
from math import pi
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from erbia.analysis.errors import UsageError
from erbia.analysis.report import render_report
from erbia.analysis.report_timing import timing_diagram
from erbia.cli import app
from erbia.sequences.diagram import diagram, lanes, panel
from erbia.sequences.lab import load_station
from erbia.sequences.pulses import Gaussian, Pulse
from erbia.sequences.reports import report_input
from erbia.sequences.sequence import Block, Branch, HeraldCondition, Loop, Sequence

US = 1_000_000
BRANCH = Branch(HeraldCondition(("a", "b"), (2 * US, 3 * US), (5 * US, 6 * US), US), Block(US, (Pulse("r", 0, US),)))
PULSES = (Pulse("mw", US, US, 0.5, pi / 2), Pulse("gate", 0, 4 * US), Pulse("mw", 5 * US, US, 1.0, 0.0, Gaussian()))
SEQUENCE = Sequence("s", Block(US, (Pulse("sync", 0, 1000),)), Block(8 * US, PULSES), 7, BRANCH)


def test_corners_are_the_edges_of_the_pulses() -> None:
    header, attempt, then = diagram(SEQUENCE)
    assert [p.title for p in (header, attempt, then)] == ["header", "attempt ×7", "on herald"]
    gate, mw = attempt.lanes
    assert gate.channel == "gate"
    assert gate.t_ps.tolist() == [0, 0, 0, 4 * US, 4 * US, 8 * US]
    assert gate.level.tolist() == [0, 0, 1, 1, 0, 0]
    assert mw.t_ps[:5].tolist() == [0, US, US, 2 * US, 2 * US]
    assert mw.level[:5].tolist() == [0, 0, 0.5, 0.5, 0]
    assert mw.level.max() == pytest.approx(1.0)
    assert mw.labels == ((US, "φ=1.57"), (5 * US, "gaussian"))
    assert [(s.label, s.start_ps, s.stop_ps) for s in attempt.spans] == [
        ("early window", 2 * US, 3 * US),
        ("late window", 5 * US, 6 * US),
        ("decision", 6 * US, 7 * US),
    ]


@given(st.integers(-(10**6), 9 * 10**6), st.integers(1, 9 * 10**6))
def test_any_view_shows_the_same_levels(start_ps: int, length_ps: int) -> None:
    """A zoomed lane, read at any time, is the whole one read there."""
    view = (start_ps, start_ps + length_ps)
    block = Block(8 * US, PULSES[:2], (Loop(5 * US, Block(US, (Pulse("mw", 0, US // 2),)), 3),))
    for lane in lanes(block, view):
        assert np.all(np.diff(lane.t_ps) >= 0)
        assert (lane.t_ps[0], lane.t_ps[-1]) == view
        t_ps = start_ps + length_ps * (np.arange(21) + 0.437) / 21
        k = np.searchsorted(lane.t_ps, t_ps, side="right") - 1
        shown = lane.level[k]  # square pulses: the level after a corner holds until the next
        asked = np.zeros(len(t_ps))
        for p in block.played():
            if p.channel == lane.channel:
                asked[(t_ps >= p.start_ps) & (t_ps < p.stop_ps)] = p.amplitude
        assert shown.tolist() == asked.tolist()


def test_a_million_pulses_from_seconds_to_picoseconds() -> None:
    inner = Block(US, (Pulse("pump", 0, 200_000), Pulse("pump", 500_000, 10_000)))
    block = Block(2 * 10**12, (), (Loop(0, Block(10 * US, (), (Loop(0, inner, 10),)), 200_000),))
    begun = time.process_time()
    (whole,) = lanes(block, (0, 2 * 10**12))
    assert sum(busy.count for busy in whole.busy) == 4_000_000
    assert len(whole.t_ps) == 2
    late_ps = 1_999_999_000_000
    (near,) = lanes(block, (late_ps + 499_990, late_ps + 500_030))
    assert near.t_ps.tolist() == [late_ps + t for t in (499_990, 500_000, 500_000, 500_030, 500_030, 500_030)]
    assert not near.busy
    assert time.process_time() - begun < 1.0


def test_a_flat_train_denser_than_the_screen_is_told_not_drawn() -> None:
    block = Block(10**9, tuple(Pulse("pump", k * 10_000, 5000) for k in range(50_000)))
    (lane,) = lanes(block, (0, 10**9), pixels=1000)
    assert [(b.start_ps, b.stop_ps, b.count) for b in lane.busy] == [(0, 499_995_000, 50_000)]
    (zoomed,) = lanes(block, (0, 10**6), pixels=1000)
    assert len(zoomed.t_ps) == 2 + 4 * 100


def test_a_part_or_view_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match=r"no part 'tail'; it has header, attempt, then"):
        panel(SEQUENCE, "tail")
    with pytest.raises(UsageError, match="from 5 to 5 ps is empty"):
        panel(SEQUENCE, "attempt", (5, 5))


def test_every_lane_and_window_is_drawn() -> None:
    figure = timing_diagram(diagram(SEQUENCE), "s", simulated=True)
    header, attempt, _ = figure.axes
    assert [t.get_text() for t in attempt.get_yticklabels()] == ["mw", "gate"]
    assert {"early window", "late window", "gaussian"} <= {t.get_text() for t in attempt.texts}
    assert header.get_xlabel() == "header, time (µs)"
    assert "SIMULATED" in figure.get_suptitle()


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_dry_run_writes_the_diagram(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    result = CliRunner().invoke(app, ["dry-run", "heralded_entanglement", "--diagram", str(path)])
    assert result.exit_code == 0, result.output
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG") if suffix == "png" else b"<svg" in content


def test_a_report_shows_what_was_played(tmp_path: Path) -> None:
    with load_station("mock_lab", seed=3) as lab:
        run = lab.run("storage_time", out_dir=tmp_path, shots=20)
    drawn = report_input(run)
    assert [p.title for p in drawn.timing] == ["header", "attempt"]
    assert "alice_mw" in [lane.channel for lane in drawn.timing[1].lanes]
    assert 'alt="pulses of a setting"' in render_report([drawn])
