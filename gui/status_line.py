"""The status bar: engine, who holds the lab, tally of clicks, data rate and how long the disk will do."""

from __future__ import annotations

import math
from pathlib import PurePath

from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QStatusBar, QWidget

from ..sequences.engine.values import EngineStatus, StationState
from . import names
from .view_models import RunView
from .widgets import label, restyle

#: Below this the engine stops runs by itself; say so in red well before.
_SHORT_OF_DISK_H = 1.0


class StatusLine(QStatusBar):
    """One line at the foot of the window."""

    def __init__(self) -> None:
        super().__init__()
        self.state = label("starting the engine …")
        self.state.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # it is what may be cut
        self.nodes, self.tally, self.disk = QLabel(), QLabel(), QLabel()
        inside = QWidget()  # the layout of a status bar lags behind its texts
        across = QHBoxLayout(inside)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(22)
        across.addWidget(self.state, stretch=1)
        for part in (self.nodes, self.tally, self.disk):
            across.addWidget(part)
        self.addWidget(inside, 1)
        self._role = ""
        self._station = StationState((), 0.0)

    def show_status(self, status: EngineStatus, run: RunView) -> None:
        """How the engine stands, and for how long the disk will do at the pace of the run."""
        queued = f"{status.queued} queued" if status.queued else ""
        parts = [f"engine {status.state}", queued, PurePath(status.run_path).name]
        self.state.setText("  ·  ".join(part for part in parts if part))
        self.state.setToolTip(status.run_path)
        self._role = status.role
        yours = "you may set and run" if status.role == "operator" else "you may look; an operator sets and runs"
        self.nodes.setToolTip(
            f"Engine process {status.pid} holds the lease of {status.station}'s instruments: no other process opens them.\n"
            f"This window is an {status.role}: {yours}."
        )
        self._show_nodes()
        self._show_disk(status, run)

    def show_station(self, station: StationState) -> None:
        """How many instruments answer."""
        self._station = station
        self._show_nodes()

    def show_run(self, run: RunView) -> None:
        """Clicks so far, and why the latest do not count if they do not."""
        parts = [f"{run.clicks:,} tags", f"{run.missed:,} dropped", run.invalid]
        if math.isfinite(run.lab_time_s) and run.lab_time_s > 0:
            parts.insert(0, f"lab time {names.duration(run.lab_time_s)}")
        self.tally.setText("  ·  ".join(part for part in parts if part))
        _mark(self.tally, bool(run.missed or run.invalid))

    def _show_nodes(self) -> None:
        instruments = self._station.instruments
        silent = [instrument.name for instrument in instruments if instrument.failure]
        answering = (
            f"{', '.join(silent)} silent" if silent else f"{len(instruments)} instruments" if instruments else ""
        )
        self.nodes.setText("  ·  ".join(part for part in (answering, self._role) if part))
        _mark(self.nodes, bool(silent))

    def _show_disk(self, status: EngineStatus, run: RunView) -> None:
        free = f"{names.byte_size(status.free_disk_bytes)} free"
        running = status.state == "running" and run.elapsed_s() > 1.0
        rate = status.run_bytes / run.elapsed_s() if running else 0.0
        hours = status.free_disk_bytes / rate / 3600 if rate > 0 else math.inf
        if math.isfinite(hours):
            lasts = f"{hours:,.0f} h" if hours < 1000 else "> 1000 h"
            free = f"{rate / 1e6:.2f} MB/s  ·  {free}: {lasts}"
        self.disk.setText(free)
        _mark(self.disk, hours < _SHORT_OF_DISK_H)


def _mark(part: QLabel, wrong: bool) -> None:
    role = "wrong" if wrong else ""
    if part.property("role") != role:
        part.setProperty("role", role)
        restyle(part)
