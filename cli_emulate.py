"""``erbia emulate``: a station's instruments on loopback, one simulated lab behind them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def emulate(
    station: Annotated[str, typer.Argument(help="A shipped station or a station file with a twin: section.")],
    seed: Annotated[int | None, typer.Option(help="Seed of the simulated lab; the file's when left out.")] = None,
    pace: Annotated[
        float | None, typer.Option(help="Lab seconds a second; the file's (free: 1) when left out.")
    ] = None,
    endpoints: Annotated[Path | None, typer.Option(help="Also write the endpoint table there, as JSON.")] = None,
    at: Annotated[
        str | None, typer.Option(metavar="A.B.C", help="Move the lab from 127.0.0.x to A.B.C.x; needs --copy.")
    ] = None,
    copy: Annotated[Path | None, typer.Option(help="Write the station file with the moved addresses there.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")] = False,
) -> None:
    """Serve every instrument of a station on loopback, with one simulated lab behind them, until Ctrl-C.

    Real drivers, this package's or the vendors' own, then work on the station as if the instruments were there:
    run `erbia run EXPERIMENT --station STATION` in another terminal.
    """
    import json
    import signal
    import threading
    import time

    from .analysis.errors import UsageError
    from .console import print_json
    from .instruments.emulators.lab import EmulatedLab
    from .instruments.errors import ConfigError
    from .instruments.mock import load_world
    from .instruments.station_file import find_station, read_station, station_text

    if (at is None) != (copy is None):
        raise UsageError("--at and --copy go together: the run needs the file with the moved addresses")
    path = find_station(station)
    if at is not None and copy is not None:
        copy.write_text(moved(station_text(path), at), encoding="utf-8")
        path = copy
    file = read_station(path)
    if file.twin is None:
        raise ConfigError(f"{path}: has no twin: section, so there is no lab to emulate it with")
    world = load_world(file.twin.lab(), seed)
    chosen = pace if pace is not None else 1.0 if file.twin.pace == "free" else float(file.twin.pace)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    started = time.perf_counter()
    with EmulatedLab(file, world, chosen) as lab:
        rows = lab.endpoints()
        facts: dict[str, Any] = {"station": str(path), "seed": world.seed, "pace": chosen, "endpoints": rows}
        facts["started_in_s"] = round(time.perf_counter() - started, 3)
        if endpoints is not None:
            endpoints.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        if as_json:
            print_json(facts)
        else:
            _print_table(facts)
        stopping.wait()


def moved(text: str, at: str) -> str:
    """A station file whose loopback addresses ``127.0.0.x`` are ``at.x``. Raises UsageError when ``at`` is not loopback."""
    import re

    from .analysis.errors import UsageError

    if not re.fullmatch(r"127\.\d{1,3}\.\d{1,3}", at):
        raise UsageError(f"--at {at!r}: give the first three numbers of a loopback address, e.g. 127.1.7")
    return re.sub(r"\b127\.0\.0\.", f"{at}.", text)


def _print_table(facts: dict[str, Any]) -> None:
    from rich.table import Table

    from .console import stdout

    title = f"SIMULATED: seed {facts['seed']}, {facts['pace']:g} lab seconds a second"
    table = Table("instrument", "driver", "address", "is", title=title, title_justify="left")
    for row in facts["endpoints"]:
        table.add_row(*row.values())
    stdout.print(table)
    stdout.print(f"ready after {facts['started_in_s']:.2f} s; in another terminal:", highlight=False)
    stdout.print(f"  erbia run heralded_entanglement --station {facts['station']}", soft_wrap=True, highlight=False)
    stdout.print("Ctrl-C ends it", highlight=False)
    stdout.file.flush()
