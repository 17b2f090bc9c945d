"""The endpoint file: private, and not fooled by a dead engine."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from erbia.analysis.errors import UsageError
from erbia.sequences.engine import endpoint


@pytest.fixture(autouse=True)
def _own_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def test_round_trip_and_privacy() -> None:
    endpoint.write_endpoint("mock_lab", "127.0.0.1:1", "secret")
    found = endpoint.read_endpoint("mock_lab")
    assert found is not None
    assert (found.address, found.token, found.pid) == ("127.0.0.1:1", "secret", os.getpid())
    if sys.platform != "win32":
        assert stat.S_IMODE(endpoint.endpoint_file("mock_lab").stat().st_mode) == 0o600
    endpoint.remove_endpoint("mock_lab")
    assert endpoint.read_endpoint("mock_lab") is None


def test_a_second_engine_is_refused() -> None:
    endpoint.write_endpoint("mock_lab", "127.0.0.1:1", "secret")
    with pytest.raises(UsageError, match=f"pid {os.getpid()}"):
        endpoint.write_endpoint("mock_lab", "127.0.0.1:2", "other")


@pytest.mark.parametrize(
    "content", ["", "{", json.dumps({"address": "a", "token": "t", "pid": 1, "pid_created_s": 3.0})]
)
def test_what_a_killed_engine_left_does_not_count(content: str) -> None:
    endpoint.endpoint_file("mock_lab").write_text(content)
    assert endpoint.read_endpoint("mock_lab") is None
    endpoint.write_endpoint("mock_lab", "127.0.0.1:1", "secret")


def test_stations_given_by_path_are_told_apart(tmp_path: Path) -> None:
    files = {endpoint.endpoint_file(str(tmp_path / folder / "lab.yaml")) for folder in "ab"}
    assert len(files) == 2
