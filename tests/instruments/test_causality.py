"""Mixed labs: what is real is mirrored into the twin, what is simulated stays there."""

from __future__ import annotations

from pathlib import Path

import pytest
from qcodes.instrument import Instrument

import erbia
from erbia.instruments import mock
from erbia.instruments.causality import is_real, named_mocks, refuse_impossible_links
from erbia.instruments.emulators.dlcpro import DlcProDevice, DlcProHost
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.errors import ConfigError
from erbia.instruments.station import load
from erbia.instruments.station_file import StationFile, find_station, read_station
from erbia.instruments.taps import Taps
from erbia.sequences.validation import problems_of

MOCK, DRIVERS = "erbia.instruments.mock", "erbia.instruments.drivers"


def _file(**more: object) -> StationFile:
    instruments = {
        "snspd": {"type": f"{MOCK}.MockSnspd"},
        "tagger": {"type": f"{DRIVERS}.id900.IdqTimeController", "address": "10.0.0.9"},
        "lake": {"type": f"{DRIVERS}.lake.Lake", "address": "10.0.0.2"},
        "cold": {"type": f"{DRIVERS}.composites.Cryostat", "init": {"temperature": "lake.A.temperature"}},
    }
    return StationFile.model_validate({"instruments": instruments, **more})


def test_simulated_light_cannot_reach_a_real_tagger() -> None:
    file = _file(channels={"tagger": {1: {"name": "a", "detector": "snspd.ch1"}}})
    with pytest.raises(ConfigError, match=r"snspd.ch1 is simulated and cannot reach the real tagger.1"):
        refuse_impossible_links(Path("lab.yaml"), file, {"snspd"})


def test_every_link_is_named_and_a_composite_is_what_its_parts_are() -> None:
    wiring = [
        {"source": "snspd.ch1", "target": "tagger.1", "kind": "electrical"},
        {"source": "snspd.heat", "target": "cold.plate"},
        {"source": "lake.heater", "target": "snspd.plate"},
    ]
    file = _file(wiring=wiring)
    assert is_real(file, {"snspd"}, "cold")
    assert not is_real(file, {"snspd", "lake"}, "cold")
    with pytest.raises(ConfigError) as caught:
        refuse_impossible_links(Path("lab.yaml"), file, {"snspd"})
    assert "snspd.ch1 is simulated and cannot reach the real tagger.1" in str(caught.value)
    assert "snspd.heat is simulated and cannot reach the real cold.plate" in str(caught.value)
    assert "lake" not in str(caught.value)


def test_the_file_may_allow_a_link() -> None:
    link = {"source": "snspd.ch1", "target": "tagger.1", "kind": "electrical", "broken": "allowed"}
    channels = {"tagger": {1: {"name": "a", "detector": "snspd.ch1"}}}
    refuse_impossible_links(Path("lab.yaml"), _file(wiring=[link], channels=channels), {"snspd"})


def test_shipped_stations_are_possible() -> None:
    for name in ("mock_lab", "wire_lab", "hybrid_lab"):
        file = read_station(find_station(name))
        mocks = {n for n, section in file.instruments.items() if section.type.startswith(MOCK)}
        refuse_impossible_links(Path(name), file, mocks)


def test_a_file_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    text = find_station("hybrid_lab").read_text(encoding="utf-8")
    path = tmp_path / "lab.yaml"
    path.write_text(text.replace("electrical, broken: allowed", "electrical"), encoding="utf-8")
    (problem,) = problems_of(path)
    assert "pulser.excitation is simulated and cannot reach the real laser.modulator" in problem
    assert problems_of(find_station("hybrid_lab")) == []
    assert named_mocks(read_station(find_station("wire_lab"))) == set()


def test_a_tap_mirrors_settings_and_readings_and_asks_nothing() -> None:
    pytest.importorskip("toptica.lasersdk")
    from erbia.instruments.drivers.toptica_dlcpro import TopticaDlcPro

    world = mock.load_world({"preset": "single_er_cavity"})
    bench = Bench()
    with DlcProHost(DlcProDevice(bench, "laser")) as host:
        laser = TopticaDlcPro("laser", host.endpoint)
        taps = Taps([laser], world)
        try:
            assert {"laser_emission", "laser_power", "laser_frequency"} <= set(taps.mirrored)
            laser.power(2e-3)
            laser.emission(True)
            assert world.get("laser", "power") == pytest.approx(2e-3)
            assert world.get("laser", "emission") == 1.0
            bench.set("laser.power_w", 3e-3)  # somebody at the front panel
            host.device.trace.clear()
            taps.refresh()
            assert host.device.trace.messages() == []
            assert world.get("laser", "power") == pytest.approx(2e-3)
            laser.power.get()
            taps.refresh()
            assert world.get("laser", "power") == pytest.approx(3e-3)
        finally:
            taps.close()
            Instrument.close_all()


def test_a_hybrid_lab_loads_and_an_impossible_one_names_the_link(tmp_path: Path) -> None:
    pytest.importorskip("toptica.lasersdk")
    text = find_station("hybrid_lab").read_text(encoding="utf-8")
    with DlcProHost(DlcProDevice(Bench(), "laser")) as host:
        path = tmp_path / "lab.yaml"
        path.write_text(text.replace("127.0.0.31:1998:1999", host.endpoint), encoding="utf-8")
        lab = load(path)
        try:
            assert lab.simulated
            assert lab.world.pace == 1.0
            lab.station.laser.frequency(194.96e12)
            assert lab.world.get("laser", "frequency") == pytest.approx(194.96e12, abs=1e6)
            lab.restart("laser").frequency(194.94e12)
            assert lab.world.get("laser", "frequency") == pytest.approx(194.94e12, abs=1e6)
        finally:
            lab.close()
            Instrument.close_all()
        path.write_text(path.read_text().replace("electrical, broken: allowed", "electrical"), encoding="utf-8")
        with pytest.raises(
            ConfigError, match=r"pulser.excitation is simulated and cannot reach the real laser.modulator"
        ):
            load(path)


@pytest.mark.slow
def test_a_run_on_a_hybrid_lab(tmp_path: Path) -> None:
    pytest.importorskip("toptica.lasersdk")
    text = find_station("hybrid_lab").read_text(encoding="utf-8")
    with DlcProHost(DlcProDevice(Bench(), "laser")) as host:
        path = tmp_path / "lab.yaml"
        path.write_text(text.replace("127.0.0.31:1998:1999", host.endpoint), encoding="utf-8")
        with erbia.load_station(path) as lab:
            run = lab.run("storage_time", out_dir=tmp_path, shots=100)
        assert any("cc:enabled #t" in message for message in host.device.trace.messages())
    found, true = run.results["storage_time_s"], run.truth()["storage_time_s"]
    assert run.simulated
    assert abs(found.value - true) < 5 * found.std  # false alarm below 1e-5
