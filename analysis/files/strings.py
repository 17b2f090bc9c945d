"""Text in HDF5 that tells when it was damaged: HDF5 guards its chunks by checksums, but not its strings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from ..errors import DataError

_DIGEST = "sha256"


def write_text(group: h5py.Group, name: str, value: str) -> None:
    """Writes ``value`` as the scalar string dataset ``name`` with its digest beside it; replaces an older one."""
    if name in group:
        del group[name]
    dataset = group.create_dataset(name, data=value, dtype=h5py.string_dtype("utf-8"))
    dataset.attrs[_DIGEST] = np.bytes_(hashlib.sha256(value.encode()).hexdigest())


def read_text(group: h5py.Group, name: str) -> str:
    """Inverse of ``write_text``; DataError when the text is not what was written."""
    dataset = group[name]
    value = str(dataset.asstr()[()])
    if hashlib.sha256(value.encode()).hexdigest().encode() != dataset.attrs[_DIGEST]:
        raise DataError(f"{dataset.name} is corrupt (its digest does not hold)")
    return value


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _digest(values: Mapping[str, Any]) -> str:
    text = json.dumps({k: _plain(v) for k, v in values.items()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def write_attributes(node: h5py.Group, values: Mapping[str, bool | int | float | str]) -> None:
    """Adds or replaces attributes and their common digest."""
    for name, value in values.items():
        node.attrs[name] = value
    node.attrs[_DIGEST] = np.bytes_(_digest({k: v for k, v in node.attrs.items() if k != _DIGEST}))


def read_attributes(node: h5py.Group) -> dict[str, Any]:
    """All attributes as Python values; DataError when they are not what was written."""
    values = {k: _plain(v) for k, v in node.attrs.items() if k != _DIGEST}
    if _digest(values).encode() != node.attrs.get(_DIGEST):
        raise DataError(f"the attributes of {node.name} are corrupt (their digest does not hold)")
    return values
