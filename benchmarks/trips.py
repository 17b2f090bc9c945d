"""A hundred random trips of a monitor during heralded entanglement: when they suspend, the live time, and the bias.

Run ``python benchmarks/trips.py [TRIPS]``. While tripped the laser has a third of its power: those data, if they counted,
would pull the herald rate far off.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from erbia.analysis.records import PS_PER_S
from erbia.sequences.control import RunControl
from erbia.sequences.documents import Document, Tags, Validity
from erbia.sequences.lab import Lab, load_station
from erbia.sequences.replay import analyze

GOOD_W, BAD_W = 1e-3, 3e-4
MONITOR = {"power": {"parameter": "laser.power", "equals": GOOD_W}}


class Trips:
    """Turns the laser down and up again between random blocks, and notes which blocks that touched."""

    def __init__(self, lab: Lab, control: RunControl, rng: np.random.Generator, trips: int) -> None:
        self.laser, self.control, self.rng, self.left = lab.station.laser, control, rng, trips
        self.wait, self.down = 10, False
        self.touched: list[bool] = []
        self.suspended: list[bool] = []
        self.spans_ps: list[int] = []
        self.valid = True

    def __call__(self, document: Document) -> None:
        if isinstance(document, Validity) and document.source == "midpoint":
            self.valid = document.valid
        if not isinstance(document, Tags):
            return
        if document.block.source == "midpoint":
            # a block is touched if the laser was down before it, or up again only since it began
            self.touched.append(self.down or (bool(self.touched) and self._was_down))
            self.suspended.append(not self.valid)
            self.spans_ps.append(document.block.t_stop_ps - document.block.t_start_ps)
            self._was_down = self.down
        if document.block.source == "bob":
            self._turn()

    def _turn(self) -> None:
        self.wait -= 1
        if self.wait > 0:
            return
        if self.left == 0 and not self.down:
            self.control.request("now")
            return
        self.down = not self.down
        self.left -= self.down
        self.laser.power(BAD_W if self.down else GOOD_W)
        self.wait = int(self.rng.integers(1, 6))

    _was_down = False


def main() -> int:
    trips = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    control = RunControl()
    config = {"bases": ["XX"], "heralds": 10**6, "max_time_s": 1e6, "calibration_shots": 500}
    with tempfile.TemporaryDirectory() as folder, load_station("mock_lab", seed=11) as lab:
        watch = Trips(lab, control, np.random.default_rng(4), trips)
        run = lab.run(
            "heralded_entanglement",
            out_dir=Path(folder),
            monitors=MONITOR,
            control=control,
            subscribers=(watch,),
            **config,
        )
        touched, suspended = np.array(watch.touched), np.array(watch.suspended)
        late = int(np.count_nonzero(touched & ~suspended))
        needless = int(np.count_nonzero(suspended & ~touched))
        live_ps = int(np.array(watch.spans_ps)[~suspended].sum())
        rate, truth = run.results["herald_rate_hz"], float(run.truth()["herald_rate_hz"])
        same = analyze(run).estimates == dict(run.results)
        live_right = live_ps == run.live_time_ps("midpoint")
    pull = (rate.value - truth) / rate.std
    sys.stdout.write(
        f"{trips} trips over {len(touched)} blocks: {int(suspended.sum())} suspended, {late} touched but counted (demand 0), "
        f"{needless} suspended needlessly\n"
        f"live time {live_ps / PS_PER_S:.3f} s, {'as' if live_right else 'NOT as'} the file has it; "
        f"analysis from the file {'the same' if same else 'NOT the same'}\n"
        f"herald rate {rate.value:.3f} ± {rate.std:.3f} Hz, truth {truth:.3f} Hz, pull {pull:+.2f}\n"
    )
    return int(late > 0 or not live_right or not same or abs(pull) > 5)


if __name__ == "__main__":
    sys.exit(main())
