"""The status bar: engine, tally of clicks, data rate and how long the disk will do."""

from __future__ import annotations

import math

from PySide6.QtWidgets import QLabel, QStatusBar

from ..sequences.engine.values import EngineStatus
from . import names
from .view_models import RunView


class StatusLine(QStatusBar):
    """One line at the foot of the window."""

    def __init__(self) -> None:
        super().__init__()
        self.state = QLabel("starting the engine …")
        self.tally = QLabel()
        self.disk = QLabel()
        self.addWidget(self.state, 1)
        self.addPermanentWidget(self.tally)
        self.addPermanentWidget(self.disk)

    def show_status(self, status: EngineStatus, run: RunView) -> None:
        """How the engine stands, and for how long the disk will do at the pace of the run."""
        self.state.setText(f"engine {status.state}" + (f"  ·  {status.run_path}" if status.run_path else ""))
        free = f"{names.byte_size(status.free_disk_bytes)} free"
        running = status.state == "running" and run.elapsed_s() > 1.0
        rate = status.run_bytes / run.elapsed_s() if running else 0.0
        if rate > 0:
            hours = status.free_disk_bytes / rate / 3600
            lasts = f"{hours:,.0f} h" if hours < 1000 else "> 1000 h"
            free = f"{names.byte_size(rate)}/s  ·  {free}, lasts {lasts}"
        self.disk.setText(free)

    def show_run(self, run: RunView) -> None:
        """Clicks so far, and why the latest do not count if they do not."""
        parts = [f"{run.clicks:,} clicks", f"{run.missed:,} missed", run.invalid]
        if math.isfinite(run.lab_time_s) and run.lab_time_s > 0:
            parts.insert(0, f"lab time {names.duration(run.lab_time_s)}")
        self.tally.setText("  ·  ".join(part for part in parts if part))
