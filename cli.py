"""The command line. Each command does one thing, takes ``--json`` and exits 0, 1 (an honest no), 2 (usage, config or
file) or 3 (instrument or run)."""

from __future__ import annotations

import gc
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .analysis.errors import ErbiaError, UsageError

app = typer.Typer(
    name="erbia",
    help="Control of quantum-memory network labs: real, simulated, or both.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]
RunPath = Annotated[Path, typer.Argument(help="A run file (.h5).")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A key of the config, or INSTRUMENT.parameter held for the run."),
]
Seed = Annotated[int | None, typer.Option(help="Seed of everything simulated.")]
OutDir = Annotated[Path, typer.Option("--out", help="Folder of the run files.")]
NEGATIVE, BAD_INPUT, LAB_FAILED = 1, 2, 3


def main() -> None:
    """Entry point: runs a command; an error is one clear line on stderr (``--debug``: with its traceback)."""
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    try:
        app()
    except ErbiaError as error:
        if debug:
            raise
        sys.stderr.write(f"erbia: {error}\n")
        sys.exit(BAD_INPUT if isinstance(error, UsageError) else LAB_FAILED)
    except KeyboardInterrupt:
        sys.stderr.write("erbia: interrupted\n")
        sys.exit(LAB_FAILED)
    finally:
        # What is alive now ends with the process: looking through it for cycles once more would cost a third of a second.
        gc.freeze()


@app.command()
def demo(
    out: OutDir = Path("demo"),
    seed: Annotated[int, typer.Option(help="Seed of the simulated lab.")] = 1,
    as_json: AsJson = False,
) -> None:
    """The main job on the simulated lab: entangle, measure, record, analyse; the answer beside the hidden truth."""
    from .console import print_figures, print_json, run_progress, stdout
    from .sequences.demo import figures, run_demo, summary
    from .sequences.reports import report_input, write_report

    with run_progress() as show:
        runs = run_demo(out, seed, (show,))
    found = figures(runs)
    report_path = out / "report.html"
    write_report([report_input(r) for r in runs], report_path, summary(found))
    if as_json:
        results = {f.name: {**f.estimate.as_dict(), "truth": f.truth} for f in found}
        return print_json({"runs": [str(run.path) for run in runs], "report": str(report_path), "results": results})
    print_figures(found)
    stdout.print(f"SIMULATED. Run files and report: {report_path}", soft_wrap=True)
    return None


@app.command()
def run(
    experiment: Annotated[str, typer.Argument(help="Name of an experiment; left out with --resume.")] = "",
    station: Annotated[str, typer.Option(help="A shipped station or a station file.")] = "mock_lab",
    settings: Settings = None,
    preset: Annotated[str | None, typer.Option(help="A shipped experiment preset or a .yaml file.")] = None,
    seed: Seed = None,
    out: OutDir = Path("runs"),
    operator: Annotated[str, typer.Option(help="Who runs it.")] = "",
    qcodes_db: Annotated[
        Path | None, typer.Option("--qcodes-db", help="QCoDeS database to add the run's scans to.")
    ] = None,
    monitors: Annotated[
        list[str] | None,
        typer.Option(
            "--monitor",
            metavar="NAME=YAML",
            help="What must be so for data to count: lock={parameter: …, equals: true}.",
        ),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN.h5", help="Go on with a run that was interrupted, failed or stopped.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run an experiment on a station and analyse it, or go on with a run that did not end."""
    from .console import print_estimates, print_json, run_progress, stdout
    from .sequences.documents import RunStop
    from .sequences.lab import load_station, make_experiment, parse_monitors, split_settings
    from .sequences.presets import read_preset
    from .sequences.resume import lab_of

    if bool(experiment) == (resume is not None):
        raise UsageError("give the name of an experiment, or --resume RUN.h5 alone")
    if resume is not None and (settings or preset or monitors):
        raise UsageError("a resumed run keeps its own config: drop --set, --preset and --monitor")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends us leaves the lab safe
    stops: list[RunStop] = []
    if resume is not None:
        station, seed = lab_of(resume)
    with load_station(station, seed) as lab:
        names = [*lab.station.components, *lab.loaded.roles]
        config, held = split_settings(settings or [], names)
        for name, value in held.items():
            lab.hold(name, value)
        with run_progress() as show:
            subscribers = (show, _keep_stop(stops))
            if resume is not None:
                finished = lab.resume(resume, subscribers=subscribers)
            else:
                plan = make_experiment(experiment, {**read_preset(experiment, preset), **config})
                watched = parse_monitors(monitors or [])
                finished = lab.run(plan, out_dir=out, operator=operator, subscribers=subscribers, monitors=watched)
    if qcodes_db is not None:
        from .sequences.qcodes_export import export_to_qcodes

        export_to_qcodes(finished, qcodes_db)
    stop = stops[-1]
    if as_json:
        outcome = {"run": str(finished.path), "status": stop.status, "reason": stop.reason, "results": finished.results}
        print_json({**outcome, "heralds": len(finished.heralds()), "simulated": finished.simulated})
    else:
        print_estimates(finished.results, "SIMULATED" if finished.simulated else "")
        stdout.print(f"{stop.status}{': ' + stop.reason if stop.reason else ''}\n{finished.path}", soft_wrap=True)
    if stop.status == "failed":
        raise typer.Exit(LAB_FAILED)
    if stop.reason:
        raise typer.Exit(NEGATIVE)


def _keep_stop(stops: list[Any]) -> Any:
    from .sequences.documents import RunStop

    return lambda document: stops.append(document) if isinstance(document, RunStop) else None


@app.command()
def analyze(path: RunPath, settings: Settings = None, as_json: AsJson = False) -> None:
    """Analyse a run file again, from its tags alone; the new results are added, nothing is written over."""
    from .analysis.files.runfile import open_run
    from .console import print_estimates, print_json
    from .sequences.keeping import keep_result
    from .sequences.lab import split_settings
    from .sequences.replay import analyze as analyze_run

    with open_run(path) as file:
        changes, _ = split_settings(settings or [], [])
        result = analyze_run(file, **changes)
        number = keep_result(file, result)
    if as_json:
        return print_json({"run": str(path), "number": number, "results": result.estimates, "counts": result.counts})
    print_estimates(result.estimates)
    return None


@app.command()
def report(
    paths: Annotated[list[Path], typer.Argument(metavar="RUN.h5…", help="One run file or several to compare.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The HTML file to write.")] = Path("report.html"),
    as_json: AsJson = False,
) -> None:
    """Write one self-contained HTML page about a run, or several compared."""
    from .analysis.files.runfile import open_run
    from .console import print_json, stdout
    from .sequences.reports import report_input, write_report

    write_report([report_input(open_run(path)) for path in paths], output)
    if as_json:
        return print_json({"report": str(output), "runs": [str(path) for path in paths]})
    stdout.print(f"{output}", soft_wrap=True)
    return None


@app.command()
def info(path: RunPath, as_json: AsJson = False) -> None:
    """What a run file holds."""
    from .analysis.files.runfile import open_run
    from .console import print_estimates, print_json, stdout

    with open_run(path) as file:
        facts = {
            "run": str(path),
            "run_id": file.run_id,
            "experiment": file.experiment,
            "status": file.status,
            "created_utc": file.created_utc,
            "operator": file.operator,
            "simulated": file.simulated,
            "sources": {s: {"channels": file.channels(s), "tags": _tag_count(file, s)} for s in file.sources},
            "live_time_s": {s: file.live_time_ps(s) / 1e12 for s in file.sources},
            "heralds": len(file.heralds()),
            "results": file.results,
        }
    if as_json:
        return print_json(facts)
    for name, value in facts.items():
        if name != "results":
            stdout.print(f"{name:>12}  {value}", soft_wrap=True)
    print_estimates(facts["results"])  # type: ignore[arg-type]
    return None


def _tag_count(file: Any, source: str) -> int:
    blocks = file.blocks(source)
    return int(blocks["row_stop"][-1]) if len(blocks) else 0


@app.command()
def runs(
    folder: Annotated[Path, typer.Argument(help="Folder of run files.")] = Path("runs"), as_json: AsJson = False
) -> None:
    """List the runs in a folder, newest first."""
    from .console import print_json, print_runs
    from .sequences.reports import list_runs

    rows = list_runs(folder)
    if as_json:
        return print_json({"runs": rows})
    print_runs(rows)
    return None


@app.command()
def validate(
    path: Annotated[Path, typer.Argument(help="A station file, an experiment preset or a run file.")],
    as_json: AsJson = False,
) -> None:
    """Check a file without touching an instrument; exit 1 if it has problems."""
    from .console import print_json, stdout
    from .sequences.validation import bases_of, problems_of

    problems, bases = problems_of(path), bases_of(path)
    if as_json:
        print_json({"file": str(path), "problems": problems, "extends": bases})
    else:
        stdout.print("\n".join(problems) or f"{path}: sound", soft_wrap=True)
        for base in bases:
            stdout.print(f"  extends {base}", soft_wrap=True)
    if problems:
        raise typer.Exit(NEGATIVE)


@app.command()
def doctor(
    station: Annotated[str | None, typer.Option(help="Also connect to every instrument of this station.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check the installation and, with a station, its instruments; exit 1 if something needed is missing."""
    from .console import print_checks, print_json
    from .sequences.doctor import examine

    checks = examine(station)
    if as_json:
        print_json({"checks": [c.as_dict() for c in checks], "ok": all(c.ok for c in checks)})
    else:
        print_checks(checks)
    if not all(c.ok for c in checks):
        raise typer.Exit(NEGATIVE)


@app.command()
def gui(
    station: Annotated[str | None, typer.Option(help="A shipped station or a station file.")] = None, seed: Seed = None
) -> None:
    """Open the window."""
    try:
        from .gui.app import run_gui
    except ImportError as error:
        raise UsageError(f"the window needs its extra: pip install 'erbia[gui]' ({error})") from error
    raise typer.Exit(run_gui(station, ["erbia"], seed))


from . import cli_analysis as _cli_analysis  # noqa: E402  the analyst's commands join the same app
from . import cli_clocks as _cli_clocks  # noqa: E402
from . import cli_dry_run as _cli_dry_run  # noqa: E402
from . import cli_engine as _cli_engine  # noqa: E402
from . import cli_export as _cli_export  # noqa: E402
from . import cli_provenance as _cli_provenance  # noqa: E402
from . import cli_queue as _cli_queue  # noqa: E402
from . import cli_tags as _cli_tags  # noqa: E402
from . import cli_windows as _cli_windows  # noqa: E402
from .cli_calibrate import calibrate as _calibrate  # noqa: E402
from .cli_emulate import emulate as _emulate  # noqa: E402

_cli_analysis.add_to(app)
_cli_clocks.add_to(app)
_cli_dry_run.add_to(app)
_cli_export.add_to(app)
_cli_provenance.add_to(app)
_cli_engine.add_to(app)
app.add_typer(_cli_queue.queue_app, name="queue")
_cli_tags.add_to(app)
_cli_windows.add_to(app)
app.command("calibrate")(_calibrate)
app.command("emulate")(_emulate)
