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

from erbia.gui.main_window import MainWindow

IMAGES = Path(__file__).parent / "images"
LAPTOP, BIG_SCREEN = (1366, 740), (2560, 1400)
LIMIT_S = 120.0


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

    def photograph(self, name: str, size: tuple[int, int] = LAPTOP, theme: str = "dark") -> None:
        """Saves the window as docs/images/NAME.png."""
        self.window.set_theme(theme)
        self.window.resize(*size)
        self.window.docks.reset()
        self.settle()
        self.window.grab().save(str(IMAGES / f"{name}.png"))

    def tab(self, title: str) -> None:
        """Shows the tab of that title."""
        tabs = self.window.tabs
        tabs.setCurrentIndex([tabs.tabText(k) for k in range(tabs.count())].index(title))

    def close(self) -> None:
        self.window.bridge.call(lambda client: client.shutdown())
        self.settle(0.5)
        self.window.close()


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        studio = Studio(Path(folder))
        studio.photograph("gui-start")
        studio.run("heralded_entanglement", {"heralds": 3000}, fraction=0.4)
        studio.tab("Rates")
        studio.photograph("gui-rates")
        studio.tab("Overview")
        studio.until(lambda: studio.window.view.fraction > 0.85)
        studio.photograph("gui")
        studio.until(lambda: bool(studio.window.view.outcome))
        studio.photograph("gui-light", BIG_SCREEN, "light")
        for title in ("Heralds", "Correlations", "Sequence"):
            studio.tab(title)
            studio.until(lambda title=title: title != "Correlations" or studio.window.panels.tags.plot.shown is not None)  # type: ignore[misc]
            studio.photograph(f"gui-{title.lower()}")
        for experiment in ("storage_time", "timing_jitter", "clock_sync"):
            studio.run(experiment, {})
            studio.tab("Scan" if experiment == "storage_time" else "Overview")
            studio.photograph(f"gui-{experiment.replace('_', '-')}")
        studio.tab("Runs")
        studio.photograph("gui-runs")
        studio.close()


if __name__ == "__main__":
    main()
