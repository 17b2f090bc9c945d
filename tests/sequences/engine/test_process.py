"""The engine as a process of its own, on the simulated lab: it outlives its clients and never loses a recorded tag."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from erbia.analysis.errors import UsageError
from erbia.analysis.files.runfile import open_run
from erbia.sequences.engine.client import EngineClient, EngineLost
from erbia.sequences.engine.endpoint import endpoint_file, runtime_folder
from erbia.sequences.engine.values import DocumentMessage

CONFIG = {"heralds": 60, "calibration_shots": 500}

KILLED_CLIENT = """
import sys
from pathlib import Path
from erbia.sequences.engine.client import EngineClient
client = EngineClient.connect_or_start("mock_lab", 1, Path(sys.argv[1]))
assert client.start("heralded_entanglement", {"heralds": 60, "calibration_shots": 500}) == []
for document in client.documents():
    print(document.content["type"], flush=True)
"""


def until(condition: Callable[[], bool], limit_s: float = 60.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def _own_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A runtime folder of our own, and no engine left behind."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    yield
    client = EngineClient.connect("mock_lab")
    if client is not None:
        engine = psutil.Process(client.status().pid)
        client.shutdown()
        psutil.wait_procs([engine], timeout=30)


def recorded(path: str) -> dict[str, int]:
    with open_run(path) as run:
        return {source: len(run.tags(source)) for source in run.sources}


def told(documents: list[dict[str, Any]]) -> dict[str, int]:
    """Tags the engine told of, by source."""
    clicks: dict[str, int] = {}
    for content in documents:
        if content["type"] == "Tags":
            clicks[content["source"]] = clicks.get(content["source"], 0) + content["n"]
    return clicks


def read_run(client: EngineClient) -> list[dict[str, Any]]:
    seen = []
    for document in client.documents():
        seen.append(document.content)
        if document.content["type"] in ("RunStop", "RunFailed"):
            break
    return seen


def read_and_kill(client: EngineClient, seen: list[DocumentMessage]) -> None:
    """Reads documents and kills the engine in the middle."""
    pid = client.status().pid
    for document in client.documents():
        seen.append(document)
        if sum(d.content["type"] == "Result" for d in seen) == 8:
            os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
def test_a_killed_client_costs_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED_CLIENT, str(tmp_path / "runs")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        for line in victim.stdout:
            if line.strip() == "Tags":
                break
        victim.send_signal(signal.SIGKILL)
    client = EngineClient.connect("mock_lab")
    assert client is not None
    assert client.status().state == "running"
    documents = read_run(client)
    assert documents[-1]["status"] == "done"
    until(lambda: client.status().state == "idle")
    path = client.status().run_path
    assert recorded(path) == told(documents)
    assert sum(recorded(path).values()) > 1000


@pytest.mark.slow
def test_a_killed_engine_leaves_a_file_that_opens_and_a_lab_that_can_be_opened_again(tmp_path: Path) -> None:
    client = EngineClient.connect_or_start("mock_lab", 1, tmp_path / "runs")
    client.start("heralded_entanglement", CONFIG | {"heralds": 5000})
    seen: list[DocumentMessage] = []
    with pytest.raises(EngineLost):
        read_and_kill(client, seen)
    (path,) = (tmp_path / "runs").glob("*.h5")
    # The file is synced every half second: what was told a second before the end is in it.
    kept, heard = recorded(str(path)), told([d.content for d in seen if d.utc_s < seen[-1].utc_s - 1.0])
    assert heard["midpoint"] > 0
    assert all(kept[source] >= clicks for source, clicks in heard.items())
    again = EngineClient.connect_or_start("mock_lab", 2, tmp_path / "runs")
    assert again.status().seed == 2


@pytest.mark.slow
def test_one_engine_a_station_and_one_seed(tmp_path: Path) -> None:
    first = EngineClient.connect_or_start("mock_lab", 1, tmp_path)
    second = EngineClient.connect_or_start("mock_lab", None, tmp_path)
    assert first.status().pid == second.status().pid
    with pytest.raises(UsageError, match="runs with seed 1, not 2"):
        EngineClient.connect_or_start("mock_lab", 2, tmp_path)
    first.shutdown()
    until(lambda: EngineClient.connect("mock_lab") is None)
    until(lambda: not list(runtime_folder().glob("documents-*")))
    assert not endpoint_file("mock_lab").exists()


@pytest.mark.slow
def test_an_engine_nobody_needs_leaves_by_itself(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "erbia.sequences.engine", "--out", str(tmp_path), "--idle-s", "0.5"]
    assert subprocess.run(command, timeout=60, check=False, capture_output=True).returncode == 0
    assert not endpoint_file("mock_lab").exists()


@pytest.mark.slow
def test_a_station_that_does_not_exist_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no station 'moon_lab'"):
        EngineClient.connect_or_start("moon_lab", None, tmp_path)
