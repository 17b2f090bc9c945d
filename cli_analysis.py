"""The analyst's commands: numbers from tag files, count tables and series, with no lab in sight."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .analysis.errors import DataError

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]
CountsFile = Annotated[Path, typer.Argument(help="A JSON file of counts, or - for standard input.")]
NEGATIVE = 1


def add_to(app: typer.Typer) -> None:
    """Registers the commands of this module."""
    for command in (fidelity, tomography, chsh, jitter):
        app.command()(command)
    app.command("storage-time")(storage_time)


def fidelity(
    counts: CountsFile,
    blind: Annotated[
        str | None,
        typer.Option("--blind", metavar="KEY", help="Hide the fidelity behind an offset that KEY gives, up to 0.2."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bell-state fidelity from the correlators XX, YY, ZZ."""
    from .analysis.fidelity import estimate_fidelity
    from .analysis.windows import blind as hide
    from .console import print_estimates, print_json

    result = estimate_fidelity(_read_json(counts))
    if blind is not None:
        # The correlators would tell the fidelity, so they stay hidden too.
        hidden = {"fidelity": hide(result.fidelity, blind, 0.2), "raw": hide(result.raw, blind, 0.2)}
        return print_json({"target": result.target, **hidden}) if as_json else print_estimates(hidden)
    if as_json:
        return print_json(result.as_dict())
    return print_estimates({"fidelity": result.fidelity, **result.correlators})


def tomography(
    counts: CountsFile,
    method: Annotated[str, typer.Option(help="poisson, multinomial, gaussian, linear or bayes.")] = "poisson",
    as_json: AsJson = False,
) -> None:
    """Density matrix from projective counts."""
    from .analysis.tomography import reconstruct_state
    from .console import print_json

    result = reconstruct_state(_read_json(counts), method).as_dict()
    if as_json:
        return print_json(result)
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    return None


def chsh(
    counts: CountsFile,
    win_bound: Annotated[
        float | None, typer.Option(help="Largest winning probability of a local model (default 3/4).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """CHSH value and p-value against local models."""
    from .analysis.bell import bell_test
    from .console import print_json, stdout

    result = bell_test(_read_json(counts), win_bound)
    if as_json:
        return print_json(result.as_dict())
    stdout.print(
        f"S = {result.s.value:.4f} ± {result.s_std:.4f}, p = {result.p_value:.4g} ({result.wins} of {result.n} won)"
    )
    return None


def jitter(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Tag files of start and stop clicks.")],
    a: Annotated[int, typer.Option("--a", help="Marker channel.")] = 0,
    b: Annotated[int, typer.Option("--b", help="Detector channel.")] = 1,
    bin_ps: Annotated[int, typer.Option(help="Bin width in ps.")] = 1,
    range_ps: Annotated[int, typer.Option(help="Half width in ps.")] = 2000,
    delay_ps: Annotated[int, typer.Option(help="Expected lag of the peak, taken off.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Timing jitter (FWHM, Gaussian sigma, exponential tail) of clicks after a marker."""
    from .analysis.correlation import correlate as cross_correlate
    from .analysis.files.tagfile import read_tags
    from .analysis.jitter import fit_jitter
    from .console import print_estimates, print_json

    fits = {}
    for file in files:
        tags = read_tags(file).tags
        histogram = cross_correlate(tags.on(a) + delay_ps, tags.on(b), bin_ps=bin_ps, range_ps=range_ps)
        fit = fit_jitter(histogram)
        fits[file] = {"fwhm_ps": fit.fwhm_ps, "sigma_ps": fit.sigma_ps, "tau_ps": fit.tau_ps}
    if as_json:
        return print_json({**fits[files[0]], "files": fits})
    for file, estimates in fits.items():
        print_estimates(estimates, file)
    return None


def storage_time(
    table: Annotated[Path, typer.Argument(help="CSV: storage_time_s, successes, trials; a header line is allowed.")],
    model: Annotated[str, typer.Option(help="exponential, gaussian or stretched.")] = "stretched",
    as_json: AsJson = False,
) -> None:
    """Storage time from read-outs after different waits."""
    import numpy as np

    from .analysis.storage_time import fit_storage_time
    from .console import print_estimates, print_json

    columns = _read_table(table, 3)
    fit = fit_storage_time(columns[0], columns[1].astype(np.int64), columns[2].astype(np.int64), model=model)  # type: ignore[arg-type]
    estimates = {"storage_time": fit.storage_time}
    return print_json(estimates) if as_json else print_estimates(estimates)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        value = json.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}: not valid JSON: {error.msg}") from error
    if not isinstance(value, dict):
        raise DataError(f"{path}: holds {type(value).__name__}, expected an object of counts")
    return value


def _read_table(path: Path, columns: int) -> Any:
    import numpy as np

    rows: list[list[float]] = []
    for number, line in enumerate(_lines(path), 1):
        cells = [cell.strip() for cell in line.replace(";", ",").split(",")]
        if not line.strip() or line.startswith("#"):
            continue
        try:
            row = [float(cell) for cell in cells]
        except ValueError:
            if not rows:
                continue  # a header line
            raise DataError(f"{path}:{number}: {line.strip()!r} holds something that is not a number") from None
        if len(row) != columns:
            raise DataError(f"{path}:{number}: {len(row)} columns, expected {columns}")
        rows.append(row)
    if not rows:
        raise DataError(f"{path}: no row of numbers in it")
    return np.array(rows).T


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
