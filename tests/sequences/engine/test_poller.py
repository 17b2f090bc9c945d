"""Measured values stay fresh; an instrument that does not answer is told once and hurts nobody."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from erbia.sequences.engine.health import HealthBook
from erbia.sequences.engine.parameters import measured_parameters
from erbia.sequences.engine.poller import Poller


def test_only_what_cannot_be_set_is_read(lab: Any) -> None:
    assert [name for name, _ in measured_parameters(lab.station)] == ["laser.wavelength"]
    Poller(lab.station, HealthBook(), lambda: True).read_all()
    assert lab.laser.wavelength.cache.get(get_if_invalid=False) == 1.5e-6


def test_a_silent_instrument_is_told_once(lab: Any, caplog: pytest.LogCaptureFixture) -> None:
    answers = [False]

    def ask() -> float:
        if not answers[0]:
            raise ConnectionError("unplugged")
        return 1.0

    lab.laser.add_parameter("aaa", get_cmd=ask, set_cmd=False)
    poller = Poller(lab.station, HealthBook(), lambda: True)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            poller.read_all()
        assert [r.message for r in caplog.records].count("laser.aaa cannot be read: unplugged") == 1
        assert lab.laser.wavelength.cache.get(get_if_invalid=False) == 1.5e-6, "the others are read all the same"
        answers[0] = True
        poller.read_all()
    assert "laser.aaa can be read again" in caplog.text


def test_it_reads_only_while_wanted(lab: Any) -> None:
    reads: list[int] = []
    lab.laser.add_parameter("aaa", get_cmd=lambda: reads.append(1) or 1.0, set_cmd=False)
    poller = Poller(lab.station, HealthBook(), lambda: False, period_s=0.005)
    poller.start()
    poller.close()
    assert not reads
