"""The generic scan on the simulated lab: lines where they are, maps, searches, references, breaking off."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import erbia
from erbia.analysis.errors import UsageError
from erbia.analysis.files.runfile import Run
from erbia.instruments.errors import ConfigError
from erbia.sequences.documents import Document, RunStop
from erbia.sequences.lab import Lab

LINE_HZ = 194.95e12
LIT = {"laser.emission": True}


def scan(lab: Lab, folder: Path, **config: Any) -> Run:
    """A scan of Alice's read-out light, short at every point."""
    settings = {"play": "alice_readout", "dwell_s": 0.05, "measure": ["alice.photon"], "parameters": LIT}
    return lab.run("scan", out_dir=folder, **{**settings, **config})


def across_the_line(points: int) -> dict[str, Any]:
    return {"parameter": "laser.frequency", "unit": "Hz", "centre": LINE_HZ, "span": "8 MHz", "points": points}


def test_a_curve_peaks_on_the_line_and_the_file_gives_the_same_curve(lab: Lab, tmp_path: Path) -> None:
    before_hz = lab.station.laser.frequency()
    run = scan(lab, tmp_path, points={"axes": [across_the_line(9)], "order": "shuffled", "repeats": 2})
    curve = erbia.analyze(run).curves["alice.photon"]
    assert curve.x == pytest.approx(np.linspace(LINE_HZ - 4e6, LINE_HZ + 4e6, 9))
    assert np.argmax(curve.measured) == 4
    assert np.all((curve.lower < curve.measured) & (curve.measured < curve.upper))
    assert run.results["highest_hz"].value == curve.measured[4]
    assert lab.station.laser.frequency() == before_hz  # the scan leaves the laser where it was


def test_a_map_follows_the_stark_shift(lab: Lab, tmp_path: Path) -> None:
    volts = {"parameter": "alice_memory.electrode_voltage", "values": [1.0, -1.0]}
    points = {"axes": [volts, across_the_line(7)], "order": "snake", "reference": {"values": {"laser.emission": False}}}
    result = erbia.analyze(scan(lab, tmp_path, points=points))
    image = result.images["alice.photon"]
    assert image.z.shape == (2, 7)
    assert image.y.tolist() == [-1.0, 1.0]
    assert image.x[image.z.argmax(axis=1)] - LINE_HZ == pytest.approx([-8e6 / 3, 0])  # 2 V at 1.3 MHz/V: -2.6 MHz
    dark = result.curves["reference alice.photon"]
    assert len(dark.measured) == 3
    assert dark.measured.max() < image.z.min()


def test_a_search_finds_the_line_and_goes_the_same_way_in_the_file(lab: Lab, tmp_path: Path) -> None:
    search = {"method": "golden_section", "parameter": "laser.frequency", "tolerance": 1e6}
    run = scan(lab, tmp_path, points={**search, "low": LINE_HZ - 6e6, "high": LINE_HZ + 5e6})
    assert run.results["highest at laser.frequency"].value == pytest.approx(LINE_HZ, abs=1e6)
    curve = erbia.analyze(run).curves["alice.photon"]
    assert len(curve.x) == len(run.settings())


def test_a_reading_is_measured_and_breaks_the_scan_off(lab: Lab, tmp_path: Path) -> None:
    seen: list[Document] = []
    bias = {"parameter": "snspd.ch1.bias", "unit": "A", "start": "17 uA", "stop": "21 uA", "points": 9}
    with pytest.raises(ConfigError, match=r"snspd\.ch2\.latched"):
        scan(lab, tmp_path, measure=["snspd.ch1.latched"], break_when={"measured": "snspd.ch2.latched", "above": 0})
    run = lab.run(
        "scan",
        out_dir=tmp_path,
        subscribers=(seen.append,),
        dwell_s=0.01,
        points={"axes": [bias]},
        measure=["snspd.ch1.latched"],
        break_when={"measured": "snspd.ch1.latched", "above": 0.5},
    )
    curve = erbia.analyze(run).curves["snspd.ch1.latched"]
    assert curve.x[-1] == pytest.approx(19e-6)  # 95 % of the switching current
    assert curve.measured.tolist() == [0.0] * 4 + [1.0]
    assert isinstance(seen[-1], RunStop)
    assert "broken off" in seen[-1].reason


def test_time_to_settle_does_not_count(lab: Lab, tmp_path: Path) -> None:
    points = {"axes": [{"parameter": "snspd.ch3.bias", "values": [18e-6]}]}
    measure = {"play": "nothing", "points": points, "dwell_s": 2.0}
    run = scan(lab, tmp_path, **measure, settle_s=3.5, parameters={"pair_source.emission": False})
    settings = run.settings()
    assert settings["t_stop_ps"][0] - settings["t_start_ps"][0] >= 5.5e12
    counted = run.results["highest_hz"]
    assert counted.n / counted.value <= 3.0  # seconds: what dwelt, in whole blocks


def test_a_unit_that_is_not_the_parameters_is_refused(tmp_path: Path) -> None:
    refused = pytest.raises(UsageError, match=r"laser\.power is in W, but was typed in A")
    with erbia.load_station("mock_lab", seed=1) as lab, refused:
        lab.run("scan", out_dir=tmp_path, points="laser.power = 1..2 uA/3")
    assert list(tmp_path.iterdir()) == []
