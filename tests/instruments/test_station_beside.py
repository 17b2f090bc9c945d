"""A driver of one's own is found beside the station file, from whatever folder one starts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from qcodes.instrument import Instrument

from erbia.instruments.station import load

DRIVER = """
from qcodes.instrument import Instrument


class Lamp(Instrument):
    pass
"""


def test_a_driver_beside_the_station_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "my_lamp_driver.py").write_text(DRIVER, encoding="utf-8")
    station = tmp_path / "lab.yaml"
    station.write_text("instruments:\n  lamp: {type: my_lamp_driver.Lamp}\n", encoding="utf-8")
    lab = load(station)
    assert isinstance(lab.station.lamp, Instrument)
    assert sys.path[0] != str(tmp_path), "it hides nothing that is installed"
    lab.close()
