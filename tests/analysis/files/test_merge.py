"""Node files of one run in one file: raw clicks kept, clocks compared, every tagger readable on one clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from erbia.analysis.clock_model import to_clock_b
from erbia.analysis.coincidence import count_pairs
from erbia.analysis.errors import DataError, UsageError
from erbia.analysis.files.merge import compare_clocks, files_of_run, merge_nodes, taggers_of
from erbia.analysis.files.runfile import RunWriter, open_run
from erbia.analysis.files.tagfile import read_tags
from erbia.analysis.files.timebase import (
    model_from_plain,
    model_to_plain,
    on_one_clock,
    read_timebases,
    timebase_of,
    write_timebase,
)
from erbia.analysis.records import PS_PER_S, ClockModel, Int64Array, TagBlock, TimeTags
from erbia.cli import app

CONFIG = {"station_yaml": "", "experiment_yaml": "", "resolved_json": "{}"}
CLOCK_B = ClockModel(offset_ps=3.5e9, skew=2e-7, t_ref_ps=0)
SPAN_PS = round(0.5 * PS_PER_S)


def node_file(path: Path, tagger: str, t_ps: Int64Array, run_id: str = "r1", channel: int = 1) -> Path:
    with RunWriter.create(
        path,
        run_id=run_id,
        experiment="pairs",
        simulated=True,
        operator="",
        sources={tagger: {channel: "snspd"}},
        config=CONFIG,
        provenance={},
    ) as writer:
        tags = TimeTags(t_ps, np.full(len(t_ps), channel, np.uint8))
        middle = int(np.searchsorted(t_ps, t_ps[len(t_ps) // 2]))
        cut = int(t_ps[middle])
        writer.append_tags(TagBlock(TimeTags(tags.t_ps[:middle], tags.channel[:middle]), int(t_ps[0]), cut, tagger))
        writer.append_tags(
            TagBlock(TimeTags(tags.t_ps[middle:], tags.channel[middle:]), cut, int(t_ps[-1]) + 1, tagger)
        )
        writer.append_reading(int(t_ps[5]), f"{tagger} temperature", 0.9, "K")
    return path


@pytest.fixture
def nodes(tmp_path: Path) -> tuple[Path, Path]:
    """5 kcps of pairs among 20 kcps at each node for half a second, 60 ps of jitter."""
    rng = np.random.default_rng(4)
    pairs = rng.uniform(0, SPAN_PS, 10_000)
    clicks = [np.concatenate((pairs + rng.normal(0, 60, len(pairs)), rng.uniform(0, SPAN_PS, 10_000))) for _ in "ab"]
    t_a, t_b = (np.sort(np.rint(c).astype(np.int64)) for c in clicks)
    return node_file(tmp_path / "a.h5", "alice", t_a), node_file(tmp_path / "b.h5", "bob", to_clock_b(t_b, CLOCK_B))


def merged(nodes: tuple[Path, Path], target: Path) -> Path:
    found = compare_clocks(nodes, max_offset_s=0.01, max_ppm=1.0)
    assert list(found) == ["bob"]
    model = found["bob"].model
    assert model is not None
    return merge_nodes(nodes, target, {"bob": model}, "photon pairs").path


def test_raw_clicks_are_kept_and_read_on_one_clock(nodes: tuple[Path, Path], tmp_path: Path) -> None:
    path = merged(nodes, tmp_path / "all.h5")
    with open_run(nodes[1]) as before, open_run(path) as run:
        assert run.run_id == "r1"
        assert run.simulated
        assert np.array_equal(run.tags("bob").t_ps, before.tags("bob").t_ps)
        base = timebase_of(run)
        assert base.reference == "alice"
        assert base.method == "photon pairs"
        t_a, t_b = run.tags("alice").t_ps, base.tags(run, "bob").t_ps
        assert count_pairs(t_a, t_b, window_ps=600) > 9_900
        blocks = list(base.blocks(run, "bob"))
        assert np.array_equal(np.concatenate([block.tags.t_ps for block in blocks]), t_b)
        assert all(b.t_start_ps <= b.tags.t_ps[0] and b.tags.t_ps[-1] < b.t_stop_ps for b in blocks)
        t_of = {str(row["name"]): int(row["t_ps"]) for row in run.readings()}
        assert list(t_of.values()) == sorted(t_of.values())
        late = t_of["bob temperature"] - int(before.readings()["t_ps"][0])
        assert late == pytest.approx(-CLOCK_B.offset_ps, abs=1e6)


def test_one_stream_of_both_taggers(nodes: tuple[Path, Path], tmp_path: Path) -> None:
    path = merged(nodes, tmp_path / "all.h5")
    both = read_tags(f"{path}:alice+bob")
    assert both.channel_names == {1: "alice.snspd", 3: "bob.snspd"}
    assert np.all(np.diff(both.tags.t_ps) >= 0)
    assert count_pairs(both.tags.on(1), both.tags.on(3), window_ps=600) > 9_900
    # Raw, the two clocks are 3.5 ms apart.
    alone = [read_tags(f"{path}:{name}").tags.t_ps for name in ("alice", "bob")]
    assert count_pairs(*alone, window_ps=600) < 500


def test_a_better_model_is_added_and_the_old_one_stays(nodes: tuple[Path, Path], tmp_path: Path) -> None:
    path = merged(nodes, tmp_path / "all.h5")
    piecewise = ClockModel(1.25, 1e-9, 2e-12, 7, np.diag([0.1, 1e-24, 1e-30]), ((SPAN_PS // 2, CLOCK_B),))
    with open_run(path) as run:
        raw = run.tags("bob").t_ps
        assert write_timebase(run, "alice", {"bob": piecewise}, "by hand") == 1
        first, second = read_timebases(run)
        assert (first.number, second.number) == (0, 1)
        kept = second.clocks["bob"]
        assert model_to_plain(kept) == model_to_plain(piecewise)
        assert model_to_plain(model_from_plain(model_to_plain(kept))) == model_to_plain(kept)
        assert np.array_equal(run.tags("bob").t_ps, raw)


def test_mistakes_are_named(nodes: tuple[Path, Path], tmp_path: Path) -> None:
    other = node_file(tmp_path / "c.h5", "carol", np.arange(100, dtype=np.int64) * 1000, run_id="r2")
    with pytest.raises(UsageError, match="only files of one run"):
        merge_nodes([nodes[0], other], tmp_path / "x.h5", {}, "")
    with pytest.raises(UsageError, match="a clock model for each of bob"):
        merge_nodes(nodes, tmp_path / "x.h5", {}, "")
    with pytest.raises(UsageError, match="two or more"):
        taggers_of([nodes[0]])
    assert not (tmp_path / "x.h5").exists()
    with open_run(nodes[0]) as run:
        with pytest.raises(DataError, match="never compared"):
            timebase_of(run)
        with pytest.raises(UsageError, match="taggers of alice"):
            write_timebase(run, "alice", {"bob": CLOCK_B}, "")
    path = merge_nodes(nodes, tmp_path / "all.h5", {"bob": ClockModel(0.0)}, "same clock").path
    with open_run(path) as run, pytest.raises(UsageError, match="no model of the clock of 'eve'"):
        on_one_clock(run, ["eve"])


def test_taggers_of_the_same_name_take_their_file_s(tmp_path: Path) -> None:
    t = np.arange(100, dtype=np.int64) * 1000
    files = [node_file(tmp_path / f"{name}.h5", "tagger", t) for name in ("left", "right")]
    assert taggers_of(files) == ("left.tagger", "right.tagger")
    path = merge_nodes(files, tmp_path / "all.h5", {"right.tagger": ClockModel(0.0)}, "same clock").path
    assert len(read_tags(f"{path}:left.tagger+right.tagger").tags) == 200


def test_command_line(nodes: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "all.h5"
    narrow = ["--max-offset-s", "0.01", "--max-ppm", "1"]
    result = CliRunner().invoke(app, ["merge", *map(str, nodes), "--out", str(out), *narrow, "--json"])
    assert result.exit_code == 0
    assert '"reference": "alice"' in result.stdout
    kept = CliRunner().invoke(app, ["sync", f"{out}:alice", f"{out}:bob", *narrow, "--keep", "--json"])
    assert kept.exit_code == 0
    with open_run(out) as run:
        assert [base.number for base in read_timebases(run)] == [0, 1]


def test_the_files_of_a_run_are_found_in_a_folder(nodes: tuple[Path, Path], tmp_path: Path) -> None:
    node_file(tmp_path / "c.h5", "carol", np.arange(100, dtype=np.int64) * 1000, run_id="r2")
    (tmp_path / "no_run.h5").write_bytes(b"nothing")
    assert files_of_run(tmp_path, "r1") == nodes
    with pytest.raises(DataError, match="1 files of run 'r2'"):
        files_of_run(tmp_path, "r2")
    out = tmp_path / "merged" / "all.h5"
    arguments = ["merge", str(tmp_path), "--run-id", "r1", "--same-clock", "--out", str(out)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    with open_run(out) as run:
        assert run.sources == ("alice", "bob")


def test_command_line_says_not_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    files = [
        node_file(tmp_path / f"{n}.h5", n, np.sort(rng.integers(0, SPAN_PS, 2000).astype(np.int64))) for n in ("a", "b")
    ]
    out = tmp_path / "all.h5"
    arguments = [
        "merge",
        *map(str, files),
        "--out",
        str(out),
        "--max-offset-s",
        "0.001",
        "--max-ppm",
        "1",
        "--max-work",
        "1e6",
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "no correlation peak" in result.stdout
    assert not out.exists()
