"""What every SinglePhotonDetector does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from erbia.instruments import mock
from erbia.instruments.drivers.single_quantum import SingleQuantumWebSq
from erbia.instruments.emulators.websq import WebSqDevice, WebSqHost
from erbia.instruments.interfaces import SinglePhotonDetector


def _websq(at: Any) -> Any:
    host = at.stack.enter_context(WebSqHost(WebSqDevice(at.bench, "snspd", n_channels=2)))
    detector = SingleQuantumWebSq("snspd", host.endpoint, counts_port=host.counts.port, bias_slew_a_per_s=1e-3)
    detector.enabled(True)
    return detector


RIGS = {"mock": lambda at: mock.MockSnspd("snspd", at.world), "websq": _websq}


def test_detector(instrument: Any, reading_changes_nothing: Callable[[Any], None]) -> None:
    detector = instrument
    assert isinstance(detector, SinglePhotonDetector)
    channel = detector.channels[0]
    assert (channel.bias.unit, channel.count_rate.unit) == ("A", "Hz")
    channel.bias(15e-6)
    assert channel.bias.get() == pytest.approx(15e-6, rel=1e-3)
    assert channel.latched.get() is False
    channel.reset()
    assert channel.bias.get() == pytest.approx(15e-6, rel=1e-3)
    assert channel.count_rate.get() >= 0
    with pytest.raises(ValueError, match="bias"):
        channel.bias(1.0)
    reading_changes_nothing(detector)
