"""What the window must stand: being killed fifty times in a run, and a day of documents.

``python benchmarks/gui_endurance.py kills`` starts a run, kills the window fifty times and starts it again each time;
prints how long the new window took to show the run again, and whether the file holds every tag the engine told of.
``python benchmarks/gui_endurance.py day`` puts a day of documents (24 h; a block a second of each of three taggers, a result
every four seconds) through the window as fast as it takes them, drawing all the time; prints how its memory grew.
Both on the simulated lab, drawn by Qt's raster engine without a screen.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import psutil
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from erbia.analysis.files.runfile import open_run
from erbia.gui.garbage import collect_if_due
from erbia.gui.main_window import MainWindow
from erbia.sequences.engine.client import EngineClient
from erbia.sequences.engine.values import DocumentMessage

KILLS, LIMIT_S = 50, 120.0
DAY_S, TAGS_S, RESULT_S, SOURCES, CHANNELS, BINS = 86_400, 1.0, 4.0, 3, 8, 400
#: A window that says when it is connected and when it shows clicks of the run, then waits to be killed.
WINDOW = """
import sys, time
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication
from erbia.gui.main_window import MainWindow
app = QApplication(sys.argv)
window = MainWindow(["mock_lab"], QSettings(sys.argv[1], QSettings.Format.IniFormat))
begun = time.monotonic()
window.open("mock_lab", None)
window.show()
def look():
    if window.view.clicks:
        timer.stop()
        print(time.monotonic() - begun, time.process_time(), flush=True)
timer = QTimer(interval=5)
timer.timeout.connect(look)
timer.start()
app.exec()
"""


def until(condition: Callable[[], Any], limit_s: float = LIMIT_S) -> Any:
    """Waits for a condition and gives its value."""
    deadline = time.monotonic() + limit_s
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError("waited too long")
        time.sleep(0.02)
    return answer


def kills(times: int = KILLS) -> None:
    """Kills windows while a run is recorded."""
    rng = np.random.default_rng(1)
    reattached = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        client = EngineClient.connect_or_start("mock_lab", 1, Path(folder) / "runs", pace=10.0)
        engine = psutil.Process(client.status().pid)
        try:
            errors = client.start("heralded_entanglement", {"heralds": 1_000_000, "max_time_s": 100_000.0})
            assert not errors, errors
            until(lambda: client.status().next_index > 50)
            for k in range(times):
                command = [sys.executable, "-c", WINDOW, str(Path(folder) / "gui.ini")]
                window = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                assert window.stdout is not None
                reattached.append(float(window.stdout.readline().split()[0]))
                time.sleep(float(rng.uniform(0.0, 0.3)))
                window.send_signal(signal.SIGKILL)
                window.wait()
                assert client.status().state == "running", f"kill {k + 1}: {client.status()}"
            client.stop("now")
            until(lambda: client.status().state == "idle")
            told = _told(client)
            with open_run(client.status().run_path) as run:
                written = sum(len(run.tags(source)) for source in run.sources)
        finally:
            client.shutdown()
            psutil.wait_procs([engine], timeout=30)
    print(
        f"window killed {times} times in a run: {written:,} tags written, {told - written:+d} told of and not written; "
        f"shown again after median {statistics.median(reattached):.2f} s, longest {max(reattached):.2f} s "
        f"(load average {os.getloadavg()[0]:.1f})"
    )


def _told(client: EngineClient) -> int:
    clicks = 0
    for document in client.documents():
        if document.content["type"] == "Tags":
            clicks += document.content["n"]
        if document.content["type"] == "RunStop":
            return clicks
    raise AssertionError("the run did not end")


def day_of_documents(rng: np.random.Generator, seconds: float) -> Iterator[dict[str, Any]]:
    """What an engine sends in that time."""
    yield {
        "type": "RunStart", "run_id": "day", "experiment": "heralded_entanglement", "path": "day.h5", "simulated": True,
        "config": {"heralds": 1}, "sources": [f"s{k}" for k in range(SOURCES)], "created_utc": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    counts = np.zeros(BINS, np.int64)
    every = round(RESULT_S / TAGS_S)
    for k in range(round(seconds / TAGS_S)):
        stop_ps = round((k + 1) * TAGS_S * 1e12)
        for source in range(SOURCES):
            rates = {f"ch{c}": float(rng.poisson(1000)) for c in range(CHANNELS)}
            yield {
                "type": "Tags", "source": f"s{source}", "t_start_ps": stop_ps - round(TAGS_S * 1e12), "t_stop_ps": stop_ps,
                "n": 400, "overflow": False, "missed": 0, "rates_hz": rates,
            }  # fmt: skip
        if k % every == 0:
            counts += rng.poisson(1.0, BINS)
            yield {
                "type": "Progress",
                "fraction": k * TAGS_S / seconds,
                "lab_time_s": k * TAGS_S,
                "remaining_s": None,
                "message": "",
            }
            estimate = {
                "value": 0.9,
                "lower": 0.88,
                "upper": 0.92,
                "confidence": 0.95,
                "std": 0.01,
                "n": k,
                "method": "day",
            }
            yield {
                "type": "Result", "estimates": dict.fromkeys(("fidelity", "e_xx", "herald_rate_hz"), estimate),
                "histograms": {"arrival": {"lag_ps": list(range(BINS)), "counts": counts.tolist(), "bin_ps": 1}}, "counts": {},
            }  # fmt: skip
        if k % 60 == 0:
            yield {"type": "Log", "level": "INFO", "text": f"minute {k // 60}"}


def day(seconds: float = DAY_S, batch: int = 2000) -> None:
    """A day through the window; a frame is drawn for every batch."""
    app = QApplication(sys.argv[:1])
    process = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        window = MainWindow(["mock_lab"], QSettings(f"{folder}/gui.ini", QSettings.Format.IniFormat))
        window.show()
        stream = day_of_documents(np.random.default_rng(1), seconds)
        memory: list[float] = []
        frames = 0
        while contents := [content for content, _ in zip(stream, range(batch), strict=False)]:
            window._take([DocumentMessage(0, time.time(), json.loads(json.dumps(c))) for c in contents])
            window.tabs.setCurrentIndex(frames % window.tabs.count())
            window._draw()
            app.processEvents()
            collect_if_due()
            frames += 1
            memory.append(process.memory_info().rss / 2**20)
        window.close()
    settled = memory[len(memory) // 20]
    print(
        f"{seconds / 3600:.0f} h of documents in {frames:,} frames: memory {settled:.0f} MB after the first 5 %, "
        f"{memory[-1]:.0f} MB at the end ({memory[-1] - settled:+.1f} MB; highest {max(memory):.0f} MB)"
    )


if __name__ == "__main__":
    {"kills": kills, "day": day}[sys.argv[1]](*(int(text) for text in sys.argv[2:]))
