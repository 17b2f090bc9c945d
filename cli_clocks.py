"""Clocks on the command line: ``erbia sync`` finds, ``erbia merge`` applies, ``erbia stability`` judges them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .analysis.errors import DataError, UsageError

if TYPE_CHECKING:
    from .analysis.records import ClockModel, FloatArray, Int64Array

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]
TagFile = Annotated[str, typer.Argument(help="A tag file: .npy, .npz, .ptu, RUN.h5[:source], …")]
NEGATIVE = 1
PLOTS = (".svg", ".png", ".pdf")


def add_to(app: typer.Typer) -> None:
    """Registers the commands."""
    for command in (sync, stability, merge):
        app.command()(command)


def sync(
    a: TagFile,
    b: TagFile,
    max_offset_s: Annotated[float, typer.Option(help="Largest offset searched, either sign.")] = 8.0,
    max_ppm: Annotated[float, typer.Option(help="Largest frequency difference searched, in 1e-6.")] = 150.0,
    max_work: Annotated[
        float, typer.Option(help="How long to search for a weak signal; 1e9: half a minute in all.")
    ] = 2.5e9,
    channel_a: Annotated[
        list[int] | None, typer.Option("--channel-a", help="Take this channel of A only (repeat for more); else all.")
    ] = None,
    channel_b: Annotated[list[int] | None, typer.Option("--channel-b", help="The same for B.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the model in the run file that holds both: RUN.h5:a and RUN.h5:b.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Clock offset and skew between two nodes from the photon pairs they share; exit 1 if none is found.

    A search that finds nothing takes about a minute: a narrower range or a lower --max-work ends it sooner.
    """
    from .analysis.clock_sync import synchronize
    from .console import print_estimates, print_json, stdout

    t_a_ps, t_b_ps = _photons(a, channel_a), _photons(b, channel_b)
    found = synchronize(t_a_ps, t_b_ps, max_offset_s=max_offset_s, max_ppm=max_ppm, max_work=max_work)
    if keep and found.model is not None:
        _keep_clock(a, b, found.model)
    if as_json:
        print_json(found.as_dict())
    elif found.found:
        print_estimates({"offset at t = 0": found.offset, "skew": found.skew_estimate})
    else:
        stdout.print(f"not found: {found.reason}", soft_wrap=True)
    if not found.found:
        raise typer.Exit(NEGATIVE)


def _photons(file: str, channels: list[int] | None) -> Int64Array:
    import numpy as np

    from .analysis.files.tagfile import read_tags

    tags = read_tags(file).tags
    if not channels:
        return tags.t_ps
    held = np.unique(tags.channel)
    if absent := sorted(set(channels) - set(held.tolist())):
        raise UsageError(f"{file}: no clicks on channel {absent[0]}; it holds {', '.join(map(str, held))}")
    return tags.t_ps[np.isin(tags.channel, channels)]


def _keep_clock(a: str, b: str, model: ClockModel) -> None:
    from .analysis.files.runfile import open_run
    from .analysis.files.tagfile import split_spec
    from .analysis.files.timebase import write_timebase

    (path, reference), (other, source) = split_spec(a), split_spec(b)
    if reference is None or source is None or path.resolve() != other.resolve():
        raise UsageError(f"--keep needs two taggers of one run file, RUN.h5:a RUN.h5:b, got {a} {b}; see erbia merge")
    with open_run(path) as run:
        write_timebase(run, reference, {source: model}, "photon pairs")


def stability(
    phase: Annotated[Path, typer.Argument(help="Phase in seconds, one number a line; nan where a sample is missing.")],
    rate_hz: Annotated[float, typer.Option(help="Samples per second.")],
    plot: Annotated[
        Path | None, typer.Option(help="Draw one deviation with reference slopes to this .svg, .png or .pdf.")
    ] = None,
    deviation: Annotated[str, typer.Option(help="What to draw: oadev, mdev, tdev, hdev or mtie.")] = "tdev",
    as_json: AsJson = False,
) -> None:
    """Allan, modified Allan, Hadamard and time deviation and MTIE of a phase record."""
    from .analysis.stability import allan
    from .console import print_json, stdout

    found = allan(_read_numbers(phase), rate_hz)
    if plot is not None:
        from .analysis.stability_figure import stability_figure

        if plot.suffix not in PLOTS:
            raise UsageError(f"--plot {plot}: ending {plot.suffix!r} is not one of {' '.join(PLOTS)}")
        stability_figure(found, deviation, f"{phase.name}: {deviation.upper()}").savefig(plot, dpi=160)
    result = found.as_dict()
    if as_json:
        return print_json(result)
    columns = [name for name, values in result.items() if isinstance(values, list)]
    stdout.print("  ".join(f"{name:>12}" for name in columns))
    for row in zip(*(result[name] for name in columns), strict=True):
        stdout.print("  ".join(f"{'—' if x is None else format(x, '.5g'):>12}" for x in row))
    return None


def _read_numbers(path: Path) -> FloatArray:
    import numpy as np

    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    numbers = []
    for number, line in enumerate(lines, 1):
        text = line.split("#")[0].strip()
        if text:
            try:
                numbers.append(float(text))
            except ValueError:
                raise DataError(
                    f"{path}:{number}: {text!r} is not a number; expected one phase in seconds a line"
                ) from None
    return np.array(numbers, np.float64)


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
