"""The queue by real clicks: order, estimates of when, what differs, and what is asked of the engine."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from erbia.gui.queue_panel import QueuePanel
from erbia.gui.queue_times import differences, durations_s, etas_s, value_text
from erbia.gui.schema import Field, flatten
from erbia.gui.theme import DARK
from erbia.sequences.engine.queue_values import QueueEntry, QueueState, RunOrder

LEFT = Qt.MouseButton.LeftButton


def entry(
    number: int, state: str, experiment: str = "link", repeats: int = 1, played: int = 0, **config: Any
) -> QueueEntry:
    order = RunOrder.of(experiment, config, repeats=repeats)
    ended = state in ("done", "failed")
    return QueueEntry(
        number, order, state, played, 0.0, 100.0 if ended else None, 160.0 if ended else None,
        reason="laser off" if state == "failed" else "",
    )  # fmt: skip


def test_etas_add_up_what_such_runs_took() -> None:
    entries = [entry(1, "done", played=1), entry(2, "running"), entry(3, "queued"), entry(4, "queued", repeats=2)]
    took = durations_s(entries)
    assert took == {"link": 60.0}
    assert etas_s(entries[1:], took, 10.0) == {2: 10.0, 3: 70.0, 4: 190.0}


def test_an_experiment_that_never_ran_cannot_be_told_nor_what_is_behind_it() -> None:
    etas = etas_s([entry(1, "queued", "new"), entry(2, "queued")], {"link": 60.0}, None)
    assert all(math.isnan(eta) for eta in etas.values())


@given(
    st.dictionaries(st.text("abc", min_size=1), st.integers(0, 3)),
    st.dictionaries(st.text("abc", min_size=1), st.integers(0, 3)),
)
def test_differences_name_each_key_that_differs_once(before: dict[str, int], after: dict[str, int]) -> None:
    told = [line.split(":")[0] for line in differences(before, after)]
    assert sorted(told) == sorted(k for k in {*before, *after} if before.get(k, "x") != after.get(k, "x"))


def test_differences_carry_units() -> None:
    fields = [Field("timing.storage_s", "storage", "number", unit="s")]
    before, after = {"timing": {"storage_s": 2e-5}, "a": True}, {"timing": {"storage_s": 1e-4}, "b": None}
    assert differences(before, after, fields) == ["timing.storage_s: 20 µs → 100 µs", "a: yes → –", "b: – → not set"]
    assert value_text([1, 2.5]) == "[1, 2.5]"
    assert flatten(before) == {"timing.storage_s": 2e-5, "a": True}


@pytest.fixture
def panel(qtbot: Any) -> QueuePanel:
    panel = QueuePanel()
    qtbot.addWidget(panel)
    panel.resize(420, 500)
    panel.paint(DARK)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


ENTRIES = (
    entry(1, "failed", heralds=10),
    entry(2, "running", heralds=10),
    entry(3, "queued", heralds=20),
    entry(4, "queued", "clock", duration_s=3),
)


def test_a_run_outside_the_queue_tells_how_long_such_runs_take(panel: QueuePanel) -> None:
    panel.show_queue(QueueState((ENTRIES[2],), ""), None, {"link": 42.0})
    assert panel.table.item(0, 2).text() == "42 s"


def choose(qtbot: Any, panel: QueuePanel, row: int) -> None:
    qtbot.mouseClick(panel.table.viewport(), LEFT, pos=panel.table.visualItemRect(panel.table.item(row, 0)).center())
    assert panel.chosen() is not None


def test_empty_it_says_how_to_fill_it(panel: QueuePanel) -> None:
    panel.show_queue(QueueState((), ""), None)
    assert "Press Queue" in panel.body.hint.text()
    assert panel.body.currentIndex() == 0


def test_rows_say_state_time_and_difference(panel: QueuePanel) -> None:
    panel.show_queue(QueueState((*ENTRIES, entry(5, "done", played=1)), ""), 30.0)
    texts = {panel._entries[r].id: [panel.table.item(r, c).text() for c in range(3)] for r in range(5)}
    assert texts[2] == ["link\nheralds: – → 10", "running", "30 s"]
    assert texts[3] == ["link\nheralds: 10 → 20", "queued", "1 min 30 s"]
    assert texts[4] == ["clock\nduration_s: 3", "queued", "unknown"], "another experiment: what it is set to"
    failed = next(r for r in range(5) if panel._entries[r].state == "failed")
    assert panel.table.item(failed, 1).foreground().color().name() == DARK.bad
    assert panel.table.item(failed, 0).toolTip() == "laser off\nnumber 1\nheralds: 10"


@pytest.mark.parametrize(
    ("button", "row", "signal", "expected"),
    [
        ("cancel", 1, "cancel_wanted", [2]),
        ("cancel", 3, "cancel_wanted", [4]),
        ("up", 3, "move_wanted", [4, 3]),
        ("down", 2, "move_wanted", [3, 0]),
        ("repeat", 0, "repeat_wanted", [1]),
    ],
)
def test_buttons(qtbot: Any, panel: QueuePanel, button: str, row: int, signal: str, expected: list[int]) -> None:
    panel.show_queue(QueueState(ENTRIES, ""), None)
    choose(qtbot, panel, row)
    with qtbot.waitSignal(getattr(panel, signal), timeout=1000) as caught:
        qtbot.mouseClick(getattr(panel, button), LEFT)
    assert caught.args == expected


def test_what_cannot_be_done_is_not_offered(qtbot: Any, panel: QueuePanel) -> None:
    panel.show_queue(QueueState(ENTRIES, ""), None)
    assert not panel.cancel.isEnabled()
    choose(qtbot, panel, 0)
    assert not panel.cancel.isEnabled()
    choose(qtbot, panel, 2)
    assert not panel.up.isEnabled()
    assert panel.down.isEnabled()
    choose(qtbot, panel, 1)
    assert not panel.down.isEnabled()


def test_hold_and_release(qtbot: Any, panel: QueuePanel) -> None:
    panel.show_queue(QueueState((), ""), None)
    with qtbot.waitSignal(panel.hold_wanted, timeout=1000) as caught:
        qtbot.mouseClick(panel.hold, LEFT)
    assert caught.args == [True]
    panel.show_queue(QueueState(ENTRIES, "ALL OFF"), None)
    assert panel.hold.text() == "Release"
    assert panel.held.text() == "held: ALL OFF"
    with qtbot.waitSignal(panel.hold_wanted, timeout=1000) as caught:
        qtbot.mouseClick(panel.hold, LEFT)
    assert caught.args == [False]


def test_the_choice_stays_while_the_queue_moves(qtbot: Any, panel: QueuePanel) -> None:
    panel.show_queue(QueueState(ENTRIES, ""), None)
    choose(qtbot, panel, 3)
    panel.show_queue(QueueState((ENTRIES[1], ENTRIES[3], ENTRIES[2]), ""), None)
    chosen = panel.chosen()
    assert chosen is not None
    assert chosen.id == 4
