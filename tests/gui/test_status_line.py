"""The status bar: engine, who holds the lab, tags dropped, data rate and how long the disk will do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from erbia.gui.status_line import StatusLine
from erbia.gui.view_models import RunView
from erbia.sequences.engine.values import EngineStatus, InstrumentState, StationState

STATUS = EngineStatus(
    "running",
    "lab",
    True,
    "link",
    "r",
    "/data/20260101T000000-link.h5",
    "",
    0,
    3_600_000_000,
    77,
    1,
    "/data",
    2_000_000,
)


@pytest.fixture
def line(qtbot: Any) -> StatusLine:
    line = StatusLine()
    qtbot.addWidget(line)
    return line


def run(missed: int = 0, seconds: float = 2.0) -> RunView:
    return RunView(clicks=1234, missed=missed, lab_time_s=61.0, started_utc_s=10.0, latest_utc_s=10.0 + seconds)


def test_the_data_rate_and_how_long_the_disk_will_do(line: StatusLine) -> None:
    line.show_status(STATUS, run())
    assert line.disk.text() == "1.00 MB/s  ·  3.6 GB free: 1 h"
    line.show_status(replace(STATUS, free_disk_bytes=1_800_000_000), run())
    assert line.disk.property("role") == "wrong", "half an hour left"
    line.show_status(replace(STATUS, state="idle"), run())
    assert line.disk.text() == "3.6 GB free"


def test_the_engine_its_queue_and_its_file(line: StatusLine) -> None:
    line.show_status(replace(STATUS, queued=2), run())
    assert line.state.text() == "engine running  ·  2 queued  ·  20260101T000000-link.h5"
    assert line.state.toolTip() == STATUS.run_path


def test_tags_dropped_are_red(line: StatusLine) -> None:
    line.show_run(run())
    assert line.tally.text() == "lab time 1 min 1 s  ·  1,234 tags  ·  0 dropped"
    assert not line.tally.property("role")
    line.show_run(run(missed=5))
    assert line.tally.text().endswith("5 dropped")
    assert line.tally.property("role") == "wrong"


def test_who_holds_the_instruments_and_what_this_window_may(line: StatusLine) -> None:
    answering = InstrumentState("laser", "Laser", ())
    line.show_status(STATUS, run())
    line.show_station(StationState((answering, replace(answering, name="snspd")), 0.0))
    assert line.nodes.text() == "2 instruments  ·  operator"
    assert "process 77 holds the lease of lab's instruments" in line.nodes.toolTip()
    line.show_status(replace(STATUS, role="observer"), run())
    assert line.nodes.text() == "2 instruments  ·  observer"
    assert "an operator sets and runs" in line.nodes.toolTip()
    line.show_station(StationState((replace(answering, failure="timeout"),), 0.0))
    assert line.nodes.text() == "laser silent  ·  observer"
    assert line.nodes.property("role") == "wrong"
