"""Numbers from time tags and counts, with error bars one can publish: pure functions, frozen results.

The verbs of every-day use are found here; each module has more. Nothing heavy is loaded before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bell import bell_test as bell_test
    from .clock_sync import synchronize as synchronize
    from .coincidence import count_coincidences as count_coincidences
    from .correlation import correlate as correlate
    from .fidelity import estimate_fidelity as estimate_fidelity
    from .heralds import extract_heralds as extract_heralds
    from .jitter import fit_jitter as fit_jitter
    from .storage_time import fit_storage_time as fit_storage_time
    from .tomography import reconstruct_state as reconstruct_state

_HOMES = {
    "bell_test": ".bell",
    "correlate": ".correlation",
    "count_coincidences": ".coincidence",
    "estimate_fidelity": ".fidelity",
    "extract_heralds": ".heralds",
    "fit_jitter": ".jitter",
    "fit_storage_time": ".storage_time",
    "reconstruct_state": ".tomography",
    "synchronize": ".clock_sync",
}
__all__ = [
    "bell_test",
    "correlate",
    "count_coincidences",
    "estimate_fidelity",
    "extract_heralds",
    "fit_jitter",
    "fit_storage_time",
    "reconstruct_state",
    "synchronize",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
