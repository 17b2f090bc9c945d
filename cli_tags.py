"""Commands on tag files: histograms, coincidences, other formats. Files may be larger than memory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .analysis.errors import UsageError

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]
TAG_FILE = "A tag file: .npy, .npz, .csv, .ptu, .a1, .a2, .hdf5, .ttbin or RUN.h5[:source]."
TagFile = Annotated[str, typer.Argument(help=TAG_FILE)]


def add_to(app: typer.Typer) -> None:
    """Registers the commands of this module."""
    for command in (correlate, coincidences, convert):
        app.command()(command)


def correlate(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help=TAG_FILE)],
    a: Annotated[int, typer.Option("--a", help="Start channel.")],
    b: Annotated[int, typer.Option("--b", help="Stop channel.")],
    bin_ps: Annotated[int, typer.Option(help="Bin width in ps.")],
    range_ps: Annotated[int, typer.Option(help="Half width in ps.")],
    jobs: Annotated[int, typer.Option(help="Processes that share the files, and the shares of large run files.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Dask scheduler to work on, e.g. tcp://10.0.0.1:8786 (extra 'cluster').")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Histogram of lags t_b - t_a in [-range, range), summed over the files; each is a stretch of time of its own.

    Files are read block by block. Clicks of blocks that lost some do not count. The counts are the same for any number
    of jobs, here or on a cluster.
    """
    from .analysis.files.correlating import correlate_files
    from .console import print_json, stdout

    h = correlate_files(files, a, b, bin_ps=bin_ps, range_ps=range_ps, jobs=jobs, scheduler=scheduler)
    if as_json:
        singles = {"a": h.singles_a, "b": h.singles_b}
        return print_json({"lag_ps": h.lag_ps, "counts": h.counts, "singles": singles, "live_time_ps": h.live_time_ps})
    peak = int(h.counts.argmax())
    stdout.print(f"{h.counts.sum()} pairs, most in [{h.lag_ps[peak]}, {h.lag_ps[peak] + bin_ps}) ps: {h.counts[peak]}")
    return None


def coincidences(
    file: TagFile,
    channels: Annotated[str, typer.Option(help="Channels, e.g. 1,2.")],
    window_ps: Annotated[int, typer.Option(help="Coincidence window in ps.")],
    delays_ps: Annotated[str | None, typer.Option(help="A delay for each channel, taken off its times.")] = None,
    as_json: AsJson = False,
) -> None:
    """Coincidences of every combination of the channels, with what chance alone would give.

    The file is read block by block. Clicks of blocks that lost some do not count.
    """
    from .analysis.coincidence import CoincidenceStream
    from .analysis.files.tagfile import stream_tags
    from .console import print_json, stdout

    stream = CoincidenceStream(
        _integers(channels, "--channels"), window_ps, _integers(delays_ps, "--delays-ps") or None
    )
    for block in stream_tags(file).blocks:
        stream.feed(block)
    found = stream.result()
    counts = {",".join(map(str, pattern)): n for pattern, n in found.counts.items()}
    accidentals = {",".join(map(str, pattern)): n for pattern, n in found.accidentals.items()}
    if as_json:
        return print_json({"counts": counts, "accidentals": accidentals})
    for pattern, n in counts.items():
        stdout.print(f"{pattern:>12}: {n}  (chance: {accidentals[pattern]:.3g})")
    return None


def convert(
    source: TagFile,
    target: Annotated[Path, typer.Argument(help="The file to write; its ending says the format.")],
    salvage: Annotated[
        bool, typer.Option("--salvage", help="Keep what is sound of a damaged file, and say what was lost.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy time tags into another format."""
    from .analysis.files.convert import convert as convert_file
    from .analysis.files.convert import salvage as salvage_file
    from .console import print_json, stderr, stdout

    if not salvage:
        count = convert_file(source, target)
        if as_json:
            return print_json({"written": str(target), "tags": count})
        stdout.print(f"{count} tags written to {target}", soft_wrap=True)
        return None
    kept = salvage_file(source, target)
    if as_json:
        lost = {"blocks_lost": kept.blocks_lost, "reason": kept.reason}
        return print_json({"written": str(target), "tags": kept.clicks, **lost})
    stdout.print(f"{kept.clicks} tags written to {target}", soft_wrap=True)
    if kept.blocks_lost:
        stderr.print(f"{kept.blocks_lost} damaged blocks left out, their time marked as not live", soft_wrap=True)
    if kept.reason:
        stderr.print(f"nothing kept after the damage: {kept.reason}", soft_wrap=True)
    return None


def _integers(text: str | None, option: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")] if text else []
    except ValueError:
        raise UsageError(f"{option} {text!r} is not a list of whole numbers such as 1,2") from None
