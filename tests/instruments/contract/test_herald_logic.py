"""What every HeraldLogic does: it decides by the windows it was given, and by none when told so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from erbia.instruments import mock
from erbia.instruments.emulators.ports import HeraldWindows
from erbia.instruments.interfaces import HeraldCondition, HeraldLogic, Pulse, PulseTable, Segment

#: The logic, and what it decides on at present: (early, late, latency) in ps, None for nothing.
Decided = tuple[tuple[int, int], tuple[int, int], int] | None
Logic = tuple[Any, Callable[[], Decided]]
CONDITION = HeraldCondition(("a", "b"), (1000, 5000), (7000, 9000), 300)


def _mock(at: Any) -> Logic:
    table = PulseTable(Segment(0), Segment(10_000_000, (Pulse("gate", 0, 10_000),)), 10)
    mock.MockPulseGenerator("pulser", at.world).load(table)

    def decided() -> Decided:
        rule = at.world.program.rule
        return (rule.early_ps, rule.late_ps, rule.latency_ps) if rule else None

    return mock.MockHeraldLogic("logic", at.world), decided


def _id900(at: Any) -> Logic:
    pytest.importorskip("zmq")
    from erbia.instruments.drivers.id900 import IdqTimeController
    from erbia.instruments.emulators.id900 import Id900Device, Id900Host

    host = at.stack.enter_context(Id900Host(Id900Device(at.bench, "tagger")))
    logic = IdqTimeController("logic", host.endpoint, datalink=host.datalink, herald_inputs={"a": 1, "b": 2})

    def decided() -> Decided:
        windows = at.bench.get("tagger.herald")
        return (windows.early_ps, windows.late_ps, windows.latency_ps) if windows != HeraldWindows() else None

    return logic, decided


RIGS = {"mock": _mock, "id900": _id900}


def test_herald_logic(instrument: Logic) -> None:
    logic, decided = instrument
    assert isinstance(logic, HeraldLogic)
    logic.load_condition(CONDITION)
    assert decided() == ((1000, 5000), (7000, 9000), 300)
    logic.load_condition(None)
    assert decided() is None
