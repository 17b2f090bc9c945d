"""erbia: hardware-in-the-loop control of quantum-memory network labs.

    lab = erbia.load_station("mock_lab", seed=1)
    run = lab.run("heralded_entanglement", precision=0.02)
    run.results["fidelity"]

Importing erbia is quick: nothing heavy is loaded before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import analysis as analysis
    from .analysis.files.runfile import open_run as open_run
    from .sequences.lab import load_station as load_station
    from .sequences.replay import analyze as analyze

_HOMES = {
    "open_run": ".analysis.files.runfile",
    "load_station": ".sequences.lab",
    "analyze": ".sequences.replay",
}
__all__ = ["analysis", "analyze", "load_station", "open_run"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name], __name__), name)
    if name == "analysis":
        return import_module(".analysis", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
