"""What every EdgeCounter does. About a thousand edges come a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from erbia.instruments import mock
from erbia.instruments.drivers.ni_counter import NiEdgeCounter
from erbia.instruments.interfaces import EdgeCounter


def _mock(at: Any) -> Any:
    at.world.set("snspd.ch1", "bias", 18e-6)
    at.world.set("light_source", "emission", 1.0)
    at.world.set("light_source", "rate", 2400.0)
    return mock.MockEdgeCounter("counter", at.world, "snspd.ch1")


RIGS = {"mock": _mock, "ni": lambda at: NiEdgeCounter("counter", at.ni)}


def test_edge_counter(instrument: Any, reading_changes_nothing: Callable[[Any], None]) -> None:
    counter = instrument
    assert isinstance(counter, EdgeCounter)
    assert (counter.count_rate.unit, counter.integration_time.unit) == ("Hz", "s")
    counter.integration_time(0.5)
    assert counter.count_rate.get() == pytest.approx(1000, rel=0.25)  # five standard deviations of 500 clicks
    with pytest.raises(ValueError, match="integration_time"):
        counter.integration_time(0.0)
    reading_changes_nothing(counter)
