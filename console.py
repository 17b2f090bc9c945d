"""How the command line talks: results on stdout (text or one JSON object), everything else on stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from .analysis.quantity import format_quantity
from .analysis.records import Estimate
from .sequences.documents import Document, RunStart
from .sequences.documents import Progress as RunProgress

if TYPE_CHECKING:
    from .sequences.demo import Figure
    from .sequences.doctor import Check

stdout = Console(width=None if sys.stdout.isatty() else 120)
stderr = Console(stderr=True)


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on stdout; arrays become lists, estimates their dict, non-finite numbers null."""
    stdout.file.write(json.dumps(_plain(value), allow_nan=False) + "\n")
    stdout.file.flush()


def print_estimates(estimates: Mapping[str, Estimate], title: str = "") -> None:
    """A table of estimates with their intervals."""
    table = Table(
        "quantity", "value", "interval", "confidence", "n", "method", title=title or None, title_justify="left"
    )
    for name, e in estimates.items():
        table.add_row(name, _digits(e.value, e), _interval(e), f"{e.confidence:.0%}", str(e.n), e.method)
    stdout.print(table)


def print_figures(figures: Iterable[Figure]) -> None:
    """The demo's table: measured, interval, truth, and how far apart they are in standard errors."""
    table = Table("quantity", "measured", "interval", "hidden truth", "pull", title="SIMULATED", title_justify="left")
    for figure in figures:
        e = figure.estimate
        table.add_row(figure.name, _digits(e.value, e), _interval(e), _digits(figure.truth, e), f"{figure.pull:+.2f}")
    stdout.print(table)
    stdout.print("pull: (measured - truth) in standard errors")


def print_runs(rows: Iterable[Mapping[str, Any]]) -> None:
    """A table of runs, newest first."""
    table = Table("run", "experiment", "status", "simulated", "created (UTC)")
    for row in rows:
        table.add_row(row["run"], row["experiment"], row["status"], str(row["simulated"]), row["created_utc"])
    stdout.print(table)


def print_checks(checks: Iterable[Check]) -> None:
    """What was looked at, one line each."""
    for check in checks:
        stdout.print(f"{'ok ' if check.ok else 'NO '} {check.name:<22} {check.detail}", soft_wrap=True, markup=False)


@contextmanager
def run_progress() -> Iterator[Any]:
    """A progress bar on stderr fed by the documents of a run, from its first one on: yields the subscriber."""
    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(),
        TextColumn("{task.fields[message]}"),
        TimeElapsedColumn(),
    )
    bars = Progress(*columns, TextColumn("{task.fields[left]}"), console=stderr)
    task = bars.add_task("", total=1.0, message="", left="")

    with ExitStack() as running:

        def show(document: Document) -> None:
            if isinstance(document, RunStart):
                if not bars.live.is_started:
                    running.enter_context(bars)
                bars.reset(task, description=document.experiment, total=1.0, message="", left="")
            elif isinstance(document, RunProgress):
                left = "" if document.remaining_s is None else f"{document.remaining_s:.0f} s of lab time left"
                bars.update(task, completed=document.fraction, message=document.message, left=left)

        yield show


def _interval(e: Estimate) -> str:
    return f"{_digits(e.lower, e)} … {_digits(e.upper, e)}"


def _digits(number: float, e: Estimate) -> str:
    """As many digits as the standard error leaves meaning in; ps stay ps, other units get a prefix."""
    known = e.std > 0 and math.isfinite(e.std) and e.value != 0
    digits = max(3, math.ceil(math.log10(abs(e.value) / e.std)) + 2) if known else 5
    return f"{number:,.{digits}g} ps" if e.unit == "ps" else format_quantity(number, e.unit, digits)


def _plain(value: Any) -> Any:
    if isinstance(value, Estimate):
        return value.as_dict()
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
