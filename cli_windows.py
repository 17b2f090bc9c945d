"""``erbia scan-windows``: how the fidelity of a run depends on the coincidence window and delay, blinded if asked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .analysis.errors import UsageError

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]
#: The secret offset of a blinded fidelity lies within this.
BLIND_SCALE = 0.2


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command("scan-windows")(scan)


def scan(
    path: Annotated[Path, typer.Argument(help="A run file (.h5) of heralded entanglement.")],
    windows_ps: Annotated[str, typer.Option(help="Windows in ps, e.g. 500000,1000000.")],
    delays_ps: Annotated[str, typer.Option(help="Delays in ps after the start of the hardware's window.")] = "0",
    blind: Annotated[
        str | None, typer.Option("--blind", metavar="KEY", help="Hide the fidelity behind an offset that KEY gives.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fidelity, raw and corrected, over coincidence windows and delays; half its range is what the choice can do."""
    from .analysis.files.runfile import open_run
    from .analysis.windows import blind as hide
    from .console import print_estimates, print_json, stdout
    from .sequences.replay import scan_link_windows

    with open_run(path) as run:
        found = scan_link_windows(run, _numbers(windows_ps, "--windows-ps"), _numbers(delays_ps, "--delays-ps"))
    table = {
        (int(w), int(d)): (found.raw[i][j], found.corrected[i][j])
        for i, w in enumerate(found.window_ps)
        for j, d in enumerate(found.delay_ps)
    }
    if blind is not None:
        table = {
            at: (hide(raw, blind, BLIND_SCALE), hide(kept, blind, BLIND_SCALE)) for at, (raw, kept) in table.items()
        }
    if as_json:
        rows = [
            {"window_ps": w, "delay_ps": d, "raw": raw.as_dict(), "corrected": kept.as_dict()}
            for (w, d), (raw, kept) in table.items()
        ]
        return print_json({"rows": rows, "spread": found.spread(), "blinded": blind is not None})
    print_estimates({f"{w} ps after {d} ps": kept for (w, d), (_, kept) in table.items()}, "fidelity")
    stdout.print(f"half the range over the scan: {found.spread():.4f}")
    return None


def _numbers(text: str, option: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"{option} {text!r} is not a list of whole numbers such as 500000,1000000") from None
