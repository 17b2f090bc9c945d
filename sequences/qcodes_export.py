"""Runs as QCoDeS datasets: what was set, read and counted at every setting, and every curve and map of the result."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.errors import DataError
from ..analysis.files.grids import Grid
from ..analysis.files.runfile import Run
from ..analysis.records import PS_PER_S
from .keeping import scans_of
from .replay import analyze, rounds

_NUMBERS = (bool, int, float)


def export_to_qcodes(run: Run, database: Path) -> list[int]:
    """Adds the run to a QCoDeS database (made if it is not there) and returns the datasets' run ids.

    One dataset ``settings`` (the parameters that were scanned against count rates and readings) where anything was scanned,
    and one for every curve and map. The QCoDeS experiment is named after the experiment, its sample after the run.

    Raises:
        DataError: the database cannot be written.
    """
    from qcodes.dataset import connect, load_or_create_experiment  # slow to import

    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        with closing(connect(str(database))) as connection:
            experiment = load_or_create_experiment(run.experiment, run.run_id, conn=connection)
            grids = _settings(run) | scans_of(analyze(run))
            return [_write(experiment, name, grid, run) for name, grid in grids.items()]
    except (OSError, RuntimeError) as error:
        raise DataError(f"{database}: cannot be written as a QCoDeS database: {error}") from error


def _settings(run: Run) -> dict[str, Grid]:
    """What was scanned, over the number of the setting; empty when no number was changed from setting to setting."""
    told = [json.loads(text) for text in run.settings()["parameters"]]
    scanned = _columns([setting["parameters"] for setting in told])
    moved = {name: values for name, values in scanned.items() if len(np.unique(values[~np.isnan(values)])) > 1}
    if not moved:
        return {}
    columns = moved | _columns([setting.get("readings", {}) for setting in told]) | _rates(run, len(told))
    number = np.arange(len(told), dtype=np.float64)
    variables = {name: (("setting",), values) for name, values in columns.items()}
    units = {name: "Hz" for name in columns if name.endswith(" rate")}
    return {"settings": Grid({"setting": number}, variables, units)}


def _columns(rows: list[Mapping[str, Any]]) -> dict[str, NDArray[np.float64]]:
    """The numbers of each setting by name, nan where a setting has none."""
    names = dict.fromkeys(name for row in rows for name, value in row.items() if isinstance(value, _NUMBERS))
    return {name: np.array([float(row.get(name, "nan")) for row in rows]) for name in names}


def _rates(run: Run, settings: int) -> dict[str, NDArray[np.float64]]:
    """Mean count rate of every channel in every setting, Hz."""
    counts: dict[str, NDArray[np.float64]] = {}
    live_s: dict[str, NDArray[np.float64]] = {source: np.zeros(settings) for source in run.sources}
    for setting, block in rounds(run):
        if setting >= settings or block.overflow:
            continue
        live_s[block.source][setting] += (block.t_stop_ps - block.t_start_ps) / PS_PER_S
        for number, name in run.channels(block.source).items():
            column = counts.setdefault(f"{block.source}.{name} rate", np.zeros(settings))
            column[setting] += len(block.tags.on(number))
    with np.errstate(invalid="ignore", divide="ignore"):
        return {name: n / live_s[name.split(".")[0]] for name, n in counts.items()}


def _write(experiment: Any, name: str, grid: Grid, run: Run) -> int:
    from qcodes.dataset import Measurement

    measurement = Measurement(exp=experiment, name=name)
    identifiers = {label: _identifier(label) for label in (*grid.axes, *grid.variables)}
    for axis in grid.axes:
        measurement.register_custom_parameter(identifiers[axis], label=axis, unit=grid.units.get(axis, ""))
    for variable, (axes, _) in grid.variables.items():
        measurement.register_custom_parameter(
            identifiers[variable],
            label=variable,
            unit=grid.units.get(variable, ""),
            setpoints=tuple(identifiers[axis] for axis in axes),
        )
    with redirect_stdout(StringIO()), measurement.run() as saver:  # QCoDeS prints the run's number
        for variable, setpoints, values in _rows(grid):
            saver.add_result(
                *((identifiers[axis], at) for axis, at in setpoints.items()), (identifiers[variable], values)
            )
        saver.dataset.add_metadata("erbia_run", str(run.path))
        saver.dataset.add_metadata("simulated", str(run.simulated))
        return int(saver.run_id)


def _rows(grid: Grid) -> Iterator[tuple[str, dict[str, NDArray[Any]], NDArray[Any]]]:
    """Each variable with its setpoints, all as flat columns of one length."""
    for variable, (axes, values) in grid.variables.items():
        mesh = np.meshgrid(*(grid.axes[axis] for axis in axes), indexing="ij")
        yield variable, {axis: m.ravel() for axis, m in zip(axes, mesh, strict=True)}, np.asarray(values).ravel()


def _identifier(label: str) -> str:
    """A name QCoDeS takes: letters, digits and underscores."""
    found = "".join(c if c.isalnum() and c.isascii() else "_" for c in label)
    return found if found[:1].isalpha() else f"v_{found}"
