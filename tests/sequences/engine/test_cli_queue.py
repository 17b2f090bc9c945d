"""The commands to an engine, against one in this process."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from erbia.analysis.errors import UsageError
from erbia.cli import app
from erbia.sequences.engine.client import EngineClient


@pytest.fixture
def lines(address: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command with --json; gives (exit code, the objects it printed)."""
    monkeypatch.setattr(EngineClient, "connect", classmethod(lambda cls, station, role="operator": cls(*address)))

    def run(*words: str) -> tuple[int, list[dict[str, Any]]]:
        result = CliRunner().invoke(app, [*words, "--json"], catch_exceptions=True)
        if isinstance(result.exception, UsageError):
            raise result.exception
        return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]

    return run


@pytest.fixture
def erbia(lines: Any) -> Any:
    """The same of a command that prints one object."""

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        code, (answer,) = lines(*words)
        return code, answer

    return run


def test_entries_are_added_listed_moved_and_cancelled(erbia: Any) -> None:
    assert erbia("queue", "hold", "setting up") == (0, {"held": "setting up"})
    first, second = (
        erbia("queue", "add", "clicks", "--set", f"blocks={n}", "--batch", "night", "--operator", "ada")[1]["entry"]
        for n in (1, 2)
    )
    assert (first["config"], first["batch"], first["operator"]) == ({"blocks": 1}, "night", "ada")
    late = erbia("queue", "add", "clicks", "--priority", "5", "--due", "2100-01-01T00:00:00", "--repeats", "3")[1][
        "entry"
    ]
    assert (late["due_utc_s"], late["repeats"]) == (4102444800.0, 3)
    listed = erbia("queue", "list")[1]
    assert [e["id"] for e in listed["entries"]] == [late["id"], first["id"], second["id"]]
    assert listed["held"] == "setting up"
    erbia("queue", "move", str(second["id"]), "--before", str(first["id"]))
    erbia("queue", "priority", str(first["id"]), "9")
    assert [e["id"] for e in erbia("queue", "list")[1]["entries"]] == [first["id"], late["id"], second["id"]]
    erbia("queue", "cancel", "--batch", "night")
    assert [e["id"] for e in erbia("queue", "list")[1]["entries"]] == [late["id"]]
    assert [e["config"] for e in erbia("queue", "repeat", str(first["id"]))[1]["entries"]] == [{"blocks": 1}]
    assert erbia("queue", "release") == (0, {"held": ""})


def test_overrides_are_told_from_the_config_and_mistakes_are_named(erbia: Any) -> None:
    erbia("queue", "hold")
    entry = erbia("queue", "add", "clicks", "--set", "laser.power=0.002")[1]["entry"]
    assert (entry["config"], entry["overrides"]) == ({}, {"laser.power": 0.002})
    with pytest.raises(UsageError, match="blocks: Input should be greater"):
        erbia("queue", "add", "clicks", "--set", "blocks=0")
    with pytest.raises(UsageError, match="unknown key 'block'; did you mean 'blocks'"):
        erbia("queue", "add", "clicks", "--set", "block=1")
    with pytest.raises(UsageError, match="say which"):
        erbia("queue", "cancel")
    with pytest.raises(UsageError, match="no entry 77"):
        erbia("queue", "cancel", "77")


def test_status(erbia: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    code, facts = erbia("status")
    assert code == 0
    assert (facts["running"], facts["state"], facts["instruments"]) == (True, "idle", {"laser": "answers"})
    monkeypatch.setattr(EngineClient, "connect", classmethod(lambda cls, station, role="operator": None))
    assert erbia("status") == (1, {"running": False, "station": "mock_lab"})
    with pytest.raises(UsageError, match="start one with: erbia engine"):
        erbia("queue", "list")
    with pytest.raises(UsageError, match="give --tls DIR"):
        erbia("status", "--engine", "lab:7777")
    refused = CliRunner().invoke(app, ["engine", "--listen", "0.0.0.0:7777"])
    assert "give --tls DIR" in str(refused.exception)


def test_watch_tells_a_run_from_its_start_however_late(lines: Any, client: EngineClient) -> None:
    client.start("clicks", {"blocks": 3})
    while client.status().state != "idle":
        pass
    code, told = lines("watch", "--run")
    assert code == 0
    assert [told[0]["type"], told[-1]["type"]] == ["RunStart", "RunStop"]
    assert sum(document.get("n", 0) for document in told) == 3


def test_a_run_is_paused_resumed_and_stopped(erbia: Any, client: EngineClient, lab: Any) -> None:
    assert erbia("stop") == (0, {"stop": "checkpoint", "experiment": ""})
    client.start("clicks", {"blocks": 10**9})
    assert erbia("pause")[1]["state"] in ("pausing", "paused")
    assert erbia("resume")[1]["state"] == "running"
    assert erbia("stop", "now")[1] == {"stop": "now", "experiment": "clicks"}
    while client.status().state != "idle":
        pass
    client.start("clicks", {"blocks": 10**9})
    assert erbia("stop", "emergency")[0] == 0
    assert not lab.laser.emission()
    assert erbia("queue", "list")[1]["held"] == "all off"
