"""Monitors decide which data count: within one block, with the live time right and the result unbiased."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from erbia.analysis.errors import UsageError
from erbia.analysis.files.runfile import Run
from erbia.analysis.records import PS_PER_S
from erbia.sequences.control import RunControl
from erbia.sequences.documents import Document, Progress, Tags, Validity
from erbia.sequences.lab import Lab, load_station
from erbia.sequences.replay import analyze
from erbia.sequences.safety import InterlockTripped

GOOD_W, BAD_W = 1e-3, 3e-4
LIT = {"power": {"parameter": "laser.power", "equals": GOOD_W}}


class Tripper:
    """Makes the laser weak and strong again at random blocks, as a lock that is lost and found."""

    def __init__(self, lab: Lab, rng: np.random.Generator, trips: int) -> None:
        self.lab, self.trips = lab, trips
        self.rng = rng
        self.wait = 12
        self.documents: list[Document] = []
        self.dark: list[tuple[int, int]] = []

    def __call__(self, document: Document) -> None:
        self.documents.append(document)
        if not (isinstance(document, Tags) and document.block.source == "bob"):
            return
        self.wait -= 1
        if self.wait > 0 or (self.trips == 0 and not self.off):
            return
        self.wait = int(self.rng.integers(1, 4))
        self.trips -= self.off
        self.lab.station.laser.power(GOOD_W if self.off else BAD_W)

    @property
    def off(self) -> bool:
        return bool(self.lab.station.laser.power() == BAD_W)


def bad_blocks(documents: list[Document], source: str) -> list[tuple[int, int]]:
    """Blocks told while the source's data did not count."""
    valid, bad = True, []
    for document in documents:
        if isinstance(document, Validity) and document.source == source:
            valid = document.valid
        if isinstance(document, Tags) and document.block.source == source and not valid:
            bad.append((document.block.t_start_ps, document.block.t_stop_ps))
    return bad


@pytest.mark.slow
def test_random_trips_are_cut_out_and_do_not_bias(tmp_path: Path) -> None:
    with load_station("mock_lab", seed=21) as lab:
        tripper = Tripper(lab, np.random.default_rng(5), trips=6)
        config = {"heralds": 120, "calibration_shots": 300, "max_time_s": 1000}
        run = lab.run("heralded_entanglement", out_dir=tmp_path, monitors=LIT, subscribers=(tripper,), **config)
    assert tripper.trips <= 0
    live_ps = run.live_time_ps("midpoint")
    blocks = [d.block for d in tripper.documents if isinstance(d, Tags) and d.block.source == "midpoint"]
    lost_ps = sum(stop - start for start, stop in bad_blocks(tripper.documents, "midpoint"))
    assert live_ps == sum(b.t_stop_ps - b.t_start_ps for b in blocks) - lost_ps
    assert lost_ps >= 6 * min(b.t_stop_ps - b.t_start_ps for b in blocks)
    assert analyze(run).estimates == dict(run.results)
    truth = run.truth()
    for name in ("fidelity", "herald_rate_hz"):
        estimate = run.results[name]
        assert abs(estimate.value - float(truth[name])) < 5 * estimate.std  # false alarm 6e-7 each


def test_suspended_from_the_block_of_the_trip_to_the_first_good_one(lab: Lab, tmp_path: Path) -> None:
    """Trips between blocks 14 and 15, mends between 16 and 17: 15, 16 and 17 do not count."""
    seen: list[Document] = []
    rounds = 0

    def trip(document: Document) -> None:
        nonlocal rounds
        seen.append(document)
        if isinstance(document, Tags) and document.block.source == "bob":
            rounds += 1
            if rounds in (14, 16):
                lab.station.laser.power(GOOD_W if rounds == 16 else BAD_W)

    run = lab.run(
        "heralded_entanglement", out_dir=tmp_path, monitors=LIT, subscribers=(trip,), heralds=90, calibration_shots=300
    )
    blocks = [d.block for d in seen if isinstance(d, Tags) and d.block.source == "midpoint"]
    assert bad_blocks(seen, "midpoint") == [(b.t_start_ps, b.t_stop_ps) for b in blocks[14:17]]
    rows = run.validity_rows()
    ours = rows[rows["source"] == "midpoint"]
    assert [bool(v) for v in ours["valid"]] == [False, True]
    assert ours["t_ps"].tolist() == [blocks[14].t_start_ps, blocks[17].t_start_ps]
    assert "power: laser.power = 0.0003, wanted 0.001" in str(ours["reason"][0])


def test_a_latched_monitor_waits_for_somebody(lab: Lab, tmp_path: Path) -> None:
    latched: dict[str, dict[str, Any]] = {"power": {**LIT["power"], "latching": True}}
    control = RunControl()
    seen: list[Document] = []
    rounds = 0

    def trip(document: Document) -> None:
        nonlocal rounds
        seen.append(document)
        if isinstance(document, Tags) and document.block.source == "bob":
            rounds += 1
            if rounds in (8, 9):
                lab.station.laser.power(GOOD_W if rounds == 9 else BAD_W)
            if rounds == 14:
                control.acknowledge()

    run = lab.run(
        "heralded_entanglement",
        out_dir=tmp_path,
        monitors=latched,
        control=control,
        subscribers=(trip,),
        heralds=40,
        calibration_shots=300,
    )
    blocks = [d.block for d in seen if isinstance(d, Tags) and d.block.source == "midpoint"]
    assert bad_blocks(seen, "midpoint") == [(b.t_start_ps, b.t_stop_ps) for b in blocks[8:14]]
    assert run.status == "done"


def dark_run(lab: Lab, folder: Path, monitors: dict[str, dict[str, Any]], **config: Any) -> Run:
    lab.hold("laser.emission", False)
    return lab.run("heralded_entanglement", out_dir=folder, monitors=monitors, max_time_s=1, heralds=1, **config)


def test_a_count_band_judges_the_block_itself(lab: Lab, tmp_path: Path) -> None:
    band = {"counts": {"channel": "alice.photon", "minimum": 1e6, "sources": ["alice"]}}
    control = RunControl()
    told: list[Document] = []

    def stop_soon(document: Document) -> None:
        told.append(document)
        if sum(isinstance(d, Tags) for d in told) == 9:
            control.request("now")

    run = lab.run("heralded_entanglement", out_dir=tmp_path, monitors=band, control=control, subscribers=(stop_soon,))
    assert run.live_time_ps("alice") == 0
    assert run.live_time_ps("midpoint") > 0


def test_a_step_of_a_clock_is_noticed(tmp_path: Path) -> None:
    station = tmp_path / "stepping.yaml"
    text = (Path(__file__).parents[2] / "configs/stations/mock_lab.yaml").read_text(encoding="utf-8")
    fault = "overrides: {faults: [{kind: clock_step, component: alice_tagger, at_s: 1.5, size: 50000}]}"
    station.write_text(text.replace("  preset: single_er_cavity\n", f"  preset: single_er_cavity\n  {fault}\n"))
    watch = {"alice_clock": {"clock": "alice", "against": "midpoint", "maximum": 2e-8}}
    with load_station(station, seed=2) as lab:
        run = dark_run(lab, tmp_path, watch, calibration_shots=300)
    rows = run.validity_rows()
    assert "alice stepped by" in str(rows["reason"][0])
    first = rows[rows["source"] == "midpoint"]["t_ps"][0] / PS_PER_S
    assert 0.4 < first < 2.6


@pytest.mark.parametrize(
    ("monitor", "words"),
    [
        ({}, "watches one thing"),
        ({"parameter": "laser.emission"}, "needs equals, minimum or maximum"),
        ({"channel": "moon.photon", "maximum": 1}, "no node 'moon'"),
        ({"parameter": "laser.colour", "equals": 1}, "has no 'colour'"),
        ({"parameter": "laser.emission", "equal": 1}, "equal"),
    ],
)
def test_a_wrong_monitor_is_refused_before_anything_is_on(
    lab: Lab, tmp_path: Path, monitor: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        lab.run("heralded_entanglement", out_dir=tmp_path, monitors={"m": monitor})
    assert not list(tmp_path.iterdir())


def test_an_interlock_ends_the_run_safely(tmp_path: Path) -> None:
    station = tmp_path / "guarded.yaml"
    text = (Path(__file__).parents[2] / "configs/stations/mock_lab.yaml").read_text(encoding="utf-8")
    station.write_text(text + "\ninterlocks:\n  - {parameter: cryostat.temperature, maximum: 0.6}\n")
    with load_station(station, seed=2) as lab:

        def warm(document: Document) -> None:
            if isinstance(document, Progress):
                lab.station.cryostat.setpoint(4.0)

        with pytest.raises(InterlockTripped, match=r"cryostat.temperature = .* K, allowed maximum 0.6"):
            lab.run("heralded_entanglement", out_dir=tmp_path, subscribers=(warm,), heralds=10**6, max_time_s=1e6)
        assert not lab.station.laser.emission()
        assert not lab.station.pulser.running()
