"""``erbia merge``: the files of a run's nodes in one, on one clock."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]
NEGATIVE = 1


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command("merge")(merge)


def merge(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="NODE.h5…", help="Run files of one run, one a node; or a folder, with --run-id."),
    ],
    out: Annotated[Path, typer.Option("--out", help="The run file to write.")],
    run_id: Annotated[str | None, typer.Option("--run-id", help="Take the files of this run from the folder.")] = None,
    same_clock: Annotated[
        bool,
        typer.Option("--same-clock", help="The nodes share a clock (White Rabbit, 10 MHz and PPS): search nothing."),
    ] = False,
    max_offset_s: Annotated[float, typer.Option(help="Largest offset searched, either sign.")] = 8.0,
    max_ppm: Annotated[float, typer.Option(help="Largest frequency difference searched, in 1e-6.")] = 150.0,
    max_work: Annotated[
        float, typer.Option(help="How long to search for a weak signal; 1e9: half a minute a pair of taggers.")
    ] = 2.5e9,
    as_json: AsJson = False,
) -> None:
    """Merge the run files of a run's nodes: raw clicks of all, and how their clocks relate, found from photon pairs.

    Read them on one clock as OUT.h5:tagger_a+tagger_b. Exit 1, and nothing written, if a clock is not found.
    """
    from .analysis.files.merge import compare_clocks, files_of_run, merge_nodes, taggers_of
    from .analysis.records import ClockModel
    from .console import print_json, stdout

    if run_id is not None:
        files = [path for folder in files for path in files_of_run(folder, run_id)]
    if same_clock:
        clocks = {name: ClockModel(0.0) for name in taggers_of(files)[1:]}
        merged = merge_nodes(files, out, clocks, "the nodes share a clock")
    else:
        found = compare_clocks(files, max_offset_s, max_ppm, max_work)
        lost = {name: result.reason for name, result in found.items() if result.model is None}
        if lost:
            if as_json:
                print_json({"written": None, "not_found": lost})
            for name, reason in ({} if as_json else lost).items():
                stdout.print(f"{name}: {reason}", soft_wrap=True)
            raise typer.Exit(NEGATIVE)
        models = {name: result.model for name, result in found.items() if result.model is not None}
        merged = merge_nodes(files, out, models, "photon pairs")
    spec = f"{merged.path}:{'+'.join(merged.sources)}"
    if as_json:
        offsets = {name: model.offset_ps for name, model in merged.clocks.items()}
        return print_json(
            {"written": str(merged.path), "reference": merged.reference, "offset_ps": offsets, "read_as": spec}
        )
    stdout.print(f"{merged.path} written; on the clock of {merged.reference} it is read as {spec}", soft_wrap=True)
    return None
