"""What is installed, what works, and which instruments answer."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..analysis.errors import ErbiaError
from ..instruments.station_file import station_layers

_NEEDED = ("numpy", "scipy", "numba", "h5py", "hdf5plugin", "qcodes", "pyvisa", "pyvisa-py", "nidaqmx", "pydantic")
_OPTIONAL = {
    "PySide6-Essentials": "the window: pip install 'erbia[gui]'",
    "pyqtgraph": "the window: pip install 'erbia[gui]'",
    "toptica-lasersdk": "Toptica lasers: pip install 'erbia[toptica]'",
    "pulsestreamer": "Pulse Streamer: pip install 'erbia[pulsestreamer]'",
    "Swabian-TimeTagger": "Swabian taggers: pip install 'erbia[swabian]'",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. ``ok`` is False only for what is needed and does not work."""

    name: str
    ok: bool
    detail: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def examine(station: str | None) -> list[Check]:
    """Checks the installation and, with a station, connects to every instrument in it."""
    checks = [Check("python", True, platform.python_version()), *_packages()]
    return checks if station is None else [*checks, *_instruments(station)]


def _packages() -> Iterator[Check]:
    for name in _NEEDED:
        found = _version(name)
        yield Check(name, found is not None, found or f"missing: pip install {name}")
    for name, purpose in _OPTIONAL.items():
        yield Check(name, True, _version(name) or f"not installed (optional, {purpose})")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _instruments(station: str) -> Iterator[Check]:
    from .lab import load_station

    try:
        lab = load_station(station)
    except ErbiaError as error:
        yield Check(station, False, str(error))
        return
    with lab:
        layers = station_layers(lab.loaded.path)
        yield Check("station file", True, " extends ".join(path.name for path in layers.paths))
        for name, instrument in lab.station.components.items():
            idn = instrument.get_idn() if hasattr(instrument, "get_idn") else {}
            words = " ".join(str(v) for v in idn.values() if v) or type(instrument).__name__
            origin = Path(layers.place(("instruments", name, "type"))).name
            yield Check(name, True, f"{words} ({origin})")
