"""What all DigitalLines do: a switch a line, and setting one leaves the others alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from erbia.instruments import mock
from erbia.instruments.drivers.ni_inputs import NiDigitalLines
from erbia.instruments.interfaces import DigitalLines

#: The lines, and the level of the first at its far end.
Lines = tuple[Any, Callable[[], Any]]


def _mock(at: Any) -> Lines:
    wired = {"shutter": "attenuator.shutter_open", "pump": "pair_source.emission"}
    return mock.MockDigitalLines("lines", at.world, lines=wired), partial(at.world.get, "attenuator", "shutter_open")


def _ni(at: Any) -> Lines:
    wired = {"shutter": "Dev1/port0/line0", "pump": "Dev1/port0/line1"}
    return NiDigitalLines("lines", at.ni, lines=wired), partial(at.bench.get, "Dev1/port0/line0")


RIGS = {"mock": _mock, "ni": _ni}


def test_digital_lines(instrument: Lines, reading_changes_nothing: Callable[[Any], None]) -> None:
    lines, level = instrument
    assert isinstance(lines, DigitalLines)
    assert set(lines.lines) == {"shutter", "pump"}
    for high in (True, False, True):
        lines.shutter(high)
        assert level() == high
    lines.pump(False)
    assert level() == 1, "setting one line leaves the others alone"
    with pytest.raises(TypeError):
        lines.shutter(2)
    reading_changes_nothing(lines)
