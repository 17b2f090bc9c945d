"""The experiments by name: the shipped ones and those of installed plug-ins (entry point ``erbia.experiments``).

Each is imported when it is asked for: with its analysis an experiment is slow to import.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from ...analysis.errors import UsageError
from .base import Experiment

#: Module and class by name.
_SHIPPED = {
    "heralded_entanglement": "heralded_entanglement:HeraldedEntanglement",
    "single_photon_entanglement": "single_photon:SinglePhotonEntanglement",
    "absorptive_entanglement": "absorptive:AbsorptiveEntanglement",
    "bell_test": "bell_test:BellTest",
    "tomography": "tomography:Tomography",
    "clock_sync": "clock_sync:ClockSync",
    "clock_tracking": "clock_tracking:ClockTracking",
    "clock_two_way": "clock_two_way:ClockTwoWay",
    "storage_time": "storage_time:StorageTime",
    "entanglement_storage": "entanglement_storage:EntanglementStorage",
    "timing_jitter": "timing_jitter:TimingJitter",
    "line_scan": "line_scan:LineScan",
    "photon_lifetime": "photon_lifetime:PhotonLifetime",
    "g2_pulsed": "photon_statistics:PulsedG2",
    "hom_visibility": "hom_visibility:HomVisibility",
    "detector_characterisation": "detector_characterisation:DetectorCharacterisation",
    "jitter_budget": "jitter_budget:JitterBudget",
    "delay_calibration": "delay_calibration:DelayCalibration",
    "g2_cw": "cw_correlation:CwG2",
    "phase_lock": "phase_lock:PhaseLock",
    "polarisation_alignment": "polarisation_alignment:PolarisationAlignment",
    "afc_preparation": "afc_preparation:AfcPreparation",
    "afc_storage": "afc_storage:AfcStorage",
    "scan": "scan:ScanExperiment",
}


class _Registry(Mapping[str, type[Experiment[Any, Any]]]):
    def __init__(self) -> None:
        self._plugins = {point.name: point for point in entry_points(group="erbia.experiments")}

    def __iter__(self) -> Iterator[str]:
        return iter({**_SHIPPED, **self._plugins})

    def __len__(self) -> int:
        return len({**_SHIPPED, **self._plugins})

    def __contains__(self, name: object) -> bool:
        return name in _SHIPPED or name in self._plugins

    def __getitem__(self, name: str) -> type[Experiment[Any, Any]]:
        if name in self._plugins:
            return self._plugins[name].load()  # type: ignore[no-any-return]
        module, _, class_name = _SHIPPED[name].partition(":")
        return getattr(import_module(f".{module}", __package__), class_name)  # type: ignore[no-any-return]


def experiments() -> Mapping[str, type[Experiment[Any, Any]]]:
    """Every experiment class by its name; to know the names imports none."""
    return _Registry()


def find_experiment(name: str) -> type[Experiment[Any, Any]]:
    """The experiment of that name. Raises UsageError listing the names there are."""
    known = experiments()
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"no experiment {name!r}{hint} (there are {', '.join(known)})")
    return known[name]
