"""``erbia engine``, ``status``, ``watch``, ``stop``, ``pause``, ``resume``: the engine of a station from the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from .analysis.errors import UsageError
from .cli_call import AsJson, Call, Station, Tls, asked_of_an_engine, tls_files
from .sequences.control import StopKind

NEGATIVE = 1


def add_to(app: typer.Typer) -> None:
    """Registers the commands."""
    for command in (status, watch, stop, pause, resume):
        app.command()(asked_of_an_engine(command))
    app.command()(engine)


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


def stop(
    call: Call,
    kind: Annotated[
        StopKind,
        typer.Argument(help="At the end of the setting, after the block under way, or ALL OFF: outputs safe at once."),
    ] = "checkpoint",
) -> None:
    """Stop the run under way; "emergency" also switches every output off at once and holds the queue."""
    with call.client() as client:
        before = client.status()
        if kind == "emergency":
            client.all_off()
        else:
            client.stop(kind)
    playing = before.experiment if before.state != "idle" else ""
    otherwise = f"stopping {playing}" if playing else "no run is under way"
    words = "all off; the queue is held" if kind == "emergency" else otherwise
    call.say({"stop": kind, "experiment": playing}, words)


def pause(call: Call) -> None:
    """Hold the run at its next checkpoint, pulses stopped and emission off."""
    with call.client() as client:
        client.pause()
        state = client.status().state
    call.say({"state": state}, state)


def resume(call: Call) -> None:
    """Let a held run go on; in a running one, acknowledge monitors that have latched."""
    with call.client() as client:
        client.resume()
        state = client.status().state
    call.say({"state": state}, state)


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
        network = Listen(listen, tls_files(tls), frozenset(operators or ()))

    def tell(where: str) -> None:
        facts = {"station": station, "address": where, "listen": listen}
        Call(as_json=as_json).say(facts, f"{station} at {where}")

    serve(station, seed, out.resolve(), idle_s, network=network, ready=tell)


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
