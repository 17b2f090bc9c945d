"""Scans in a run file as labelled arrays: HDF5 dimension scales, which xarray, h5netcdf and netCDF readers understand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import h5py
import numpy as np
from numpy.typing import NDArray

from ..records import FloatArray
from ..report_input import Curve, Image

#: Only a filter every HDF5 reader has.
_FILTERS = {"fletcher32": True}


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Variables over named axes.

    Attributes:
        axes: name -> values, float64 or int64 (K,).
        variables: name -> (names of its axes, values shaped accordingly).
        units: of axes and variables, by name; left out where there is none.
    """

    axes: Mapping[str, NDArray[np.generic]]
    variables: Mapping[str, tuple[tuple[str, ...], NDArray[np.generic]]]
    units: Mapping[str, str] = field(default_factory=dict)


def curve_grid(curve: Curve) -> Grid:
    """A curve: ``measured``, ``lower``, ``upper`` over its x axis, and the ``fit`` over an axis of its own."""
    (x, x_unit), (_, y_unit) = split_label(curve.x_label), split_label(curve.y_label)
    axes: dict[str, FloatArray] = {x: curve.x}
    columns = {"measured": curve.measured, "lower": curve.lower, "upper": curve.upper, "residuals": curve.residuals}
    variables = {name: ((x,), values) for name, values in columns.items() if len(values) == len(curve.x)}
    if len(curve.fit_x):
        axes[f"{x} of the fit"] = curve.fit_x
        variables["fit"] = ((f"{x} of the fit",), curve.fit)
    units = {x: x_unit, f"{x} of the fit": x_unit} | dict.fromkeys(("measured", "lower", "upper", "fit"), y_unit)
    return Grid(axes, variables, {name: unit for name, unit in units.items() if unit})


def image_grid(image: Image) -> Grid:
    """A map: one variable over y and x."""
    (x, x_unit), (y, y_unit), (z, z_unit) = (split_label(t) for t in (image.x_label, image.y_label, image.z_label))
    units = {name: unit for name, unit in ((x, x_unit), (y, y_unit), (z, z_unit)) if unit}
    return Grid({y: image.y, x: image.x}, {z: ((y, x), image.z)}, units)


def split_label(label: str) -> tuple[str, str]:
    """``"storage time (s)"`` as name and unit."""
    name, bracket, unit = label.removesuffix(")").rpartition(" (")
    return (name, unit) if bracket and label.endswith(")") else (label, "")


def write_grids(group: h5py.Group, grids: Mapping[str, Grid]) -> None:
    """Each grid as a group ``scans/<name>`` below ``group``, axes as dimension scales."""
    for name, grid in grids.items():
        target = group.create_group(f"scans/{_safe(name)}")
        for axis, values in grid.axes.items():
            scale = _write(target, axis, np.asarray(values), grid.units.get(axis, ""))
            scale.make_scale(_safe(axis))
        for variable, (axes, values) in grid.variables.items():
            dataset = _write(target, variable, np.asarray(values), grid.units.get(variable, ""))
            for k, axis in enumerate(axes):
                dataset.dims[k].attach_scale(target[_safe(axis)])


def _write(group: h5py.Group, name: str, values: NDArray[np.generic], unit: str) -> h5py.Dataset:
    chunks = tuple(max(1, n) for n in values.shape)
    dataset = group.create_dataset(_safe(name), data=values, chunks=chunks, **_FILTERS)
    dataset.attrs["long_name"] = name
    if unit:
        dataset.attrs["units"] = unit
    return dataset


def _safe(name: str) -> str:
    """A name HDF5 takes: a slash would start a new group."""
    return name.replace("/", "|")
