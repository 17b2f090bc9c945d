"""``erbia queue``, ``status``, ``watch``, ``engine``: the engine of a station from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from .analysis.errors import UsageError

if TYPE_CHECKING:
    from .sequences.engine.access import Role, TlsFiles
    from .sequences.engine.client import EngineClient
    from .sequences.engine.queue_values import QueueEntry

Station = Annotated[str, typer.Option(help="A shipped station or a station file.")]
Address = Annotated[
    str | None, typer.Option("--engine", metavar="HOST:PORT", help="An engine on another machine; needs --tls.")
]
Tls = Annotated[
    Path | None,
    typer.Option("--tls", metavar="DIR", help="Folder with cert.pem, key.pem and ca.pem: ours, and who signs theirs."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout (watch: one a line), nothing else.")]
Ids = Annotated[list[int] | None, typer.Argument(metavar="ID…", help="Numbers of entries.")]
Batch = Annotated[str, typer.Option(help="Every entry of this batch.")]
NEGATIVE = 1

queue_app = typer.Typer(help="Runs that wait for their turn; the engine plays them one after another.")


def add_to(app: typer.Typer) -> None:
    """Registers the commands."""
    app.add_typer(queue_app, name="queue")
    app.command()(asked_of_an_engine(status))
    app.command()(asked_of_an_engine(watch))
    app.command()(engine)


@dataclass(frozen=True, slots=True)
class Call:
    """Which engine is asked, and how the answer is printed: the options all commands to an engine share."""

    station: Station = "mock_lab"
    address: Address = None
    tls: Tls = None
    as_json: AsJson = False

    @contextmanager
    def client(self, role: Role = "operator") -> Iterator[EngineClient]:
        """The engine's client; UsageError when none runs."""
        from .sequences.engine.client import EngineClient

        if self.address is not None:
            client: EngineClient | None = EngineClient(self.address, tls=_tls(self.tls))
        else:
            client = EngineClient.connect(self.station, role)
        if client is None:
            name = self.station
            raise UsageError(f"no engine of {name} runs here; start one with: erbia engine --station {name}")
        with closing(client):
            yield client

    @contextmanager
    def client_of_started(self) -> Iterator[EngineClient]:
        """The client of an engine that is started where none runs."""
        from .sequences.engine.client import EngineClient

        if self.address is not None:
            with self.client() as client:
                yield client
            return
        with closing(EngineClient.connect_or_start(self.station)) as client:
            yield client

    def say(self, facts: dict[str, Any], words: str) -> None:
        """The answer, as one JSON object or in words."""
        from .console import print_json, stdout

        if self.as_json:
            print_json(facts)
        else:
            stdout.print(words, soft_wrap=True)


def asked_of_an_engine(command: Callable[..., None]) -> Callable[..., None]:
    """The command with its first argument, a Call, spelled out as the options of one."""

    @wraps(command)
    def spelled_out(**given: Any) -> None:
        command(Call(**{name: given.pop(name) for name in shared}), **given)

    hints = get_type_hints(command, include_extras=True)
    shared = get_type_hints(Call, include_extras=True)
    own = [p.replace(annotation=hints[p.name]) for p in list(signature(command).parameters.values())[1:]]
    options = [
        Parameter(f.name, Parameter.KEYWORD_ONLY, default=f.default, annotation=shared[f.name]) for f in fields(Call)
    ]
    spelled_out.__signature__ = Signature([*own, *options])  # type: ignore[attr-defined]
    spelled_out.__annotations__ = {p.name: p.annotation for p in (*own, *options)}
    return spelled_out


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
        raise UsageError("; ".join(f"{e.field}: {e.message}" if e.field else e.message for e in entry))
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


def status(call: Call) -> None:
    """How the engine of a station stands; exit 1 if none runs."""
    from dataclasses import asdict

    from .console import print_json, stdout

    try:
        with call.client() as client:
            facts = {"running": True, **asdict(client.status())}
            facts["instruments"] = {i.name: i.failure or "answers" for i in client.snapshot().instruments}
    except UsageError:
        if call.address is not None:
            raise
        facts = {"running": False, "station": call.station}
    if call.as_json:
        print_json(facts)
    else:
        for name, value in facts.items():
            stdout.print(f"{name:>16}  {value}", soft_wrap=True)
    if not facts["running"]:
        raise typer.Exit(NEGATIVE)


def watch(
    call: Call,
    since: Annotated[int, typer.Option(help="First document wanted; -1: from the start of the latest run.")] = -1,
    run: Annotated[bool, typer.Option("--run", help="End with the run that is played now, or with the next.")] = False,
) -> None:
    """Follow the documents of an engine as they come, from the start of the run on, however late one looks."""
    from .console import stdout

    with call.client("observer") as client:
        for document in client.documents(since):
            content = document.content
            if call.as_json:
                stdout.file.write(json.dumps({"index": document.index, "utc_s": document.utc_s, **content}) + "\n")
                stdout.file.flush()
            else:
                stdout.print(_line(document.utc_s, content), soft_wrap=True, highlight=False)
            if run and content["type"] in ("RunStop", "RunFailed"):
                return


def engine(
    station: Station = "mock_lab",
    seed: Annotated[int | None, typer.Option(help="Seed of everything simulated.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of the run files.")] = Path("runs"),
    idle_s: Annotated[float, typer.Option(help="Leave after this time without run, queue and client.")] = 60.0,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Also serve the network; needs --tls.")
    ] = None,
    tls: Tls = None,
    operators: Annotated[
        list[str] | None,
        typer.Option("--operator", help="Common name of a certificate that may operate; all others may look."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Serve a station to the window and to scripts, one run at a time; on this machine, or with --listen beyond."""
    from .sequences.engine.server import Listen, serve

    network = None
    if listen is not None:
        network = Listen(listen, _tls(tls), frozenset(operators or ()))

    def tell(where: str) -> None:
        facts = {"station": station, "address": where, "listen": listen}
        Call(as_json=as_json).say(facts, f"{station} at {where}")

    serve(station, seed, out.resolve(), idle_s, network=network, ready=tell)


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


def _tls(folder: Path | None) -> TlsFiles:
    from .sequences.engine.access import TlsFiles

    if folder is None:
        raise UsageError("beyond this machine both sides show certificates: give --tls DIR")
    return TlsFiles(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")


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


def _line(utc_s: float, content: dict[str, Any]) -> str:
    at = f"{datetime.fromtimestamp(utc_s, UTC):%H:%M:%S.%f}"[:-3]
    match content["type"]:
        case "Tags":
            rates = ", ".join(f"{name} {rate:.4g} Hz" for name, rate in content["rates_hz"].items())
            words = f"{content['source']}: {content['n']} clicks; {rates}"
        case "Progress":
            words = f"{content['fraction']:.1%}  {content['message']}"
        case "Result":
            found = {name: (e["value"], e["std"]) for name, e in content["estimates"].items()}
            words = ", ".join(f"{name} = {value:.5g} ± {std:.2g}" for name, (value, std) in found.items())
        case _:
            words = ", ".join(f"{k} {v}" for k, v in content.items() if k not in ("type", "config") and v != "")
    return f"{at}  {content['type']:<12} {words}"
