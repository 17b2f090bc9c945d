"""Makes the pictures of docs/images from seeded runs on the simulated lab: ``python docs/make_screenshots.py``."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from erbia.gui.compare_panel import OVERLAY
from erbia.gui.main_window import MainWindow

IMAGES = Path(__file__).parent / "images"
LAPTOP, BIG_SCREEN = (1366, 740), (2560, 1400)
AXIS = {"parameter": "snspd.ch3.bias", "unit": "A", "values": [round(1e-6 * k, 7) for k in range(4, 18)]}
LIMIT_S = 300.0
#: What else is run, how, and the tab that shows it.
OTHERS: tuple[tuple[str, dict[str, object], str], ...] = (
    ("scan", {"points": {"axes": [AXIS]}, "measure": ["alice.photon"], "dwell_s": 5}, "Scan"),
    ("tomography", {}, "State"),
    ("storage_time", {}, "Memory"),
    ("clock_sync", {}, "Clock"),
    ("detector_characterisation", {}, "Detectors"),  # last: it leaves a pixel latched
)


class Studio:
    """A window on the mock lab that can wait, run and be photographed."""

    def __init__(self, folder: Path) -> None:
        self.app = QApplication(sys.argv[:1])
        self.app.setApplicationName("erbia")
        os.chdir(folder)
        self.window = MainWindow(["mock_lab"], QSettings(str(folder / "gui.ini"), QSettings.Format.IniFormat))
        self.window.open("mock_lab", seed=1)
        self.window.show()
        self.until(self.window.run_action.isEnabled)

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError("the window did not get there")
            self.app.processEvents()
            time.sleep(0.005)

    def settle(self, seconds: float = 0.8) -> None:
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end)

    def run(self, experiment: str, config: dict[str, object], fraction: float = 1.0) -> None:
        """Runs until that far, or to the end."""
        before = self.window.view.run_id
        self.until(self.window.run_action.isEnabled)
        self.window.panels.experiment.show_config(experiment, config)
        self.window.run_action.trigger()
        view = self.window.view
        self.until(lambda: view.run_id != before)
        self.until(lambda: bool(view.outcome) or (fraction < 1 and view.fraction >= fraction))

    def photograph(self, name: str, size: tuple[int, int] = LAPTOP, theme: str = "dark", queue: bool = False) -> None:
        """Saves the window as docs/images/NAME.png."""
        self.window.set_theme(theme)
        self.window.resize(*size)
        self.window.docks.reset()
        self.window.docks.right.setCurrentIndex(int(queue))
        self.window.banner.hide()
        self.settle()
        self.window.grab().save(str(IMAGES / f"{name}.png"))

    def tab(self, title: str) -> None:
        """Shows the tab of that title."""
        tabs = self.window.tabs
        tabs.setCurrentIndex([tabs.tabText(k) for k in range(tabs.count())].index(title))

    def show(self, title: str, ready: Callable[[], bool] = lambda: True) -> None:
        """Photographs a tab when it is ready."""
        self.tab(title)
        self.until(ready)
        self.photograph(f"gui-{title.lower()}")

    def queue(self) -> None:
        """Two runs wait behind one; the queue is in front."""
        form = self.window.panels.experiment
        for heralds in (300, 400, 500):
            form.show_config("heralded_entanglement", {"heralds": heralds})
            form.request_queue()
        self.until(lambda: self.window.panels.queue.table.rowCount() >= 3)
        self.tab("Overview")
        self.photograph("gui-queue", queue=True)
        self.until(lambda: "queued" not in self.window.line.state.text() and self.window.run_action.isEnabled())

    def compare(self) -> None:
        """Some runs laid over each other."""
        panel = self.window.panels.runs
        self.until(lambda: panel.model.rowCount() > 3)
        panel.search.setText("heralded")
        panel.table.selectAll()
        panel.compare.setCurrentIndex(OVERLAY)
        self.until(lambda: len(panel.compare.overlay.curves) > 3)
        panel.compare.quantity.setCurrentIndex(panel.compare.quantity.findData("herald_rate_hz"))
        panel.compare.quantity.activated.emit(panel.compare.quantity.currentIndex())
        self.photograph("gui-compare")
        panel.search.clear()

    def close(self) -> None:
        self.window.bridge.call(lambda client: client.shutdown())
        self.settle(0.5)
        self.window.close()


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["XDG_RUNTIME_DIR"] = os.environ["XDG_CONFIG_HOME"] = folder
        studio = Studio(Path(folder))
        studio.photograph("gui-start")
        studio.window.panels.guide.close_button.click()
        studio.run("heralded_entanglement", {"heralds": 3000}, fraction=0.4)
        studio.show("Rates")
        studio.tab("Overview")
        studio.until(lambda: studio.window.view.fraction > 0.85)
        studio.photograph("gui")
        studio.until(lambda: bool(studio.window.view.outcome))
        studio.photograph("gui-light", BIG_SCREEN, "light")
        studio.show("Heralds")
        studio.show("Correlations", lambda: studio.window.panels.tags.plot.shown is not None)
        studio.show("Sequence")
        studio.queue()
        studio.show("Runs")
        studio.compare()
        studio.show("Calibrations")
        for experiment, config, tab in OTHERS:
            studio.run(experiment, config)
            studio.show(tab)
        studio.close()


if __name__ == "__main__":
    main()
