"""The window's figures: frame time with eight live plots, cost of a long run, start, references, ten thousand runs.

``python benchmarks/gui.py`` prints one line a figure. Times are medians on this machine, drawn by Qt's raster engine; the CPU
time of a frame is that of the drawing thread. While it draws, another process records 20 million tags a second, as the
engine does (``python benchmarks/gui.py record SECONDS`` alone).
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
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtWidgets import QApplication, QGridLayout, QWidget

from erbia.analysis.files.recorder import Recorder
from erbia.analysis.files.runfile import Reserve, RunWriter
from erbia.analysis.records import TagBlock, TimeTags
from erbia.gui.plots import BandPlot, HistogramPlot, Plot
from erbia.gui.runs_model import RunsModel
from erbia.gui.theme import DARK
from erbia.gui.view_models import Histogram, RunView
from erbia.sequences.engine.run_index import RunIndex

CHANNELS, REFERENCE_FRAMES, RUNS = 8, 20_000, 10_000
FRAMES, TAGS_A_BLOCK, BLOCK_S = 100, 200_000, 0.01
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
        self.plots = [*self.histograms, *self.strips, *self.bands]
        for k, plot in enumerate(self.plots):
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
        for plot in self.plots:
            plot.settle()


def record(seconds: float) -> None:
    """Writes 20 million tags a second of wall time into a run file; prints how many a second it were."""
    rng = np.random.default_rng(1)
    block_ps = round(BLOCK_S * 1e12)
    t_ps = np.sort(rng.integers(0, block_ps, TAGS_A_BLOCK))
    channel = rng.integers(1, CHANNELS + 1, TAGS_A_BLOCK).astype(np.uint8)
    about: dict[str, Any] = {"run_id": "b", "experiment": "benchmark", "simulated": True, "operator": ""}
    config = {"station_yaml": "", "experiment_yaml": "", "resolved_json": "{}"}
    sources = {"tagger": {k: f"ch{k}" for k in range(1, CHANNELS + 1)}}
    with tempfile.TemporaryDirectory() as folder:
        reserve = Reserve(share=0.0, seconds=0.0)
        writer = RunWriter.create(
            Path(folder) / "run.h5", sources=sources, config=config, provenance={}, reserve=reserve, **about
        )
        with Recorder(writer, {}) as recorder:
            start, written = time.monotonic(), 0
            while (now := time.monotonic() - start) < seconds:
                if written * BLOCK_S > now:
                    time.sleep(0.001)
                    continue
                first = written * block_ps
                tags = TimeTags(t_ps + first, channel)
                recorder.put(TagBlock(tags, first, first + block_ps, "tagger"))
                written += 1
        spent = time.monotonic() - start
    print(f"{written * TAGS_A_BLOCK / spent / 1e6:.1f}")


def frame_times(plots: EightPlots, app: QApplication) -> tuple[float, float]:
    """Median of a frame in milliseconds: by the wall clock, and CPU time of the drawing thread."""
    wall, cpu = [], []
    for _ in range(FRAMES):
        start, start_cpu = time.perf_counter(), time.thread_time()
        plots.feed()
        plots.draw()
        app.processEvents()
        wall.append(time.perf_counter() - start)
        cpu.append(time.thread_time() - start_cpu)
        time.sleep(max(0.0, 0.05 - wall[-1]))
    return 1e3 * statistics.median(wall), 1e3 * statistics.median(cpu)


def frames(app: QApplication) -> None:
    """Frame time early in a run, a hundred thousand blocks later, and while tags are recorded."""
    plots = EightPlots()
    plots.show()
    plots.feed(3000)
    frame_times(plots, app)
    wall, cpu = frame_times(plots, app)
    plots.feed(100_000)
    late_wall, late_cpu = frame_times(plots, app)
    print(f"frame, 8 live plots: median {wall:.1f} ms (cpu {cpu:.1f} ms); load average {os.getloadavg()[0]:.1f}")
    print(f"  100,000 blocks later: {late_wall:.1f} ms (cpu {late_cpu:.1f} ms, ratio {late_cpu / cpu:.2f})")
    recording = subprocess.Popen([sys.executable, __file__, "record", "14"], stdout=subprocess.PIPE, text=True)
    time.sleep(4)
    wall, cpu = frame_times(plots, app)
    rate = float(recording.communicate()[0])
    print(f"  while {rate:.1f} Mtags/s are recorded: {wall:.1f} ms (cpu {cpu:.1f} ms)")


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
    if sys.argv[1:2] == ["record"]:
        return record(float(sys.argv[2]))
    app = QApplication(sys.argv[:1])
    frames(app)
    references(app)
    browser()
    start()
    return None


if __name__ == "__main__":
    main()
