"""How long the estimators take, one call at a time: ``python benchmarks/estimators.py``.

Medians of repeated calls after a first one that compiles; CPU milliseconds of one core, and what must hold.
"""

from __future__ import annotations

import itertools
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")  # a 16 x 16 matrix is not worth a second thread

import numpy as np

from erbia.analysis.bell import bell_test
from erbia.analysis.fidelity import estimate_fidelity
from erbia.analysis.states import BELL_KETS, KETS, product_ket
from erbia.analysis.tomography import reconstruct_state

PATTERNS = ("++", "+-", "-+", "--")


def correlations(fidelity: float, shots: int) -> dict[str, object]:
    """Counts of a psi+ state with white noise."""
    e = (4 * fidelity - 1) / 3
    same, different = round(shots * (1 + e) / 4), round(shots * (1 - e) / 4)
    rows = {"XX": (same, different), "YY": (same, different), "ZZ": (different, same)}
    return {
        "target": "psi+",
        "bases": {b: dict(zip(PATTERNS, (s, d, d, s), strict=True)) for b, (s, d) in rows.items()},
    }


def projections(flux: float) -> dict[str, object]:
    """Counts of a noisy psi+ state in the 36 products of H, V, D, A, R, L."""
    rho = 0.95 * np.outer(BELL_KETS["psi+"], BELL_KETS["psi+"].conj()) + 0.05 * np.eye(4) / 4
    rows = ["".join(pair) for pair in itertools.product("HVDARL", repeat=2)]
    kets = [product_ket([KETS[name] for name in row]) for row in rows]
    rng = np.random.default_rng(1)
    return {"projectors": rows, "counts": [int(rng.poisson(flux * (k.conj() @ rho @ k).real)) for k in kets]}


def milliseconds(call: Callable[[], object], repetitions: int = 30) -> float:
    """Median processor time of one call, all threads together."""
    call()
    times = []
    for _ in range(repetitions):
        start = time.process_time()
        call()
        times.append(1e3 * (time.process_time() - start))
    return statistics.median(times)


def main() -> None:
    readout = {n: {"bright": {"+": 970, "-": 30}, "dark": {"+": 40, "-": 960}} for n in "ab"}
    rows: list[tuple[str, float, str]] = []
    for fidelity, shots in ((0.5, 100), (0.73, 300), (0.97, 1000), (0.995, 10000)):
        counts = correlations(fidelity, shots)
        name = f"fidelity with interval, F = {fidelity}, {shots} shots a basis"
        rows.append((name, milliseconds(lambda c=counts: estimate_fidelity(c)), "< 5"))
    corrected = {**correlations(0.73, 300), "readout": readout}
    rows.append(("the same with calibrated read-out", milliseconds(lambda: estimate_fidelity(corrected)), "< 5"))
    game = {s: {"same": 41, "different": 9} for s in ("00", "01", "10")} | {"11": {"same": 9, "different": 41}}
    chsh = {"settings": game, "signs": [1, 1, 1, -1]}
    rows.append(("CHSH with interval and p-values, 200 rounds", milliseconds(lambda: bell_test(chsh)), ""))
    for flux in (100.0, 10000.0):
        pairs = projections(flux)
        for method in ("linear", "poisson", "gaussian"):
            name = f"two-qubit state, {method}, 36 settings, flux {flux:g}"
            rows.append((name, milliseconds(lambda p=pairs, m=method: reconstruct_state(p, m)), "< 3"))
        whole = milliseconds(lambda p=pairs: reconstruct_state(p).figures, 7)
        rows.append((f"six figures with credible intervals, flux {flux:g}", whole, "< 100"))
    print("| what | ms | must be |\n|---|---|---|")
    for name, took, limit in rows:
        print(f"| {name} | {took:.2f} | {limit} |")


if __name__ == "__main__":
    main()
