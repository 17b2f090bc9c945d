"""Shared by the driver tests: nothing stays open, no name stays taken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from qcodes.instrument import Instrument


@pytest.fixture(autouse=True)
def _close_instruments() -> Iterator[None]:
    yield
    Instrument.close_all()
