"""Makes the pictures of docs/images from seeded runs on the simulated lab: ``python docs/make_screenshots.py``."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PIL import Image
from PySide6.QtCore import QSettings
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from erbia.gui.compare_panel import OVERLAY
from erbia.gui.main_window import MainWindow, fitting_pt

IMAGES = Path(__file__).parent / "images"
#: Ending of the file's name: the window less the task bar, and the height of the screen, which decides the text's size.
SCREENS = {"": (1366, 740, 768), "-large": (2560, 1400, 1440)}
LIMIT_S = 300.0
COLOURS = 192
#: What else is run, how, the tab that shows it, and the name of the picture.
OTHERS: tuple[tuple[str, dict[str, object], str, str], ...] = (
    ("tomography", {}, "State", ""),
    ("storage_time", {}, "Memory", ""),
    ("clock_tracking", {"duration_s": 60}, "Clock", ""),
    ("detector_characterisation", {}, "Detectors", ""),  # last: it leaves a pixel latched
)
LIT: dict[str, object] = {"play": "alice_readout", "parameters": {"laser.emission": True}}
LINE = LIT | {"points": "laser.frequency = 194.95 THz ± 6 MHz/41", "dwell_s": 0.5}
MAP = LIT | {
    "points": "alice_memory.electrode_voltage = -2..2 V/9; laser.frequency = 194.95 THz ± 6 MHz/25; snake",
    "dwell_s": 0.05,
}


def save_small(picture: QImage, path: Path) -> None:
    """Writes a PNG of the commonest colours, which are kept as they are: a fifth of the size, and no eye sees it."""
    plain = picture.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    pixels = np.ascontiguousarray(rows[:, : 3 * plain.width()].reshape(plain.height(), plain.width(), 3))
    image = Image.fromarray(pixels)
    colours = sorted(image.getcolors(1 << 24) or (), reverse=True)[:COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([channel for _, colour in colours for channel in colour])
    image.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)


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
                said = "\n".join(self.window.log.toPlainText().splitlines()[-5:])
                raise TimeoutError(f"the window did not get there; the last it said:\n{said}")
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

    def photograph(self, name: str, theme: str = "dark", queue: bool = False) -> None:
        """Saves the window as docs/images/NAME.png and NAME-large.png."""
        window = self.window
        window.set_theme(theme)
        for ending, (width, height, screen) in SCREENS.items():
            window.set_font(fitting_pt(screen))
            window.resize(width, height)
            window.docks.reset()
            window.docks.right.setCurrentIndex(int(queue))
            window.banner.hide()
            self.settle()
            window.banner.hide()
            self.app.sendPostedEvents()  # nothing is to be laid out any more
            save_small(window.grab().toImage(), IMAGES / f"{name}{ending}.png")

    def tab(self, title: str) -> None:
        """Shows the tab of that title."""
        tabs = self.window.tabs
        tabs.setCurrentIndex([tabs.tabText(k) for k in range(tabs.count())].index(title))

    def show(self, title: str, name: str = "", ready: Callable[[], bool] = lambda: True) -> None:
        """Photographs a tab when it is ready."""
        self.tab(title)
        self.until(ready)
        self.photograph(f"gui-{name or title.lower()}")

    def correlations(self) -> None:
        """The decay of the early photon, fitted."""
        tags = self.window.panels.tags
        self.tab("Correlations")
        for quantity, text in ((tags.bin, "50 ns"), (tags.range, "30 us")):
            quantity.line.setText(text)
            quantity.line.editingFinished.emit()
        self.settle(1.0)
        self.until(lambda: tags.plot.shown is not None and tags.plot.shown.bin_ps == 50_000)
        tags.fits.model.setCurrentText("decay")
        tags.fits.model.activated.emit(tags.fits.model.currentIndex())
        tags.fits.cursors.setRegion((17.2e-6, 21.5e-6))
        self.photograph("gui-correlations")

    def scans(self) -> None:
        """A line with its fit, and a map with the cut through it."""
        scan = self.window.panels.scan
        self.run("scan", LINE)
        self.tab("Scan")
        self.settle(0.3)
        scan.fits.model.setCurrentText("lorentzian")
        scan.fits.model.activated.emit(scan.fits.model.currentIndex())
        self.photograph("gui-scan")
        scan.fits.gate.setChecked(False)
        self.run("scan", MAP)
        self.settle(0.3)
        scan.map.point_at(194.95e12, 0.5)
        self.photograph("gui-map")

    def queue(self) -> None:
        """Two runs wait behind one; the queue is in front."""
        form = self.window.panels.experiment
        for heralds in (1500, 2000, 400):
            form.show_config("heralded_entanglement", {"heralds": heralds})
            form.request_queue()
        self.until(lambda: self.window.panels.queue.table.rowCount() >= 3)
        self.tab("Overview")
        self.photograph("gui-queue", queue=True)
        self.finish_queue()

    def calibrations(self) -> None:
        """Two are fresh, one is on its way."""
        panel = self.window.panels.calibrations
        self.tab("Calibrations")
        panel.all_button.click()
        self.until(
            lambda: sum(panel.table.item(row, 1).text() == "fresh" for row in range(panel.table.rowCount())) >= 2
        )
        self.photograph("gui-calibrations")
        self.finish_queue()

    def finish_queue(self) -> None:
        """Waits until nothing runs and nothing waits."""
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

    def move_to(self, station: str) -> None:
        """Shuts this station's engine down and opens another."""
        self.window.bridge.call(lambda client: client.shutdown())
        self.settle(1.0)
        self.window.open(station, seed=1)
        self.until(lambda: not self.window.run_action.isEnabled())
        self.until(self.window.run_action.isEnabled)

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
        studio.run("heralded_entanglement", {"heralds": 4000}, fraction=0.3)
        studio.show("Rates")
        studio.tab("Overview")
        studio.until(lambda: studio.window.view.fraction > 0.85 or bool(studio.window.view.outcome))
        studio.photograph("gui")
        studio.until(lambda: bool(studio.window.view.outcome))
        studio.photograph("gui-light", "light")
        studio.show("Heralds")
        studio.correlations()
        studio.show("Sequence")
        studio.queue()
        studio.show("Runs")
        studio.compare()
        studio.calibrations()
        studio.scans()
        for experiment, config, tab, name in OTHERS:
            studio.run(experiment, config)
            studio.show(tab, name)
        studio.move_to("ensemble_lab")
        studio.run("afc_storage", {})
        studio.show("Memory", "comb")
        studio.close()


if __name__ == "__main__":
    main()
