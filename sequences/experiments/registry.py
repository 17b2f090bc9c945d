"""The experiments by name: the shipped ones and those of installed plug-ins (entry point ``erbia.experiments``)."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Any

from ...analysis.errors import UsageError
from .absorptive import AbsorptiveEntanglement
from .afc_preparation import AfcPreparation
from .afc_storage import AfcStorage
from .base import Experiment
from .bell_test import BellTest
from .clock_sync import ClockSync
from .clock_tracking import ClockTracking
from .clock_two_way import ClockTwoWay
from .cw_correlation import CwG2
from .delay_calibration import DelayCalibration
from .detector_characterisation import DetectorCharacterisation
from .entanglement_storage import EntanglementStorage
from .heralded_entanglement import HeraldedEntanglement
from .hom_visibility import HomVisibility
from .jitter_budget import JitterBudget
from .line_scan import LineScan
from .phase_lock import PhaseLock
from .photon_lifetime import PhotonLifetime
from .photon_statistics import PulsedG2
from .polarisation_alignment import PolarisationAlignment
from .scan import ScanExperiment
from .single_photon import SinglePhotonEntanglement
from .storage_time import StorageTime
from .timing_jitter import TimingJitter
from .tomography import Tomography

_SHIPPED: tuple[type[Experiment[Any, Any]], ...] = (
    HeraldedEntanglement,
    SinglePhotonEntanglement,
    AbsorptiveEntanglement,
    BellTest,
    Tomography,
    ClockSync,
    ClockTracking,
    ClockTwoWay,
    StorageTime,
    EntanglementStorage,
    TimingJitter,
    LineScan,
    PhotonLifetime,
    PulsedG2,
    HomVisibility,
    DetectorCharacterisation,
    JitterBudget,
    DelayCalibration,
    CwG2,
    PhaseLock,
    PolarisationAlignment,
    AfcPreparation,
    AfcStorage,
    ScanExperiment,
)


def experiments() -> dict[str, type[Experiment[Any, Any]]]:
    """Every experiment class by its name."""
    found = {cls.name: cls for cls in _SHIPPED}
    for point in entry_points(group="erbia.experiments"):
        found[point.name] = point.load()
    return found


def find_experiment(name: str) -> type[Experiment[Any, Any]]:
    """The experiment of that name. Raises UsageError listing the names there are."""
    known = experiments()
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"no experiment {name!r}{hint} (there are {', '.join(known)})")
    return known[name]
