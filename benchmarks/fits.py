"""Coverage, bias and time of every fit: ``python benchmarks/fits.py [repetitions]``.

Each row simulates data of known truth, fits them, and prints how often the 95 % interval holds the truth, the mean distance
from it in standard errors, and the processor time of one fit with all its intervals.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

import numpy as np
from scipy.special import erf

from erbia.analysis.antibunching import fit_antibunching
from erbia.analysis.detector import fit_detector
from erbia.analysis.echoes import fit_afc_decay, fit_two_pulse_echo
from erbia.analysis.emg import emg_cdf, emg_fwhm
from erbia.analysis.entanglement_storage import fit_entanglement_storage
from erbia.analysis.jitter import fit_jitter
from erbia.analysis.jitter_budget import Response
from erbia.analysis.lifetime import fit_lifetime
from erbia.analysis.lines import fit_line, lorentzian
from erbia.analysis.photons import heralded_g2
from erbia.analysis.records import CorrelationHistogram, Estimate
from erbia.analysis.storage_time import fit_storage_time
from erbia.analysis.width import full_width

Case = Callable[[np.random.Generator], tuple[Callable[[], Estimate], float]]

T_S = np.linspace(0, 2e-3, 12)


def storage_time(shots: int) -> Case:
    def case(rng: np.random.Generator) -> tuple[Callable[[], Estimate], float]:
        n = np.full(len(T_S), shots)
        k = rng.binomial(n, (1 + 0.9 * np.exp(-T_S / 7e-4)) / 2)
        return lambda: fit_storage_time(T_S, k, n).storage_time, 7e-4

    return case


def stretched_exponent(rng: np.random.Generator) -> tuple[Callable[[], Estimate], float]:
    n = np.full(len(T_S), 300)
    k = rng.binomial(n, (1 + 0.9 * np.exp(-((T_S / 9e-4) ** 1.5))) / 2)
    return lambda: fit_storage_time(T_S, k, n, "stretched").exponent, 1.5


def crossing(rng: np.random.Generator) -> tuple[Callable[[], Estimate], float]:
    same, trials = {}, {}
    for basis, value in (("XX", 0.85), ("YY", 0.85), ("ZZ", -0.9)):
        decay = 1.0 if basis == "ZZ" else np.exp(-T_S / 1e-3)
        same[basis] = rng.binomial(60, (1 + value * decay * np.ones_like(T_S)) / 2)
        trials[basis] = np.full(len(T_S), 60)
    truth = 1e-3 * math.log(1.7 / (4 * 2 / 3 - 1.9))
    return lambda: fit_entanglement_storage(T_S, same, trials, thresholds=(2 / 3,)).crossings[2 / 3], truth


def afc(rng: np.random.Generator) -> tuple[Callable[[], Estimate], float]:
    t = np.linspace(0.5e-6, 10e-6, 10)
    counts = rng.poisson(40 * np.exp(-4 * t / 12e-6) + 2)
    return lambda: fit_afc_decay(t, counts).estimates["coherence_time"], 12e-6


def mims(rng: np.random.Generator) -> tuple[Callable[[], Estimate], float]:
    t = np.linspace(1e-6, 60e-6, 20)
    counts = rng.poisson(500 * np.exp(-2 * (2 * t / 64e-6) ** 1.5) + 5)
    return lambda: fit_two_pulse_echo(t, counts).estimates["coherence_time"], 64e-6


def delays(rng: np.random.Generator, events: int) -> np.ndarray:
    peak = rng.normal(0, 12.0, events) + rng.exponential(8.0, events)
    return np.floor(np.concatenate([peak, rng.uniform(-5000, 5000, events // 10)])).astype(np.int64)


def jitter(events: int) -> Case:
    def case(rng: np.random.Generator) -> tuple[Callable[[], Estimate], float]:
        t = delays(rng, events)
        return lambda: fit_jitter(t).fwhm_ps, emg_fwhm(12.0, 8.0)

    return case


def interpolated(events: int) -> Case:
    def case(rng: np.random.Generator) -> tuple[Callable[[], Estimate], float]:
        counts = np.histogram(delays(rng, events), np.arange(-400, 401))[0]
        return lambda: full_width(counts, 1.0), emg_fwhm(12.0, 8.0)

    return case


def dip(rng: np.random.Generator) -> tuple[Callable[[], Estimate], float]:
    lag_ps = np.arange(-60, 60, dtype=np.int64) * 200
    mean = 20 * (1 - 0.9 * np.exp(-np.abs(lag_ps + 100) / 3000.0))
    h = CorrelationHistogram(lag_ps, rng.poisson(mean), 200, 1, 1, 1)
    return lambda: fit_antibunching(h).g2_zero, 0.1


def lifetime(rng: np.random.Generator) -> tuple[Callable[[], Estimate], float]:
    edges = np.arange(0, 20_001, 50.0)
    cdf = (2000 * emg_cdf(edges, 3000.0, 200.0, 2000.0) - 150 * emg_cdf(edges, 3000.0, 200.0, 150.0)) / 1850
    counts = rng.poisson(1000 * np.diff(cdf) + 0.2)
    h = CorrelationHistogram(edges[:-1].astype(np.int64), counts, 50, 1, 1, 1)
    return lambda: fit_lifetime(h, Response(250.0, 150.0)).lifetime, 2e-9


def line(rng: np.random.Generator) -> tuple[Callable[[], Estimate], float]:
    f = np.linspace(-50e6, 50e6, 101)
    counts = rng.poisson(0.5 + 4 * lorentzian(f - 7e6, 12e6))
    return lambda: fit_line(f, counts).fwhm_hz, 12e6


def detector(rng: np.random.Generator) -> tuple[Callable[[], Estimate], float]:
    bias = np.linspace(4e-6, 20e-6, 17)
    step = (1 + erf((bias - 9e-6) / 2.5e-6)) / 2
    darks = 40 * step + 200 * np.exp((bias - 20e-6) / 0.8e-6)
    light, dark = rng.poisson(4250 * step + darks), rng.poisson(10 * darks)
    return lambda: fit_detector(bias, light, dark, 1.0, 10.0, 5000.0).saturated_efficiency, 0.85


def antibunched_heralds(rng: np.random.Generator) -> tuple[Callable[[], Estimate], float]:
    n1, n2 = (int(x) for x in rng.poisson((2000, 1500)))
    n12 = int(rng.poisson(0.2 * 2000 * 1500 / 100_000))
    return lambda: heralded_g2(100_000, n1, n2, n12), 0.2


CASES: dict[str, Case] = {
    "storage time, 12 x 60 shots": storage_time(60),
    "storage time, 12 x 1000 shots": storage_time(1000),
    "stretched exponent, 12 x 300 shots": stretched_exponent,
    "crossing of F = 2/3, 36 x 60 shots": crossing,
    "AFC coherence time, 40 counts": afc,
    "two-pulse echo T_M, 500 counts": mims,
    "jitter FWHM (EMG), 300 events": jitter(300),
    "jitter FWHM (EMG), 10,000 events": jitter(10_000),
    "jitter FWHM (interpolated), 100 events": interpolated(100),
    "jitter FWHM (interpolated), 1,000 events": interpolated(1000),
    "jitter FWHM (interpolated), 100,000 events": interpolated(100_000),
    "g2(0) dip, 20 counts a bin": dip,
    "heralded g2(0), 6 threefolds": antibunched_heralds,
    "lifetime, 1,000 photons": lifetime,
    "line width, 4 photons at the peak": line,
    "SNSPD saturated efficiency": detector,
}


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(
        f"{repetitions} repetitions; a coverage of 95 % is then known to ±{196 * math.sqrt(0.0475 / repetitions):.1f} %"
    )
    print(f"| {'fit':42} | coverage | mean pull | time of a fit |")
    print(f"|{'-' * 44}|---------:|----------:|--------------:|", flush=True)
    for row, (name, case) in enumerate(CASES.items()):
        rng = np.random.default_rng([2026, row])
        hits, pulls, seconds = 0, [], 0.0
        for _ in range(repetitions):
            fit, truth = case(rng)
            start = time.process_time()
            e = fit()
            seconds += time.process_time() - start
            hits += e.lower <= truth <= e.upper
            if math.isfinite(e.std) and e.std > 0:
                pulls.append((e.value - truth) / e.std)
        pull = f"{np.mean(pulls):+.2f}"
        print(
            f"| {name:42} | {100 * hits / repetitions:6.1f} % | {pull:>9} | {1e3 * seconds / repetitions:10.1f} ms |",
            flush=True,
        )


if __name__ == "__main__":
    main()
