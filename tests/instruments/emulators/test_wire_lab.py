"""A whole lab on the wire: real drivers, emulators in another process, the physics of the mock lab."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import erbia
from erbia.analysis.files.runfile import Run
from erbia.instruments.emulators.lab import EmulatedLab
from erbia.instruments.errors import ConfigError, ConnectionLost
from erbia.instruments.mock import load_world
from erbia.instruments.station_file import StationFile
from erbia.sequences.truth import truth_beside

for package in ("zmq", "pulsestreamer", "toptica.lasersdk"):
    pytest.importorskip(package)

Emulate = Callable[..., Path]


@pytest.mark.slow
def test_runs_on_the_wire_give_the_physics_of_the_mock_lab(emulate: Emulate, tmp_path: Path) -> None:
    plans = {
        "heralded_entanglement": {"heralds": 60, "calibration_shots": 300},
        "storage_time": {"shots": 150},
    }
    station = emulate("wire_lab", "--pace", "4", "--seed", "3")
    with erbia.load_station(station, seed=3) as lab:
        assert lab.simulated
        wire = {name: lab.run(name, out_dir=tmp_path, **config) for name, config in plans.items()}
    with erbia.load_station("mock_lab", seed=3) as lab:
        mock = {name: lab.run(name, out_dir=tmp_path, **config) for name, config in plans.items()}
    for name, run in wire.items():
        assert run.status == "done"
        assert run.simulated
        assert not any(run.blocks(source)["overflow"].any() for source in run.sources)
        _same_truth(run.truth(), mock[name].truth())
        _agrees(run)
        _agrees(mock[name])


def _agrees(run: Run) -> None:
    found, true = run.results, truth_beside(run, run.results)
    assert true
    for key, value in true.items():
        # five standard errors of a figure: false alarm below 1e-5 each; the rate may miss the end of a burst
        assert abs(found[key].value - value) < 5 * found[key].std + 0.02 * abs(value), key


def _same_truth(wire: dict[str, float], mock: dict[str, float]) -> None:
    """What no clock has a part in is equal up to the resolution of the wire (15 bit amplitudes)."""
    for key, value in mock.items():
        if not key.startswith("clock") and isinstance(value, float):
            assert wire[key] == pytest.approx(value, rel=1e-3), key


@pytest.mark.slow
def test_clocks_are_found_on_the_wire(emulate: Emulate, tmp_path: Path) -> None:
    station = emulate("wire_lab", "--seed", "5")
    with pytest.raises(ConfigError, match="emulated with seed 5; start it with --seed 6"):
        erbia.load_station(station, seed=6)
    with erbia.load_station(station) as lab:
        run = lab.run("clock_sync", out_dir=tmp_path, duration_s=1.0, max_offset_s=4.0)
    true, found = truth_beside(run, run.results), run.results
    # free clocks of white frequency noise 2e-12 wander some 3 ps in a second; the rest is the pairs' own error
    assert abs(found["clock_offset_ps"].value - true["clock_offset_ps"]) < 5 * found["clock_offset_ps"].std + 20
    assert found["clock_skew"].value == pytest.approx(true["clock_skew"], abs=2e-11)


def test_a_lab_nobody_emulates_says_how_to_start_it() -> None:
    with pytest.raises(ConnectionLost, match="erbia emulate wire_lab"):
        erbia.load_station("wire_lab")


@pytest.mark.slow
def test_the_table_lists_every_instrument_and_an_interrupt_ends_it(emulate: Emulate, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "erbia", "emulate", "wire_lab", "--json", "--at", "127.200.1", "--copy"]
    process = subprocess.Popen([*command, str(tmp_path / "lab.yaml")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    facts = json.loads(process.stdout.readline())
    rows = {row["instrument"]: row for row in facts["endpoints"]}
    assert rows["laser"] == {
        "instrument": "laser", "driver": "TopticaDlcPro", "address": "127.200.1.11:1998:1999", "is": "emulated",
    }  # fmt: skip
    assert rows["alice_memory"]["is"] == "made of others"
    assert facts["started_in_s"] < 10  # a second when the machine is idle; see benchmarks/instruments.py
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


def test_a_pace_that_would_falsify_a_counter_is_refused() -> None:
    counter = {"type": "erbia.instruments.drivers.ni_counter.NiEdgeCounter", "address": "127.200.2.2:31763"}
    file = StationFile.model_validate({"instruments": {"counter": counter}, "twin": {"preset": "single_er_cavity"}})
    with pytest.raises(ConfigError, match="counter counts by this computer's clock, so pace must be 1, not 3"):
        EmulatedLab(file, load_world({"preset": "single_er_cavity"}), 3.0)
