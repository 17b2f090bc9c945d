"""Reads tomography counts: what each row projects on, and which rows make up a complete measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .counts import as_confidence, as_count, as_number, as_table, require_keys
from .errors import UsageError
from .records import FloatArray, Int64Array
from .states import BELL_KETS, KETS, ComplexArray, product_ket, projector

KEYS = ("projectors", "kets", "counts", "intensities", "target", "confidence")
MAX_QUBITS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """A tomography measurement.

    Attributes:
        kets: what each row projects on, normalised, complex128 (J, d).
        counts: int64 (J,).
        intensities: relative flux times efficiency of each row, float64 (J,), positive.
        target: ket the fidelity refers to (d,), or None for the nearest Bell state.
        target_name: its name, "given" for amplitudes.
        confidence: of every interval.
    """

    kets: ComplexArray
    counts: Int64Array
    intensities: FloatArray
    target: ComplexArray | None
    target_name: str
    confidence: float

    @property
    def d(self) -> int:
        return int(self.kets.shape[1])

    def operators(self, intensities: FloatArray) -> ComplexArray:
        """Projectors scaled by ``intensities``: complex128 (J, d, d)."""
        return projector(self.kets) * intensities[:, None, None]


def read_settings(counts: object) -> Settings:
    """Settings from the table described at :func:`erbia.analysis.tomography.reconstruct_state`; raises UsageError."""
    table = as_table(counts, "tomography counts")
    require_keys(table, ("counts",), KEYS, "tomography counts")
    kets = _read_kets(table)
    rows = table["counts"]
    if not isinstance(rows, Sequence | np.ndarray) or len(rows) != len(kets):
        raise UsageError(f"tomography counts: 'counts' must be a list of {len(kets)} numbers, one for each projector")
    n = np.array([as_count(value, f"tomography 'counts' row {j}") for j, value in enumerate(rows)], np.int64)
    if not n.sum():
        raise UsageError("tomography counts: every count is zero; a state needs at least one")
    target, name = _read_target(table.get("target"), kets.shape[1])
    confidence = as_confidence(table.get("confidence", 0.95))
    return Settings(kets, n, _read_intensities(table, len(kets)), target, name, confidence)


def complete_groups(settings: Settings) -> tuple[list[list[int]], list[int]]:
    """Rows that together form complete measurements (projectors summing to one), and the rows left over."""
    orthogonal = (np.abs(settings.kets.conj() @ settings.kets.T) < 1e-5).tolist()
    left, groups, alone = list(range(len(orthogonal))), [], []
    while left:
        group = [left[0]]
        for row in left[1:]:
            if len(group) < settings.d and all(orthogonal[row][member] for member in group):
                group.append(row)
        if len(group) == settings.d:
            groups.append(group)
            left = [row for row in left if row not in group]
        else:
            alone.append(left.pop(0))
    return groups, alone


def _read_kets(table: Mapping[str, Any]) -> ComplexArray:
    own = table.get("kets", {})
    if "projectors" not in table:
        if not isinstance(own, Sequence) or isinstance(own, str) or not own:
            raise UsageError(
                "tomography counts: give 'projectors', a list of ket names for each row, or 'kets', a list of kets"
            )
        rows = [_amplitudes(ket, f"'kets' row {j}") for j, ket in enumerate(own)]
    else:
        known = {**KETS, **{name: _amplitudes(k, f"'kets' {name}") for name, k in as_table(own, "'kets'").items()}}
        projectors = table["projectors"]
        if not isinstance(projectors, Sequence) or isinstance(projectors, str) or not projectors:
            raise UsageError("tomography counts: 'projectors' must be a list with the ket names of each row")
        rows = [_named_product(names, known, f"'projectors' row {j}") for j, names in enumerate(projectors)]
    sizes = {len(row) for row in rows}
    size = sizes.pop()
    if sizes or size & (size - 1) or not 2 <= size <= 2**MAX_QUBITS:
        raise UsageError(
            f"tomography counts: every row must be a ket of the same 1 to {MAX_QUBITS} qubits, got lengths {size}, {sizes}"
        )
    return np.stack(rows)


def _named_product(names: object, known: Mapping[str, ComplexArray], where: str) -> ComplexArray:
    if not isinstance(names, Sequence) or not names:
        raise UsageError(f"{where} must be a list of ket names, got {names!r}")
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"{where}: unknown ket {unknown[0]!r}; known are {', '.join(known)}")
    return product_ket([known[name] for name in names])


def _amplitudes(value: object, where: str) -> ComplexArray:
    """A normalised ket from numbers or [real, imaginary] pairs."""
    if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str):
        raise UsageError(f"{where} must be a list of amplitudes (numbers or [re, im]), got {value!r}")
    ket = np.array([_amplitude(entry, where) for entry in value], np.complex128)
    norm = float(np.linalg.norm(ket))
    if not norm > 0:
        raise UsageError(f"{where}: a ket needs at least one non-zero amplitude")
    return ket / norm


def _amplitude(value: object, where: str) -> complex:
    if isinstance(value, complex | np.complexfloating):
        value = [value.real, value.imag]
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        re, im = (as_number(part, where, -1e9, 1e9) for part in value)
        return complex(re, im)
    return complex(as_number(value, f"{where} amplitude", -1e9, 1e9))


def _read_target(value: object, d: int) -> tuple[ComplexArray | None, str]:
    if value is None:
        return None, ""
    if isinstance(value, str):
        if value not in BELL_KETS or d != 4:
            raise UsageError(
                f"'target' {value!r}: for two qubits one of {', '.join(BELL_KETS)}, or a list of {d} amplitudes"
            )
        return BELL_KETS[value], value
    ket = _amplitudes(value, "'target'")
    if len(ket) != d:
        raise UsageError(f"'target' has {len(ket)} amplitudes, the projectors need {d}")
    return ket, "given"


def _read_intensities(table: Mapping[str, Any], rows: int) -> FloatArray:
    value = table.get("intensities", [1.0] * rows)
    if not isinstance(value, Sequence | np.ndarray) or len(value) != rows:
        raise UsageError(
            f"tomography counts: 'intensities' must be a list of {rows} positive numbers, one for each row"
        )
    read: FloatArray = np.array([as_number(v, f"'intensities' row {j}", 1e-12, 1e12) for j, v in enumerate(value)])
    return read / float(read.mean())
