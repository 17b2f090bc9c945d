"""``erbia gui``: one window on one station."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from ..sequences.engine.stations import shipped_stations
from .garbage import spare_what_is_loaded
from .main_window import MainWindow

DEFAULT_STATION = "mock_lab"


def run_gui(station: str | None, argv: Sequence[str], seed: int | None = None) -> int:
    """Opens the window on a station (the shipped mock lab when None) and returns when it is closed.

    Args:
        station: name of a shipped station or path of a station file.
        argv: what Qt may read options from; the first is the program's name.
        seed: seed of what is simulated, when the station's engine is not running yet.
    """
    app = QApplication.instance() or QApplication(list(argv))
    assert isinstance(app, QApplication)
    app.setApplicationName("erbia")
    app.setOrganizationName("erbia")
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    window = MainWindow(shipped_stations(), QSettings())
    window.open(station or DEFAULT_STATION, seed)
    window.show_as_left()
    spare_what_is_loaded()
    return app.exec()
