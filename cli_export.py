"""Runs handed on to other suites."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]


def add_to(app: typer.Typer) -> None:
    """Registers the commands of this module."""
    app.command()(export)


def export(
    path: Annotated[Path, typer.Argument(metavar="RUN.h5", help="A run file.")],
    qcodes_db: Annotated[Path, typer.Option("--qcodes-db", help="QCoDeS database to add the run's scans to.")],
    as_json: AsJson = False,
) -> None:
    """Add a run's settings, curves and maps to a QCoDeS database, for plottr and QCoDeS scripts."""
    from .analysis.files.runfile import open_run
    from .console import print_json, stdout
    from .sequences.qcodes_export import export_to_qcodes

    with open_run(path) as run:
        numbers = export_to_qcodes(run, qcodes_db)
    if as_json:
        return print_json({"run": str(path), "database": str(qcodes_db), "qcodes_run_ids": numbers})
    stdout.print(f"{len(numbers)} datasets added to {qcodes_db}", soft_wrap=True)
    return None
