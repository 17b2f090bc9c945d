"""``erbia dry-run``: the budget of a run, from files alone; no instrument is connected."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from .sequences.budget import Budget
    from .sequences.sequence import Sequence

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]
NEGATIVE = 1
_PICTURES = (".png", ".svg", ".pdf")


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command("dry-run")(dry_run)


def dry_run(
    experiment: Annotated[str, typer.Argument(help="Name of an experiment.")],
    station: Annotated[str, typer.Option(help="A shipped station or a station file.")] = "mock_lab",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A key of the config, or INSTRUMENT.parameter."),
    ] = None,
    preset: Annotated[str | None, typer.Option(help="A shipped experiment preset or a .yaml file.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Where the run file would go.")] = Path("runs"),
    diagram: Annotated[
        Path | None, typer.Option(help="Also draw the pulses into this file (.png, .svg or .pdf).")
    ] = None,
    setting: Annotated[
        str | None, typer.Option(help="Whose pulses are drawn; the last setting's when left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What a run would give and cost, before anything is armed; exit 1 if it cannot be done. Connects to nothing."""
    from .console import print_json
    from .sequences.budget import make_budget
    from .sequences.budget_facts import facts_of_file
    from .sequences.diagram import played_sequence
    from .sequences.lab import make_experiment, split_settings
    from .sequences.presets import read_preset

    names = facts_of_file(station).instruments()
    config, held = split_settings(settings or [], names)
    facts = facts_of_file(station, held)
    recipe = make_experiment(experiment, {**read_preset(experiment, preset), **config}).on(facts.nodes)
    budget = make_budget(recipe, facts, out)
    if diagram is not None:
        _draw(played_sequence(recipe.build(), setting), diagram)
    if as_json:
        print_json(budget.as_dict())
    else:
        _print(budget)
    if budget.refused:
        raise typer.Exit(NEGATIVE)


def _draw(sequence: Sequence, path: Path) -> None:
    from .analysis.errors import UsageError
    from .analysis.report_timing import timing_diagram
    from .sequences.diagram import diagram

    if path.suffix not in _PICTURES:
        raise UsageError(f"--diagram {path}: a picture ends in {', '.join(_PICTURES)}")
    try:
        timing_diagram(diagram(sequence), sequence.name, simulated=False).savefig(path, dpi=150)
    except OSError as error:
        raise UsageError(f"--diagram {path}: cannot be written: {error}") from error


def _print(budget: Budget) -> None:
    from rich.table import Table

    from .analysis.quantity import format_quantity
    from .console import stdout

    table = Table("", "quantity", "expected", "allowed", "why", title=f"{budget.experiment} at {budget.station}")
    for line in budget.lines:
        value = "" if line.value is None else format_quantity(line.value, line.unit)
        table.add_row(line.verdict.replace("ok", ""), line.name, value, line.allowed, line.reason)
    stdout.print(table)
    stdout.print(f"REFUSED: {len(budget.refused)} reasons" if budget.refused else "can be run", soft_wrap=True)
