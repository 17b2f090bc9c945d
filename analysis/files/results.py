"""Results in a run file: ``/results/<n>``, one group an analysis, never changed once written."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field

import h5py
import numpy as np

from ..records import CorrelationHistogram, Estimate
from .grids import Grid, write_grids
from .layout import decode_texts, encode_text, filters, text
from .strings import read_attributes, write_attributes

ESTIMATE_DTYPE = np.dtype(
    [
        ("value", np.float64),
        ("lower", np.float64),
        ("upper", np.float64),
        ("confidence", np.float64),
        ("std", np.float64),
        ("n", np.int64),
        ("method", text(512)),
        ("unit", text(32)),
        ("name", text(128)),
    ]
)


@dataclass(frozen=True, slots=True)
class Results:
    """What one analysis said."""

    number: int
    created_utc: str
    code_version: str
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    histograms: Mapping[str, CorrelationHistogram] = field(default_factory=dict)


def write_results(
    group: h5py.Group,
    estimates: Mapping[str, Estimate],
    histograms: Mapping[str, CorrelationHistogram],
    code_version: str,
    grids: Mapping[str, Grid],
) -> int:
    """Adds the next numbered group below ``group`` (``/results``) and returns its number."""
    number = max((int(name) for name in group), default=-1) + 1
    target = group.create_group(str(number))
    created = datetime.datetime.now(datetime.UTC).isoformat()
    write_attributes(target, {"created_utc": created, "code_version": code_version})
    rows = np.zeros(len(estimates), ESTIMATE_DTYPE)
    for row, (name, estimate) in zip(rows, estimates.items(), strict=True):
        for column, value in zip(ESTIMATE_DTYPE.names or (), (*astuple(estimate), name), strict=True):
            row[column] = encode_text(value, ESTIMATE_DTYPE, column) if isinstance(value, str) else value
    target.create_dataset("estimates", data=rows, chunks=(max(1, len(rows)),), maxshape=(None,), **filters())
    for name, histogram in histograms.items():
        _write_histogram(target.create_group(f"histograms/{name.replace('/', '|')}"), histogram)
    write_grids(target, grids)
    return number


def _write_histogram(group: h5py.Group, histogram: CorrelationHistogram) -> None:
    for name in ("lag_ps", "counts"):
        values = getattr(histogram, name)
        group.create_dataset(name, data=values, chunks=(max(1, len(values)),), maxshape=(None,), **filters())
    scalars = ("bin_ps", "singles_a", "singles_b", "live_time_ps")
    write_attributes(group, {name: getattr(histogram, name) for name in scalars})


def read_results(group: h5py.Group) -> Results:
    """Reads one ``/results/<n>``."""
    about = read_attributes(group)
    estimates = {}
    for row in decode_texts(group["estimates"][:]):
        *fields, name = row.tolist()
        estimates[name] = Estimate(*fields)
    histograms = {
        name.replace("|", "/"): CorrelationHistogram(node["lag_ps"][:], node["counts"][:], **read_attributes(node))
        for name, node in group.get("histograms", {}).items()
    }
    number = int(group.name.rsplit("/", 1)[-1])
    return Results(number, about["created_utc"], about["code_version"], estimates, histograms)
