"""A killed window costs no tag: real processes, the simulated lab, SIGKILL in the middle of a run."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from PySide6.QtCore import QSettings

from erbia.analysis.files.runfile import open_run
from erbia.gui.main_window import MainWindow
from erbia.sequences.engine.client import EngineClient

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")

#: A window on the mock lab that presses its own Run button as soon as it can.
WINDOW = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from erbia.gui.app import run_gui

def press():
    (window,) = [w for w in QApplication.topLevelWidgets() if hasattr(w, "run_action")]
    if window.run_action.isEnabled():
        timer.stop()
        window.panels.experiment.show_config("heralded_entanglement", {"heralds": 300})
        window.run_action.trigger()

app = QApplication(sys.argv)
timer = QTimer(interval=50)
timer.timeout.connect(press)
timer.start()
run_gui("mock_lab", sys.argv, seed=1)
"""


def until(condition: Callable[[], Any], limit_s: float = 60.0) -> Any:
    deadline = time.monotonic() + limit_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
    return answer


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runtime, settings and working folder of our own, and no engine left behind."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield
    client = EngineClient.connect("mock_lab")
    if client is not None:
        engine = psutil.Process(client.status().pid)
        client.shutdown()
        psutil.wait_procs([engine], timeout=30)


@pytest.mark.slow
def test_a_killed_window_costs_no_tag_and_another_one_takes_over(tmp_path: Path, qtbot: Any) -> None:
    window = subprocess.Popen([sys.executable, "-c", WINDOW], stderr=subprocess.DEVNULL)
    client: EngineClient = until(lambda: EngineClient.connect("mock_lab"))
    until(lambda: client.status().state == "running")
    until(lambda: client.status().next_index > 50)
    window.send_signal(signal.SIGKILL)
    window.wait()
    assert client.status().state == "running"

    second = MainWindow(["mock_lab"], QSettings(str(tmp_path / "gui.ini"), QSettings.Format.IniFormat))
    qtbot.addWidget(second)
    second.open("mock_lab", None)
    start = time.monotonic()
    qtbot.waitUntil(lambda: second.view.clicks > 0, timeout=10_000)
    assert time.monotonic() - start <= 2.0, "reattached"

    qtbot.waitUntil(lambda: bool(second.view.outcome), timeout=60_000)
    assert second.view.outcome == "done"
    until(lambda: client.status().state == "idle")
    with open_run(second.view.path) as run:
        assert sum(len(run.tags(source)) for source in run.sources) == second.view.clicks
        assert run.status == "done"
        assert len(run.heralds()) >= 900
    assert second.view.clicks > 10_000
