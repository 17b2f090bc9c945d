"""Recorded runs: listed, opened, compared, run again, reported on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices

from ..sequences.engine.client import EngineClient
from .bridge import EngineBridge
from .desk import Desk
from .experiment_panel import ExperimentPanel
from .log_panel import LogPanel
from .runs_panel import RunsPanel
from .view_models import RunView


class RunsDesk(Desk):
    """Between the run browser and the engine. ``opened`` asks the window to show a run at a pace."""

    opened = Signal(str, float)

    def __init__(self, bridge: EngineBridge, log: LogPanel, panel: RunsPanel, experiment: ExperimentPanel) -> None:
        super().__init__(bridge, log)
        self.panel, self.experiment = panel, experiment
        panel.refresh_wanted.connect(self.refresh)
        panel.open_wanted.connect(self.opened)
        panel.reuse_wanted.connect(lambda run_id: self._fill(run_id, lambda: None))
        panel.again_wanted.connect(lambda run_id: self._fill(run_id, experiment.request_run))
        panel.note_wanted.connect(lambda *note: self.ask(lambda c: c.annotate(*note), lambda _: self.refresh()))
        panel.report_wanted.connect(self._report)
        panel.compare.details_wanted.connect(self._fetch)

    def refresh(self) -> None:
        """Asks for the runs there are."""
        self.ask(lambda c: c.runs(), self.panel.show_runs)

    def _fill(self, run_id: str, then: Callable[[], None]) -> None:
        def fill(start: dict[str, Any]) -> None:
            name = start["experiment"]
            if not self.experiment.offers(name):
                self.log.say(f"experiment {name} is not offered by this engine")
                return
            self.experiment.show_config(name, start["config"])
            then()

        self.ask(lambda c: next(c.recorded(run_id)).content, fill)

    def _fetch(self, run_ids: list[str]) -> None:
        for run_id in run_ids:
            self.ask(_told(run_id), lambda run: self.panel.compare.show_details([run]))

    def _report(self, run_ids: list[str]) -> None:
        def show(page: Path) -> None:
            self.log.say(f"report written: {page}")
            show_file(page)

        self.log.say("writing the report …")
        self.ask(lambda c: c.write_report(*run_ids), show)


def show_file(path: Path) -> None:
    """Has the user's browser open a page."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def _told(run_id: str) -> Callable[[EngineClient], RunView]:
    """A recorded run as the window would show it at its end."""

    def tell(client: EngineClient) -> RunView:
        run = RunView()
        for document in client.recorded(run_id):
            run.apply(document.content, document.utc_s)
        return run

    return tell
