"""How often does a 95 % interval on a Bell-state fidelity hold the truth? erbia's against the common ones.

``python benchmarks/coverage.py [--repetitions 10000] [--write]``. For every fidelity and number of shots a basis, the three
correlators of a state are simulated many times; each interval is computed once for each distinct outcome. ``--write`` puts
the tables and the plot into ``docs/``. Errors are either equal in the three bases (white noise), shared 3:2:1, or pure
dephasing (two bases only), which is as uneven as quantum mechanics allows.
"""

from __future__ import annotations

if __name__ != "__main__":
    # numba looks for the package of this name, and would find this file in the folder of the benchmark that runs.
    raise ImportError("benchmarks/coverage.py is a script, not the package coverage")

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numba
import numpy as np
from scipy.stats import beta, norm

from erbia.analysis.kernels.binomial_sum import constrained_chances, limit
from erbia.analysis.records import FloatArray

FIDELITIES = (0.5, 0.73, 0.9, 0.97, 0.99, 0.995)
SHOTS = (10, 20, 50, 100, 300, 1000, 10000)
SPLITS = {"equal": (1 / 3, 1 / 3, 1 / 3), "3:2:1": (1 / 2, 1 / 3, 1 / 6), "dephasing": (1 / 2, 1 / 2, 0.0)}
CONFIDENCE = 0.95
ALPHA = 1 - CONFIDENCE
Z = norm.isf(ALPHA / 2)
RESAMPLES = 1000
DENSE = 5  # discordant counts a basis from which on over-coverage is not forced by the lattice of outcomes
HALF_RANGE = 0.002  # coverage is also averaged over fidelities this close
DOCS = Path(__file__).resolve().parent.parent / "docs"

Bounds = tuple[FloatArray, FloatArray]
Method = Callable[[FloatArray, int, np.random.Generator], Bounds]


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _invert(x: FloatArray, n: float) -> FloatArray:
    trials, ones = np.full(3, n), np.ones(3)
    found = np.empty((len(x), 2))
    for row in range(len(x)):
        for column, side in enumerate((-1.0, 1.0)):
            found[row, column] = limit(side, ALPHA, x[row], trials, ones, 1.0 / n)
    return found


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _log_likelihood(x: FloatArray, n: float, q: FloatArray) -> float:
    total = 0.0
    for k in range(x.size):
        if x[k] > 0:
            total += x[k] * np.log(q[k])
        if x[k] < n:
            total += (n - x[k]) * np.log1p(-q[k])
    return total


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _profile(x: FloatArray, n: float, drop: float) -> FloatArray:
    trials, ones = np.full(3, n), np.ones(3)
    found = np.empty((len(x), 2))
    for row in range(len(x)):
        best = _log_likelihood(x[row], n, x[row] / n)
        centre = x[row].sum() / n
        for column, end in enumerate((0.0, 3.0)):
            inside, outside = centre, end
            for _ in range(40):
                middle = 0.5 * (inside + outside)
                if best - _log_likelihood(x[row], n, constrained_chances(x[row], trials, ones, middle)) < drop:
                    inside = middle
                else:
                    outside = middle
            found[row, column] = inside
    return found


def _from_discordance(lower: FloatArray, upper: FloatArray) -> Bounds:
    """Bounds on F from bounds on the summed discordant chances."""
    return np.clip(1 - upper / 2, 0, 1), np.clip(1 - lower / 2, 0, 1)


def exact(x: FloatArray, n: int, rng: np.random.Generator) -> Bounds:
    found = _invert(x, float(n))
    return _from_discordance(found[:, 0], found[:, 1])


def profile_likelihood(x: FloatArray, n: int, rng: np.random.Generator) -> Bounds:
    found = _profile(x, float(n), Z**2 / 2)
    return _from_discordance(found[:, 0], found[:, 1])


def wald(x: FloatArray, n: int, rng: np.random.Generator) -> Bounds:
    q = x / n
    half = Z * np.sqrt((q * (1 - q)).sum(axis=1) / n)
    return _from_discordance(q.sum(axis=1) - half, q.sum(axis=1) + half)


def pooled_clopper_pearson(x: FloatArray, n: int, rng: np.random.Generator) -> Bounds:
    total = x.sum(axis=1)
    lower = np.where(total > 0, beta.ppf(ALPHA / 2, np.maximum(total, 1), 3 * n - total + 1), 0)
    upper = np.where(total < 3 * n, beta.isf(ALPHA / 2, total + 1, np.maximum(3 * n - total, 1)), 1)
    return _from_discordance(3 * lower, 3 * upper)


def jeffreys(x: FloatArray, n: int, rng: np.random.Generator) -> Bounds:
    return _quantiles(x, lambda rows: rng.beta(rows + 0.5, n - rows + 0.5, (RESAMPLES, *rows.shape)))


def bootstrap(x: FloatArray, n: int, rng: np.random.Generator) -> Bounds:
    return _quantiles(x, lambda rows: rng.binomial(n, rows / n, (RESAMPLES, *rows.shape)) / n)


def _quantiles(x: FloatArray, draw: Callable[[FloatArray], FloatArray]) -> Bounds:
    lower, upper = np.empty(len(x)), np.empty(len(x))
    for start in range(0, len(x), 500):
        sums = draw(x[start : start + 500]).sum(axis=2)
        sums.sort(axis=0)
        rank = round(RESAMPLES * ALPHA / 2)
        lower[start : start + 500], upper[start : start + 500] = sums[rank], sums[-1 - rank]
    return _from_discordance(lower, upper)


METHODS: dict[str, Method] = {
    "erbia": exact,
    "Wald": wald,
    "Jeffreys": jeffreys,
    "bootstrap": bootstrap,
    "profile": profile_likelihood,
    "pooled CP": pooled_clopper_pearson,
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One state and number of shots: coverage and mean width by method, bias, and what the cell is judged by."""

    fidelity: float
    shots: int
    split: str
    coverage: dict[str, float]
    width: dict[str, float]
    bias: float  # in standard errors
    averaged: float  # coverage of erbia averaged over F ± HALF_RANGE; nan below DENSE


def simulate(fidelity: float, shots: int, split: str, repetitions: int) -> Cell:
    rng = np.random.default_rng([round(1e4 * fidelity), shots, list(SPLITS).index(split)])
    counts = _counts(np.full(repetitions, fidelity), shots, split, rng)
    coverage, width = {}, {}
    for name, method in (METHODS if split == "equal" else {"erbia": exact}).items():
        lower, upper = _bounds(method, counts, shots, rng)
        coverage[name] = _held(lower, upper, fidelity)
        width[name] = float((upper - lower).mean())
    averaged = float("nan")
    if shots * 2 * (1 - fidelity) / 3 >= DENSE:
        near = rng.uniform(fidelity - HALF_RANGE, fidelity + HALF_RANGE, repetitions)
        averaged = _held(*_bounds(exact, _counts(near, shots, split, rng), shots, rng), near)
    # What erbia reports: the plain estimate, moved into [0, 1].
    value = np.clip(1 - counts.sum(axis=1) / shots / 2, 0, 1)
    bias = float((value.mean() - fidelity) / value.std())
    return Cell(fidelity, shots, split, coverage, width, bias, averaged)


def _counts(truth: FloatArray, shots: int, split: str, rng: np.random.Generator) -> FloatArray:
    """Discordant counts of the three bases, sorted: every method treats the bases alike. float64 (R, 3)."""
    chances = np.minimum(2 * (1 - truth)[:, None] * np.array(SPLITS[split]), 1.0)
    return np.sort(rng.binomial(shots, chances), axis=1).astype(np.float64)


def _bounds(method: Method, counts: FloatArray, shots: int, rng: np.random.Generator) -> Bounds:
    outcomes, which = np.unique(counts, axis=0, return_inverse=True)
    lower, upper = method(outcomes, shots, rng)
    return lower[which.ravel()], upper[which.ravel()]


def _held(lower: FloatArray, upper: FloatArray, truth: FloatArray | float) -> float:
    return float(np.mean((lower <= truth + 1e-12) & (truth - 1e-12 <= upper)))


def judge(cells: list[Cell]) -> list[str]:
    """What the tables must show, as lines of text."""
    own = [cell.coverage["erbia"] for cell in cells]
    averaged = [cell.averaged for cell in cells if np.isfinite(cell.averaged)]
    passing = [n for n in METHODS if min(c.coverage[n] for c in cells if n in c.coverage) >= 0.94] or ["erbia"]
    ratios = [
        cell.width["erbia"] / min(cell.width[name] for name in passing) for cell in cells if cell.split == "equal"
    ]
    return [
        f"erbia: lowest coverage of {len(cells)} cells {min(own):.4f} (must be at least 0.94)",
        f"erbia: highest coverage averaged over F ± {HALF_RANGE} where {DENSE} or more discordant counts a basis are expected "
        f"{max(averaged):.4f} (at most 0.97)",
        f"methods that never fall below 0.94: {', '.join(passing)}",
        f"erbia: largest ratio of its mean width to the narrowest of those {max(ratios):.3f} (at most 1.15)",
        f"largest bias {max(abs(cell.bias) for cell in cells):.3f} standard errors (below 0.1)",
    ]


def coverage_table(cells: list[Cell]) -> list[str]:
    lines = [
        "| F | shots a basis | " + " | ".join(METHODS) + " | erbia, averaged | erbia 3:2:1 | erbia dephasing |",
        "|" + "---|" * (len(METHODS) + 5),
    ]
    by_key = {(c.fidelity, c.shots, c.split): c for c in cells}
    for fidelity, shots in product(FIDELITIES, SHOTS):
        equal = by_key[fidelity, shots, "equal"]
        row = [f"{100 * equal.coverage[name]:.1f}" for name in METHODS]
        row += [f"{100 * equal.averaged:.1f}" if np.isfinite(equal.averaged) else "–"]
        row += [f"{100 * by_key[fidelity, shots, split].coverage['erbia']:.1f}" for split in ("3:2:1", "dephasing")]
        lines.append(f"| {fidelity} | {shots} | " + " | ".join(row) + " |")
    return lines


def width_table(cells: list[Cell]) -> list[str]:
    lines = ["| F | shots a basis | " + " | ".join(METHODS) + " |", "|" + "---|" * (len(METHODS) + 2)]
    for cell in cells:
        if cell.split == "equal":
            row = [f"{cell.width[name]:.4f}" for name in METHODS]
            lines.append(f"| {cell.fidelity} | {cell.shots} | " + " | ".join(row) + " |")
    return lines


def draw(cells: list[Cell], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 3, figsize=(11, 6), sharex=True, sharey=True, layout="constrained")
    for axis, fidelity in zip(axes.flat, FIDELITIES, strict=True):
        chosen = [c for c in cells if c.fidelity == fidelity and c.split == "equal"]
        for name in METHODS:
            style = {"lw": 2.2, "color": "k", "zorder": 5} if name == "erbia" else {"lw": 1.0}
            axis.plot(
                [c.shots for c in chosen], [100 * c.coverage[name] for c in chosen], "o-", ms=3, label=name, **style
            )
        axis.axhline(95, color="0.6", lw=0.8, ls="--")
        axis.set(xscale="log", ylim=(60, 101), title=f"F = {fidelity}")
    for axis in axes[1]:
        axis.set_xlabel("shots a basis")
    for axis in axes[:, 0]:
        axis.set_ylabel("coverage (%)")
    axes[0, 0].legend(fontsize=8, loc="lower right")
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})


def write(cells: list[Cell], repetitions: int) -> None:
    """Puts tables and verdict between the markers of docs/estimators.md, and draws the plot."""
    page = DOCS / "estimators.md"
    text = page.read_text(encoding="utf-8")
    begin, end = "<!-- benchmarks/coverage.py -->", "<!-- end of benchmarks/coverage.py -->"
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    body = [
        f"Coverage in per cent of the nominal 95 % interval, {repetitions} repetitions a cell:",
        "",
        *coverage_table(cells),
        "",
        "Mean width of the interval on F:",
        "",
        *width_table(cells),
        "",
        *(f"- {line}" for line in judge(cells)),
    ]
    page.write_text(before + begin + "\n\n" + "\n".join(body) + "\n\n" + end + after, encoding="utf-8")
    draw(cells, DOCS / "images" / "coverage.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=10_000)
    parser.add_argument("--write", action="store_true", help="update docs/estimators.md and its plot")
    options = parser.parse_args()
    started = time.perf_counter()
    jobs = list(product(FIDELITIES, SHOTS, SPLITS))
    with ThreadPoolExecutor(2) as pool:
        cells = list(pool.map(lambda job: simulate(*job, options.repetitions), jobs))
    print("\n".join([*coverage_table(cells), "", *width_table(cells), "", *judge(cells)]))
    print(f"took {time.perf_counter() - started:.0f} s")
    if options.write:
        write(cells, options.repetitions)


if __name__ == "__main__":
    main()
