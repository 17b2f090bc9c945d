"""``erbia queue``: runs that wait for their turn."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .analysis.errors import UsageError
from .cli_call import Call, asked_of_an_engine

if TYPE_CHECKING:
    from .sequences.engine.queue_values import QueueEntry

Ids = Annotated[list[int] | None, typer.Argument(metavar="ID…", help="Numbers of entries.")]
Batch = Annotated[str, typer.Option(help="Every entry of this batch.")]

queue_app = typer.Typer(help="Runs that wait for their turn; the engine plays them one after another.")


@queue_app.command()
@asked_of_an_engine
def add(
    call: Call,
    experiment: Annotated[str, typer.Argument(help="Name of an experiment.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A key of the config, or INSTRUMENT.parameter."),
    ] = None,
    preset: Annotated[str | None, typer.Option(help="A shipped experiment preset or a .yaml file.")] = None,
    priority: Annotated[int, typer.Option(help="Higher is played first.")] = 0,
    due: Annotated[datetime | None, typer.Option(help="Not before this time (UTC).")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="How often it is played.")] = 1,
    batch: Annotated[str, typer.Option(help="Name to cancel or repeat it by, together with others.")] = "",
    operator: Annotated[str, typer.Option(help="Who asks for it.")] = "",
    monitors: Annotated[
        list[str] | None,
        typer.Option("--monitor", metavar="NAME=YAML", help="What must be so for data to count, as in erbia run."),
    ] = None,
) -> None:
    """Put a run into the queue. Starts the station's engine if none runs."""
    from .sequences.engine.queue_values import QueueEntry, RunOrder
    from .sequences.lab import parse_monitors, split_settings
    from .sequences.presets import read_preset

    with call.client_of_started() as client:
        instruments = [i.name for i in client.snapshot().instruments]
        config, overrides = split_settings(settings or [], instruments)
        order = RunOrder.of(
            experiment,
            _nested({**read_preset(experiment, preset), **config}),
            overrides,
            parse_monitors(monitors or []),
            priority=priority,
            due_utc_s=None if due is None else due.replace(tzinfo=due.tzinfo or UTC).timestamp(),
            repeats=repeats,
            batch=batch,
            operator=operator,
        )
        entry = client.submit(order)
    if not isinstance(entry, QueueEntry):
        raise UsageError("; ".join(map(str, entry)))
    call.say({"entry": as_dict(entry)}, f"entry {entry.id}")


@queue_app.command("list")
@asked_of_an_engine
def list_(
    call: Call,
    finished: Annotated[bool, typer.Option("--finished", help="Also the latest that ended.")] = False,
    batch: Batch = "",
) -> None:
    """What is played and what waits, in the order of play."""
    from .console import print_json, stdout

    with call.client() as client:
        state = client.queue(finished, batch)
    if call.as_json:
        return print_json({"entries": [as_dict(entry) for entry in state.entries], "held": state.held})
    _print_entries(state.entries)
    if state.held:
        stdout.print(f"held: {state.held} (erbia queue release)", soft_wrap=True)
    return None


@queue_app.command()
@asked_of_an_engine
def move(
    call: Call,
    entry: Annotated[int, typer.Argument(help="Number of the entry.")],
    before: Annotated[int, typer.Option(help="Number of the entry it is put before; 0: at the end.")] = 0,
) -> None:
    """Put a waiting entry before another, whose priority it takes, or at the end."""
    with call.client() as client:
        client.move_entry(entry, before)
    call.say({"moved": entry, "before": before}, f"entry {entry} moved")


@queue_app.command()
@asked_of_an_engine
def priority(
    call: Call,
    entry: Annotated[int, typer.Argument(help="Number of the entry.")],
    value: Annotated[int, typer.Argument(help="Higher is played first.")],
) -> None:
    """Change an entry's priority."""
    with call.client() as client:
        client.set_priority(entry, value)
    call.say({"entry": entry, "priority": value}, f"entry {entry} has priority {value}")


@queue_app.command()
@asked_of_an_engine
def cancel(call: Call, ids: Ids = None, batch: Batch = "") -> None:
    """Take entries out; one that is being played is stopped at its next checkpoint."""
    with call.client() as client:
        client.cancel(*_chosen(ids, batch), batch=batch)
    call.say({"cancelled": ids or [], "batch": batch}, "cancelled")


@queue_app.command()
@asked_of_an_engine
def repeat(call: Call, ids: Ids = None, batch: Batch = "") -> None:
    """Queue the same again, at the end."""
    with call.client() as client:
        entries = client.repeat(*_chosen(ids, batch), batch=batch)
    words = ", ".join(str(e.id) for e in entries)
    call.say({"entries": [as_dict(e) for e in entries]}, f"entries {words}")


@queue_app.command()
@asked_of_an_engine
def hold(
    call: Call,
    reason: Annotated[str, typer.Argument(help="Shown to whoever looks.")] = "by hand",
) -> None:
    """Play nothing further until released; the run under way goes on."""
    with call.client() as client:
        client.hold_queue(reason)
    call.say({"held": reason}, "held")


@queue_app.command()
@asked_of_an_engine
def release(call: Call) -> None:
    """Let the queue go on."""
    with call.client() as client:
        client.release_queue()
    call.say({"held": ""}, "released")


def as_dict(entry: QueueEntry) -> dict[str, Any]:
    """An entry as one flat JSON object."""
    order = entry.order
    return {
        "id": entry.id,
        "experiment": order.experiment,
        "config": order.config,
        "overrides": order.overrides,
        "monitors": order.monitors,
        "priority": order.priority,
        "due_utc_s": order.due_utc_s,
        "repeats": order.repeats,
        "played": entry.played,
        "batch": order.batch,
        "operator": order.operator,
        "state": entry.state,
        "reason": entry.reason,
        "run_path": entry.run_path,
        "resume_path": order.resume_path,
        "calibration": order.calibration,
        "submitted_utc_s": entry.submitted_utc_s,
        "started_utc_s": entry.started_utc_s,
        "ended_utc_s": entry.ended_utc_s,
    }


def _nested(config: dict[str, Any]) -> dict[str, Any]:
    from .sequences.experiments.config import nested

    return dict(nested(config, {}))


def _chosen(ids: list[int] | None, batch: str) -> list[int]:
    if not ids and not batch:
        raise UsageError("say which: numbers of entries, or --batch NAME")
    return ids or []


def _print_entries(entries: tuple[QueueEntry, ...]) -> None:
    from rich.table import Table

    from .console import stdout

    table = Table("id", "state", "priority", "experiment", "played", "due (UTC)", "batch", "operator", "reason")
    for entry in entries:
        order = entry.order
        due = "" if order.due_utc_s is None else f"{datetime.fromtimestamp(order.due_utc_s, UTC):%Y-%m-%d %H:%M:%S}"
        played = f"{entry.played}/{order.repeats}"
        row = (str(entry.id), entry.state, str(order.priority), order.experiment, played, due, order.batch)
        table.add_row(*row, order.operator, entry.reason)
    stdout.print(table)
