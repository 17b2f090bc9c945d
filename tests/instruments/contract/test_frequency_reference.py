"""What every FrequencyReference does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from erbia.instruments import mock
from erbia.instruments.drivers.srs_fs725 import SrsFs725
from erbia.instruments.emulators.fs725 import Fs725Device
from erbia.instruments.emulators.serial_port import LineFrames
from erbia.instruments.interfaces import FrequencyReference


def _fs725(at: Any) -> Any:
    at.bench.values |= {"rb.locked": True, "rb.pps_locked": False}
    return at.closing(SrsFs725("rb", at.serial(LineFrames(Fs725Device(at.bench, "rb"))).visa_address, visalib="@py"))


RIGS = {
    "mock": lambda at: mock.MockFrequencyReference("rb", at.world, "alice_tagger"),
    "fs725": _fs725,
}


def test_frequency_reference(instrument: Any, reading_changes_nothing: Callable[[Any], None]) -> None:
    reference = instrument
    assert isinstance(reference, FrequencyReference)
    assert reference.locked.get() is True
    assert not reference.locked.settable
    reference.frequency_offset(5e-11)
    assert reference.frequency_offset.get() == pytest.approx(5e-11)
    with pytest.raises(ValueError, match="frequency_offset"):
        reference.frequency_offset(1e-6)
    reading_changes_nothing(reference)
