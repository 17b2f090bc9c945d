"""A run's scans in a QCoDeS database, and the same scans in xarray, straight from the run file."""

from pathlib import Path
from tempfile import TemporaryDirectory

import xarray

import erbia
from erbia.sequences.qcodes_export import export_to_qcodes

with erbia.load_station("mock_lab", seed=14) as lab:
    run = lab.run("scan", dwell_s=0.05)

dataset = xarray.open_dataset(run.path, group="results/0/scans/alice.photon", engine="h5netcdf", phony_dims="sort")
print(dataset)
with TemporaryDirectory() as folder:
    numbers = export_to_qcodes(run, Path(folder) / "lab.db")
    print(f"QCoDeS datasets {numbers} in lab.db; plottr opens them")
