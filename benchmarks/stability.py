"""Stability measures against allantools: largest relative difference, and time side by side in one run.

python benchmarks/stability.py           # 1e7 samples for TDEV, 1e6 for MTIE; a minute or two
python benchmarks/stability.py --quick
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import allantools
import numpy as np

from erbia.analysis.kernels.clock_stability import squared_mean_differences
from erbia.analysis.stability import _mtie, allan


def cpu(function: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    start = time.process_time()
    out = function(*arguments)
    return time.process_time() - start, out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    rng = np.random.default_rng(1)
    small = np.cumsum(rng.normal(size=5001)) * 1e-9
    ours = allan(small, 1.0)
    for name, peer in (("oadev", "oadev"), ("mdev", "mdev"), ("tdev", "tdev"), ("hdev", "ohdev"), ("mtie", "mtie")):
        tau, theirs, _, _ = getattr(allantools, peer)(small, rate=1.0, data_type="phase", taus=ours.tau_s)
        mine = getattr(ours, name)[np.isin(ours.tau_s, tau)]
        print(f"{name:<6} largest relative difference {np.max(np.abs(mine / theirs - 1)):.1e} over {len(tau)} octaves")
    n = 10**6 if quick else 10**7
    phase = np.cumsum(rng.normal(size=n)) * 1e-9
    m = 2 ** np.arange(int(np.log2(n // 3)) + 1)

    def tdev() -> list[float]:
        return [float(np.sqrt(s / (6 * t))) for s, t in (squared_mean_differences(phase, int(k)) for k in m)]

    ours_s, mine = cpu(tdev)
    theirs_s, (_, peer_tdev, _, _) = cpu(
        lambda: allantools.tdev(phase, rate=1.0, data_type="phase", taus=m.astype(float))
    )
    worst = np.max(np.abs(np.array(mine)[: len(peer_tdev)] / peer_tdev - 1))
    print(
        f"tdev   {n:.0e} samples: {ours_s:.2f} s, allantools {theirs_s:.2f} s, ratio {theirs_s / ours_s:.1f}, equal to {worst:.1e}"
    )
    million = phase[: 10**5 if quick else 10**6]
    octaves = 2 ** np.arange(int(np.log2(len(million) // 2)) + 1)
    seconds, _ = cpu(_mtie, million, octaves)
    print(f"mtie   {len(million):.0e} samples: {seconds:.2f} s over {len(octaves)} octaves")


if __name__ == "__main__":
    main()
