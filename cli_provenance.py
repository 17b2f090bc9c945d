"""``erbia reproduce`` and ``erbia diff``: does a file still say what it said, and what is not the same in two runs?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]
RunPath = Annotated[Path, typer.Argument(metavar="RUN.h5", help="A run file.")]
NEGATIVE = 1


def add_to(app: typer.Typer) -> None:
    """Registers the commands."""
    app.command()(reproduce)
    app.command()(diff)


def reproduce(path: RunPath, as_json: AsJson = False) -> None:
    """Analyse a run again from its file alone and compare with what it said; exit 1 if a number is not the same."""
    from .analysis.files.runfile import open_run
    from .console import print_json, stdout
    from .sequences.compare import reproduce as reproduce_run

    with open_run(path) as run:
        found = reproduce_run(run)
    differing = found.differing()
    if as_json:
        names = {**found.recorded, **found.again}
        results = {
            name: {"recorded": found.recorded.get(name), "again": found.again.get(name), "same": name not in differing}
            for name in names
        }
        print_json(
            {"run": str(path), "same": not differing, "results": results, "environment": dict(found.environment)}
        )
    else:
        for name, estimate in found.recorded.items():
            again = found.again.get(name)
            verdict = "the same" if name not in differing else f"NOT THE SAME: {'missing' if again is None else again}"
            stdout.print(f"{name} = {estimate.value:.6g} {estimate.unit}: {verdict}", soft_wrap=True, highlight=False)
        _print_pairs("then → now", found.environment)
    if differing or not found.recorded:
        raise typer.Exit(NEGATIVE)


def diff(first: RunPath, second: RunPath, as_json: AsJson = False) -> None:
    """What is not the same in two runs: config, instrument parameters at the start, code and packages, station file."""
    from .analysis.files.runfile import open_run
    from .console import print_json, stdout
    from .sequences.compare import difference

    with open_run(first) as a, open_run(second) as b:
        found = difference(a, b)
    if as_json:
        parts = {"config": found.config, "parameters": found.parameters, "origin": found.origin}
        return print_json({"runs": [str(first), str(second)], **parts, "station": list(found.station)})
    for title, pairs in (("config", found.config), ("parameters", found.parameters), ("origin", found.origin)):
        _print_pairs(title, pairs)
    if found.station:
        stdout.print("\n".join(("station file", *found.station)), soft_wrap=True, highlight=False, markup=False)
    if not (found.config or found.parameters or found.origin or found.station):
        stdout.print("no difference in config, parameters, code, packages and station file")
    return None


def _print_pairs(title: str, pairs: Mapping[str, tuple[Any, Any]]) -> None:
    from .console import stdout

    if pairs:
        stdout.print(title)
    for name, (a, b) in pairs.items():
        stdout.print(f"  {name}: {a} → {b}", soft_wrap=True, highlight=False, markup=False)
