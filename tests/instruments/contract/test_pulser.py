"""What every PulseGenerator does."""

from __future__ import annotations

from typing import Any

import pytest

from erbia.instruments import mock
from erbia.instruments.errors import LimitError
from erbia.instruments.interfaces import Pulse, PulseGenerator, PulseTable, Segment


def _pulse_streamer(at: Any) -> Any:
    pytest.importorskip("pulsestreamer")
    from erbia.instruments.drivers.pulse_streamer import SwabianPulseStreamer
    from erbia.instruments.emulators.pulse_streamer import PulseStreamerDevice, PulseStreamerHost

    host = at.stack.enter_context(PulseStreamerHost(PulseStreamerDevice(at.bench, "pulser"), at.loopback()))
    return SwabianPulseStreamer("pulser", host.endpoint, outputs={"excitation": "0", "gate": "1"})


RIGS = {
    "mock": lambda at: mock.MockPulseGenerator("pulser", at.world),
    "pulse streamer": _pulse_streamer,
}


def test_pulser(instrument: Any) -> None:
    pulser = instrument
    assert isinstance(pulser, PulseGenerator)
    pulses = (Pulse("excitation", 1_000_000, 50_000), Pulse("gate", 2_000_000, 500_000))
    table = PulseTable(Segment(1_000_000), Segment(10_000_000, pulses), attempts_per_burst=10)
    assert pulser.running.get() is False
    pulser.load(table)
    pulser.arm()
    assert pulser.running.get() is False
    pulser.start()
    assert pulser.running.get() is True
    pulser.stop()
    assert pulser.running.get() is False
    for bad in (Pulse("excitation", 500, 50_000), Pulse("nowhere", 1_000_000, 50_000)):
        with pytest.raises(LimitError):
            pulser.load(PulseTable(Segment(1_000_000), Segment(10_000_000, (bad,)), 1))
