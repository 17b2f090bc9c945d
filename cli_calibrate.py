"""``erbia calibrate``: takes the calibrations of a station that are due, and tells how all of them stand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from .analysis.errors import UsageError

NEGATIVE = 1


def calibrate(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME…", help="Which; none: only tell.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are not fresh.")] = False,
    station: Annotated[str, typer.Option(help="A shipped station or a station file.")] = "mock_lab",
    seed: Annotated[int | None, typer.Option(help="Seed of everything simulated.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of the run files and of the calibrations.")] = Path("runs"),
    operator: Annotated[str, typer.Option(help="Who runs it.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")] = False,
) -> None:
    """Take calibrations and what they need, lowest level first; exit 1 if one is not fresh afterwards."""
    from .console import print_json, run_progress
    from .sequences.calibrations import book_of, describe_states
    from .sequences.lab import load_station

    if names and everything:
        raise UsageError("give names or --all, not both")
    outcomes: dict[str, str] = {}
    with load_station(station, seed) as lab:
        book = book_of(lab.loaded, out)
        for name in names or ():
            book.section(name)
        if names or everything:
            with run_progress() as show:
                outcomes = lab.calibrate(*(names or ()), out_dir=out, operator=operator, subscribers=(show,))
    states = describe_states(book)
    if as_json:
        print_json({"station": station, "outcomes": outcomes, "calibrations": states})
    else:
        _print(states, outcomes)
    if any(states[name]["state"] != "fresh" for name in names or states):
        raise typer.Exit(NEGATIVE)


def _print(states: Mapping[str, Mapping[str, Any]], outcomes: Mapping[str, str]) -> None:
    from rich.table import Table

    from .console import stdout

    table = Table("calibration", "state", "value", "taken now", "why")
    for name, found in states.items():
        e = found["estimate"]
        value = "" if e is None else f"{e['value']:.6g} ± {e['std']:.2g} {e['unit']}"
        table.add_row(name, found["state"], value, outcomes.get(name, ""), found["reason"])
    stdout.print(table)
