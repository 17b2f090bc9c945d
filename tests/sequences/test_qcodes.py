"""At home in QCoDeS: its own measurements run on the station unchanged; erbia's runs become its datasets and xarray's."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray

import erbia
from erbia.analysis.files.runfile import Run
from erbia.analysis.records import Estimate
from erbia.sequences.lab import Lab
from erbia.sequences.qcodes_export import export_to_qcodes

LINE_HZ = 194.95e12


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    """A QCoDeS database that is the current one for as long as the test takes."""
    from qcodes import config
    from qcodes.dataset import initialise_or_create_database_at

    before = config.core.db_location
    path = tmp_path / "lab.db"
    initialise_or_create_database_at(str(path))
    yield path
    config.core.db_location = before


@pytest.fixture
def stark_map(lab: Lab, tmp_path: Path) -> Run:
    """A small two-dimensional scan with a reading."""
    frequency = {"parameter": "laser.frequency", "unit": "Hz", "centre": LINE_HZ, "span": "6 MHz", "points": 3}
    volts = {"parameter": "alice_memory.electrode_voltage", "unit": "V", "values": [1.0, 0.0]}
    return lab.run(
        "scan",
        out_dir=tmp_path,
        points={"axes": [volts, frequency], "order": "snake"},
        measure=["alice.photon", "cryostat.temperature"],
        dwell_s=0.02,
        play="alice_readout",
        parameters={"laser.emission": True},
    )


def test_a_qcodes_measurement_runs_on_the_station_unchanged(lab: Lab, database: Path) -> None:
    from qcodes.dataset import Measurement, load_by_id, load_or_create_experiment

    snspd = lab.station.snspd
    lab.station.pair_source.emission(True)
    measurement = Measurement(load_or_create_experiment("bias", "ch3"), station=lab.station)
    measurement.register_parameter(snspd.ch3.bias)
    measurement.register_parameter(snspd.ch3.count_rate, setpoints=(snspd.ch3.bias,))
    with measurement.run() as saver:
        for bias_a in (10e-6, 14e-6, 18e-6):
            snspd.ch3.bias(bias_a)
            saver.add_result((snspd.ch3.bias, bias_a), (snspd.ch3.count_rate, snspd.ch3.count_rate()))
    data = load_by_id(saver.run_id).to_xarray_dataset()
    assert data["snspd_ch3_bias"].values.tolist() == [10e-6, 14e-6, 18e-6]
    assert np.all(np.diff(data["snspd_ch3_count_rate"].values) > 0)
    assert "alice_memory" in load_by_id(saver.run_id).snapshot["station"]["instruments"]  # type: ignore[index]


def test_dond_runs_on_the_station_unchanged(lab: Lab, database: Path) -> None:
    from qcodes.dataset import LinSweep, dond, load_or_create_experiment

    memory = lab.station.alice_memory
    dataset, *_ = dond(
        LinSweep(memory.electrode_voltage, -1, 1, 3),
        LinSweep(memory.magnetic_field, 0.3, 0.301, 2),
        memory.resonance_frequency,
        exp=load_or_create_experiment("Stark", "Zeeman"),
        show_progress=False,
    )
    table = dataset.to_xarray_dataset()["alice_memory_resonance_frequency"]
    assert table.shape == (3, 2)
    assert float(table[2, 0] - table[0, 0]) == pytest.approx(2 * 1.3e6)
    assert float(table[0, 1] - table[0, 0]) == pytest.approx(1e6)


def test_a_run_becomes_qcodes_datasets(stark_map: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from qcodes.dataset import connect, load_by_id

    path = tmp_path / "exported" / "lab.db"
    capsys.readouterr()
    numbers = export_to_qcodes(stark_map, path)
    assert capsys.readouterr().out == ""
    connection = connect(str(path))
    found = {load_by_id(k, connection).name: load_by_id(k, connection).to_xarray_dataset() for k in numbers}
    connection.close()
    assert set(found) == {"settings", "alice.photon", "cryostat.temperature"}
    image = erbia.analyze(stark_map).images["alice.photon"]
    assert found["alice.photon"]["alice_photon"].values == pytest.approx(image.z, rel=1e-12)
    settings = found["settings"]
    assert settings["laser_frequency"].values.tolist() == pytest.approx(
        [LINE_HZ + d for d in (-3e6, 0, 3e6, 3e6, 0, -3e6)]
    )
    assert settings["cryostat_temperature"].values == pytest.approx(0.5)
    assert settings["alice_photon_rate"].values[1] == settings["alice_photon_rate"].values.max()
    more = export_to_qcodes(stark_map, path)  # a second run goes into the same database
    assert min(more) > max(numbers)
    with sqlite3.connect(path) as raw:
        assert raw.execute("select count(*) from runs").fetchone() == (6,)


def test_a_runs_scans_open_with_xarray(stark_map: Run) -> None:
    group = "results/0/scans/alice.photon"
    with xarray.open_dataset(stark_map.path, group=group, engine="h5netcdf", phony_dims="sort") as dataset:
        image = erbia.analyze(stark_map).images["alice.photon"]
        assert dataset["alice.photon"].dims == ("alice_memory.electrode_voltage", "laser.frequency")
        assert np.array_equal(dataset["alice.photon"].values, image.z)
        assert dataset["laser.frequency"].values == pytest.approx(image.x)
        assert dataset["laser.frequency"].attrs["units"] == "Hz"
        assert "phony_dim_0" not in dataset.dims
    with h5py.File(stark_map.path) as file:
        assert set(file["results/0/scans"]) == {"alice.photon", "cryostat.temperature"}


def test_runs_and_estimates_show_themselves_in_a_notebook(stark_map: Run) -> None:
    assert "highest_hz" in stark_map._repr_html_()
    result = erbia.analyze(stark_map)
    assert "<th>highest_hz</th>" in result._repr_html_()
    assert "<td>alice.photon, cryostat.temperature</td>" in result._repr_html_()
    assert repr(result).startswith("<Result highest_hz=")
    assert len(repr(result)) < 500
    shown = Estimate(1.5e-3, 1e-3, 2e-3, 0.95, 2e-4, 12, "fit <x>", "s")._repr_html_()
    assert shown.startswith("<b>0.0015 s</b>")
    assert "[0.001, 0.002] s at 95%" in shown
    assert "fit &lt;x&gt;" in shown
