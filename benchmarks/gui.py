"""The window's figures: frame time with eight live plots, cost of a long run, start, references, ten thousand runs.

``python benchmarks/gui.py`` prints one line a figure. Times are medians on this machine, drawn by Qt's raster engine.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtWidgets import QApplication, QGridLayout, QWidget

from erbia.gui.plots import BandPlot, HistogramPlot, Plot
from erbia.gui.runs_model import RunsModel
from erbia.gui.theme import DARK
from erbia.gui.view_models import Histogram, RunView
from erbia.sequences.engine.run_index import RunIndex

CHANNELS, REFERENCE_FRAMES, RUNS = 8, 20_000, 10_000
STARTED = "from PySide6.QtWidgets import QApplication; from erbia.gui.main_window import MainWindow"


def median_ms(work: Callable[[], object], times: int) -> float:
    """Median duration of the work in milliseconds."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return 1e3 * statistics.median(spent)


class EightPlots(QWidget):
    """Two histograms, four strips of eight channels, two estimates in their intervals."""

    def __init__(self) -> None:
        super().__init__()
        self.resize(1600, 900)
        self.rng = np.random.default_rng(1)
        self.histograms = [HistogramPlot() for _ in range(2)]
        self.strips = [Plot(("rate", "Hz"), ("time", "s")) for _ in range(4)]
        self.bands = [BandPlot() for _ in range(2)]
        grid = QGridLayout(self)
        for k, plot in enumerate([*self.histograms, *self.strips, *self.bands]):
            plot.paint(DARK)
            grid.addWidget(plot, k // 4, k % 4)
        self.view = RunView()
        self.t_s = 0

    def feed(self, rows: int = 1) -> None:
        """Takes that many blocks in."""
        for _ in range(rows):
            self.t_s += 1
            rates = {f"ch{k}": float(self.rng.poisson(20_000_000 / CHANNELS)) for k in range(CHANNELS)}
            stop_ps = self.t_s * 10**10
            self.view.apply(
                {
                    "type": "Tags", "source": "tagger", "t_start_ps": stop_ps - 10**10, "t_stop_ps": stop_ps,
                    "n": 200_000, "overflow": False, "missed": 0, "rates_hz": rates,
                },
                float(self.t_s),
            )  # fmt: skip

    def draw(self) -> None:
        """Puts one frame's data in; painting is Qt's, with the next events."""
        counts = self.rng.poisson(100, 4000).astype(np.int64)
        for plot in self.histograms:
            plot.show_histogram(Histogram(np.arange(4000, dtype=np.int64) * 10, counts, 10))
        series = self.view.series()
        for k, strip in enumerate(self.strips):
            for name, t_s, hz in series[2 * k : 2 * k + 2]:
                strip.line(name, DARK).setData(t_s, hz)
        x = np.arange(1000.0)
        for band in self.bands:
            y = self.rng.normal(0.9, 0.01, 1000)
            band.show_history("fidelity", "", x, y, y - 0.05, y + 0.05)


def frames(app: QApplication) -> None:
    """Frame time early in a run and a hundred thousand blocks later."""
    plots = EightPlots()
    plots.show()
    plots.feed(3000)

    def frame() -> None:
        plots.feed()
        plots.draw()
        app.processEvents()

    early = median_ms(frame, 60)
    plots.feed(100_000)
    late = median_ms(frame, 60)
    print(f"frame, 8 live plots: median {early:.1f} ms; 100,000 blocks later {late:.1f} ms (ratio {late / early:.2f})")


def references(app: QApplication) -> None:
    """References to None and memory over twenty thousand frames of a plot."""
    plot = HistogramPlot()
    plot.paint(DARK)
    plot.resize(300, 200)
    plot.show()
    histogram = Histogram(np.arange(200, dtype=np.int64), np.arange(200, dtype=np.int64), 1)

    def draw(n: int) -> None:
        for _ in range(n):
            plot.show_histogram(histogram)
            plot.grab()

    draw(200)
    before, memory = sys.getrefcount(None), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    draw(REFERENCE_FRAMES)
    app.processEvents()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
    print(
        f"{REFERENCE_FRAMES:,} frames: references to None {sys.getrefcount(None) - before:+d}, memory {grown:+.1f} MB"
    )


def start() -> None:
    """From an empty process to a painted window."""
    with tempfile.TemporaryDirectory() as folder:
        code = (
            f"{STARTED}; from PySide6.QtCore import QSettings; app = QApplication([]);"
            f"w = MainWindow(['mock_lab'], QSettings('{folder}/x.ini', QSettings.Format.IniFormat)); w.show(); w.grab()"
        )
        command = [sys.executable, "-c", code]
        subprocess.run(command, check=True, capture_output=True)
        shown = median_ms(lambda: subprocess.run(command, check=True, capture_output=True), 3)
    cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"process start to painted window, warm: median {shown / 1e3:.2f} s (cpu {(cpu.ru_utime + cpu.ru_stime) / 4:.2f} s)"
    )


def browser() -> None:
    """Ten thousand runs: listed from the index, shown and searched."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for k in range(RUNS):
            (folder / f"2026{k:08d}-run.h5").touch()
        index = RunIndex(folder)
        index.runs()
        listed = median_ms(index.runs, 5)
        runs, model = index.runs(), RunsModel()
        shown = median_ms(lambda: model.show_runs(runs), 5)
        searched = median_ms(lambda: model.search("run 00009"), 5)
        index.close()
    print(f"{RUNS:,} runs: listed in {listed:.0f} ms, shown in {shown:.0f} ms, searched in {searched:.0f} ms")


def main() -> None:
    app = QApplication(sys.argv[:1])
    frames(app)
    references(app)
    browser()
    start()


if __name__ == "__main__":
    main()
