"""No count at all, one count, nothing but equal outcomes, settings missing: a right wide interval or a named error.

Never a nan as value or limit, never a limit on the wrong side, never another exception. A ratio with nothing below the
line, and any limit, may be infinite.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from erbia.analysis.antibunching import fit_antibunching
from erbia.analysis.bell import bell_test
from erbia.analysis.bell_coincidences import chsh_from_coincidences, eberhard_test
from erbia.analysis.cavity import fit_cavity
from erbia.analysis.combs import fit_comb
from erbia.analysis.detector import fit_detector
from erbia.analysis.echoes import fit_afc_decay, fit_three_pulse_echo, fit_two_pulse_echo
from erbia.analysis.entanglement_storage import fit_entanglement_storage
from erbia.analysis.errors import UsageError
from erbia.analysis.fidelity import estimate_fidelity
from erbia.analysis.jitter import fit_jitter
from erbia.analysis.lifetime import fit_lifetime
from erbia.analysis.lines import fit_line
from erbia.analysis.photons import (
    coincidence_to_accidental,
    heralded_g2,
    hom_visibility,
    klyshko_efficiency,
    pulsed_g2,
)
from erbia.analysis.records import CorrelationHistogram, Estimate, Int64Array
from erbia.analysis.storage_time import fit_decay_counts, fit_storage_time
from erbia.analysis.tomography import METHODS, reconstruct_state
from erbia.analysis.width import full_width

T = np.linspace(0.1, 2.0, 12)
SCAN = np.linspace(-10.0, 10.0, 41)


def counts_of(kind: str, size: int) -> Int64Array:
    """Counts of one degenerate kind, int64 (size,)."""
    counts = np.zeros(size, np.int64)
    if kind == "one":
        counts[size // 3] = 1
    if kind == "equal":
        counts[:] = 7
    if kind == "one point":
        counts[size // 2] = 500
    return counts


def histogram(counts: Int64Array) -> CorrelationHistogram:
    lag = 10 * (np.arange(len(counts), dtype=np.int64) - len(counts) // 2)
    n = int(counts.sum())
    return CorrelationHistogram(lag, counts, 10, n, n, 10**12)


def patterns(kind: str) -> dict[str, int]:
    return dict(zip(("++", "+-", "-+", "--"), counts_of(kind, 4).tolist(), strict=True))


def bases(kind: str, names: tuple[str, ...] = ("XX", "YY", "ZZ")) -> dict[str, Any]:
    return {"target": "psi+", "bases": {name: patterns(kind) for name in names}}


def settings(kind: str) -> dict[str, Any]:
    return {"settings": {name: patterns(kind) for name in ("00", "01", "10", "11")}, "signs": [1, 1, 1, -1]}


def detector(n: Int64Array) -> Any:
    return fit_detector(np.linspace(1e-6, 2e-5, len(n)), n, n, 1.0, 1.0, 1000.0)


def three_pulse(n: Int64Array) -> Any:
    return fit_three_pulse_echo(np.repeat([1e-6, 2e-6, 4e-6], 4), np.tile([1e-5, 1e-4, 1e-3, 1e-2], 3), n)


def storage(n: Int64Array) -> Any:
    trials = np.full(len(T), 500)
    return fit_entanglement_storage(T, dict.fromkeys(("XX", "YY", "ZZ"), n), dict.fromkeys(("XX", "YY", "ZZ"), trials))


def subtracted(kind: str) -> Any:
    table = bases("equal") | {"accidentals": {b: patterns(kind) for b in ("XX", "YY", "ZZ")}}
    return estimate_fidelity(table)


CALLS: dict[str, Callable[[str], Any]] = {
    "fidelity": lambda kind: estimate_fidelity(bases(kind)),
    "fidelity without YY": lambda kind: estimate_fidelity(bases(kind, ("XX", "ZZ"))),
    "fidelity without ZZ": lambda kind: estimate_fidelity(bases(kind, ("XX", "YY"))),
    "fidelity less accidentals": subtracted,
    "bell": lambda kind: bell_test(settings(kind)),
    "coincidences": lambda kind: chsh_from_coincidences(settings(kind)),
    "eberhard": lambda kind: eberhard_test(
        {
            "trials": dict.fromkeys(("00", "01", "10", "11"), 1000),
            "events": dict(zip(("00", "01", "10", "11"), counts_of(kind, 4).tolist(), strict=True)),
        }
    ),
    "heralded g2": lambda kind: heralded_g2(*counts_of(kind, 4).tolist()),
    "pulsed g2": lambda kind: pulsed_g2(histogram(counts_of(kind, 200)), 500, 100),
    "CAR": lambda kind: coincidence_to_accidental(*counts_of(kind, 2).tolist()),
    "Klyshko": lambda kind: klyshko_efficiency(*counts_of(kind, 2).tolist(), 3.0),
    "HOM": lambda kind: hom_visibility(*counts_of(kind, 2).tolist()),
    "antibunching": lambda kind: fit_antibunching(histogram(counts_of(kind, 60))),
    "storage time": lambda kind: fit_storage_time(T, counts_of(kind, 12), np.full(12, 500)),
    "stretched storage time": lambda kind: fit_storage_time(T, counts_of(kind, 12), np.full(12, 500), "stretched"),
    "storage time, all successes": lambda kind: fit_storage_time(T, counts_of(kind, 12), counts_of(kind, 12)),
    "decay counts": lambda kind: fit_decay_counts(T, counts_of(kind, 12)),
    "AFC": lambda kind: fit_afc_decay(1e-6 * T, counts_of(kind, 12)),
    "two-pulse echo": lambda kind: fit_two_pulse_echo(1e-6 * T, counts_of(kind, 12)),
    "three-pulse echo": lambda kind: three_pulse(counts_of(kind, 12)),
    "entanglement against storage": lambda kind: storage(counts_of(kind, 12)),
    "jitter": lambda kind: fit_jitter(histogram(counts_of(kind, 100))),
    "width": lambda kind: full_width(counts_of(kind, 100), 1.0),
    "lifetime": lambda kind: fit_lifetime(histogram(counts_of(kind, 100))),
    "line": lambda kind: fit_line(SCAN, counts_of(kind, 41)),
    "voigt": lambda kind: fit_line(SCAN, counts_of(kind, 41), shape="voigt"),
    "cavity": lambda kind: fit_cavity(SCAN, counts_of(kind, 41)),
    "comb": lambda kind: fit_comb(SCAN, counts_of(kind, 41), np.full(41, 50.0), 4.0),
    "detector": lambda kind: detector(counts_of(kind, 12)),
    **{
        f"tomography, {method}": lambda kind, method=method: reconstruct_state(
            {"projectors": [a + b for a in "HVDARL" for b in "HVDARL"], "counts": counts_of(kind, 36).tolist()}, method
        )
        for method in METHODS
    },
}


def estimates(value: Any) -> Iterator[Estimate]:
    """Every Estimate in a result, however deep, and those it computes when asked."""
    if isinstance(value, Estimate):
        yield value
    elif dataclasses.is_dataclass(value):
        for name in [f.name for f in dataclasses.fields(value)] + (["figures"] if hasattr(value, "figures") else []):
            yield from estimates(getattr(value, name))
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from estimates(entry)
    elif isinstance(value, tuple | list):
        for entry in value:
            yield from estimates(entry)


@pytest.mark.parametrize("kind", ["none", "one", "equal", "one point"])
@pytest.mark.parametrize("name", CALLS)
def test_wide_interval_or_named_error(name: str, kind: str) -> None:
    found: list[Estimate] = []
    complaint = ""
    try:
        found = list(estimates(CALLS[name](kind)))
    except UsageError as error:
        complaint = str(error)
    assert found or len(complaint.splitlines()) == 1
    for estimate in found:
        # False, too, where one of them is nan.
        assert estimate.lower <= estimate.value <= estimate.upper, estimate
