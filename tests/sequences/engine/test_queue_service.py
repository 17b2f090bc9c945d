"""The queue through the engine's real gRPC face: submitted runs are played one after another."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from erbia.analysis.errors import UsageError
from erbia.instruments.errors import ConnectionLost
from erbia.sequences.engine.access import observer_token
from erbia.sequences.engine.client import EngineClient
from erbia.sequences.engine.queue_values import QueueEntry, RunOrder


def until(condition: Callable[[], bool], limit_s: float = 20.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.005)


def submit(client: EngineClient, blocks: int, **how: Any) -> QueueEntry:
    entry = client.submit(RunOrder.of("clicks", {"blocks": blocks}, **how))
    assert isinstance(entry, QueueEntry)
    return entry


def test_submitted_runs_are_played_in_turn(client: EngineClient) -> None:
    client.hold_queue("setting up")
    first, second = submit(client, 3), submit(client, 2, priority=1)
    assert client.status().queued == 2
    assert client.status().queue_held == "setting up"
    assert [e.id for e in client.queue().entries] == [second.id, first.id]
    client.release_queue()
    until(lambda: client.queue().entries == ())
    ended = {e.id: e for e in client.queue(finished=True).entries}
    assert [ended[n].state for n in (first.id, second.id)] == ["done", "done"]
    assert ended[second.id].ended_utc_s <= ended[first.id].started_utc_s  # type: ignore[operator]
    assert ended[first.id].run_path.endswith("r1.h5")


def test_a_wrong_order_is_refused_field_by_field(client: EngineClient) -> None:
    refused = client.submit(RunOrder.of("clicks", {"blocks": 0}))
    assert isinstance(refused, list)
    assert refused[0].field == "blocks"
    wrong = client.submit(RunOrder.of("clicks", {}, monitors={"cold": {"parameter": "cryostat.temperature"}}))
    assert isinstance(wrong, list)
    assert "monitor cold" in wrong[0].message
    assert client.queue().entries == ()


def test_a_failing_lab_holds_the_queue_and_a_wrong_run_does_not(client: EngineClient, lab: Any) -> None:
    run = lab.run

    def unplugged(*_: Any, **__: Any) -> None:
        raise ConnectionLost("laser", "unplugged")

    lab.run = unplugged
    failed, waiting = submit(client, 1), submit(client, 1)
    until(lambda: bool(client.status().queue_held))
    assert "failed: laser: unplugged" in client.status().queue_held
    assert [e.id for e in client.queue().entries] == [waiting.id]
    (laser,) = client.snapshot().instruments
    assert laser.failure == "laser: unplugged"
    lab.run = run
    client.release_queue()
    (again,) = client.repeat(failed.id)
    until(lambda: client.queue().entries == ())
    assert {e.id: e.state for e in client.queue(finished=True).entries} == {
        failed.id: "failed",
        waiting.id: "done",
        again.id: "done",
    }


def test_cancelling_what_is_played_stops_it(client: EngineClient) -> None:
    entry = submit(client, 10**6, batch="long")
    until(lambda: client.status().entry_id == entry.id)
    with pytest.raises(UsageError, match="is running; only waiting entries"):
        client.move_entry(entry.id)
    client.cancel(batch="long")
    until(lambda: client.status().state == "idle")
    assert client.queue(finished=True).entries[0].state == "aborted"


def test_all_off_holds_the_queue(client: EngineClient) -> None:
    submit(client, 10**6)
    waiting = submit(client, 1)
    client.all_off()
    until(lambda: client.status().state == "idle")
    assert [e.id for e in client.queue().entries] == [waiting.id]
    assert client.status().queue_held == "all off"


def test_an_observer_looks_but_does_not_touch(client: EngineClient, address: tuple[str, str]) -> None:
    observer = EngineClient(address[0], observer_token(address[1]))
    assert observer.status().role == "observer"
    assert client.status().role == "operator"
    assert observer.queue().entries == ()
    with pytest.raises(UsageError, match="Submit is for operators"):
        observer.submit(RunOrder("clicks"))
    with pytest.raises(UsageError, match="SetParameter is for operators"):
        observer.set_parameter("laser.power", 0.001)
    observer.all_off()
    observer.close()


def test_a_repeated_entry(client: EngineClient, tmp_path: Path) -> None:
    entry = submit(client, 1, repeats=3, operator="ada")
    until(lambda: client.queue().entries == ())
    (ended,) = client.queue(finished=True).entries
    assert (ended.id, ended.played, ended.state, ended.order.operator) == (entry.id, 3, "done", "ada")
