"""The engine's promises through its real gRPC face, over a small lab."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from erbia.analysis.errors import ErbiaError, UsageError
from erbia.sequences.engine.client import EngineClient, EngineLost
from erbia.sequences.engine.service import Service


def until(condition: Callable[[], bool], limit_s: float = 10.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.005)


def read_run(client: EngineClient) -> list[dict[str, Any]]:
    """The latest run's documents up to its end."""
    seen = []
    for document in client.documents():
        seen.append(document.content)
        if document.content["type"] in ("RunStop", "RunFailed"):
            break
    return seen


def test_status_and_experiments(client: EngineClient) -> None:
    status = client.status()
    assert (status.state, status.station, status.simulated, status.seed) == ("idle", "small", True, 1)
    assert status.free_disk_bytes > 0
    (experiment,) = client.experiments()
    assert experiment.title == "Count clicks"
    assert experiment.schema["properties"]["blocks"]["maximum"] == 10**9


def test_a_run_reaches_every_client_whole(client: EngineClient, address: tuple[str, str]) -> None:
    assert client.start("clicks", {"blocks": 50}) == []
    live = read_run(client)
    late = read_run(EngineClient(*address))
    assert live == late
    assert live[0]["type"] == "RunStart"
    assert live[-1] == {"type": "RunStop", "status": "done", "reason": ""}
    assert sum(m["n"] for m in live if m["type"] == "Tags") == 50
    assert [m for m in live if m["type"] == "Result"][-1]["estimates"]["clicks"]["value"] == 50
    until(lambda: client.status().state == "idle")
    assert client.status().run_id == "r1"


def test_a_wrong_config_is_told_field_by_field_and_starts_nothing(client: EngineClient) -> None:
    errors = {e.field: e.message for e in client.start("clicks", {"blocks": 0, "blokcs": 3})}
    assert "greater than or equal to 1" in errors["blocks"]
    assert "blokcs" in errors
    assert client.status().state == "idle"
    assert "there are clicks" in client.start("tomography", {})[0].message
    (refused,) = client.validate("clicks", {}, {"laser.power": 2.0})
    assert refused.field == "laser.power"
    assert "10 mW" in refused.message


def test_overrides_are_set_before_the_run_and_let_go_after(client: EngineClient, lab: Any) -> None:
    assert client.start("clicks", {"blocks": 1}, {"laser.power": 0.003}) == []
    until(lambda: client.status().state == "idle")
    assert lab.laser.power.cache.get() == 0.003
    assert lab.loaded.held == {}


def test_one_run_at_a_time(client: EngineClient) -> None:
    assert client.start("clicks", {"blocks": 10**6}) == []
    (refused,) = client.start("clicks", {})
    assert "running with clicks" in refused.message
    client.stop("now")
    until(lambda: client.status().state == "idle")


@pytest.mark.parametrize("kind", ["checkpoint", "now", "emergency"])
def test_stop(client: EngineClient, kind: Any) -> None:
    client.start("clicks", {"blocks": 10**6})
    client.stop(kind)
    assert kind in read_run(client)[-1]["reason"]
    until(lambda: client.status().state == "idle")
    with pytest.raises(UsageError, match="there are checkpoint, now, emergency"):
        client.stop("soon")  # type: ignore[arg-type]


def test_pause_and_resume(client: EngineClient) -> None:
    client.start("clicks", {"blocks": 10**6})
    client.pause()
    until(lambda: client.status().state == "paused")
    time.sleep(0.1)
    before = client.status().next_index
    time.sleep(0.2)
    assert client.status().next_index == before
    client.resume()
    until(lambda: client.status().next_index > before)
    client.stop("now")
    until(lambda: client.status().state == "idle")


def test_a_failed_run_says_why(client: EngineClient) -> None:
    client.start("clicks", {"fail": True})
    assert read_run(client)[-1]["reason"] == "the laser is on holiday"
    until(lambda: client.status().state == "idle")
    assert client.status().last_error == "the laser is on holiday"
    client.start("clicks", {"blocks": 1})
    until(lambda: client.status().state == "idle")
    assert client.status().last_error == ""


def test_all_off_stops_the_run_and_makes_safe(client: EngineClient, lab: Any) -> None:
    client.start("clicks", {"blocks": 10**6})
    client.all_off()
    assert lab.made_safe.is_set()
    assert "emergency" in read_run(client)[-1]["reason"]
    assert lab.laser.emission.cache.get() is False


def test_the_tree_comes_from_the_caches(client: EngineClient) -> None:
    (laser,) = client.snapshot().instruments
    parameters = {p.name: p for p in laser.parameters}
    assert parameters["laser.power"].value == 0.001
    assert (parameters["laser.power"].lower, parameters["laser.power"].upper) == (0.0, 0.01)
    assert parameters["laser.wavelength"].value is None, "never read, and nobody asked the instrument"
    assert not parameters["laser.wavelength"].settable
    assert client.read_parameter("laser.wavelength").value == 1.5e-6


def test_settings_within_limits_only(client: EngineClient) -> None:
    assert client.set_parameter("laser.power", 0.002).value == 0.002
    for name, value, words in [
        ("laser.power", 0.02, "20 mW refused: allowed 0 W … 10 mW"),
        ("laser.power", float("nan"), "not a finite number"),
        ("laser.power", "high", "refused"),
        ("laser.wavelength", 1.0, "read-only"),
        ("laser.colour", 1.0, "it has power, emission, wavelength"),
        ("lazer.power", 1.0, "no instrument 'lazer'"),
    ]:
        with pytest.raises(UsageError, match=words):
            client.set_parameter(name, value)
    assert client.read_parameter("laser.power").value == 0.002


def test_without_the_token_nothing(address: tuple[str, str]) -> None:
    stranger = EngineClient(address[0], "guess")
    with pytest.raises(UsageError, match="token"):
        stranger.status()
    with pytest.raises(ErbiaError, match="token"):
        next(stranger.documents())


def test_loopback_only(address: tuple[str, str]) -> None:
    assert address[0].startswith("127.0.0.1:")


def test_nobody_home() -> None:
    with pytest.raises(EngineLost):
        EngineClient("127.0.0.1:9", "x").status()


def test_idle_time_counts_only_without_run_and_reader(client: EngineClient, service: Service) -> None:
    client.status()
    time.sleep(0.05)
    assert service.idle_s() >= 0.05
    stream = client.documents(0)
    client.start("clicks", {"blocks": 1})
    next(stream)
    assert service.idle_s() < 0.05
    stream.close()
    until(lambda: service.streams == 0)


def test_a_plan_says_what_would_be_done(client: EngineClient) -> None:
    plan = client.plan("clicks", {})
    assert [line["name"] for line in plan.pop("budget")] == ["run time"]
    assert plan == {
        "settings": [{"name": "all", "parameters": {"laser.emission": "True"}, "sequence": None}],
        "problems": [],
    }
    with pytest.raises(UsageError, match="blocks: Input should be greater"):
        client.plan("clicks", {"blocks": 0})
