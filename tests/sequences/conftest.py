from collections.abc import Iterator

import pytest

from erbia.sequences.lab import Lab, load_station


@pytest.fixture
def lab() -> Iterator[Lab]:
    with load_station("mock_lab", seed=7) as loaded:
        yield loaded
